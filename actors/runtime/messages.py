"""What every message is, and the few messages the runtime itself sends.

A message is an immutable `msgspec.Struct` that travels as a MessagePack array whose first item is its
type name. The class says what happens when a mailbox is full: see `Overflow`.
"""

from __future__ import annotations

import enum
from typing import ClassVar

import msgspec

__all__ = [
    "ActorFailed",
    "ActorRestarted",
    "ActorStopped",
    "AlertRaised",
    "AlertResolved",
    "Message",
    "MessageRefused",
    "Overflow",
    "Severity",
    "SupervisorExhausted",
]


class Overflow(enum.Enum):
    """What becomes of a message that finds its reader's mailbox full."""

    CONFLATE = "conflate"  # older messages with the same type and key give way to newer ones
    REFUSE = "refuse"  # the sender gets MessageRefused; an edge gets MailboxFull
    HALT = "halt"  # kept whatever happens; the reader's supervisor is told that it cannot keep up


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Parent of all messages and of all journaled events.

    Subclasses repeat `frozen=True` (msgspec inherits the rest) and hold only ints, strings, enums,
    tuples and other messages. New fields go last, with a default, so that old records stay readable.
    """

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT
    VERSION: ClassVar[int] = 1  # of the record's shape, raised when fields change their meaning

    @property
    def conflation_key(self) -> str:
        """Messages of one type with equal keys may replace each other under Overflow.CONFLATE."""
        return ""

    def upgraded_from(self, version: int) -> Message:
        """Return this event, recorded under an older VERSION, in the meaning of today.

        Fields added since then have their defaults here. Override together with raising VERSION.
        """
        return self


class Severity(enum.Enum):
    """How much an alert matters: a page wakes somebody, a ticket waits for the morning."""

    INFO = "info"
    TICKET = "ticket"
    PAGE = "page"


class AlertRaised(Message, frozen=True):
    """A condition that a person should know about holds now. `key` tells instances of one name apart.

    With `ends_after_ns` it tells of something that happened: it is over by itself so long after the last one.
    """

    name: str
    key: str
    severity: Severity
    summary: str
    source: str
    at_ns: int
    details: tuple[tuple[str, str], ...] = ()
    ends_after_ns: int = 0  # 0: it holds until it is resolved


class AlertResolved(Message, frozen=True):
    """A condition raised before no longer holds."""

    name: str
    key: str
    source: str
    at_ns: int


class MessageRefused(Message, frozen=True):
    """The reader's mailbox was full, so this message was not taken."""

    reader: str
    reason: str
    refused: bytes  # the message, as MessagePack


class ActorFailed(Message, frozen=True):
    """A behaviour raised; what it did for that message was discarded."""

    actor: str
    error: str
    message_type: str
    attempt: int
    at_ns: int


class ActorRestarted(Message, frozen=True):
    """A behaviour was rebuilt from the journal and takes messages again."""

    actor: str
    restarts_count: int
    recovery_ns: int
    at_ns: int


class ActorStopped(Message, frozen=True):
    """A cell left the node and will not come back by itself."""

    actor: str
    reason: str
    at_ns: int


class SupervisorExhausted(Message, frozen=True):
    """A supervisor used up its restarts. `action` is what its settings say must happen now."""

    supervisor: str
    actor: str
    action: str
    reason: str
    at_ns: int

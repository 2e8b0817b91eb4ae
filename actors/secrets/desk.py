"""The pump of secrets: the question whether anything changed goes out, versions and troubles come in.

The store may take its time, so a thread asks it. No message carries a value: those are in their places.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from actors.runtime.messages import Message
from actors.secrets.port import Trouble

if TYPE_CHECKING:
    from actors.secrets.keeper import SecretKeeper

__all__ = [
    "PORT",
    "Failed",
    "LookAtSecrets",
    "SecretDesk",
    "SecretPump",
    "SecretsSeen",
    "Seen",
    "TakeSecrets",
]

PORT = "secrets"
STOP_WAIT_S = 2.0


class Seen(msgspec.Struct, frozen=True):
    """A value is there: newest version, the one in use, and how long it lasts unconfirmed (0: for ever)."""

    reference: str
    newest: int
    held: int
    lease_ns: int


class Failed(msgspec.Struct, frozen=True):
    """A value is not to be had."""

    reference: str
    trouble: Trouble
    reason: str


class LookAtSecrets(Message, frozen=True):
    """Effect: ask the store for every reference."""

    number: int


class SecretsSeen(Message, frozen=True):
    """What the store said to a question."""

    number: int
    seen: tuple[Seen, ...]
    failed: tuple[Failed, ...]


class TakeSecrets(Message, frozen=True):
    """Effect: these versions are in use from now on."""

    references: tuple[str, ...]


class SecretDesk:
    """Answers effects out of a keeper. It blocks as long as the store does."""

    def __init__(self, keeper: SecretKeeper) -> None:
        self._keeper = keeper

    def answer(self, message: Message) -> Message | None:
        """Return the answer to one effect; None when there is none."""
        if isinstance(message, LookAtSecrets):
            return SecretsSeen(message.number, *self._keeper.look())
        if isinstance(message, TakeSecrets):
            self._keeper.take(message.references)
            return None
        raise TypeError(f"the secrets pump takes no {type(message).__name__}")


class SecretPump:
    """A thread around the desk."""

    def __init__(self, desk: SecretDesk, deliver: Callable[[str, Message], None]) -> None:
        self._desk = desk
        self._deliver = deliver
        self._asked: queue.SimpleQueue[tuple[Message, str] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, message: Message, address: str) -> None:
        """See loop.Pump."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="secrets", daemon=True)
            self._thread.start()
        self._asked.put((message, address))

    def stop(self) -> None:
        """End the thread; a store that hangs is not waited for."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join(STOP_WAIT_S)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            message, address = asked
            found = self._desk.answer(message)
            if found is not None:
                self._deliver(address, found)

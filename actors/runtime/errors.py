"""The runtime's own errors: bad configuration, broken invariants, and what a feeder thread may meet."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "EventsArchived",
    "InvariantError",
    "JournalError",
    "JournalFull",
    "JournalInUse",
    "JournalNotUnderstood",
    "MailboxFull",
    "NodeStopped",
    "NotAccepted",
    "RuntimeFault",
    "require",
]


class RuntimeFault(Exception):
    """Any fault the runtime itself reports; carries fields beside its text."""

    def __init__(self, text: str, **fields: Any) -> None:
        super().__init__(text)
        self.fields = fields


class InvariantError(RuntimeFault):
    """Our bug: something that must always hold did not. It ends the actor that met it."""


class MailboxFull(RuntimeFault):
    """An edge tried to put a refusable message into a full mailbox."""


class NotAccepted(RuntimeFault):
    """An edge sent an actor something it has no handler for."""


class NodeStopped(RuntimeFault):
    """The node no longer takes messages."""


class JournalError(RuntimeFault):
    """The journal cannot be opened, written or believed; the text names the place and the remedy."""


class JournalNotUnderstood(JournalError):
    """This code cannot go on from what the journal holds, so it has changed nothing: another release can."""


class EventsArchived(JournalNotUnderstood):
    """What is wanted needs events that were archived: a part of them would give another answer."""


class JournalInUse(JournalError):
    """Another process has the journal open for writing."""


class JournalFull(JournalError):
    """The disk, or the journal's own limit, has no room for this turn. Nothing of the turn was written."""


def require(condition: object, text: str, **fields: Any) -> None:
    """Raise InvariantError unless the condition holds; unlike `assert` it cannot be stripped."""
    if not condition:
        _broken(text, fields)


def _broken(text: str, fields: dict[str, Any]) -> NoReturn:
    shown = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    raise InvariantError(f"{text} ({shown})" if shown else text, **fields)

"""A change that is tried on one symbol or account before the rest of it follows."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["CanaryBegan", "CanaryEnded"]


class CanaryBegan(Message, frozen=True):
    """A part of a change runs and is watched."""

    generation: int  # that the part runs as
    target: str  # symbol or account
    changed: tuple[str, ...]
    deferred: tuple[str, ...]  # changes that wait for the promotion
    until_ns: int
    actor: str
    reason: str


class CanaryEnded(Message, frozen=True):
    """The whole change runs, or the generation before the canary runs again."""

    generation: int  # that runs now
    target: str
    outcome: str  # promoted, rolled back, aborted, superseded
    actor: str
    reason: str

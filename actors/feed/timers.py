"""What feeds send to themselves."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["Check", "Tick"]


class Tick(Message, frozen=True):
    """The next step of the market, or of the file, is due."""


class Check(Message, frozen=True):
    """Look whether the subscription still lives."""

"""The one timer of an OMS."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["Sweep"]


class Sweep(Message, frozen=True):
    """Look at the deadlines: requests without an answer, questions to ask again, closings to retry."""

"""The one timer of a reconciler."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["Wake"]


class Wake(Message, frozen=True):
    """The pause, or the patience, is over."""

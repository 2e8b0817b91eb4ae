"""What a live feed keeps, and what it sends to itself."""

from __future__ import annotations

import msgspec

from actors.runtime.messages import Message

__all__ = ["FeedPulse", "HistoryRetry", "PoloniexFeedState"]


class PoloniexFeedState(msgspec.Struct):
    """The newest funding settlement that was told: a restart must neither lose nor repeat one."""

    settled_ns: int = 0


class FeedPulse(Message, frozen=True):
    """Look at deadlines and at the stream."""


class HistoryRetry(Message, frozen=True):
    """Ask for a page of the past once more."""

    number: int

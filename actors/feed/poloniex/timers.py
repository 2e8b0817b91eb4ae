"""What a live feed keeps, and what it sends to itself."""

from __future__ import annotations

import msgspec

from actors.poloniex.rate_budget import Pace
from actors.runtime.messages import Message

__all__ = ["FeedPulse", "HistoryRetry", "PoloniexFeedState"]


class PoloniexFeedState(msgspec.Struct):
    """What a restart must neither lose nor repeat."""

    settled_ns: int = 0  # the newest funding settlement that was told
    paces: dict[str, Pace] = {}  # what 429 taught about the venue's limits


class FeedPulse(Message, frozen=True):
    """Look at deadlines and at the stream."""


class HistoryRetry(Message, frozen=True):
    """Ask for a page of the past once more."""

    number: int

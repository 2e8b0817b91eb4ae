"""What survives of a venue actor, and what it sends to itself."""

from __future__ import annotations

import msgspec

from actors.poloniex.rate_budget import Pace
from actors.runtime.messages import Message

__all__ = ["PoloniexVenueState", "ReadingDue", "VenuePulse"]


class PoloniexVenueState(msgspec.Struct):
    """Requests under way, and how far the venue's reports have been read.

    A request is in here from the turn in which it leaves to the turn in which its outcome is known: what is
    still here after a restart may have been carried out.
    """

    placing: dict[str, str] = {}  # client_order_id -> symbol
    canceling: dict[str, str] = {}
    paces: dict[str, Pace] = {}
    synced_ms: int = 0  # by the venue's clock: everything before has been told; 0 before the first time
    funding_ms: int = 0  # date of the newest funding payment told


class VenuePulse(Message, frozen=True):
    """Look at deadlines, clocks and the stream."""


class ReadingDue(Message, frozen=True):
    """A question that paused may go on."""

    number: int

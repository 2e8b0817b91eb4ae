"""What the served exchange records beside the engine's events."""

from __future__ import annotations

from actors.exchange.events import OrderBooked, OrderUnbooked, RestingOrderExecuted, WalletOpened
from actors.exchange.server.spot_state import (
    CoinsMoved,
    KillSwitchSet,
    SmartOrderEnded,
    SmartOrderPlaced,
)
from actors.runtime.messages import Message

__all__ = ["PositionModeSet", "SpotEvent", "SpotHappened"]

SpotEvent = (
    OrderBooked
    | RestingOrderExecuted
    | OrderUnbooked
    | WalletOpened
    | CoinsMoved
    | SmartOrderPlaced
    | SmartOrderEnded
    | KillSwitchSet
)


class PositionModeSet(Message, frozen=True):
    """An account trades one position per symbol, or a long and a short side by side."""

    account: str
    is_hedged: bool
    at_ns: int


class SpotHappened(Message, frozen=True):
    """An event of the spot side; it has the same types as the futures side, so it is told apart by this."""

    event: SpotEvent

"""What the spot side remembers beside its engine: coins, smart orders, kill switches."""

from __future__ import annotations

import msgspec

from actors.exchange.ring import Ring
from actors.exchange.state import ExchangeState
from actors.runtime.messages import Message

__all__ = [
    "CoinsMoved",
    "KillSwitchSet",
    "Purse",
    "SmartOrder",
    "SmartOrderEnded",
    "SmartOrderPlaced",
    "SpotState",
    "Transfer",
]


class SmartOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order that waits for a price. Prices in ticks, offsets in 1e-8 of the price."""

    number: int
    account: str
    client_order_id: str
    symbol: str
    kind: str  # STOP, STOP_LIMIT, TRAILING_STOP, TRAILING_STOP_LIMIT
    side: str
    time_in_force: str
    stop_ticks: int
    limit_ticks: int
    quantity: str
    amount: str
    is_above: bool  # triggers at the stop price or above, else at or below
    trailing_e8: int
    offset_e8: int
    at_ns: int
    state: str = "NEW"  # NEW, TRIGGERED, CANCELED, FAILED
    order_number: int = 0  # of the order it became
    ended_at_ns: int = 0


class Transfer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Money that went from one side of an account to the other."""

    number: int
    currency: str
    amount: int
    origin: str
    destination: str
    at_ns: int


class Purse(msgspec.Struct, gc=False):
    """One account's coins, in 1e-8; what resting orders hold is part of them."""

    coins: dict[str, int] = {}
    smart: dict[int, SmartOrder] = {}  # waiting ones
    ended_smart: Ring[SmartOrder] = msgspec.field(default_factory=Ring)
    transfers: Ring[Transfer] = msgspec.field(default_factory=Ring)
    kill_set_at_ns: int = 0
    kill_at_ns: int = 0  # 0 without an active kill switch


class SpotState(msgspec.Struct, gc=False):
    """All of it."""

    engine: ExchangeState = msgspec.field(default_factory=ExchangeState)
    purses: dict[str, Purse] = {}
    fees: dict[str, int] = {}  # taken, by currency
    smart_count: int = 0
    transfers_count: int = 0
    moved: dict[str, int] = {}  # into accounts from elsewhere, less out of them, by currency


class CoinsMoved(Message, frozen=True):
    """Coins came into an account from elsewhere, or left it (negative)."""

    account: str
    currency: str
    amount: int
    origin: str
    destination: str
    at_ns: int


class SmartOrderPlaced(Message, frozen=True):
    """A smart order waits."""

    order: SmartOrder


class SmartOrderEnded(Message, frozen=True):
    """A smart order became an order, or was canceled."""

    account: str
    number: int
    state: str
    order_number: int
    at_ns: int


class KillSwitchSet(Message, frozen=True):
    """An account's orders will be canceled at an instant, unless it says otherwise; 0 is never."""

    account: str
    cancel_at_ns: int
    at_ns: int

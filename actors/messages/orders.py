"""What a person asks about orders, and has done to them, beside the way that strategies and risk go."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side
from actors.runtime.messages import Message

__all__ = ["CancelScope", "OrderStatus", "OrdersListed", "OrdersRequest"]


class OrdersRequest(Message, frozen=True):
    """Which orders are there? Empty fields do not narrow the question. Answered by OrdersListed."""

    account: str
    symbol: str
    strategy: str
    order_ids: tuple[str, ...]  # client_order_ids or intent_ids
    closed_max: int  # of those that have ended, the newest so many; live ones all


class CancelScope(Message, frozen=True):
    """A person wants every live order in a scope gone; on the record. Answered by OrdersListed: those it hit.

    Empty fields do not narrow the scope.
    """

    account: str
    symbol: str
    strategy: str
    order_id: str  # client_order_id or intent_id
    actor: str  # who says so
    reason: str


class OrderStatus(Message, frozen=True):
    """How one order stands in the books of its OMS."""

    client_order_id: str
    venue_order_id: str
    intent_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int
    order_type: OrderType
    limit_ticks: int
    reduce_only: bool
    filled_contracts: int
    filled_ticks: int  # sum of contracts x price_ticks over its fills
    fee_usdt: int  # 1e-8 USDT; positive is paid
    state: OrderState
    reason: str
    cancel_wanted: bool
    submitted_at_ns: int
    changed_at_ns: int
    unknown_since_ns: int  # 0 while not UNKNOWN
    questions_count: int  # put to the venue about it since it came into doubt
    replaces: str = ""  # the order that ended for this one when its intent was amended
    replaced_by: str = ""


class OrdersListed(Message, frozen=True):
    """The orders asked for: those in doubt, then the live ones, then the closed ones, newest first."""

    account: str
    orders: tuple[OrderStatus, ...]
    left_out_count: int  # live ones that match as well and were too many for one answer
    at_ns: int

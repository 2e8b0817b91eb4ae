"""What a person asks about orders, and has done to them, beside the way that strategies and risk go."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side
from actors.domain.parent_states import ParentState
from actors.messages.plans import Plan
from actors.runtime.messages import Message

__all__ = ["CancelScope", "OrderStatus", "OrdersListed", "OrdersRequest", "ParentStatus"]


class OrdersRequest(Message, frozen=True):
    """Which orders are there? Empty fields do not narrow the question. Answered by OrdersListed."""

    account: str
    symbol: str
    strategy: str
    order_ids: tuple[str, ...]  # client_order_ids or intent_ids; of a parent: it, and its orders
    closed_max: int  # of those that have ended, the newest so many; live ones all


class CancelScope(Message, frozen=True):
    """A person wants every live order in a scope gone; on the record. Answered by OrdersListed: those it hit.

    Empty fields do not narrow the scope.
    """

    account: str
    symbol: str
    strategy: str
    order_id: str  # client_order_id or intent_id; of a parent: it, and what it would no longer have live
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


class ParentStatus(Message, frozen=True):
    """How one parent order stands in the books of its OMS."""

    parent_id: str
    kind: str  # its type: stop, bracket, ...
    strategy: str
    symbol: str
    side: Side
    contracts: int
    reduce_only: bool
    plan: Plan
    state: ParentState
    entry_filled: int
    exit_filled: int
    is_live: bool
    is_withdrawn: bool  # what a cancel of it takes back is gone: all of it, of a bracket the entry
    children: tuple[str, ...]  # its living orders: client_order_ids, or intent_ids while risk is asked
    why: str
    accepted_at_ns: int
    changed_at_ns: int


class OrdersListed(Message, frozen=True):
    """The orders asked for: those in doubt, then the live ones, then the closed ones, newest first."""

    account: str
    orders: tuple[OrderStatus, ...]
    left_out_count: int  # live ones that match as well and were too many for one answer
    at_ns: int
    parents: tuple[ParentStatus, ...] = ()  # that match: the living ones, then the newest that ended

"""Parent orders between our own actors: strategy -> risk -> OMS, which sends their children back to risk."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.orders import Side
from actors.domain.parent_states import ParentState
from actors.messages.plans import Plan
from actors.messages.trading import OrderIntent, Reason
from actors.runtime.messages import Message, Overflow

__all__ = ["ChildIntent", "ParentIntent", "ParentUpdate", "SubmitParent"]


class ParentIntent(Message, frozen=True):
    """A strategy wishes a parent order. Risk may deny it (OrderDenied); it is canceled by CancelIntent."""

    OVERFLOW: ClassVar[Overflow] = Overflow.REFUSE

    intent_id: str  # from the same count as order intents: it is the parent's name
    strategy: str  # address of the strategy actor
    account: str
    symbol: str  # empty only for CloseAll: every symbol
    side: Side  # of the first order it sends: of a bracket's entry, of a stop's closing order
    contracts: int  # 0 where it closes: as many as there are when it comes to it
    reduce_only: bool  # it can only close; False for brackets
    plan: Plan
    decision_ticks: int  # price the decision was made at, for execution quality
    decided_at_ns: int
    reasons: tuple[Reason, ...] = ()


class SubmitParent(Message, frozen=True):
    """Risk allowed a parent order as a whole: the OMS shall run it."""

    intent: ParentIntent
    allowed_at_ns: int


class ChildIntent(Message, frozen=True):
    """The OMS wishes an order on a parent's behalf. Risk judges it like any other.

    `intent.intent_id` is `<parent_id>#<epoch>.<count>`, `intent.strategy` whoever asked for the parent.
    """

    OVERFLOW: ClassVar[Overflow] = Overflow.REFUSE

    parent_id: str
    intent: OrderIntent


class ParentUpdate(Message, frozen=True):
    """A parent order changed; told to the strategy that wished it and to risk."""

    parent_id: str
    strategy: str
    account: str
    symbol: str
    state: ParentState
    contracts: int
    entry_filled: int  # contracts opened by its orders
    exit_filled: int  # contracts closed by its orders
    entry_is_over: bool  # none of its orders will open anything any more
    why: str
    at_ns: int

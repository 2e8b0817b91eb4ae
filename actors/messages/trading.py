"""From a wish to a fill, between our own actors: strategy -> risk -> OMS -> strategy, risk, ledger."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.runtime.messages import Message, Overflow

__all__ = [
    "CancelIntent",
    "CancelOrders",
    "Fill",
    "KnownFill",
    "OpenOrder",
    "OrderDenied",
    "OrderIntent",
    "OrderUpdate",
    "OrdersSnapshot",
    "OrdersSnapshotRequest",
    "Reason",
    "StrategyHeartbeat",
    "SubmitOrder",
]


class Reason(Message, frozen=True):
    """One input of a decision and its value, as text fit for an operator."""

    name: str
    value: str


class OrderIntent(Message, frozen=True):
    """A strategy wishes to trade. Risk may deny it."""

    OVERFLOW: ClassVar[Overflow] = Overflow.REFUSE

    intent_id: str  # unique in the deployment: strategy address, epoch and count
    strategy: str  # address of the strategy actor
    account: str
    symbol: str
    side: Side
    contracts: int
    order_type: OrderType
    limit_ticks: int  # 0 for market orders
    time_in_force: TimeInForce
    reduce_only: bool
    decision_ticks: int  # price the decision was made at, for execution quality
    decided_at_ns: int
    reasons: tuple[Reason, ...] = ()
    mid_x2: int = 0  # best bid + best ask when it was decided; 0 when not both were known


class CancelIntent(Message, frozen=True):
    """A strategy wishes its order gone. Risk passes it on; a cancel is never denied."""

    intent_id: str  # of the order to cancel
    strategy: str
    account: str


class StrategyHeartbeat(Message, frozen=True):
    """A strategy's actor runs, and handles messages."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    strategy: str
    account: str
    at_ns: int

    @property
    def conflation_key(self) -> str:
        """One strategy's heartbeats replace each other."""
        return self.strategy


class OrderDenied(Message, frozen=True):
    """We said no, and nothing left the house. (The venue's no is OrderRejected.)"""

    intent_id: str
    strategy: str
    account: str
    symbol: str
    rule: str  # name of the risk rule
    text: str
    measured: int  # the number the rule looked at, in the rule's unit
    limit: int  # the limit it was held against, same unit
    at_ns: int


class SubmitOrder(Message, frozen=True):
    """Risk allowed an intent: the OMS shall bring it to the venue."""

    intent: OrderIntent
    allowed_at_ns: int
    mid_x2: int = 0  # best bid + best ask then: the price on arrival; 0 when not both were known


class CancelOrders(Message, frozen=True):
    """Cancel live orders in a scope: all of an account, of a symbol, of a strategy, or one intent.

    Empty fields do not narrow the scope. `at_venue`: a halt; the venue may take back whatever rests in the
    scope, orders of other hands included.
    """

    account: str
    symbol: str
    strategy: str
    intent_id: str
    reason: str
    at_venue: bool = False


class OrderUpdate(Message, frozen=True):
    """An order changed, told to the strategy that wished it and to the risk actor that allowed it."""

    client_order_id: str
    intent_id: str
    strategy: str
    account: str
    symbol: str
    side: Side
    contracts: int
    filled_contracts: int
    filled_ticks: int  # sum of contracts x price_ticks over all fills; the average price is the ratio
    state: OrderState
    reason: str
    at_ns: int
    fee_contracts: int = 0  # of what was bought, taken as the fee so far; spot only


class Fill(Message, frozen=True):
    """Part of one of our orders traded. The ledger moves the position by it, once per trade_id."""

    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    trade_id: str  # unique at the venue, per account and symbol
    strategy: str
    side: Side
    contracts: int
    price_ticks: int
    fee_usdt: int  # 1e-8 USDT; positive is paid
    maker: bool
    liquidation: bool
    at_ns: int  # by the venue's clock
    fee_contracts: int = 0  # as in OrderFilled
    dust_e8: int = 0  # as in OrderFilled; negative when the dust held before has become a contract

    @property
    def signed_contracts(self) -> int:
        """What the position moves by; positive is more."""
        return self.side * self.contracts - self.fee_contracts


class OrdersSnapshotRequest(Message, frozen=True):
    """What does the OMS hold? Answered by OrdersSnapshot; the ledger is asked in the same breath."""

    account: str
    request_id: str
    fills_since_ns: int = 0  # fills dated before this are not asked for


class OpenOrder(Message, frozen=True):
    """One live order as the OMS holds it."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    contracts: int
    filled_contracts: int
    state: OrderState


class KnownFill(Message, frozen=True):
    """One fill the OMS has applied."""

    symbol: str
    trade_id: str
    signed_contracts: int  # what the position moved by: positive bought, negative sold
    at_ns: int  # by the venue's clock


class OrdersSnapshot(Message, frozen=True):
    """The OMS's books at one instant, for comparison with the venue's."""

    account: str
    request_id: str
    orders: tuple[OpenOrder, ...]
    net_contracts: tuple[tuple[str, int], ...]  # (symbol, signed), summed over all fills; flat ones left out
    fills: tuple[KnownFill, ...]  # those applied last, oldest first
    fills_since_ns: int  # fills the venue dates before this may have been forgotten; 0 when none was
    fills_count: int  # how many different fills were published to the ledger since the account began
    at_ns: int
    mark: str = ""  # begins the name of every order that this account's OMS makes, in whatever journal

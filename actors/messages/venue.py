"""Between the OMS or the reconciler and a venue: requests, what the venue answers, what it tells by itself.

Every venue kind (simulated, Poloniex) speaks exactly these.
"""

from __future__ import annotations

import enum

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.terms import CashTransferred, VenueTerms
from actors.runtime.messages import Message

__all__ = [
    "CancelOrder",
    "CancelRejected",
    "FundingPaid",
    "OrderAccepted",
    "OrderCanceled",
    "OrderFilled",
    "OrderRejected",
    "OutcomeUnknown",
    "PlaceOrder",
    "QueryAccount",
    "QueryOrder",
    "VenueAccount",
    "VenueConnection",
    "VenueOrder",
    "VenuePosition",
]


class PlaceOrder(Message, frozen=True):
    """Bring an order to the venue. Sending the same client_order_id again never makes a second order."""

    account: str
    client_order_id: str
    symbol: str
    side: Side
    contracts: int
    order_type: OrderType
    limit_ticks: int
    time_in_force: TimeInForce
    reduce_only: bool


class CancelOrder(Message, frozen=True):
    """Take a resting order back."""

    account: str
    client_order_id: str
    symbol: str


class QueryOrder(Message, frozen=True):
    """What does the venue know about this order? Answered by VenueOrder after all its sources were read."""

    account: str
    client_order_id: str
    symbol: str


class QueryAccount(Message, frozen=True):
    """What does the venue hold for this account? Answered by VenueAccount."""

    account: str
    request_id: str
    fills_since_ns: int
    terms_of: tuple[str, ...] = ()  # symbols whose leverage shall be stated too; each may cost a request


class OrderAccepted(Message, frozen=True):
    """The venue took the order."""

    account: str
    client_order_id: str
    venue_order_id: str
    at_ns: int
    sent_at_ns: int = 0  # when our request left, by our clock; 0 when that is not known
    created_at_ns: int = 0  # when the order came to be, by the venue's clock; 0 when that is not known


class OrderRejected(Message, frozen=True):
    """The venue refused the order; it never rested and never will."""

    account: str
    client_order_id: str
    code: str
    text: str
    at_ns: int


class OrderFilled(Message, frozen=True):
    """The venue reports one fill. It may come before the acceptance, after a cancel, or twice."""

    account: str
    client_order_id: str  # empty when the venue acted by itself, as in a liquidation
    venue_order_id: str
    symbol: str
    trade_id: str
    side: Side
    contracts: int
    price_ticks: int
    fee_usdt: int
    maker: bool
    liquidation: bool
    at_ns: int
    fee_contracts: int = 0  # spot buys: taken from what was bought, and valued in fee_usdt at the price
    dust_e8: int = 0  # spot buys: what of these contracts was not fee and stays, in 1e-8 of the coin

    @property
    def signed_contracts(self) -> int:
        """What the position moves by; positive is more."""
        return self.side * self.contracts - self.fee_contracts


class OrderCanceled(Message, frozen=True):
    """The order rests no more; what was not filled never will be."""

    account: str
    client_order_id: str
    venue_order_id: str
    reason: str
    filled_contracts: int  # in all, by the venue's count
    at_ns: int


class CancelRejected(Message, frozen=True):
    """The venue refused a cancel, most often because the order had ended before."""

    account: str
    client_order_id: str
    code: str
    text: str
    at_ns: int


class RequestKind(enum.Enum):
    """Which request an outcome belongs to."""

    PLACE = "place"
    CANCEL = "cancel"
    QUERY = "query"


class OutcomeUnknown(Message, frozen=True):
    """A request's bytes may have left, and no answer came. Nothing may be assumed."""

    account: str
    client_order_id: str
    request: RequestKind
    reason: str
    at_ns: int


class FundingPaid(Message, frozen=True):
    """The venue settled funding for a position we hold."""

    account: str
    symbol: str
    funding_id: str  # unique per account: symbol and settlement instant
    net_contracts: int  # the position that paid
    mark_ticks: int
    rate_e8: int
    payment_usdt: int  # 1e-8 USDT; positive is paid by us, negative received
    settled_at_ns: int


class VenueConnection(Message, frozen=True):
    """The venue became reachable, or stopped being so."""

    account: str
    up: bool
    reason: str
    at_ns: int


class VenueOrder(Message, frozen=True):
    """Everything the venue knows about one order, read from all its sources.

    `found` False means proven absent: neither open, nor in history, nor in fills. Dated by when
    its reading began: what happened later may be in it, and may not.
    """

    account: str
    client_order_id: str
    symbol: str
    found: bool
    venue_order_id: str
    state: OrderState  # OPEN, PARTIALLY_FILLED, FILLED, CANCELED or REJECTED; ABSENT when not found
    side: Side
    contracts: int
    filled_contracts: int
    limit_ticks: int
    reduce_only: bool
    fills: tuple[OrderFilled, ...]
    at_ns: int


class VenuePosition(Message, frozen=True):
    """One position as the venue holds it."""

    symbol: str
    net_contracts: int
    cost_ticks: int  # as in domain.positions
    leverage: int
    isolated: bool
    dust_e8: int = 0  # spot: coins beside the contracts, in 1e-8


class VenueAccount(Message, frozen=True):
    """The venue's truth about one account at one instant."""

    account: str
    request_id: str
    cash_usdt: int  # wallet balance without unrealised profit, 1e-8 USDT; spot: the money alone
    positions: tuple[VenuePosition, ...]
    open_orders: tuple[VenueOrder, ...]
    fills: tuple[OrderFilled, ...]  # since the asked instant
    funding: tuple[FundingPaid, ...]
    at_ns: int
    terms: tuple[VenueTerms, ...] = ()  # of the symbols that were asked for, as far as the venue says them
    transfers: tuple[CashTransferred, ...] = ()  # since the asked instant
    isolated: bool = False  # our orders go into isolated positions, not into crossed ones
    hedged: bool = False  # the account may hold a long and a short position of one symbol side by side
    margin_ratio_e8: int = 0  # maintenance margin over equity, of crossed positions; 0 when it says nothing

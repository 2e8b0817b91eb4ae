"""What a strategy is: a plain object that is shown closed bars (or quotes, or trades) and says what it wants.

It is made from its settings and its instrument. Everything that changes in it lives in `memory`, one
msgspec struct, which is saved after each bar and put back after a restart. It sees the market and its own
position through a `View`, and answers with one of five decisions. It knows neither clock nor orders in
flight: `StrategyActor` warms it up, keeps it still while it may not act, and turns a decision into orders.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.market import Quote
from actors.messages.plans import Plan
from actors.strategy.settings import StrategySettings
from actors.strategy.sizing import contracts_at_risk
from actors.strategy.state import PendingOrder

__all__ = [
    "Amend",
    "Cancel",
    "Decision",
    "Hold",
    "Launch",
    "Order",
    "OwnOrder",
    "Reasons",
    "Strategy",
    "Target",
    "View",
]

# Inputs of a decision and their values; numbers become text when the decision is journaled.
Reasons = tuple[tuple[str, str | int | float], ...]


class Hold(NamedTuple):
    """Do nothing. Journaled when `why` differs from the decision before."""

    why: str
    reasons: Reasons = ()


class Target(NamedTuple):
    """Hold so many contracts, negative for short. Say it again on each bar: it acts only on a difference."""

    net_contracts: int
    why: str
    reasons: Reasons = ()


class Order(NamedTuple):
    """Place this one order."""

    side: Side
    contracts: int
    why: str
    reasons: Reasons = ()
    order_type: OrderType = OrderType.MARKET
    limit_ticks: int = 0  # 0 for market orders
    time_in_force: TimeInForce = TimeInForce.IOC
    reduce_only: bool = False


class Launch(NamedTuple):
    """Start this one parent order, run by the OMS: a stop, a bracket, slices (actors/messages/plans.py)."""

    side: Side  # of the first order it sends: of a bracket's entry, of a stop's closing order
    contracts: int  # 0 for one that closes: whatever is open then
    plan: Plan
    why: str
    reasons: Reasons = ()
    reduce_only: bool = True  # False for what may open: brackets, and whatever builds a position


class Cancel(NamedTuple):
    """Take back every own order that still lives, parent orders included."""

    why: str
    reasons: Reasons = ()


class Amend(NamedTuple):
    """Give a live limit order of one's own another price or size; what is 0 stays as it is.

    Without an `intent_id` it is the order placed last. Nothing happens while that order is being amended or
    taken back, when it does not rest, or when nothing would change.
    """

    why: str
    reasons: Reasons = ()
    limit_ticks: int = 0
    contracts: int = 0  # in all, what has filled already included
    intent_id: str = ""


Decision = Hold | Target | Order | Launch | Cancel | Amend


class OwnOrder(NamedTuple):
    """An own order that has no end yet."""

    intent_id: str
    side: Side
    contracts: int
    filled_contracts: int
    limit_ticks: int  # 0 of a market order
    is_changing: bool  # it is being amended or taken back


class View:
    """What a strategy may look at. Prices are ticks, contracts signed, money 1e-8 USDT."""

    __slots__ = (
        "can_act",
        "equity_usdt",
        "instrument",
        "last_ticks",
        "net_contracts",
        "now_ns",
        "pending",
        "quote",
        "settings",
    )

    def __init__(self, settings: StrategySettings, instrument: Instrument) -> None:
        self.settings = settings
        self.instrument = instrument
        self.now_ns = 0
        self.net_contracts = 0  # own position: what this strategy's fills add up to
        self.last_ticks = 0  # last trade, or close of the last bar; 0 before the first
        self.pending: dict[str, PendingOrder] = {}
        self.quote: Quote | None = None
        self.equity_usdt = settings.equity_usdt
        self.can_act = False  # False while a decision would be set aside, for instance during warm-up

    @property
    def orders(self) -> tuple[OwnOrder, ...]:
        """Own orders without an end, oldest first."""
        return tuple(
            [
                OwnOrder(
                    *(intent_id, Side(order.side), order.contracts, order.filled_contracts),
                    *(order.limit_ticks, bool(order.amend_id) or order.taken_back),
                )
                for intent_id, order in self.pending.items()
            ]
        )

    def contracts_at_risk(self, stop_ticks: float) -> int:
        """Return how many contracts lose `risk_fraction` of equity when the price moves against them so far.

        Never more than the settings and the catalog allow; 0 when one contract already risks more.
        """
        return contracts_at_risk(
            self.settings, self.instrument, self.equity_usdt, self.last_ticks, stop_ticks
        )


class Strategy(Protocol):
    """What every strategy has, beside at least one of these, each of which returns a Decision:

    on_bar(bar: BarLike, view: View)     the next closed bar, those of the warm-up included
    on_quote(quote: Quote, view: View)   each change of the best bid or ask
    on_trade(trade: Trade, view: View)   each trade of the market

    What `on_quote` changes in the memory is saved with the next bar, trade or order, not at once. One that
    places Orders may have several unresolved at a time by setting `orders_at_once`; without it, it has one.
    `VERSION` counts the shapes its memory has had: one saved in another is forgotten and warmed up anew.
    """

    MEMORY: ClassVar[type[msgspec.Struct]]  # class of `memory`
    memory: Any  # all that changes; replaced by the restored one after a restart
    bars_warmup: int  # closed bars it must have seen before a decision of it counts

    def __init__(self, settings: Any, instrument: Instrument) -> None: ...

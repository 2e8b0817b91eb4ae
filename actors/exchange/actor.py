"""The exchange as an actor: messages to engine calls, events to the journal, outcomes to the venues."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.place import Place
from actors.exchange.answers import answer_account, answer_order, describe_exchange
from actors.exchange.engine import Exchange, Outcomes
from actors.exchange.events import (
    CashMoved,
    FeesSet,
    FundingCharged,
    LeverageSet,
    MarginMoved,
    OrderBooked,
    OrderUnbooked,
    PositionLiquidated,
    RestingOrderExecuted,
    WalletOpened,
)
from actors.exchange.funding import last_instant
from actors.exchange.provisions import set_leverage
from actors.exchange.settings import ExchangeSettings
from actors.exchange.state import ExchangeState
from actors.exchange.terms import Slot
from actors.messages.market import BookDepth, FundingRate, FundingSettled, MarkPrice, Quote, Trade
from actors.messages.scopes import CancelAll
from actors.messages.terms import SetLeverage
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
)
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.errors import require
from actors.runtime.messages import Message

__all__ = ["ExchangeActor", "ExchangeFundingDue"]


class ExchangeFundingDue(Message, frozen=True):
    """A settlement instant of at least one symbol has come."""


class ExchangeActor(Behaviour):
    """The far side of the venue, in one process with ours, known to it through messages only."""

    ACCEPTS: ClassVar = (
        PlaceOrder,
        CancelOrder,
        CancelAll,
        QueryOrder,
        QueryAccount,
        SetLeverage,
        Quote,
        BookDepth,
        Trade,
        MarkPrice,
        FundingRate,
        FundingSettled,
        ExchangeFundingDue,
    )
    REPLIES: ClassVar = (
        OrderAccepted,
        OrderRejected,
        OrderFilled,
        OrderCanceled,
        CancelRejected,
        FundingPaid,
        VenueOrder,
        VenueAccount,
    )
    EVENTS: ClassVar = (
        WalletOpened,
        OrderBooked,
        RestingOrderExecuted,
        OrderUnbooked,
        FundingCharged,
        PositionLiquidated,
        LeverageSet,
        MarginMoved,
        CashMoved,
        FeesSet,
    )
    STATE: ClassVar = ExchangeState
    PERSISTENCE: ClassVar = Persistence.EVENT_SOURCED
    PHASE: ClassVar = Phase.SOURCE

    def __init__(self, settings: ExchangeSettings, place: Place) -> None:
        self.settings = settings
        self.instruments = {symbol: one for symbol, one in place.instruments.items() if not one.is_spot}
        self.addresses = {account: f"{settings.venue}/{account}" for account in settings.accounts}
        for symbol in settings.leverage:
            if symbol not in self.instruments:
                raise ValueError(f"leverage.{symbol}: is not an instrument of this deployment")
        self.exchange = Exchange(self.instruments, settings.rules())

    @property
    def state(self) -> ExchangeState:
        """The engine's state; setting it, as a recovery does, builds the engine's indexes anew."""
        return self.exchange.state

    @state.setter
    def state(self, state: ExchangeState) -> None:
        self.exchange = Exchange(self.instruments, self.settings.rules(), state)
        for account in state.wallets:
            self.addresses.setdefault(account, f"{self.settings.venue}/{account}")

    def started(self, context: Context) -> None:
        exchange = self.exchange
        exchange.record = context.record
        require(exchange.books_balance(), "the exchange's books do not balance", **exchange.totals())
        for account, deposit in self.settings.accounts.items():
            exchange.open_account(account, deposit, context.now_ns)
        self._schedule_funding(context)

    # -- requests -----------------------------------------------------------------------------------

    def on_place_order(self, message: PlaceOrder, context: Context) -> None:
        self._tell(self.exchange.place(message, context.now_ns), context)

    def on_cancel_order(self, message: CancelOrder, context: Context) -> None:
        self._tell(self.exchange.cancel(message, context.now_ns), context)

    def on_cancel_all(self, message: CancelAll, context: Context) -> None:
        """Take all orders of a scope back; those that were named are answered, resting or not."""
        exchange, account, symbol = self.exchange, message.account, message.symbol
        member = exchange.members.get(account)
        resting = [
            (name, order.request.symbol)
            for name, order in (member.orders.items() if member is not None else ())
            if order.number in exchange.nodes and symbol in ("", order.request.symbol)
        ]
        named = zip(message.client_order_ids, message.symbols, strict=True)
        for name, one in dict([*named, *resting]).items():
            self._tell(exchange.cancel(CancelOrder(account, name, one), context.now_ns), context)

    def on_query_order(self, message: QueryOrder, context: Context) -> None:
        context.reply(answer_order(self.exchange, message, context.now_ns))

    def on_query_account(self, message: QueryAccount, context: Context) -> None:
        answer = answer_account(self.exchange, message, context.now_ns)
        if answer is None:
            context.log("unknown account", account=message.account)
            return
        context.reply(answer)

    def on_set_leverage(self, message: SetLeverage, context: Context) -> None:
        exchange = self.exchange
        member, market = exchange.members.get(message.account), exchange.markets.get(message.symbol)
        if member is None or market is None:
            context.log("leverage of an unknown account or symbol", symbol=message.symbol)
            return
        standing = member.standing(market, Slot.CROSS)
        refused = set_leverage(exchange, standing, message.leverage, context.now_ns)
        if refused is not None:
            context.log("leverage refused", symbol=message.symbol, reason=refused[1])

    # -- the outside market -------------------------------------------------------------------------

    def on_quote(self, message: Quote, context: Context) -> None:
        outcomes = self.exchange.quote(message, context.now_ns)
        if outcomes:
            self._tell(outcomes, context)

    def on_book_depth(self, message: BookDepth, context: Context) -> None:
        outcomes = self.exchange.depth(message, context.now_ns)
        if outcomes:
            self._tell(outcomes, context)

    def on_trade(self, message: Trade, context: Context) -> None:
        outcomes = self.exchange.trade(message, context.now_ns)
        if outcomes:
            self._tell(outcomes, context)

    def on_mark_price(self, message: MarkPrice, context: Context) -> None:
        outcomes = self.exchange.mark(message, context.now_ns)
        if outcomes:
            self._tell(outcomes, context)

    def on_funding_rate(self, message: FundingRate, context: Context) -> None:
        self._tell(self.exchange.funding_rate(message, context.now_ns), context)

    def on_funding_settled(self, message: FundingSettled, context: Context) -> None:
        self._tell(self.exchange.funding_settled(message, context.now_ns), context)

    def on_exchange_funding_due(self, message: ExchangeFundingDue, context: Context) -> None:
        self._tell(self.exchange.settle_due(context.now_ns), context)
        self._schedule_funding(context)

    # -- events -------------------------------------------------------------------------------------

    def apply_wallet_opened(self, event: WalletOpened) -> None:
        self.exchange.apply_wallet_opened(event)
        self.addresses.setdefault(event.account, f"{self.settings.venue}/{event.account}")

    def apply_order_booked(self, event: OrderBooked) -> None:
        self.exchange.apply_order_booked(event)

    def apply_resting_order_executed(self, event: RestingOrderExecuted) -> None:
        self.exchange.apply_resting_order_executed(event)

    def apply_order_unbooked(self, event: OrderUnbooked) -> None:
        self.exchange.apply_order_unbooked(event)

    def apply_funding_charged(self, event: FundingCharged) -> None:
        self.exchange.apply_funding_charged(event)

    def apply_position_liquidated(self, event: PositionLiquidated) -> None:
        self.exchange.apply_position_liquidated(event)

    def apply_leverage_set(self, event: LeverageSet) -> None:
        self.exchange.apply_leverage_set(event)

    def apply_margin_moved(self, event: MarginMoved) -> None:
        self.exchange.apply_margin_moved(event)

    def apply_cash_moved(self, event: CashMoved) -> None:
        self.exchange.apply_cash_moved(event)

    def apply_fees_set(self, event: FeesSet) -> None:
        self.exchange.apply_fees_set(event)

    # -- for operators ------------------------------------------------------------------------------

    def describe(self) -> Any:
        return describe_exchange(self.exchange)

    def gauges(self) -> dict[str, int | float]:
        state = self.exchange.state
        return {
            "open_orders": len(state.open_orders),
            "orders_count": state.orders_count,
            "trades_count": state.trades_count,
            "fees_usdt": state.fees_usdt / 100_000_000,
            "insurance_usdt": state.insurance_usdt / 100_000_000,
        }

    # -- steps --------------------------------------------------------------------------------------

    def _tell(self, outcomes: Outcomes, context: Context) -> None:
        """Send each outcome to the venue of its account; a stranger's goes back to where he asked from."""
        addresses = self.addresses
        for outcome in outcomes:
            address = addresses.get(outcome.account)  # type: ignore[attr-defined]
            if address is None:
                context.reply(outcome)
            else:
                context.send(address, outcome)

    def _schedule_funding(self, context: Context) -> None:
        if self.settings.funding != "clock":
            return
        now = context.now_ns
        intervals = {instrument.funding_interval_ns for instrument in self.instruments.values()}
        due = min((last_instant(now, interval) + interval for interval in intervals), default=0)
        if due:
            context.schedule(due - now, ExchangeFundingDue(), key="funding")

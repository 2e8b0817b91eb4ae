"""Allows or denies what strategies wish, for one account, and holds the kill switch."""

from __future__ import annotations

from typing import Any

from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.messages.account import AccountState, PortfolioState, PositionOverruled, PositionState
from actors.messages.amending import (
    AmendIntent,
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.control import (
    Acknowledged,
    FlattenPositions,
    Halt,
    HaltState,
    LatchFound,
    ReconcileFinished,
    Rejected,
    Resume,
)
from actors.messages.grants import PortfolioGrant, PortfolioUse
from actors.messages.limits import ChangeLimit
from actors.messages.market import FeedState, FeedStatus, FundingRate, MarkPrice, Quote
from actors.messages.parents import ChildIntent, ParentIntent, SubmitParent
from actors.messages.trading import (
    CancelIntent,
    CancelOrders,
    OrderDenied,
    OrderIntent,
    OrderUpdate,
    StrategyHeartbeat,
    SubmitOrder,
)
from actors.messages.venue import VenueConnection
from actors.risk.alarms import Alarms
from actors.risk.events import (
    AmendAllowed,
    AmendSettled,
    FeedNoted,
    GateMoved,
    HaltLatched,
    HaltReleased,
    IntentAllowed,
    IntentDenied,
    LatchTaken,
    LossDayNoted,
    OrderAdopted,
    OrderFinished,
    OrderProgressed,
    PositionCorrected,
    ReplacementAllowed,
)
from actors.risk.guard import storable
from actors.risk.guard_events import GUARD_EVENTS, RejectsEnded
from actors.risk.heartbeats import SilenceDue
from actors.risk.limit_desk import LimitsDue
from actors.risk.parents import ParentAllowed
from actors.risk.picture import Market
from actors.risk.rule import Denial
from actors.risk.settings import RiskSettings
from actors.risk.use import gauges_of
from actors.runtime.behaviour import Context, Persistence, Phase
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Message, SupervisorExhausted

__all__ = ["RiskActor", "RiskTick"]

TICK_NS = 1_000_000_000
SECOND_NS = 1_000_000_000

FILLED, CANCELED = OrderState.FILLED, OrderState.CANCELED
REJECTED, ABSENT = OrderState.REJECTED, OrderState.ABSENT


class RiskTick(Message, frozen=True):
    """Compare our positions with the ledger's."""


class RiskActor(Alarms):
    """The gate between strategies and the OMS. What it allowed stays reserved until the order has ended."""

    ACCEPTS = (
        *(AmendIntent, AmendUpdate, ReplacementReady, ParentIntent, ChildIntent),
        *(OrderIntent, CancelIntent, OrderUpdate, Quote, MarkPrice, FeedStatus, AccountState, PositionState),
        *(ReconcileFinished, Halt, LatchFound, Resume, SupervisorExhausted, RiskTick),
        *(ChangeLimit, LimitsDue, FundingRate, PortfolioState, PortfolioGrant, StrategyHeartbeat),
        *(VenueConnection, SilenceDue),
    )
    EMITS = (
        *(SubmitOrder, SubmitAmend, CancelOrders, FlattenPositions, HaltState, PositionOverruled),
        *(SubmitParent, PortfolioUse),
    )
    REPLIES = (OrderDenied, PlaceReplacement, ReplacementDenied, Acknowledged, Rejected)
    EVENTS = (
        *(IntentAllowed, IntentDenied, OrderProgressed, OrderFinished, OrderAdopted, PositionCorrected),
        *(HaltLatched, HaltReleased, LatchTaken, LossDayNoted, GateMoved, FeedNoted),
        *(AmendAllowed, AmendSettled, ReplacementAllowed, ParentAllowed),
        *GUARD_EVENTS,
    )
    PERSISTENCE = Persistence.EVENT_SOURCED
    PHASE = Phase.STATE

    def __init__(self, settings: RiskSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._epoch = 0
        self._tick_waits = False  # only while a position differs from the ledger's
        self._deaf: set[str] = set()  # strategies that send us intents but do not read us

    # -- life -------------------------------------------------------------------------------------

    def started(self, context: Context) -> None:
        state, picture = self.state, self._picture
        self._epoch = context.epoch
        picture.bind(state)
        picture.gate_open = state.gate_epoch == self._epoch
        self.recall_limits(context)
        picture.tally.begin(state.reserved)
        self.recall_halts(context)
        self.recall_silences(context)

    # -- intents: the hot path --------------------------------------------------------------------

    def on_order_intent(self, intent: OrderIntent, context: Context) -> None:
        if intent.account != self._account:
            return None  # another account's risk reads the same strategies
        market = self._markets.get(intent.symbol)
        if market is None:
            denial = Denial(f"{intent.symbol} is not among this deployment's symbols", 0, 1)
            return self._deny(intent, "unknown_symbol", denial, context)
        if context.sender and context.sender != intent.strategy:
            denial = Denial(f"{context.sender} speaks for {intent.strategy}", 0, 1)
            return self._deny(intent, "wrong_sender", denial, context)
        return self._vet(intent, market, False, context)

    def _vet(self, intent: OrderIntent, market: Market, is_exit: bool, context: Context) -> None:
        """Ask the rules, and pass the intent on when none speaks against it."""
        picture, now_ns = self._picture, context.now_ns
        picture.look(intent, market, now_ns)
        if is_exit and intent.contracts <= picture.reducible_contracts:
            picture.reduces = True  # what else would close the same contracts, the venue trims
        for name, check in market.checks_reducing if picture.reduces else market.checks:
            denied = check(intent, picture)
            if denied is not None:
                smaller = None if picture.reduces else self.shrunk(intent, name, denied, context)
                if smaller is None:
                    return self._deny(intent, name, denied, context)
                intent = smaller
                break
        if self._near_checks:
            self.warn(intent, context)
        context.record(
            IntentAllowed(
                intent.intent_id,
                intent.strategy,
                intent.symbol,
                intent.side,
                intent.contracts,
                picture.price_ticks,
                picture.worst_contracts,
                now_ns,
            )
        )
        picture.reserve()
        if self._tallied:
            picture.tally.allowed(intent)
        context.publish(SubmitOrder(intent, now_ns, market.mid_x2))
        return None

    def _deny(self, intent: OrderIntent | ParentIntent, rule: str, denial: Denial, context: Context) -> None:
        self._note_denial(intent, rule, denial, context)
        text, measured, limit = denial[0], storable(denial[1]), storable(denial[2])
        intent_id, strategy, symbol, now_ns = intent.intent_id, intent.strategy, intent.symbol, context.now_ns
        denied = OrderDenied(intent_id, strategy, self._account, symbol, rule, text, measured, limit, now_ns)
        try:
            context.reply(denied)
        except InvariantError:
            # It does not read us, so it cannot be told. That is no reason to fail everybody else.
            if context.sender not in self._deaf:
                self._deaf.add(context.sender)
                context.log("denials have no reader", address=context.sender)
        self.follow_denial(intent, rule, denial, context)

    def _note_denial(
        self, intent: OrderIntent | ParentIntent, rule: str, denial: Denial, context: Context
    ) -> None:
        context.record(
            IntentDenied(
                *(intent.intent_id, intent.strategy, intent.symbol, intent.side),
                *(storable(intent.contracts), rule, storable(denial[1]), storable(denial[2])),
                context.now_ns,
            )
        )

    def on_cancel_intent(self, cancel: CancelIntent, context: Context) -> None:
        if cancel.account == self._account:
            rate, picture = self.settings.max_cancels_per_second, self._picture
            if rate:
                picture.cancels_full_ns = max(picture.cancels_full_ns, context.now_ns) + SECOND_NS // rate
            reason = "canceled by its strategy"
            context.publish(CancelOrders(self._account, "", cancel.strategy, cancel.intent_id, reason))

    # -- how orders go on -------------------------------------------------------------------------

    def on_order_update(self, update: OrderUpdate, context: Context) -> None:
        intent_id, filled, now = update.intent_id, update.filled_contracts, update.state
        order = self.state.reserved.get(intent_id)
        if order is None:
            self._take_unexpected(update, context)
            return
        ended = now is FILLED or now is CANCELED or now is REJECTED or now is ABSENT
        before = order.filled_contracts
        if self._tallied:
            self.note_update(order, update, before, ended)
        if ended:
            context.record(
                OrderFinished(
                    *(intent_id, filled, now, order.symbol, update.side, context.now_ns),
                    *(update.fee_contracts, update.filled_ticks),
                )
            )
            if now is REJECTED:
                self.note_refusal(f"{order.symbol} by the venue", context)
        elif filled > before:
            context.record(
                OrderProgressed(intent_id, filled, context.now_ns, update.fee_contracts, update.filled_ticks)
            )
        else:
            if self.state.rejects_in_row and now is OrderState.OPEN:
                context.record(RejectsEnded(context.now_ns))
            return
        market = self._markets[order.symbol]
        if filled > before:
            market.ledger_known = False  # it speaks of the time before this fill
        book = self.state.books[order.symbol]
        self._picture.revalue(market, book)
        if order.adopted and filled > before:
            context.publish(
                PositionOverruled(self._account, order.symbol, book.net_contracts, context.now_ns)
            )
        if ended and self._watched:
            self._picture.now_ns = context.now_ns
            self.watch(context)

    def _take_unexpected(self, update: OrderUpdate, context: Context) -> None:
        """A fill after the end of an order, or an order that was not asked about here."""
        intent_id, filled, now_ns = update.intent_id, update.filled_contracts, context.now_ns
        market = self._markets.get(update.symbol)
        if update.account != self._account or market is None:
            return
        known = self.ended_with(intent_id)
        if known is None:
            context.record(
                OrderAdopted(
                    *(intent_id, update.strategy, update.symbol, update.side, update.contracts, now_ns)
                )
            )
            if self._tallied:
                self._picture.tally.add(update.strategy, update.symbol, update.side, update.contracts, 1)
            self.on_order_update(update, context)
        elif filled > known:
            context.record(OrderFinished(intent_id, filled, update.state, update.symbol, update.side, now_ns))
            market.ledger_known = False
        self._picture.revalue(market, self.peek(update.symbol))

    # -- prices, money, positions -----------------------------------------------------------------

    def on_quote(self, quote: Quote, context: Context) -> None:
        market = self._markets.get(quote.symbol)
        if market is not None:
            market.quote = quote

    def on_mark_price(self, mark: MarkPrice, context: Context) -> None:
        market = self._markets.get(mark.symbol)
        if market is None or mark.mark_ticks <= 0:
            return
        market.mark = mark
        if market.exposure_contracts:
            self._picture.revalue(market, self.peek(mark.symbol))
        if market.exits:
            self.look_at_position(market, context)

    def on_feed_status(self, status: FeedStatus, context: Context) -> None:
        market = self._markets.get(status.symbol)
        if market is None:
            return
        stale = "" if status.state is FeedState.LIVE else status.state.value
        if stale != market.stale:
            market.stale = stale
            context.record(FeedNoted(status.symbol, stale, context.now_ns))
            self.note_silence(status.symbol, bool(stale), context)

    def on_account_state(self, account: AccountState, context: Context) -> None:
        if account.account != self._account:
            return
        picture = self._picture
        picture.equity_usdt = account.equity_usdt
        picture.loss_usdt = loss = account.day_start_equity_usdt - account.equity_usdt
        picture.account_known = True
        limit = self.settings.daily_loss_usdt
        if limit and loss >= limit:
            self.hit_loss_limit(account.day_start_ns or account.at_ns, context)
        self.take_account(account, context)

    def on_position_state(self, position: PositionState, context: Context) -> None:
        market = self._markets.get(position.symbol)
        if market is None or position.account != self._account:
            return
        book, after = self.peek(position.symbol), position.net_contracts
        differed = market.ledger_known and market.ledger_contracts != book.net_contracts
        market.ledger_contracts, market.ledger_known = after, True
        market.cost_ticks = position.cost_ticks
        differs = after != book.net_contracts
        if differed or differs:
            self._picture.revalue(market, book)
        if differs and not self._tick_waits:
            self._tick_later(context)
        if market.exits:
            self.look_at_position(market, context)

    def on_risk_tick(self, tick: RiskTick, context: Context) -> None:
        self._tick_waits = False
        for market in self._markets.values():
            if market.ledger_known:
                self._compare(market, context)
            else:
                market.differs_since_ns = 0  # it will speak of our last fill, and then we see
            if market.differs_since_ns and not self._tick_waits:
                self._tick_later(context)

    def _tick_later(self, context: Context) -> None:
        self._tick_waits = True
        context.schedule(TICK_NS, RiskTick(), key="tick")

    def _compare(self, market: Market, context: Context) -> None:
        """Believe the ledger once it has differed from our fills for long enough: it also hears of others."""
        symbol, now_ns = market.symbol, context.now_ns
        before, after = self.peek(symbol).net_contracts, market.ledger_contracts
        if before == after:
            market.differs_since_ns = 0
        elif not market.differs_since_ns:
            market.differs_since_ns = now_ns
        elif now_ns - market.differs_since_ns >= self.settings.position_settle:
            market.differs_since_ns = 0
            context.record(PositionCorrected(symbol, before, after, now_ns))
            self._picture.revalue(market, self.book(symbol))
            context.publish(PositionOverruled(self._account, symbol, after, now_ns))

    # -- the gate -------------------------------------------------------------

    def on_reconcile_finished(self, finished: ReconcileFinished, context: Context) -> None:
        if finished.account != self._account:
            return
        self.take_venue_margin(finished, context)
        if finished.agrees is self._picture.gate_open:
            return
        context.record(GateMoved(finished.agrees, self._epoch, context.now_ns))
        self._picture.gate_open = finished.agrees
        if finished.agrees:  # what a restart may have cut short
            self.enforce_halts(context)

    # -- for operators ----------------------------------------------------------------------------

    def describe(self) -> Any:
        state, picture = self.state, self._picture
        return {
            "account": self._account,
            "reconciled": picture.gate_open,
            "account_known": picture.account_known,
            "halts": {scope: [h.level.name, h.actor, h.reason] for scope, h in state.halts.items()},
            "limits": self.shown_limits(),
            "granted": self.shown_grant(),
            "feeds_stale": dict(state.feeds_stale),
            "positions": {s: b.net_contracts for s, b in state.books.items() if b.net_contracts},
            "orders_reserved": len(state.reserved),
            "exposure_usdt_e8": picture.exposure_usdt,
            "margin_usdt_e8": picture.margin_usdt,
            "equity_usdt_e8": picture.equity_usdt,
            "loss_today_usdt_e8": picture.loss_usdt,
            "allowed_count": state.allowed_count,
            "denied_count": state.denied_count,
        }

    def gauges(self) -> dict[str, int | float]:
        state = self.state
        return {
            "allowed_count": state.allowed_count,
            "denied_count": state.denied_count,
            "rejects_count": state.rejects_count,
            "orders_reserved_count": len(state.reserved),
            **gauges_of(self._picture, state),
        }

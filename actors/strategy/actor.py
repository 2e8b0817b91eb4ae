"""Hosts a strategy: shows it bars, keeps it still while it may not act, turns decisions into intents."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from actors.domain.bars import BarLike
from actors.domain.place import Place
from actors.messages.account import AccountState, PositionOverruled
from actors.messages.amending import AmendIntent, AmendUpdate
from actors.messages.market import Bar, FeedState, FeedStatus, History, HistoryRequest, Quote, Trade
from actors.messages.parents import ParentIntent, ParentUpdate
from actors.messages.trading import CancelIntent, OrderDenied, OrderIntent, OrderUpdate, StrategyHeartbeat
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message, MessageRefused, Severity
from actors.strategy.bar_intake import close_by_time, due_in_ns, missed_bars, take_bar, take_trade
from actors.strategy.desk import Desk, PendingCheck
from actors.strategy.events import PositionAdopted, SignalDecided
from actors.strategy.library import STRATEGIES
from actors.strategy.protocol import Amend, Cancel, Decision, Hold, View
from actors.strategy.settings import StrategySettings
from actors.strategy.size_rule import SizeMemory, observe
from actors.strategy.state import StrategyState

__all__ = ["BarDue", "HistoryLate", "PendingCheck", "StrategyActor"]

HISTORY_WAIT_NS = 5_000_000_000
HISTORY_TRIES_MAX = 3
HISTORY_BARS_MAX = 5_000
WAITING_BARS_MAX = 2_000  # closed while history is on its way; the newest are kept
LIVE = FeedState.LIVE.value


class BarDue(Message, frozen=True):
    """The open bar has ended, whether anybody traded or not."""


class HeartbeatDue(Message, frozen=True):
    """Give a sign of life."""


class HistoryLate(Message, frozen=True):
    """The feed should have answered by now."""


class StrategyActor(Behaviour):
    """One strategy on one symbol.

    It acts only while its feed is live, its warm-up is over, its equity is known and none of its orders is
    unresolved. What it decides meanwhile is set aside; a Target is said again with the next bar anyway.
    """

    ACCEPTS = (
        *(Quote, Trade, Bar, FeedStatus, History, AccountState),
        *(OrderUpdate, AmendUpdate, ParentUpdate, OrderDenied, MessageRefused, PositionOverruled),
        *(BarDue, HistoryLate, PendingCheck, HeartbeatDue),
    )
    EMITS = (OrderIntent, AmendIntent, ParentIntent, CancelIntent, HistoryRequest, StrategyHeartbeat)
    EVENTS = (SignalDecided, PositionAdopted)
    STATE = StrategyState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.DECIDE

    state: StrategyState

    def __init__(self, settings: StrategySettings, place: Place) -> None:
        self.settings = settings
        self._symbol = place.symbol
        self._instrument = place.instrument
        self.strategy = STRATEGIES[type(settings)](settings, place.instrument)
        self._digest = _digest(settings, getattr(self.strategy, "VERSION", 0))
        self._on_bar = getattr(self.strategy, "on_bar", None)
        self._on_quote = getattr(self.strategy, "on_quote", None)
        self._on_trade = getattr(self.strategy, "on_trade", None)
        self._orders_at_once = getattr(self.strategy, "orders_at_once", 1)
        self._view = View(settings, place.instrument)
        self._awaits_history = False
        self._history_tries = 0
        self._lacks_history = False  # and somebody has been told
        self._waiting: deque[BarLike] = deque(maxlen=WAITING_BARS_MAX)
        self._standing: Decision | None = None  # of the newest bar, while it has not been acted on
        self._desk = Desk(settings, place, self._view)

    # -- life -------------------------------------------------------------------------------------

    def initial_state(self) -> StrategyState:
        return StrategyState(settings=self._digest, memory=self.strategy.memory)

    def started(self, context: Context) -> None:
        state = self.state
        is_other = state.settings != self._digest
        if is_other:
            self._forget_market()
        state.memory = self._restored(state.memory)
        self.strategy.memory = state.memory
        if state.epoch != context.epoch:  # another process: the feed will say anew what it is worth
            state.epoch, state.feed_state = context.epoch, FeedState.SILENT.value
        if state.size is None and self.settings.size.rule != "strategy":
            state.size = SizeMemory()
        self._view.last_ticks = state.last_ticks
        self._desk.open(state, context)
        if is_other:
            self._desk.take_back_resting(context)
        if self._on_bar is not None:
            self._ask_history(context)
        if self.settings.heartbeat:
            self.on_heartbeat_due(HeartbeatDue(), context)
        context.save()

    def on_heartbeat_due(self, due: HeartbeatDue, context: Context) -> None:
        context.publish(StrategyHeartbeat(context.name, self.settings.account, context.now_ns))
        context.schedule(self.settings.heartbeat, due, key="heartbeat")

    def _restored(self, memory: Any) -> Any:
        kind = self.strategy.MEMORY
        return memory if isinstance(memory, kind) else msgspec.convert(memory, kind)

    def _forget_market(self) -> None:
        """Start over with the market; position, orders and numbering stay."""
        state, fresh = self.state, STRATEGIES[type(self.settings)](self.settings, self._instrument)
        state.settings, state.memory = self._digest, fresh.memory
        state.bars, state.source_interval_ns, state.bars_count, state.bar_at_ns = None, 0, 0, 0
        state.size = SizeMemory() if self.settings.size.rule != "strategy" else None
        self.strategy.memory = fresh.memory

    # -- market data ------------------------------------------------------------------------------

    def on_quote(self, quote: Quote, context: Context) -> None:
        if quote.symbol != self._symbol:
            return
        view = self._view
        view.quote = quote
        if self._on_quote is not None:
            view.now_ns = context.now_ns
            view.can_act = can_act = not self._blocked(context.now_ns)
            decision = self._on_quote(quote, view)
            if can_act:  # as in `_heed`; this is the hottest place of a backtest
                self._desk.carry_out(decision, context)
            elif type(decision) is not Hold:
                self._heed(decision, False, context)

    def on_trade(self, trade: Trade, context: Context) -> None:
        if trade.symbol != self._symbol:
            return
        state, view, now_ns = self.state, self._view, context.now_ns
        state.last_ticks = view.last_ticks = trade.price_ticks
        if self._on_bar is not None:
            open_end_ns = state.bars.closes_at_ns if state.bars is not None else 0
            self._take_closed(take_trade(state, trade, self.settings.bar, now_ns), context)
            if state.bars is not None and state.bars.closes_at_ns != open_end_ns:
                self._arm(context)
            context.save()
        if self._on_trade is not None:
            view.now_ns = now_ns
            view.can_act = can_act = not self._blocked(now_ns)
            self._heed(self._on_trade(trade, view), can_act, context)
            context.save()

    def on_bar(self, bar: Bar, context: Context) -> None:
        if bar.symbol == self._symbol and self._on_bar is not None:
            self._take_closed(take_bar(self.state, bar, self.settings.bar), context)
            context.save()

    def on_bar_due(self, _: BarDue, context: Context) -> None:
        if self._awaits_history or self.state.feed_state != LIVE:
            return
        closed = close_by_time(self.state, context.now_ns, self.settings.bar_grace)
        if closed:
            self._take_closed(closed, context)
            context.save()
        self._arm(context)

    def _arm(self, context: Context) -> None:
        delay_ns = due_in_ns(self.state, context.now_ns, self.settings.bar_grace)
        if delay_ns >= 0:
            context.schedule(delay_ns, BarDue(), key="bar")

    def on_feed_status(self, status: FeedStatus, context: Context) -> None:
        if status.symbol != self._symbol:
            return
        state, before = self.state, self.state.feed_state
        state.feed_state = status.state.value
        if state.feed_state == LIVE != before and self._on_bar is not None:
            self._ask_history(context)  # what happened meanwhile
        context.save()

    def on_account_state(self, account: AccountState, _: Context) -> None:
        if account.account == self.settings.account and not self.settings.equity_usdt:
            self._view.equity_usdt = account.equity_usdt

    # -- history ----------------------------------------------------------------------------------

    def _ask_history(self, context: Context) -> None:
        if not self._awaits_history:
            self._awaits_history, self._history_tries = True, 0
        self._history_tries += 1
        bar_ns, state = self.settings.bar, self.state
        missed_ns = context.now_ns - state.lag_ns - state.bar_at_ns if state.bar_at_ns else 0
        bars_count = min(max(warmup_bars(self.strategy.bars_warmup), missed_ns // bar_ns), HISTORY_BARS_MAX)
        context.publish(HistoryRequest(self._symbol, bar_ns, bars_count))
        context.schedule(HISTORY_WAIT_NS, HistoryLate(), key="history")

    def on_history_late(self, _: HistoryLate, context: Context) -> None:
        if not self._awaits_history:
            return
        if self._history_tries < HISTORY_TRIES_MAX:
            self._ask_history(context)
            return
        text = (
            f"{context.name} got no history from its feed; it warms up with what the market does from now on"
        )
        context.alert("WarmupMissing", Severity.TICKET, text, key=context.name)
        self._lacks_history = True
        self._end_wait(context)

    def on_history(self, history: History, context: Context) -> None:
        ours = history.symbol == self._symbol and history.interval_ns == self.settings.bar
        if not (ours and self._awaits_history and history.is_known):
            return
        state = self.state
        bars, goes_on = missed_bars(state, history.bars, self.settings.bar)
        if not goes_on:
            source, opened = state.source_interval_ns, state.bars
            self._forget_market()
            state.source_interval_ns, state.bars = source, opened
        for bar in bars:
            self._show(bar, context)
        context.cancel_timer("history")
        context.resolve("WarmupMissing", key=context.name)
        self._end_wait(context)

    def _end_wait(self, context: Context) -> None:
        self._awaits_history = False
        while self._waiting:
            self._show(self._waiting.popleft(), context)
        self._arm(context)
        if context.now_ns - self.state.lag_ns - self.state.bar_at_ns < self.settings.bar:
            self._heed_bar(context)
        context.save()

    # -- bars to decisions ------------------------------------------------------------------------

    def _take_closed(self, closed: Sequence[BarLike], context: Context) -> None:
        if not closed:
            return
        if self._awaits_history:
            self._waiting.extend(closed)
            return
        count = self.state.bars_count
        for bar in closed:
            self._show(bar, context)
        if self.state.bars_count != count:
            self._heed_bar(context)

    def _show(self, bar: BarLike, context: Context) -> None:
        """Show a bar to the strategy, each only once; what it decides on the newest one stands."""
        state, view = self.state, self._view
        if bar.at_ns <= state.bar_at_ns or self._on_bar is None:
            return
        state.bars_count += 1
        state.bar_at_ns = bar.at_ns
        state.last_ticks = view.last_ticks = bar.close_ticks
        if state.size is not None:
            observe(state.size, bar.close_ticks, self.settings.size.memory)
        view.now_ns = context.now_ns
        view.can_act = not self._blocked(context.now_ns)
        self._standing = self._on_bar(bar, view)
        if self._lacks_history and state.bars_count >= self.strategy.bars_warmup:
            self._lacks_history = False
            context.resolve("WarmupMissing", key=context.name)

    def _blocked(self, now_ns: int, amending: bool = False) -> str:
        """Return why no order may leave now, or be amended; empty when one may."""
        state = self.state
        if len(state.pending) >= self._orders_at_once and not amending:
            return "an own order is unresolved"
        if state.feed_state != LIVE:
            return "the feed is " + state.feed_state
        if self._awaits_history or (
            self._on_bar is not None and state.bars_count < self.strategy.bars_warmup
        ):
            return "warming up"
        if self._view.equity_usdt <= 0:
            return "equity is not known"
        return "pausing after a refusal" if now_ns < self._desk.pause_until_ns else ""

    def _heed_bar(self, context: Context) -> None:
        """Do what was decided on the newest bar, once; while that may not be, say why and let it stand."""
        decision = self._standing
        if decision is None:
            return
        blocked = "" if type(decision) is Cancel else self._blocked(context.now_ns, type(decision) is Amend)
        if blocked and type(decision) is not Hold:
            self._desk.note("hold", Hold(blocked, decision.reasons), context)
        else:
            self._standing = None
            self._desk.carry_out(decision, context)

    def _heed(self, decision: Decision, can_act: bool, context: Context) -> None:
        """Do what was decided on a quote or a trade; what may not be done now is forgotten."""
        kind = type(decision)
        if can_act or kind is Cancel or (kind is Amend and not self._blocked(context.now_ns, True)):
            self._desk.carry_out(decision, context)

    # -- own orders -------------------------------------------------------------------------------

    def on_order_update(self, update: OrderUpdate, context: Context) -> None:
        self._desk.take_update(update, self.state.feed_state == LIVE, context)

    def on_parent_update(self, update: ParentUpdate, context: Context) -> None:
        self._desk.take_parent(update, context)

    def on_amend_update(self, update: AmendUpdate, context: Context) -> None:
        self._desk.take_amend(update, context)

    def on_order_denied(self, denied: OrderDenied, context: Context) -> None:
        self._desk.take_denial(denied, context)

    def on_message_refused(self, refused: MessageRefused, context: Context) -> None:
        self._desk.take_refusal(refused, context)

    def on_position_overruled(self, overruled: PositionOverruled, context: Context) -> None:
        self._desk.take_overruling(overruled, context)

    def on_pending_check(self, _: PendingCheck, context: Context) -> None:
        self._desk.look_for_unresolved(context)

    # -- for operators ----------------------------------------------------------------------------

    def describe(self) -> Any:
        state = self.state
        return {
            "symbol": self._symbol,
            "blocked": self._blocked(self._view.now_ns),
            "net_contracts": state.net_contracts,
            "pending": list(state.pending),
            "parents": {name: f"{own.plan} {own.state}" for name, own in state.parents.items()},
            "bars_count": state.bars_count,
            "bars_warmup": self.strategy.bars_warmup,
            "bar_at_ns": state.bar_at_ns,
            "feed": state.feed_state,
            "last_action": state.last_action,
            "last_why": state.last_why,
            "memory": _described(state.memory),
        }

    def gauges(self) -> dict[str, int | float]:
        state = self.state
        return {
            "net_contracts": state.net_contracts,
            "bars_count": state.bars_count,
            "intents_count": state.intents_count,
            "orders_unresolved_count": len(state.pending),
            "denials_count": self._desk.denials_count,
        }


def warmup_bars(bars_warmup: int) -> int:
    """Return how many bars of the past a strategy asks for; fewer will do, from `bars_warmup` on.

    Averages forget their seed the better the more they have seen.
    """
    return min(max(3 * bars_warmup, 1), HISTORY_BARS_MAX)


def _digest(settings: StrategySettings, version: int) -> str:
    """Return what a memory belongs to: the settings, and the version of its shape when it has one."""
    suffix = b"" if not version else f" {version}".encode()
    return sha256(msgspec.json.encode(settings) + suffix).hexdigest()[:16]


def _described(memory: Any) -> Any:
    """Return a memory by names: a step function's numbers are a tuple."""
    named = getattr(memory, "now", None)
    return named._asdict() if hasattr(named, "_asdict") else msgspec.to_builtins(memory)

"""The actor behind `feed.synthetic`: one symbol of a seeded market, driven by a timer."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from actors.domain.place import Place
from actors.feed.faults import Fault, FaultSwitch
from actors.feed.price_path import SESSION_NS
from actors.feed.settings import SyntheticSettings
from actors.feed.subscription import Subscription
from actors.feed.synthetic_market import Moment, SyntheticMarket
from actors.feed.timers import Tick
from actors.messages.control import Acknowledged, DelayFeed, FreezeFeed, MuteFeed
from actors.messages.market import (
    BookDepth,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    Trade,
)
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Message

__all__ = ["SyntheticFeed", "SyntheticState"]

# The market goes on while the node is down. After 30 days it would cost more than 0.1 s to catch up, and
# nobody asks where the price went: it starts again where it stopped.
SESSIONS_ASLEEP_MAX = 180
SETTLEMENTS_MISSED_MAX = 21  # a week of them is told after a pause, older ones never

TICK = Tick()


class SyntheticState(msgspec.Struct):
    """The anchor of the price path, and the newest funding settlement that was told."""

    session: int = 0  # 0 means that the market has not begun
    log_price: float = 0.0  # logarithm of the price in ticks at the start of that session
    settled_ns: int = 0


class SyntheticFeed(Behaviour):
    """Publishes quotes, depth, trades, mark price and funding of one symbol; answers for its past."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Tick, HistoryRequest, MuteFeed, FreezeFeed, DelayFeed)
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        Quote,
        BookDepth,
        Trade,
        MarkPrice,
        FundingRate,
        FundingSettled,
        FeedStatus,
    )
    REPLIES: ClassVar[tuple[type[Message], ...]] = (History, FeedStatus)
    STATE = SyntheticState
    PERSISTENCE = Persistence.SAVED
    PHASE = Phase.SOURCE

    def __init__(self, settings: SyntheticSettings, place: Place) -> None:
        """Errors: ValueError when nobody knows a price to start from."""
        self._settings = settings
        self._symbol = place.symbol
        self._tick_ns = settings.tick
        self._is_spot = place.instrument.is_spot
        self._funding_interval_ns = place.instrument.funding_interval_ns
        self._market = SyntheticMarket(settings, place.symbol, place.instrument)
        self._faults = FaultSwitch()
        self._moment: Moment | None = None
        self._book_due_ns = 0
        self._mark_due_ns = 0
        self._funding_due_ns = 0
        self._trades_count = 0

    def started(self, context: Context) -> None:
        """Begin the market, or go on with it, and speak for the first time at once."""
        now_ns = context.now_ns - context.now_ns % self._tick_ns
        state = self.state
        session = now_ns // SESSION_NS
        if not state.session:
            state.session, state.log_price = self._market.begin(now_ns)
            state.settled_ns = now_ns - now_ns % self._funding_interval_ns
        elif session - state.session > SESSIONS_ASLEEP_MAX:
            self._market.path.anchor(session, state.log_price)
            state.session = session
        else:
            self._market.path.anchor(state.session, state.log_price)
        context.save()
        self._subscription = Subscription(self._symbol, self._settings, context.now_ns, gap_ns=self._tick_ns)
        self.on_tick(TICK, context)

    def on_tick(self, message: Tick, context: Context) -> None:
        """Show the step of the market that is due; one that a slow loop missed is left out."""
        now_ns = context.now_ns
        step, rest = divmod(now_ns, self._tick_ns)
        context.schedule(self._tick_ns - rest, TICK, key="tick")
        source = self._faults.source_step(step, now_ns)
        if source >= 0:
            frozen = self._faults.fault is Fault.FREEZE
            self._show(source, step * self._tick_ns if frozen else source * self._tick_ns, frozen, context)
        self._subscription.check(context)

    def on_history_request(self, message: HistoryRequest, context: Context) -> None:
        """Answer with closed bars before now; none when the interval cannot be built."""
        if message.symbol != self._symbol:
            return
        try:
            bars = self._market.history(message.interval_ns, message.bars_count, context.now_ns)
        except ValueError as error:
            context.log("history_refused", reader=context.sender, reason=str(error))
            bars = ()
        history = History(self._symbol, message.interval_ns, bars)
        if not context.sender:
            context.reply(history)
            return
        context.send(context.sender, history)
        # Whoever warms up has just started, and may have missed the last change.
        context.send(context.sender, self._subscription.status(context.now_ns))

    def on_mute_feed(self, message: MuteFeed, context: Context) -> None:
        """Drill: publish nothing for a while."""
        self._switch(Fault.MUTE, message.duration_ns, 0, message.symbol, context)

    def on_freeze_feed(self, message: FreezeFeed, context: Context) -> None:
        """Drill: repeat the prices of this moment for a while."""
        self._switch(Fault.FREEZE, message.duration_ns, 0, message.symbol, context)

    def on_delay_feed(self, message: DelayFeed, context: Context) -> None:
        """Drill: fall behind for a while."""
        lag_steps = message.delay_ns // self._tick_ns
        self._switch(Fault.DELAY, message.duration_ns, lag_steps, message.symbol, context)

    def describe(self) -> dict[str, Any]:
        """Return price, regimes and fault for an operator."""
        described: dict[str, Any] = msgspec.to_builtins(self.state)
        described["fault"] = self._faults.fault.value
        moment = self._moment
        if moment is not None:
            common, own = self._market.path.regimes(moment.at_ns // 60_000_000_000)
            described |= {"bid_ticks": moment.touch.bid_ticks, "ask_ticks": moment.touch.ask_ticks}
            described |= {"regime_common": common.name.lower(), "regime_own": own.name.lower()}
        return described

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        return {"feed_trades_total": self._trades_count, **self._subscription.gauges()}

    def _switch(self, fault: Fault, duration_ns: int, lag_steps: int, symbol: str, context: Context) -> None:
        if symbol != self._symbol:
            return
        step = context.now_ns // self._tick_ns
        self._faults.switch(fault, context.now_ns + duration_ns, step, lag_steps)
        context.log("feed_fault", fault=fault.value, duration_ns=duration_ns)
        context.reply(Acknowledged(f"{symbol}: {fault.value} for {duration_ns // 1_000_000} ms"))

    def _show(self, step: int, at_ns: int, frozen: bool, context: Context) -> None:
        """Publish one step of the market as of `at_ns`; frozen prices do not trade."""
        self._turn_session(at_ns, context)
        market = self._market
        moment = self._moment = market.moment(step)
        symbol = self._symbol
        bid, bid_size, ask, ask_size = moment.touch
        context.publish(Quote(symbol, at_ns, bid, bid_size, ask, ask_size))
        self._subscription.heard(context.now_ns, at_ns, bid + ask)
        if not frozen:
            for number, (price, contracts, side) in enumerate(market.trades(moment)):
                context.publish(Trade(symbol, at_ns, price, contracts, side, f"{step}-{number}"))
                self._trades_count += 1
        if at_ns >= self._book_due_ns:
            self._book_due_ns = _next(at_ns, self._settings.book_every)
            context.publish(BookDepth(symbol, at_ns, *market.depth(moment)))
        if at_ns >= self._mark_due_ns:
            self._mark_due_ns = _next(at_ns, self._settings.mark_every)
            context.publish(MarkPrice(symbol, at_ns, *market.mark_and_index(moment.at_ns)))
        if at_ns >= self._funding_due_ns and not self._is_spot:
            self._tell_funding(at_ns, context)

    def _turn_session(self, at_ns: int, context: Context) -> None:
        """Keep the anchor in the present session, so that a restart has little to catch up."""
        session = at_ns // SESSION_NS
        if session > self.state.session:
            self.state.session, self.state.log_price = session, self._market.path.advance(session)
            context.save()

    def _tell_funding(self, at_ns: int, context: Context) -> None:
        interval_ns, state = self._funding_interval_ns, self.state
        next_ns = at_ns - at_ns % interval_ns + interval_ns
        newest_ns = next_ns - interval_ns
        due_ns = max(state.settled_ns + interval_ns, newest_ns - (SETTLEMENTS_MISSED_MAX - 1) * interval_ns)
        for settled_ns in range(due_ns, newest_ns + 1, interval_ns):
            mark_ticks, _ = self._market.mark_and_index(settled_ns)
            rate_e8 = self._market.premium.settled_rate_e8(settled_ns)
            context.publish(FundingSettled(self._symbol, settled_ns, rate_e8, mark_ticks))
            state.settled_ns = settled_ns
            context.save()
        rate_e8 = self._market.premium.expected_rate_e8(at_ns)
        context.publish(FundingRate(self._symbol, at_ns, rate_e8, next_ns))
        self._funding_due_ns = min(_next(at_ns, self._settings.funding_every), next_ns)


def _next(at_ns: int, every_ns: int) -> int:
    """Return the next instant of a cadence that starts at midnight UTC."""
    return at_ns - at_ns % every_ns + every_ns

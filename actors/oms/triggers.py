"""Prices, as far as parent orders watch them: what is met fires, what is stale never does."""

from __future__ import annotations

import msgspec

from actors.domain.money import E8
from actors.domain.parent_states import ParentEvent, ParentState, PriceSource
from actors.domain.place import Place
from actors.messages.market import CandleAhead, FeedState, FeedStatus, MarkPrice, Quote, Trade
from actors.messages.parents import ChildIntent
from actors.messages.trading import OrderDenied
from actors.oms.parenting import OmsParents
from actors.oms.parents.events import PricesNoted, TrailMoved
from actors.oms.parents.kind import Level
from actors.oms.parents.registry import kind_of
from actors.oms.parents.state import Parent
from actors.oms.parents.trails import TrailWatch, best_of
from actors.oms.parents.watches import PriceWatch
from actors.oms.settings import OmsSettings
from actors.oms.timers import SightCheck
from actors.runtime.behaviour import Context
from actors.runtime.messages import MessageRefused, Severity

__all__ = ["STOP_BLIND", "OmsTriggers"]

STOP_BLIND = "StopBlind"

LIVE = FeedState.LIVE


def _halfticks(message: MarkPrice | Trade | Quote) -> int:
    """Return the price that a message shows, in half ticks."""
    if isinstance(message, MarkPrice):
        return 2 * message.mark_ticks
    return 2 * message.price_ticks if isinstance(message, Trade) else message.bid_ticks + message.ask_ticks


class OmsTriggers(OmsParents):
    """Watches prices for parent orders. A price that nobody watches costs one look into a dict."""

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        by_source = self._watches.by_source
        self._marks = by_source[PriceSource.MARK]
        self._lasts = by_source[PriceSource.LAST]
        self._mids = by_source[PriceSource.MID]
        self._latest: dict[PriceSource, dict[str, MarkPrice | Trade | Quote]] = {
            source: {} for source in PriceSource
        }
        self._last_marks = self._latest[PriceSource.MARK]
        self._last_trades = self._latest[PriceSource.LAST]
        self._last_quotes = self._latest[PriceSource.MID]
        self._candles: dict[str, CandleAhead] = {}  # of history that is played, by symbol
        self._sight_waits = False
        self._blind: set[str] = set()  # symbols of which it has been told that stops do not see them

    # -- prices --------------------------------------------------------------------------------------

    def on_mark_price(self, message: MarkPrice, context: Context) -> None:
        """Look whether a mark price meets a level."""
        if message.mark_ticks <= 0:
            return
        self._last_marks[message.symbol] = message
        watch = self._marks.get(message.symbol)
        if watch is not None:
            self._look(watch, _halfticks(message), message.at_ns, context)

    def on_trade(self, message: Trade, context: Context) -> None:
        """Look whether a trade of the market meets a level."""
        self._last_trades[message.symbol] = message
        watch = self._lasts.get(message.symbol)
        if watch is not None:
            self._look(watch, _halfticks(message), message.at_ns, context)

    def on_quote(self, message: Quote, context: Context) -> None:
        """Look whether the middle of the quote meets a level; half a quote has none."""
        if not (message.bid_ticks and message.ask_ticks):
            self._last_quotes.pop(message.symbol, None)
            return
        self._last_quotes[message.symbol] = message
        watch = self._mids.get(message.symbol)
        if watch is not None:
            self._look(watch, _halfticks(message), message.at_ns, context)

    def _look(self, watch: PriceWatch, halfticks: int, at_ns: int, context: Context) -> None:
        symbol = watch.symbol
        if not self._is_good(symbol, at_ns, context):
            return
        watch.seen_at_ns = context.now_ns
        if symbol in self._blind:
            self._see_again(symbol, context)
        for trail in watch.trails.values():
            self._follow(watch, trail, halfticks, context)
        for parent_id, level in self._watches.met(watch, halfticks):
            self._met(parent_id, level, halfticks, context)

    def _is_good(self, symbol: str, at_ns: int, context: Context) -> bool:
        """Tell whether a price of an instant may meet anything."""
        is_old = context.now_ns - at_ns > self.settings.trigger_price_age_max
        return not is_old and symbol not in self.state.stale_prices

    def _follow(self, watch: PriceWatch, trail: TrailWatch, halfticks: int, context: Context) -> None:
        """Let stops follow a price that is better than any they have seen; on the record first."""
        value = trail.sign * halfticks
        if trail.is_better(value):
            rises, joined = trail.key.rises, tuple(trail.joining)
            context.record(TrailMoved(watch.symbol, watch.source, rises, halfticks, joined, context.now_ns))
            trail.move(value)

    def on_candle_ahead(self, message: CandleAhead, _: Context) -> None:
        """A candle of history begins, and nobody knows the order of prices in it."""
        self._candles[message.symbol] = message

    def _stop_first(self, parent: Parent, context: Context) -> bool:
        """Tell whether the candle in hand meets a stop of the parent too: then that counts as met first."""
        candle = self._candles.get(parent.symbol)
        if candle is None or context.now_ns >= candle.until_ns:
            return False
        for level in self._watches.levels.get(parent.parent_id, ()):
            if level.event is not ParentEvent.TRIGGERED:
                continue
            ticks = self._stands_at(parent, level)
            if ticks and (candle.high_ticks >= ticks if level.rises else candle.low_ticks <= ticks):
                return True
        return False

    def _stands_at(self, parent: Parent, level: Level) -> float:
        """Return where a stop stands; 0 when it has seen no price to follow yet."""
        if not level.trails:
            return level.ticks
        best = best_of(self.state.trails, parent.symbol, parent.parent_id) / 2
        distance = level.trail_ticks or best * level.trail_e8 / E8
        return (best + distance if level.rises else best - distance) if best else 0

    def _met(self, parent_id: str, level: Level, halfticks: int, context: Context) -> None:
        parent = self.state.parents.get(parent_id)
        if parent is None:
            return
        if level.event is ParentEvent.TARGET_TOUCHED and self._stop_first(parent, context):
            self._watches.put_again(parent_id, parent.symbol, level)
            return
        if self._move_met(parent, level, halfticks, context):
            self._advance(parent, context)

    def _move_met(self, parent: Parent, level: Level, halfticks: int, context: Context) -> bool:
        price = f"{halfticks // 2}.5" if halfticks % 2 else str(halfticks // 2)
        why = f"{level.source.value} {price} met {level.event.value} {self._where(parent, level)}"
        return self._move_parent(parent, level.event, why, context, ticks=halfticks // 2)

    def _advance(self, parent: Parent, context: Context) -> None:
        super()._advance(parent, context)
        symbol = parent.symbol
        if symbol in self._blind:
            if not self._protectors(symbol):
                self._see_again(symbol, context)  # what it protected is closed
        elif not self._sight_waits and (
            symbol in self.state.stale_prices or self._sees_nothing(parent, context.now_ns)
        ):
            self._sight_waits = True
            context.schedule(self.settings.blind_alert_after, SightCheck(), key="sight")

    def _begins_beyond(self, parent: Parent, levels: tuple[Level, ...], context: Context) -> bool:
        """A stop that begins beyond the price it looks at does not wait for the next one."""
        known = self._watches.levels.get(parent.parent_id, ())
        for level in levels:
            seen = self._latest[level.source].get(parent.symbol)
            if level.event is not ParentEvent.TRIGGERED or level.trails or seen is None or level in known:
                continue
            price = _halfticks(seen)
            beyond = price >= 2 * level.ticks if level.rises else price <= 2 * level.ticks
            if beyond and self._is_good(parent.symbol, seen.at_ns, context):
                return self._move_met(parent, level, price, context)
        return False

    def _where(self, parent: Parent, level: Level) -> str:
        if not level.trails:
            return f"at {level.ticks}"
        best = best_of(self.state.trails, parent.symbol, parent.parent_id)
        distance = f"{level.trail_ticks} ticks" if level.trail_ticks else f"{level.trail_e8 / 1e6:g} %"
        return f"{distance} behind the best, {best / 2:.1f}"

    # -- blindness -----------------------------------------------------------------------------------

    def on_feed_status(self, message: FeedStatus, context: Context) -> None:
        """Stale prices meet nothing; whoever relies on them is told."""
        stale = "" if message.state is LIVE else message.state.value
        symbol = message.symbol
        if stale != self.state.stale_prices.get(symbol, ""):
            context.record(PricesNoted(symbol, stale, context.now_ns))
        if stale:
            self._check_sight(symbol, context)
        elif symbol in self._blind:
            self._see_again(symbol, context)

    def on_sight_check(self, _: SightCheck, context: Context) -> None:
        """Page for the stops that have waited for their first price for too long."""
        self._sight_waits = False
        for symbol in sorted({parent.symbol for parent in self.state.parents.values()}):
            self._check_sight(symbol, context)

    def _check_sight(self, symbol: str, context: Context) -> None:
        """Page when a stop that protects a position cannot see prices."""
        stale = self.state.stale_prices.get(symbol, "")
        limit_ns = context.now_ns - self.settings.blind_alert_after
        blind = [
            parent for parent in self._protectors(symbol) if stale or self._sees_nothing(parent, limit_ns)
        ]
        if not blind or symbol in self._blind:
            return
        self._blind.add(symbol)
        why = f"its feed is {stale}" if stale else "no price has come"
        text = f"{len(blind)} stop(s) of {symbol} see no price: {why}; the venue holds no stop for us"
        context.alert(
            STOP_BLIND, Severity.PAGE, text, key=symbol, parents=",".join(p.parent_id for p in blind)
        )

    def _protectors(self, symbol: str) -> list[Parent]:
        return [
            parent
            for parent in self.state.parents.values()
            if parent.symbol == symbol
            and parent.exits
            and kind_of(parent).protects
            and parent.state is not ParentState.FIRING
        ]

    def _sees_nothing(self, parent: Parent, limit_ns: int) -> bool:
        """Tell whether a parent has watched since before an instant and not one price has come."""
        for level in self._watches.levels.get(parent.parent_id, ()):
            watch = self._watches.by_source[level.source][parent.symbol]
            if not watch.seen_at_ns and watch.since_ns <= limit_ns:
                return True
        return False

    def _see_again(self, symbol: str, context: Context) -> None:
        self._blind.discard(symbol)
        context.resolve(STOP_BLIND, key=symbol)

    # -- answers about children ----------------------------------------------------------------------

    def on_order_denied(self, message: OrderDenied, context: Context) -> None:
        """Risk said no to a child."""
        self._give_up(message.intent_id, f"denied by {message.rule}: {message.text}", context)

    def on_message_refused(self, message: MessageRefused, context: Context) -> None:
        """Risk was too busy to take a child: as if it had never been sent."""
        try:
            child = msgspec.msgpack.decode(message.refused, type=ChildIntent)
        except msgspec.MsgspecError:
            context.log("a message other than a child was refused", reader=message.reader)
            return
        self._give_up(child.intent.intent_id, "risk was too busy", context)

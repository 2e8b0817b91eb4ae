"""Parent orders of every type in turn, on quotes: for drills and simulations; it only loses money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.market import Quote
from actors.messages.plans import (
    Bracket,
    CloseAll,
    Iceberg,
    OneCancelsOther,
    Plan,
    ScheduledClose,
    Stop,
    StopLimit,
    TakeProfit,
    TrailingStop,
    Twap,
    Vwap,
)
from actors.runtime.settings import E8 as Part
from actors.runtime.settings import Duration, setting
from actors.strategy.protocol import Decision, Hold, Launch, View
from actors.strategy.settings import StrategySettings

__all__ = ["Parade", "ParadeMemory", "ParadeSettings"]

WAIT = Hold("waiting")
SECOND = 1_000_000_000
BUY, SELL = Side.BUY, Side.SELL


class ParadeSettings(StrategySettings, frozen=True, kw_only=True):
    """Never for real money: it trades without a reason."""

    contracts: Annotated[int, setting("Size of each parent order.", minimum=4, risk="raise")] = 8
    orders_at_once: Annotated[
        int, setting("Parents that may be on their way at a time.", minimum=1, maximum=100, risk="raise")
    ] = 4
    pause: Annotated[Duration, setting("Time between two steps.", minimum=SECOND // 10)] = 2 * SECOND
    distance: Annotated[
        Part, setting("Stops and targets lie so far from the price, as a part of it.", minimum=1)
    ] = E8 // 2_000
    hold: Annotated[
        Duration, setting("Longest time that what a bracket has entered is held.", minimum=SECOND)
    ] = 20 * SECOND
    only_brackets: Annotated[bool, setting("Brackets alone: every position is protected.")] = False


class ParadeMemory(msgspec.Struct):
    """Which step is next, and when."""

    step: int = 0
    due_ns: int = 0


class Parade:
    """Starts one parent after the other. What has piled up is closed at the end of each round."""

    MEMORY: ClassVar[type[msgspec.Struct]] = ParadeMemory
    bars_warmup = 0

    def __init__(self, settings: ParadeSettings, instrument: Instrument) -> None:
        self.memory = ParadeMemory()
        self.orders_at_once = settings.orders_at_once
        self._settings = settings
        entries: tuple[Callable[[Quote, int], Launch], ...] = (self._bracket, self._limit_bracket)
        if not settings.only_brackets:
            entries += (self._twap, self._vwap, self._iceberg, self._stop_entry)
        self._entries = entries

    def on_quote(self, quote: Quote, view: View) -> Decision:
        memory = self.memory
        if view.now_ns < memory.due_ns or not view.can_act or not quote.bid_ticks or not quote.ask_ticks:
            return WAIT
        memory.due_ns = view.now_ns + self._settings.pause
        step = memory.step
        memory.step += 1
        entries, net = self._entries, view.net_contracts
        if self._settings.only_brackets:
            return entries[step % len(entries)](quote, step)
        if step % 12 == 11:
            return self._close(CloseAll(), net or 1)
        if step % 2 or not net:
            return entries[step // 2 % len(entries)](quote, step)
        return self._exit(quote, step, net)

    def _close(self, plan: Plan, net: int) -> Launch:
        return Launch(SELL if net > 0 else BUY, 0, plan, type(plan).__name__)

    def _exit(self, quote: Quote, step: int, net: int) -> Launch:
        """Watch what is held, in another way each time."""
        side = 1 if net > 0 else -1
        price = quote.bid_ticks if net > 0 else quote.ask_ticks
        away = self._away(price)
        stop, target = price - side * away, price + side * away
        plans: tuple[Plan, ...] = (
            OneCancelsOther(stop, target, rests=True),
            TrailingStop(trail_ticks=away),
            OneCancelsOther(stop, target),
            TrailingStop(trail_e8=self._settings.distance, activation_ticks=target),
            StopLimit(stop, stop - side * away),
            TakeProfit(target, rests=True),
            ScheduledClose(after_ns=5 * SECOND),
            Stop(stop),
        )
        plan = plans[step // 2 % len(plans)]
        return Launch(SELL if net > 0 else BUY, abs(net), plan, type(plan).__name__)

    def _away(self, price: int) -> int:
        return max(2, price * self._settings.distance // E8)

    def _bracket(self, quote: Quote, step: int) -> Launch:
        price, away = quote.ask_ticks, self._away(quote.ask_ticks)
        sign = -1 if step // 3 % 2 else 1
        plan = Bracket(
            stop_ticks=price - sign * away,
            target_ticks=price + sign * away,
            rests=step % 5 == 0,
            trail_ticks=2 * away if step % 3 == 0 else 0,
            hold_ns=self._settings.hold,
        )
        return Launch(Side(sign), self._settings.contracts, plan, "Bracket", reduce_only=False)

    def _limit_bracket(self, quote: Quote, _: int) -> Launch:
        price, away = quote.bid_ticks, self._away(quote.bid_ticks)
        plan = Bracket(
            *(OrderType.LIMIT, price, TimeInForce.GTC, price - away, price + away),
            rests=True,
            hold_ns=self._settings.hold,
        )
        return Launch(BUY, self._settings.contracts, plan, "Bracket", reduce_only=False)

    def _twap(self, _: Quote, __: int) -> Launch:
        return Launch(BUY, self._settings.contracts, Twap(3, 6 * SECOND), "Twap", reduce_only=False)

    def _vwap(self, _: Quote, __: int) -> Launch:
        plan = Vwap((1, 3, 2), 6 * SECOND)
        return Launch(SELL, self._settings.contracts, plan, "Vwap", reduce_only=False)

    def _iceberg(self, quote: Quote, _: int) -> Launch:
        plan = Iceberg(quote.ask_ticks, max(1, self._settings.contracts // 3))
        return Launch(BUY, self._settings.contracts, plan, "Iceberg", reduce_only=False)

    def _stop_entry(self, quote: Quote, _: int) -> Launch:
        plan = Stop(quote.bid_ticks - self._away(quote.bid_ticks))
        return Launch(SELL, self._settings.contracts, plan, "Stop", reduce_only=False)

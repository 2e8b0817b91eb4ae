"""Trend following: two moving averages, a filter against noise, sizes and stops in units of volatility."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from actors.domain.bars import BarLike
from actors.domain.instrument import Instrument
from actors.runtime.settings import E8, setting
from actors.strategy.indicators import Atr, Ema
from actors.strategy.protocol import Decision, Hold, Reasons, Target, View
from actors.strategy.settings import StrategySettings

__all__ = ["TrendFollow", "TrendFollowSettings", "TrendMemory"]

UNIT = 100_000_000


class TrendFollowSettings(StrategySettings, frozen=True, kw_only=True):
    """Follow the side of the fast average over the slow one."""

    fast: Annotated[int, setting("Bars of the fast average.", minimum=1, maximum=10_000)] = 20
    slow: Annotated[int, setting("Bars of the slow average; more than fast.", minimum=2, maximum=10_000)] = 50
    atr: Annotated[int, setting("Bars of the average true range.", minimum=1, maximum=10_000)] = 14
    atr_filter: Annotated[
        E8,
        setting("How far apart the averages must lie for an entry, in average true ranges.", minimum=0),
    ] = UNIT // 4
    atr_stop: Annotated[
        E8,
        setting(
            "Distance of the trailing stop, in average true ranges; it sets the size too.", minimum=UNIT // 10
        ),
    ] = 3 * UNIT
    short: Annotated[bool, setting("Whether it may go short.")] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fast >= self.slow:
            raise ValueError(f"fast is {self.fast} and slow is {self.slow}: fast must be the smaller one")


class TrendMemory(msgspec.Struct):
    """What the strategy remembers between bars."""

    fast: Ema
    slow: Ema
    atr: Atr
    side: int = 0  # 1 long, -1 short, 0 flat
    contracts: int = 0  # chosen at the entry
    stop_ticks: float = 0.0
    stopped_side: int = 0  # not entered again before the averages have crossed


class TrendFollow:
    """Long while fast is above slow, short while below; out at the cross back or at the trailing stop."""

    MEMORY: ClassVar[type[msgspec.Struct]] = TrendMemory

    def __init__(self, settings: TrendFollowSettings, instrument: Instrument) -> None:
        self.bars_warmup = max(settings.slow, settings.atr)
        self.memory = TrendMemory(Ema(settings.fast), Ema(settings.slow), Atr(settings.atr))
        self._filter = settings.atr_filter / UNIT
        self._stop = settings.atr_stop / UNIT
        self._sides = (1, -1) if settings.short else (1,)

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        fast, slow = memory.fast.update(close), memory.slow.update(close)
        atr = memory.atr.update(bar.high_ticks, bar.low_ticks, close)
        reasons: Reasons = (("close", close), ("fast", fast), ("slow", slow), ("atr", atr))
        if not (memory.slow.ready and memory.atr.ready):
            return Hold("warming up", reasons)
        gap = fast - slow
        above = (gap > 0) - (gap < 0)
        if memory.stopped_side != above:
            memory.stopped_side = 0
        why = self._leave(close, above, atr) if memory.side else ""
        if not memory.side:
            why = self._enter(close, gap, above, atr, view) or why
        if not memory.side:
            return Target(0, why or "no trend", reasons)
        reasons += (("stop", memory.stop_ticks),)
        return Target(memory.side * memory.contracts, why or "the trend goes on", reasons)

    def _leave(self, close: int, above: int, atr: float) -> str:
        """Give up the side when the averages crossed back or the stop was met, else trail the stop."""
        memory, side = self.memory, self.memory.side
        if above == -side:
            memory.side = 0
            return "the averages crossed back"
        if (close - memory.stop_ticks) * side <= 0:
            memory.side, memory.stopped_side = 0, side
            return "the trailing stop was met"
        trailed = close - side * self._stop * atr
        memory.stop_ticks = max(memory.stop_ticks, trailed) if side > 0 else min(memory.stop_ticks, trailed)
        return ""

    def _enter(self, close: int, gap: float, above: int, atr: float, view: View) -> str:
        memory, distance = self.memory, self._stop * atr
        if above not in self._sides or above == memory.stopped_side or abs(gap) <= self._filter * atr:
            return ""
        contracts = view.contracts_at_risk(distance)
        if not contracts:
            return ""
        memory.side, memory.contracts, memory.stop_ticks = above, contracts, close - above * distance
        return "fast above slow" if above > 0 else "fast below slow"

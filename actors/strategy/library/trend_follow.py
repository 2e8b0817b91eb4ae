"""Trend following: two moving averages, a filter against noise, sizes and stops in units of volatility."""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple

import msgspec

from actors.domain.steps import Seen, Sizing, ema_next, size_at_risk, wilder_next
from actors.runtime.settings import E8, setting
from actors.strategy.protocol import Reasons
from actors.strategy.settings import StrategySettings
from actors.strategy.stepped import SteppedMemory, SteppedStrategy

__all__ = ["TrendFollow", "TrendFollowSettings", "TrendMemory", "TrendNow", "TrendParams", "trend_step"]

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


class TrendParams(NamedTuple):
    """The settings as numbers."""

    fast: int
    slow: int
    atr: int
    filter: float
    stop: float
    short: int  # 1 when it may go short


class TrendNow(NamedTuple):
    """What the step remembers between bars."""

    count: int  # of bars seen
    fast: float
    slow: float
    atr: float
    close_ticks: int  # of the bar before
    side: int  # 1 long, -1 short, 0 flat
    contracts: int  # chosen at the entry
    stop_ticks: float
    stopped_side: int  # not entered again before the averages have crossed


class TrendMemory(SteppedMemory):
    """What is saved."""

    now: TrendNow


WHYS = (
    "warming up",
    "no trend",
    "the trend goes on",
    "the averages crossed back",
    "the trailing stop was met",
    "fast above slow",
    "fast below slow",
)
WARMING_UP, NO_TREND, GOES_ON, CROSSED_BACK, STOPPED, ABOVE, BELOW = range(7)


def trend_step(now: TrendNow, params: TrendParams, seen: Seen, sizing: Sizing) -> tuple[TrendNow, int, int]:
    """Take a bar; return the memory after it, the contracts wanted and why."""
    count, close = now.count + 1, seen.close_ticks
    fast = ema_next(now.fast, count, params.fast, close)
    slow = ema_next(now.slow, count, params.slow, close)
    high, low = seen.high_ticks, seen.low_ticks
    if now.count:
        high, low = max(high, now.close_ticks), min(low, now.close_ticks)
    atr = wilder_next(now.atr, count, params.atr, high - low)
    side, contracts, stop, stopped, why = (
        now.side,
        now.contracts,
        now.stop_ticks,
        now.stopped_side,
        WARMING_UP,
    )
    if count >= params.slow and count >= params.atr:
        gap, distance = fast - slow, params.stop * atr
        above = (1 if gap > 0 else 0) - (1 if gap < 0 else 0)
        stopped = stopped if stopped == above else 0
        why = GOES_ON if side else NO_TREND
        if side and above == -side:
            side, why = 0, CROSSED_BACK
        elif side and (close - stop) * side <= 0:
            stopped, side, why = side, 0, STOPPED
        elif side:
            trailed = close - side * distance
            stop = max(stop, trailed) if side > 0 else min(stop, trailed)
        if not side and _may_enter(above, stopped, gap, atr, params):
            found = size_at_risk(sizing, seen.equity_usdt, close, distance)
            if found:
                side, contracts, stop = above, found, close - above * distance
                why = ABOVE if above > 0 else BELOW
    return TrendNow(count, fast, slow, atr, close, side, contracts, stop, stopped), side * contracts, why


def _may_enter(above: int, stopped: int, gap: float, atr: float, params: TrendParams) -> bool:
    allowed = above > 0 or (above < 0 and params.short > 0)
    return allowed and above != stopped and abs(gap) > params.filter * atr


class TrendFollow(SteppedStrategy):
    """Long while fast is above slow, short while below; out at the cross back or at the trailing stop."""

    MEMORY: ClassVar[type[msgspec.Struct]] = TrendMemory
    WHYS = WHYS
    step = staticmethod(trend_step)

    @staticmethod
    def params_of(settings: TrendFollowSettings) -> TrendParams:
        """Return the settings as numbers."""
        return TrendParams(
            settings.fast,
            settings.slow,
            settings.atr,
            settings.atr_filter / UNIT,
            settings.atr_stop / UNIT,
            int(settings.short),
        )

    @staticmethod
    def warmup_of(settings: TrendFollowSettings) -> int:
        """Return the bars of the longest average."""
        return max(settings.slow, settings.atr)

    @staticmethod
    def first_memory() -> TrendNow:
        """Return the memory before the first bar."""
        return TrendNow(0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0, 0)

    def reasons(self, seen: Seen, now: TrendNow) -> Reasons:
        """Return close, averages and, when there is one, the stop."""
        found: Reasons = (
            ("close", seen.close_ticks),
            ("fast", now.fast),
            ("slow", now.slow),
            ("atr", now.atr),
        )
        return (*found, ("stop", now.stop_ticks)) if now.side else found

"""Mean reversion: bet on the way back when the price strays from its mean, and give up after a while."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, ClassVar, NamedTuple

import msgspec

from actors.domain.steps import Seen, Sizing, size_at_risk
from actors.runtime.settings import E8, setting
from actors.strategy.protocol import Reasons
from actors.strategy.settings import StrategySettings
from actors.strategy.stepped import SteppedMemory, SteppedStrategy

__all__ = [
    "MeanReversion",
    "MeanReversionSettings",
    "ReversionMemory",
    "ReversionNow",
    "ReversionParams",
    "reversion_step",
]

UNIT = 100_000_000


class MeanReversionSettings(StrategySettings, frozen=True, kw_only=True):
    """Bands are in standard deviations of the window: exit < entry < stop."""

    window: Annotated[int, setting("Bars of the mean and the deviation.", minimum=2, maximum=10_000)] = 60
    entry: Annotated[E8, setting("How far the price must stray for an entry.", minimum=UNIT // 10)] = 2 * UNIT
    exit: Annotated[E8, setting("How near to the mean the bet is won.", minimum=0)] = UNIT // 2
    stop: Annotated[
        E8, setting("How far the price may stray on before the bet is lost.", minimum=UNIT // 10)
    ] = 4 * UNIT
    bars_max: Annotated[int, setting("Bars after which the bet is given up.", minimum=1)] = 60
    short: Annotated[bool, setting("Whether it may go short.")] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.exit < self.entry < self.stop:
            raise ValueError("the bands must ascend: exit below entry, entry below stop")


class ReversionParams(NamedTuple):
    """The settings as numbers."""

    window: int
    entry: float
    exit: float
    stop: float
    bars_max: int
    short: int  # 1 when it may go short


class ReversionNow(NamedTuple):
    """What the step remembers between bars."""

    count: int  # of bars in the window
    total: int  # of closes in the window
    squares: int
    score: float  # deviations that the newest close lies above the mean of the window
    side: int  # 1 long, -1 short, 0 flat
    contracts: int
    bars_held: int
    lost_side: int  # not entered again before the price was near its mean


class ReversionMemory(SteppedMemory):
    """What is saved."""

    now: ReversionNow


WHYS = (
    "warming up",
    "not far enough",
    "waiting for the mean",
    "back at the mean",
    "strayed to the stop",
    "time is over",
    "far below the mean",
    "far above the mean",
)
WARMING_UP, NOT_FAR, WAITING, BACK, STRAYED, TIME_OVER, FAR_BELOW, FAR_ABOVE = range(8)


def reversion_step(
    now: ReversionNow, params: ReversionParams, seen: Seen, sizing: Sizing
) -> tuple[ReversionNow, int, int]:
    """Take a bar; return the memory after it, the contracts wanted and why.

    `seen.past_ticks` is the close that leaves the window. The sums are exact; in 64 bits they may wrap round,
    which leaves their difference right as long as it fits itself.
    """
    close, past = seen.close_ticks, seen.past_ticks
    count = min(now.count + 1, params.window)
    total = now.total + close - past
    squares = now.squares + close * close - past * past
    spread = count * squares - total * total  # count^2 times the variance
    score = (count * close - total) / sqrt(spread) if spread > 0 else 0.0
    side, contracts, held, lost, why = now.side, now.contracts, now.bars_held, now.lost_side, WARMING_UP
    if count >= params.window:
        lost = 0 if abs(score) <= params.exit else lost
        why = WAITING if side else NOT_FAR
        if side:
            held += 1
            if score * side >= -params.exit:
                side, why = 0, BACK
            elif score * side <= -params.stop:
                lost, side, why = side, 0, STRAYED
            elif held >= params.bars_max:
                lost, side, why = side, 0, TIME_OVER
        elif abs(score) >= params.entry and abs(score) < params.stop:
            wanted = -1 if score > 0 else 1
            if wanted != lost and (wanted > 0 or params.short > 0):
                distance = (params.stop - abs(score)) * (sqrt(spread) / count)
                found = size_at_risk(sizing, seen.equity_usdt, close, distance)
                if found:
                    side, contracts, held = wanted, found, 0
                    why = FAR_BELOW if wanted > 0 else FAR_ABOVE
    return ReversionNow(count, total, squares, score, side, contracts, held, lost), side * contracts, why


class MeanReversion(SteppedStrategy):
    """Long far below the mean, short far above; out near the mean, at the stop, or when time is over."""

    MEMORY: ClassVar[type[msgspec.Struct]] = ReversionMemory
    WHYS = WHYS
    step = staticmethod(reversion_step)

    @staticmethod
    def params_of(settings: MeanReversionSettings) -> ReversionParams:
        """Return the settings as numbers."""
        return ReversionParams(
            settings.window,
            settings.entry / UNIT,
            settings.exit / UNIT,
            settings.stop / UNIT,
            settings.bars_max,
            int(settings.short),
        )

    @staticmethod
    def warmup_of(settings: MeanReversionSettings) -> int:
        """Return the bars of the window."""
        return settings.window

    @staticmethod
    def lookback_of(settings: MeanReversionSettings) -> int:
        """Return the bars of the window: the close that leaves it."""
        return settings.window

    @staticmethod
    def first_memory() -> ReversionNow:
        """Return the memory before the first bar."""
        return ReversionNow(0, 0, 0, 0.0, 0, 0, 0, 0)

    def reasons(self, seen: Seen, now: ReversionNow) -> Reasons:
        """Return close, mean, score and, while there is a bet, its age."""
        found: Reasons = (
            ("close", seen.close_ticks),
            ("mean", now.total / now.count),
            ("z", now.score),
        )
        return (*found, ("bars_held", now.bars_held)) if now.side else found

"""Mean reversion: bet on the way back when the price strays from its mean, and give up after a while."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from actors.domain.bars import BarLike
from actors.domain.instrument import Instrument
from actors.runtime.settings import E8, setting
from actors.strategy.indicators import ZScore
from actors.strategy.protocol import Decision, Hold, Reasons, Target, View
from actors.strategy.settings import StrategySettings

__all__ = ["MeanReversion", "MeanReversionSettings", "ReversionMemory"]

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


class ReversionMemory(msgspec.Struct):
    """What the strategy remembers between bars."""

    score: ZScore
    side: int = 0  # 1 long, -1 short, 0 flat
    contracts: int = 0
    bars_held: int = 0
    lost_side: int = 0  # not entered again before the price was near its mean


class MeanReversion:
    """Long far below the mean, short far above; out near the mean, at the stop, or when time is over."""

    MEMORY: ClassVar[type[msgspec.Struct]] = ReversionMemory

    def __init__(self, settings: MeanReversionSettings, instrument: Instrument) -> None:
        self.bars_warmup = settings.window
        self.memory = ReversionMemory(ZScore(settings.window))
        self._entry, self._exit, self._stop = (
            settings.entry / UNIT,
            settings.exit / UNIT,
            settings.stop / UNIT,
        )
        self._bars_max = settings.bars_max
        self._sides = (1, -1) if settings.short else (1,)

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        score = memory.score.update(close)
        reasons: Reasons = (("close", close), ("mean", memory.score.mean), ("z", score))
        if not memory.score.ready:
            return Hold("warming up", reasons)
        if abs(score) <= self._exit:
            memory.lost_side = 0
        why = self._leave(score) if memory.side else self._enter(score, view)
        if not memory.side:
            return Target(0, why or "not far enough", reasons)
        reasons += (("bars_held", memory.bars_held),)
        return Target(memory.side * memory.contracts, why or "waiting for the mean", reasons)

    def _leave(self, score: float) -> str:
        memory, side = self.memory, self.memory.side
        memory.bars_held += 1
        if score * side >= -self._exit:
            memory.side = 0
            return "back at the mean"
        if score * side <= -self._stop:
            memory.side, memory.lost_side = 0, side
            return "strayed to the stop"
        if memory.bars_held >= self._bars_max:
            memory.side, memory.lost_side = 0, side
            return "time is over"
        return ""

    def _enter(self, score: float, view: View) -> str:
        memory = self.memory
        side = -1 if score >= self._entry else 1 if score <= -self._entry else 0
        if side not in self._sides or side == memory.lost_side or abs(score) >= self._stop:
            return ""
        contracts = view.contracts_at_risk((self._stop - abs(score)) * memory.score.std)
        if not contracts:
            return ""
        memory.side, memory.contracts, memory.bars_held = side, contracts, 0
        return "far below the mean" if side > 0 else "far above the mean"

"""Hosts a step function as a strategy: its memory is saved, its numbers become decisions with reasons.

See actors/domain/steps.py for what a step function is. A subclass names its own with its texts and turns its
settings into the numbers it is given; nothing else may be decided outside of it, or a search would find
parameters of another strategy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from actors.domain.bars import BarLike
from actors.domain.instrument import Instrument
from actors.domain.steps import Seen
from actors.strategy.protocol import Decision, Hold, Reasons, Target, View
from actors.strategy.sizing import sizing_of

__all__ = ["SteppedMemory", "SteppedStrategy", "unknown_to_kernels"]


def unknown_to_kernels(settings: Any) -> tuple[str, tuple[str, ...]] | None:
    """Return what of a strategy's settings the kernels do not run, and what turns it off; None: they run all.

    A kernel runs the step function alone: without the exits of `protect`, and with the strategy's own sizes.
    Ask before scoring: a search without them would score another strategy.
    """
    protect = settings.protect
    if protect.is_on:
        name = "protect.stop" if protect.stop else "protect.trail"
        said = [one for one in ("stop", "trail", "trail_from", "target", "hold") if getattr(protect, one)]
        text = f"sets {name}: its entries get exits that the kernel does not know"
        return text, tuple(f"protect.{one}={'0s' if one == 'hold' else 0}" for one in said)
    if settings.size.rule != "strategy":
        text = f"sizes by the rule {settings.size.rule}, which the kernel does not know"
        return text, ("size.rule=strategy",)
    return None


class SteppedMemory(msgspec.Struct):
    """What is saved: the step's own memory, and the closes it looks back to."""

    now: Any  # the step's NamedTuple; a subclass gives its type
    closes: list[int] = []  # the last `lookback`, as a ring
    oldest: int = 0

    def push(self, close_ticks: int, lookback: int) -> int:
        """Take the next close; return the one `lookback` bars before it, 0 when there was none."""
        if len(self.closes) < lookback:
            self.closes.append(close_ticks)
            return 0
        past = self.closes[self.oldest]
        self.closes[self.oldest] = close_ticks
        self.oldest = (self.oldest + 1) % lookback
        return past


class SteppedStrategy:
    """A strategy that is one step function."""

    MEMORY: ClassVar[type[msgspec.Struct]]
    VERSION: ClassVar[int] = (
        1  # of the memory's shape: one of another version is forgotten and warmed up anew
    )
    WHYS: ClassVar[tuple[str, ...]]  # texts by number; number 0 is said while it warms up
    step: ClassVar[Callable[..., tuple[Any, int, int]]]  # a staticmethod

    def __init__(self, settings: Any, instrument: Instrument) -> None:
        self.params = self.params_of(settings)
        self.bars_warmup = self.warmup_of(settings)
        self.lookback = self.lookback_of(settings)
        self.memory = self.MEMORY(self.first_memory())  # type: ignore[call-arg]
        self._sizing = sizing_of(settings, instrument)

    @staticmethod
    def params_of(settings: Any) -> Any:
        """Return the step's parameters, a NamedTuple of ints and floats."""
        raise NotImplementedError

    @staticmethod
    def warmup_of(settings: Any) -> int:
        """Return how many closed bars it must have seen before a decision of it counts."""
        raise NotImplementedError

    @staticmethod
    def lookback_of(_: Any) -> int:
        """Return how many bars back `Seen.past_ticks` lies; 0 when it is not wanted."""
        return 0

    @staticmethod
    def first_memory() -> Any:
        """Return the step's memory before the first bar, each field of its type."""
        raise NotImplementedError

    def reasons(self, seen: Seen, now: Any) -> Reasons:
        """Return the inputs of a decision by name."""
        raise NotImplementedError

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        past = memory.push(close, self.lookback) if self.lookback else 0
        seen = Seen(bar.high_ticks, bar.low_ticks, close, past, view.equity_usdt)
        memory.now, target, why = type(self).step(memory.now, self.params, seen, self._sizing)
        reasons, text = self.reasons(seen, memory.now), self.WHYS[why]
        return Target(target, text, reasons) if why else Hold(text, reasons)

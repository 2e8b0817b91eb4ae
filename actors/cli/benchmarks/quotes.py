"""Quotes per second through one strategy in virtual time."""

from __future__ import annotations

import json
import time
from typing import ClassVar

from actors.cli.benchmarks.world import CATALOG
from actors.domain.catalog import load_catalog
from actors.domain.place import Place
from actors.messages.market import Quote
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.strategy.actor import StrategyActor
from actors.strategy.library.pulse import PulseSettings

__all__ = ["quotes_virtual_per_s"]

SYMBOL = "BTC_USDT_PERP"
QUOTES = 1_000_000
QUOTES_PER_STEP = 100
STEP_NS = 10_000_000
START_NS = 1_760_000_000_000_000_000


class Step(Message, frozen=True):
    """Time for the next quotes."""


class QuoteSource(Behaviour):
    """A feed of quotes that move up and down, so many per step of virtual time, until all are told."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Step,)
    EMITS: ClassVar[tuple[type[Message], ...]] = (Quote,)
    PHASE = Phase.DECIDE

    def __init__(self, mid_ticks: int) -> None:
        self._mid_ticks = mid_ticks
        self.told_count = 0

    def started(self, context: Context) -> None:
        context.schedule(STEP_NS, Step())

    def on_step(self, message: Step, context: Context) -> None:
        now_ns, mid = context.now_ns, self._mid_ticks
        for number in range(QUOTES_PER_STEP):
            move = number % 7
            context.publish(Quote(SYMBOL, now_ns, mid + move - 1, 100, mid + move + 1, 100))
        self.told_count += QUOTES_PER_STEP
        if self.told_count < QUOTES:
            context.schedule(STEP_NS, message)


def quotes_virtual_per_s() -> float:
    """Return quotes/s that one strategy looks at and answers with a decision, the clock jumping."""
    instruments = load_catalog(json.loads(CATALOG.read_text()))
    place = Place("bench", "pulse", "backtest", 0, {"symbol": SYMBOL}, instruments)
    mid = instruments[SYMBOL].reference_ticks
    specs = [
        CellSpec("feed", lambda: QuoteSource(mid)),
        CellSpec("pulse", lambda: StrategyActor(PulseSettings(), place), reads=("feed",)),
    ]
    clock = VirtualClock(START_NS)
    node = Node(specs, (SupervisorSpec("root"),), MemoryStore(), clock)
    node.start()
    source: QuoteSource = node.cell("feed").behaviour  # type: ignore[assignment]
    began = time.perf_counter()
    while source.told_count < QUOTES:
        if not node.turn():
            clock.advance_to(node.loop.timers.next_due_ns() or START_NS)
    seconds = time.perf_counter() - began
    return node.cell("pulse").handled_count / seconds

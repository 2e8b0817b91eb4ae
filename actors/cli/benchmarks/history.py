"""Backtest speed: history through the whole deployment in virtual time, counted in CPU seconds.

Each instant of the history is a turn of its own, as in `polytrade backtest`: a feed publishes it, the
exchange, risk and a strategy look at it, and what an order leads to is over before the next instant.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from actors.cli.benchmarks.world import MakeStrategy, World
from actors.domain.bars import BarLike
from actors.domain.instrument import Instrument
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.market import Bar, FeedState, FeedStatus, MarkPrice, Quote
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.store import Store
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.store_passing import PassingStore, Recorded
from actors.strategy.actor import StrategyActor
from actors.strategy.indicators import Ema
from actors.strategy.library import STRATEGIES
from actors.strategy.protocol import Cancel, Decision, Hold, Order, Target, View
from actors.strategy.settings import StrategySettings

__all__ = [
    "bars_memory_mib",
    "ema_cross_bars_per_s",
    "peak_mib",
    "quotes_idle_per_s",
    "submit_cancel_flat",
    "submit_cancel_per_s",
]

QUOTES = 1_000_000
BARS = int(os.environ.get("POLYTRADE_BENCH_BARS", "1000000"))
ORDERS = 50_000
FLAT_ROUNDS = 5
HISTORY_ORDERS = int(os.environ.get("POLYTRADE_BENCH_HISTORY", "1000000"))
START_NS = 1_760_000_000_000_000_000
QUOTE_STEP_NS = 100_000_000
MARK_EVERY_NS = 100 * QUOTE_STEP_NS
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
SIZE = 1_000_000  # contracts behind each quote
SEED = 42
BATCH = 500  # instants foretold at a time, as feed.replay does

WAIT = Hold("waiting")


class NextInstant(Message, frozen=True):
    """The next instant of the history has come."""


NEXT = NextInstant()

Instant = tuple[int, tuple[Message, ...]]  # nanoseconds since the one before, and what happened


class History(Behaviour):
    """A feed that publishes one instant after the other until there are no more."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (NextInstant, MarkPrice)
    EMITS: ClassVar[tuple[type[Message], ...]] = (Quote, Bar, MarkPrice, FeedStatus)
    PHASE = Phase.SOURCE

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._instants: Iterator[Instant] = iter(())
        self.is_over = True

    def started(self, context: Context) -> None:
        now_ns = context.now_ns
        context.publish(FeedStatus(self._symbol, now_ns, FeedState.LIVE, now_ns, "benchmark"))

    def on_mark_price(self, message: MarkPrice, context: Context) -> None:
        context.publish(message)

    def play(self, instants: Iterator[Instant]) -> None:
        """Take up a history; the first instant comes with the next message."""
        self._instants, self.is_over = instants, False

    def on_next_instant(self, message: NextInstant, context: Context) -> None:
        now_ns = context.now_ns
        instants = []
        for delay_ns, messages in islice(self._instants, BATCH):
            now_ns += delay_ns
            instants.append((now_ns, messages))
        if not instants:
            self.is_over = True
            return
        context.foretell(instants)
        context.schedule(now_ns + 1 - context.now_ns, message)


# -- strategies ----------------------------------------------------------------------------------------


class IdleSettings(StrategySettings, frozen=True, kw_only=True):
    """For a strategy that does nothing."""


class IdleMemory(msgspec.Struct):
    """It has nothing to remember but what it saw."""

    seen_count: int = 0


class Idle:
    """Looks at each quote and waits."""

    MEMORY: ClassVar[type[msgspec.Struct]] = IdleMemory
    bars_warmup = 0

    def __init__(self, settings: IdleSettings, instrument: Instrument) -> None:
        self.memory = IdleMemory()

    def on_quote(self, quote: Quote, view: View) -> Decision:
        self.memory.seen_count += 1
        return WAIT


class CrossSettings(StrategySettings, frozen=True, kw_only=True):
    """For the moving-average cross."""


class CrossMemory(msgspec.Struct):
    """The two averages."""

    fast: Ema
    slow: Ema


class Cross:
    """Long while the average of 10 bars is not below that of 20, short while it is: one order a cross."""

    MEMORY: ClassVar[type[msgspec.Struct]] = CrossMemory
    bars_warmup = 20

    def __init__(self, settings: CrossSettings, instrument: Instrument) -> None:
        self.memory = CrossMemory(Ema(10), Ema(20))
        self._long, self._short = Target(1, "fast above slow"), Target(-1, "fast below slow")

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        is_above = memory.fast.update(close) >= memory.slow.update(close)
        if not memory.slow.ready:
            return WAIT
        return self._long if is_above else self._short


class QuoterSettings(StrategySettings, frozen=True, kw_only=True):
    """For the strategy that replaces its order all the time."""


class Quoter:
    """On one quote it places a bid far below the market, on the next it takes it back."""

    MEMORY: ClassVar[type[msgspec.Struct]] = IdleMemory
    bars_warmup = 0
    orders_at_once = 2

    def __init__(self, settings: QuoterSettings, instrument: Instrument) -> None:
        self.memory = IdleMemory()
        self._cancel = Cancel("replaced")

    def on_quote(self, quote: Quote, view: View) -> Decision:
        self.memory.seen_count += 1
        if self.memory.seen_count % 2 == 0:
            return self._cancel
        limit = quote.bid_ticks - 100
        return Order(Side.BUY, 1, "quote", (), OrderType.LIMIT, limit, TimeInForce.GTC)


STRATEGIES.update({IdleSettings: Idle, CrossSettings: Cross, QuoterSettings: Quoter})


def hosting(settings: StrategySettings) -> MakeStrategy:
    """Return what makes the actor of a strategy with these settings."""

    def make(place: Place) -> Behaviour:
        return StrategyActor(settings, place)

    return make


# -- histories -----------------------------------------------------------------------------------------


def quotes(symbol: str, mid_ticks: int, count: int, from_ns: int = START_NS) -> Iterator[Instant]:
    """Yield quotes of a random walk, 100 ms apart, and the mark every 10 seconds."""
    at_ns = from_ns - from_ns % QUOTE_STEP_NS
    for move in random.Random(SEED).choices((-2, -1, 0, 1, 2), k=count):
        at_ns += QUOTE_STEP_NS
        mid_ticks += move
        quote = Quote(symbol, at_ns, mid_ticks, SIZE, mid_ticks + 1, SIZE)
        is_marked = at_ns % MARK_EVERY_NS == 0
        yield (
            QUOTE_STEP_NS,
            (quote, MarkPrice(symbol, at_ns, mid_ticks, mid_ticks)) if is_marked else (quote,),
        )


def closes(start_ticks: int, count: int) -> array[int]:
    """Return the closes of a log random walk; it crosses its own averages about every 22 bars."""
    chance, price, walk = random.Random(SEED), float(start_ticks), array("q")
    for _ in range(count):
        price *= math.exp(chance.gauss(0.0, 0.0005))
        walk.append(round(price))
    return walk


def minutes(symbol: str, walk: array[int]) -> Iterator[Instant]:
    """Yield one-minute bars, each with the quote and the mark at its close."""
    at_ns, opened = START_NS - START_NS % MINUTE_NS, walk[0]
    for close in walk:
        at_ns += MINUTE_NS
        high, low = (close, opened) if close > opened else (opened, close)
        quote = Quote(symbol, at_ns, close, SIZE, close + 1, SIZE)
        bar = Bar(symbol, at_ns, MINUTE_NS, opened, high, low, close, 50, 10)
        yield MINUTE_NS, (quote, MarkPrice(symbol, at_ns, close, close), bar)
        opened = close


def _pass(at_ns: int, records: list[Recorded]) -> None:
    """Nobody listens."""


class Backtest:
    """The whole deployment for one symbol, a clock that jumps, no past, as in a backtest without `--out`."""

    def __init__(self, settings: StrategySettings, store: Store | None = None) -> None:
        self.world = World(
            store or PassingStore(_pass),
            VirtualClock(START_NS - START_NS % MINUTE_NS),
            strategies_per_symbol=1,
            make_strategy=hosting(settings),
            make_feed=History,
            symbols_count=1,
            looks_every_ns=HOUR_NS,
        )
        self.world.start()
        ((self._feed, self.symbol, self.reference_ticks),) = self.world.feeds

    def play(self, instants: Iterator[Instant]) -> float:
        """Play a history to its end; return the CPU seconds that took."""
        feed: Any = self._feed.behaviour
        began = time.process_time()
        feed.play(instants)
        self.world.node.tell(self._feed.name, NEXT)
        self.world.pass_time(lambda: feed.is_over)
        return time.process_time() - began

    @property
    def orders_count(self) -> int:
        """Orders that the OMS has submitted."""
        return int(self.world.node.cell("oms/main").behaviour.state.sequence)


def quotes_idle_per_s() -> float:
    """Return quotes per CPU second: feed, exchange, risk, and a strategy that waits."""
    backtest = Backtest(IdleSettings())
    seconds = backtest.play(quotes(backtest.symbol, backtest.reference_ticks, QUOTES))
    return QUOTES / seconds


def ema_cross_bars_per_s() -> float:
    """Return bars per CPU second: a market order at every cross, through risk, OMS, exchange and ledger."""
    backtest = Backtest(CrossSettings())
    seconds = backtest.play(minutes(backtest.symbol, closes(backtest.reference_ticks, BARS)))
    if backtest.orders_count < BARS // 30:
        raise RuntimeError(f"{backtest.orders_count} orders on {BARS} bars: the strategy did not trade")
    return BARS / seconds


def submit_cancel_per_s() -> float:
    """Return orders per CPU second, each submitted on one quote and canceled on the next."""
    return submit_cancel(Backtest(QuoterSettings()), ORDERS)


def submit_cancel(backtest: Backtest, orders: int) -> float:
    """Return orders per CPU second over so many more."""
    before, now_ns = backtest.orders_count, backtest.world.clock.now_ns()
    seconds = backtest.play(quotes(backtest.symbol, backtest.reference_ticks, 2 * orders, now_ns))
    made = backtest.orders_count - before
    if made < orders // 2:
        raise RuntimeError(f"{made} orders on {2 * orders} quotes: something keeps the strategy from trading")
    return made / seconds


def submit_cancel_flat() -> float:
    """Return that rate with a million orders of history over that of a new node; 1 is flat."""
    with tempfile.TemporaryDirectory() as directory:
        store = LmdbStore(directory, Durability.PROCESS)
        old = Backtest(QuoterSettings(), store)
        while old.orders_count < HISTORY_ORDERS:
            submit_cancel(old, ORDERS)
        ratio = statistics.median(_old_over_new(old) for _ in range(FLAT_ROUNDS))
        store.close()
        return ratio


def _old_over_new(old: Backtest) -> float:
    with tempfile.TemporaryDirectory() as directory:
        store = LmdbStore(directory, Durability.PROCESS)
        new = Backtest(QuoterSettings(), store)
        submit_cancel(new, ORDERS // 10)
        ratio = submit_cancel(old, ORDERS // 2) / submit_cancel(new, ORDERS // 2)
        store.close()
        return ratio


def bars_memory_mib() -> float:
    """Return the peak memory of a process that plays a million bars as `ema_cross_bars` does."""
    code = f"import {__name__} as history; history.ema_cross_bars_per_s(); print(history.peak_mib())"
    return float(subprocess.check_output([sys.executable, "-c", code]))


def peak_mib() -> float:
    """Return the most memory that this process has had, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

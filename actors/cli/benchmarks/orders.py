"""Orders per second through the whole chain, durable, and whether that rate lasts."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time

from actors.cli.benchmarks.measure import percentile
from actors.cli.benchmarks.world import World
from actors.domain.lifecycle import OrderState
from actors.domain.place import Place
from actors.messages.trading import OrderUpdate
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.clock import SystemClock
from actors.runtime.messages import Message
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.turn import LoopLimits
from actors.strategy.actor import StrategyActor
from actors.strategy.library.pulse import PulseSettings

__all__ = ["ack_p99_ms", "orders_durable_per_s", "orders_flat"]

ORDERS = 60_000
FLAT_ROUNDS = 5
HISTORY_ORDERS = int(os.environ.get("POLYTRADE_BENCH_HISTORY", "1000000"))
WAITING_QUOTES = 2_000  # offered at a time: the loop always has more to do, and batches
BATCHING = LoopLimits(turn_ns_max=20_000_000)
OFFERED_PER_S = 5_000
ACKNOWLEDGED_S = 5.0


def run_orders(world: World, orders: int) -> float:
    """Return orders per second over so many more fills, every turn on the disk."""
    node, before = world.node, world.fills_count
    began = time.perf_counter()
    while world.fills_count - before < orders:
        while node.loop.inlet.waiting_count < WAITING_QUOTES:
            world.quote()
        node.turn()
    world.settle()
    return (world.fills_count - before) / (time.perf_counter() - began)


def orders_durable_per_s() -> float:
    """Return orders/s: quote, decision, risk, OMS, venue, exchange, fill, ledger; one fsync a turn."""
    with tempfile.TemporaryDirectory() as directory:
        store = LmdbStore(directory, Durability.DISK)
        world = World(store, SystemClock(), limits=BATCHING)
        world.start()
        run_orders(world, ORDERS // 10)
        rate = run_orders(world, ORDERS)
        store.close()
        return rate


def orders_flat() -> float:
    """Return the rate of a node with a million orders of history over that of a new one; 1 is flat.

    The history is made by really trading it, without waiting for the disk. Then old and new take turns, in
    CPU seconds, so that what else the machine does falls on both.
    """
    with tempfile.TemporaryDirectory() as directory:
        old = _on_disk(directory)
        while old.fills_count < HISTORY_ORDERS:
            run_orders(old, ORDERS)
        ratio = statistics.median(_old_over_new(old) for _ in range(FLAT_ROUNDS))
        old.node.journal.store.close()
        return ratio


def _old_over_new(old: World) -> float:
    with tempfile.TemporaryDirectory() as directory:
        new = _on_disk(directory)
        run_orders(new, ORDERS // 10)
        ratio = _orders_per_cpu_s(old) / _orders_per_cpu_s(new)
        new.node.journal.store.close()
        return ratio


def _on_disk(directory: str) -> World:
    world = World(LmdbStore(directory, Durability.PROCESS), SystemClock(), limits=BATCHING)
    world.start()
    return world


def _orders_per_cpu_s(world: World) -> float:
    before, began = world.fills_count, time.process_time()
    run_orders(world, ORDERS // 3)
    return (world.fills_count - before) / (time.process_time() - began)


class Timed(StrategyActor):
    """A pulse whose acknowledgements leave the node, so after the commit, with the instant of their quote."""

    def on_order_update(self, update: OrderUpdate, context: Context) -> None:
        if update.state is OrderState.OPEN:
            context.effect("probe", update)
        super().on_order_update(update, context)


class Probe:
    """Takes the acknowledgements and notes how old they are."""

    def __init__(self) -> None:
        self.samples_ms: list[float] = []
        self.offered: dict[str, int] = {}

    def put(self, message: Message, address: str) -> None:
        self.samples_ms.append((time.perf_counter_ns() - self.offered[address]) / 1e6)


def _timed(place: Place) -> Behaviour:
    return Timed(PulseSettings(), place)


def ack_p99_ms() -> float:
    """Return the p99, in ms, from a quote at the edge to the released acknowledgement of its order."""
    with tempfile.TemporaryDirectory() as directory:
        store = LmdbStore(directory, Durability.DISK)
        world = World(store, SystemClock(), strategies_per_symbol=1, make_strategy=_timed)
        probe = Probe()
        world.node.loop.pumps["probe"] = probe
        world.start()
        over = threading.Event()
        source = threading.Thread(target=_offer, args=(world, probe, over), daemon=True)
        source.start()
        while source.is_alive():
            if not world.node.turn():
                world.node.loop.wait(1_000_000)
        world.settle()
        store.close()
        return percentile(probe.samples_ms, 0.99)


def _offer(world: World, probe: Probe, over: threading.Event) -> None:
    """Offer one quote after the other at a steady rate, each the cause of one order."""
    from actors.messages.market import Quote

    count = int(OFFERED_PER_S * ACKNOWLEDGED_S)
    began = time.perf_counter()
    for number in range(count):
        cell, symbol, ticks = world.feeds[number % len(world.feeds)]
        due = began + number / OFFERED_PER_S
        while (left := due - time.perf_counter()) > 0:
            time.sleep(left if left > 0.0002 else 0)
        probe.offered[f"s0/{symbol}"] = time.perf_counter_ns()
        quote = Quote(symbol, world.clock.now_ns(), ticks - 1, 1_000_000, ticks + 1, 1_000_000)
        world.node.loop.inlet.put(cell, quote)

"""How soon a node trades again after `kill -9`, and one actor after its restart."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from actors.cli.benchmarks.orders import BATCHING, run_orders
from actors.cli.benchmarks.world import World
from actors.runtime.clock import SystemClock
from actors.runtime.store_lmdb import Durability, LmdbStore

__all__ = ["actor_restart_ms", "recovery_s"]

EVENTS = int(os.environ.get("POLYTRADE_BENCH_EVENTS", "1000000"))
OPEN_ORDERS = int(os.environ.get("POLYTRADE_BENCH_OPEN", "10000"))
RESTARTS = 20


def _world(directory: Path, *, resting: int = 0) -> World:
    store = LmdbStore(directory, Durability.PROCESS)
    return World(store, SystemClock(), limits=BATCHING, resting_orders=resting)


@contextlib.contextmanager
def _history() -> Iterator[Path]:
    """Make a journal of a million events and ten thousand open orders by a process that is then killed."""
    directory = Path(tempfile.mkdtemp())
    try:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                _make_history(directory)
            os._exit(1)
        os.waitpid(child, 0)
        yield directory
    finally:
        shutil.rmtree(directory)


def _make_history(directory: Path) -> None:
    world = _world(directory, resting=OPEN_ORDERS)
    world.start()
    while world.open_orders_count < OPEN_ORDERS:
        world.node.turn()
    run_orders(world, max(1, (EVENTS - OPEN_ORDERS * 4) // 9))
    os.kill(os.getpid(), signal.SIGKILL)


def recovery_s() -> float:
    """Return the time from opening the journal of a killed node to being ready to trade, in seconds."""
    with _history() as directory:
        began = time.perf_counter()
        world = _world(directory, resting=1)
        world.start()
        seconds = time.perf_counter() - began
        if world.open_orders_count < OPEN_ORDERS:
            raise RuntimeError(f"{world.open_orders_count} open orders came back, not {OPEN_ORDERS}")
        world.node.journal.store.close()
        return seconds


def actor_restart_ms() -> float:
    """Return the median time to rebuild one actor (the OMS) from the journal of a busy node, in ms."""
    with tempfile.TemporaryDirectory() as directory:
        world = _world(Path(directory))
        world.start()
        samples = []
        cell = world.node.cell("oms/main")
        for _ in range(RESTARTS):
            run_orders(world, 1_000)
            before = cell.restarts_count
            world.node.restart("oms/main")
            while cell.restarts_count == before:
                world.node.turn()
            samples.append(cell.recovery_ns / 1e6)
            world.settle()
        world.node.journal.store.close()
        return median(samples)

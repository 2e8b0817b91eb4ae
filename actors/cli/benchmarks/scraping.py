"""A scrape of a node with a thousand actors, and who stands still meanwhile: the pumps, or the loop."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from actors.cli.benchmarks.changing import large_deployment
from actors.control.metrics import make_registry, scrape
from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.deployment.process import SWITCH_INTERVAL_S
from actors.runtime.clock import SystemClock
from actors.runtime.errors import require
from actors.runtime.node import Node
from actors.runtime.pumps.thread import PumpThread
from actors.runtime.store_memory import MemoryStore

__all__ = [
    "loop_late_ms",
    "loop_late_steady_ms",
    "pumps_late_ms",
    "pumps_late_steady_ms",
]

SCRAPES = 20
EVERY_S = 0.25
LOOK_S = 0.001
UP_S = 3.0


def pumps_late_ms() -> float:
    """Return the median, over scrapes, of the longest time that the pumps' thread came too late, ms."""
    with _LargeNode() as large:
        return statistics.median(large.pumps_late_ms(scraped=True) for _ in range(SCRAPES))


def pumps_late_steady_ms() -> float:
    """Return the same where nobody scrapes: what this machine does by itself."""
    with _LargeNode() as large:
        return statistics.median(large.pumps_late_ms(scraped=False) for _ in range(SCRAPES))


def loop_late_ms() -> float:
    """Return the same of the loop: how long it took at most to come round to a call."""
    with _LargeNode() as large:
        return statistics.median(large.loop_late_ms(scraped=True) for _ in range(SCRAPES))


def loop_late_steady_ms() -> float:
    """Return the same where nobody scrapes."""
    with _LargeNode() as large:
        return statistics.median(large.loop_late_ms(scraped=False) for _ in range(SCRAPES))


class _LargeNode:
    """1,009 actors that run, and the thread that pumps and the control API share."""

    def __enter__(self) -> _LargeNode:
        self._interval_s = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL_S)  # as a node's process does
        with tempfile.TemporaryDirectory() as folder:
            topology = load(large_deployment(Path(folder), fast=8))
        require(len(topology.actors) >= 1_000, "the deployment has a thousand actors")
        self.node: Node = assemble(topology, MemoryStore(), SystemClock())
        self._pumps = PumpThread()
        self._registry = make_registry(self.node, {"version": "bench"})
        self._loop = threading.Thread(target=self._run, daemon=True)
        self._loop.start()
        time.sleep(UP_S)
        return self

    def _run(self) -> None:
        self.node.start()
        self.node.run(longest_wait_ns=1_000_000)

    def __exit__(self, *_: object) -> None:
        self.node.request_stop()
        self._loop.join()
        self._pumps.stop()
        sys.setswitchinterval(self._interval_s)

    def pumps_late_ms(self, scraped: bool) -> float:
        """Return by how much the latest of many wake-ups of the pumps came too late during one scrape."""
        late_s = self._pumps.run(self._come_round(scraped), None)
        time.sleep(EVERY_S)
        return float(late_s) * 1e3

    async def _come_round(self, scraped: bool) -> float:
        late_s, work = 0.0, scrape(self._registry) if scraped else asyncio.sleep(EVERY_S)
        task: asyncio.Task[Any] = asyncio.create_task(work)
        while not task.done():
            before = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            late_s = max(late_s, time.perf_counter() - before - LOOK_S)
        return late_s

    def loop_late_ms(self, scraped: bool) -> float:
        """Return how long the loop took at most to come round to a call during one scrape."""
        late_s, over = 0.0, threading.Event()
        threading.Thread(target=lambda: self.pumps_late_ms(scraped) and over.set()).start()
        while not over.is_set():
            came, asked = threading.Event(), time.perf_counter()
            self.node.loop.call(came.set)
            came.wait()
            late_s = max(late_s, time.perf_counter() - asked)
            time.sleep(LOOK_S)
        return late_s * 1e3

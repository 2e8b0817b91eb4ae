"""The machine's own figures, to hold a benchmark against."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path

__all__ = ["bare_fsync_ms", "bare_fsync_per_s", "bare_loop_per_s", "percentile"]

FSYNC_SAMPLES = 200
LOOP_ROUNDS = 1_000_000


def percentile(samples: list[float], fraction: float) -> float:
    """Return the sample below which that fraction of all samples lies."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


def fsync_samples_ms(count: int = FSYNC_SAMPLES) -> list[float]:
    """Return how long `count` writes of 4 KiB with an fsync took, in milliseconds."""
    samples = []
    with tempfile.TemporaryDirectory() as directory:
        file = os.open(Path(directory) / "probe", os.O_WRONLY | os.O_CREAT)
        block = bytes(4096)
        for _ in range(count):
            began = time.perf_counter()
            os.pwrite(file, block, 0)
            os.fsync(file)
            samples.append((time.perf_counter() - began) * 1e3)
        os.close(file)
    return samples


def bare_fsync_ms() -> float:
    """Return the p99 of a bare 4 KiB write with fsync, in milliseconds."""
    return percentile(fsync_samples_ms(), 0.99)


def bare_fsync_per_s() -> float:
    """Return bare fsyncs per second, from the median."""
    return 1e3 / statistics.median(fsync_samples_ms())


def bare_loop_per_s() -> float:
    """Return how often per second this Python can move an item through a deque and call a method with it."""
    queue: deque[int] = deque()

    class Sink:
        total = 0

        def take(self, item: int) -> None:
            self.total += item

    take = Sink().take
    began = time.perf_counter()
    for item in range(LOOP_ROUNDS):
        queue.append(item)
        take(queue.popleft())
    return LOOP_ROUNDS / (time.perf_counter() - began)

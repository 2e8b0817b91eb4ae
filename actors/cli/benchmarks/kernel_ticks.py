"""Tick kernel speed: two quotes over two million events, beside the same events through a bare book."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

__all__ = ["bare_ticks", "kernel_ticks"]

STEPS = 500_000  # of four events each
SEED = 1
LATENCY_NS = 10_000_000
ACT_NS = 100_000_000
DEPOSIT = 100_000 * 100_000_000
MILLION = 1e6


@cache
def _market() -> Any:
    import numpy as np

    from actors.backtest.tick_kernel_events import synthetic

    return synthetic(STEPS, np.random.default_rng(SEED))


@cache
def _bound() -> Any:
    """Return a run; compiled here, outside of what is timed."""
    from actors.backtest.tick_kernel import TickKernel
    from actors.backtest.tick_kernel_orders import PROPORTIONAL, TickTerms
    from actors.backtest.tick_kernel_quoter import QuoterMemory, QuoterParams, quote

    start, events = _market()
    terms = TickTerms(10_000, 20_000, 50_000, PROPORTIONAL, ACT_NS, DEPOSIT)
    latency = {"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS}
    kernel = TickKernel(quote, start, events, terms, compile_it=True, **latency)
    params, memory = QuoterParams(0.5, 1.0, 0.5, 100.0, 10, 100), QuoterMemory(0.0, 0.0)
    kernel.run(params, memory)
    return lambda: kernel.run(params, memory)


def kernel_ticks() -> float:
    """Return million events per CPU second."""
    run = _bound()
    began = time.process_time()
    run()
    return 4 * STEPS / (time.process_time() - began) / MILLION


def write_levels(kinds: Any, prices: Any, sizes: Any, bids: Any, asks: Any) -> int:
    """Write each level where it belongs: the least that a book costs."""
    total = 0
    for row in range(len(kinds)):
        if kinds[row] == 0:
            bids[prices[row]] = sizes[row]
        elif kinds[row] == 1:
            asks[prices[row]] = sizes[row]
        else:
            total += sizes[row]
    return total


@cache
def _bare() -> Any:
    import numba
    import numpy as np

    _, events = _market()
    floor = int(events.price_ticks.min())
    prices = events.price_ticks - floor
    books = [np.zeros(int(prices.max()) + 1, np.int64) for _ in range(2)]
    write = numba.njit(write_levels)
    write(events.kind, prices, events.size, *books)
    return lambda: write(events.kind, prices, events.size, *books)


def bare_ticks() -> float:
    """Return million events per CPU second through a bare book."""
    run = _bare()
    began = time.process_time()
    run()
    return 4 * STEPS / (time.process_time() - began) / MILLION

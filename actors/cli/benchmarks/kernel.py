"""Kernel speed: a million minutes through the compiled loop, one configuration and a hundred.

Fees, funding, slippage, margin and liquidation are all on. Other work on the machine must not count, so a
second is one of processor time, shared by as many threads as there are cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache
from typing import Any

from actors.cli.benchmarks.history import MINUTE_NS, peak_mib
from actors.cli.benchmarks.world import CATALOG

__all__ = ["bare_hundred", "bare_one", "kernel_hundred", "kernel_memory_mib", "kernel_one", "peak_mib"]

BARS = 1_000_000
SEED = 1
START_NS = 1_735_689_600_000_000_000
EIGHT_HOURS_NS = 480 * MINUTE_NS
MILLION = 1e6
FASTS, SLOWS = range(5, 55, 5), range(60, 160, 10)


@cache
def _market() -> Any:
    """Return a million minutes of a random walk, with funding, as the kernel reads them."""
    import numpy as np

    from actors.backtest.kernel_market import Bars, prepare

    draw = np.random.default_rng(SEED)
    closes = (8_000_000 * np.exp(np.cumsum(draw.normal(0, 5e-4, BARS)))).astype(np.int64)
    opens = np.concatenate((closes[:1], closes[:-1]))
    highs = np.maximum(opens, closes) + draw.integers(0, 3_000, BARS)
    lows = np.minimum(opens, closes) - draw.integers(0, 3_000, BARS)
    at_ns = START_NS + MINUTE_NS * np.arange(1, BARS + 1)
    paid_ns = np.arange(START_NS + EIGHT_HOURS_NS, at_ns[-1], EIGHT_HOURS_NS)
    bars = Bars(at_ns, opens, highs, np.maximum(lows, 1), closes, MINUTE_NS)
    return prepare(bars, 10_000, paid_ns, np.full(len(paid_ns), 10_000))


@cache
def _bound() -> tuple[Any, list[Any]]:
    """Return the compiled kernel and the hundred configurations; compiled here, outside of what is timed."""
    from actors.backtest.kernel import Kernel, Trial, terms_of
    from actors.backtest.kernel_loop import Plan
    from actors.domain.catalog import load_catalog
    from actors.domain.money import E8
    from actors.strategy.library.trend_follow import TrendFollow, TrendFollowSettings
    from actors.strategy.sizing import sizing_of

    contract = load_catalog(json.loads(CATALOG.read_text()))["BTC_USDT_PERP"]
    trials = []
    for fast in FASTS:
        for slow in SLOWS:
            chosen = TrendFollowSettings(fast=fast, slow=slow, notional_fraction=E8 // 50)
            plan = Plan(10_000 * E8, chosen.equity_usdt, TrendFollow.warmup_of(chosen), 0)
            first = TrendFollow.first_memory()
            trials.append(Trial(plan, TrendFollow.params_of(chosen), first, sizing_of(chosen, contract)))
    kernel = Kernel(TrendFollow.step, _market(), terms_of(contract), compile_it=True)
    kernel.run(trials[0])
    return kernel, trials


def kernel_one() -> float:
    """Return million bars per CPU second of one configuration."""
    kernel, trials = _bound()
    began = time.process_time()
    kernel.run(trials[len(trials) // 2])
    return BARS / (time.process_time() - began) / MILLION


def kernel_hundred() -> float:
    """Return million bars x configurations per second of a hundred configurations on all cores."""
    kernel, trials = _bound()
    began = time.process_time()
    count = sum(1 for _ in kernel.run_all(trials))
    return count * BARS * _cores() / (time.process_time() - began) / MILLION


def _cores() -> int:
    return os.cpu_count() or 1


def kernel_memory_mib() -> float:
    """Return the peak memory of a process that runs the hundred configurations, in MiB."""
    code = f"import {__name__} as kernel; kernel.kernel_hundred(); print(kernel.peak_mib())"
    return float(subprocess.check_output([sys.executable, "-c", code]))


@cache
def _floor() -> Any:
    """Return the least that such a search can be: two averages and their crosses, nothing bought or paid."""
    import numba

    def crosses(closes: Any, fast_bars: int, slow_bars: int) -> int:
        fast = slow = float(closes[0])
        count, is_above = 0, False
        for close in closes:
            fast += (close - fast) * 2.0 / (fast_bars + 1)
            slow += (close - slow) * 2.0 / (slow_bars + 1)
            if (fast > slow) != is_above:
                is_above = not is_above
                count += 1
        return count

    found = numba.njit(nogil=True)(crosses)
    found(_market().prices[:10, 3], 10, 20)
    return found


def bare_one() -> float:
    """Return million bars per CPU second of two averages in bare numba."""
    crosses = _floor()
    began = time.process_time()
    crosses(_market().prices[:, 3], 20, 100)
    return BARS / (time.process_time() - began) / MILLION


def bare_hundred() -> float:
    """Return million bars x configurations per second of the same in as many threads as there are cores."""
    from concurrent.futures import ThreadPoolExecutor

    crosses, closes = _floor(), _market().prices[:, 3]
    began = time.process_time()
    with ThreadPoolExecutor(_cores()) as pool:
        done = [pool.submit(crosses, closes, fast, slow) for fast in FASTS for slow in SLOWS]
        count = sum(1 for one in done if one.result() >= 0)
    return count * BARS * _cores() / (time.process_time() - began) / MILLION

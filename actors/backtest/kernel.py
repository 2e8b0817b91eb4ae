"""Many configurations of one step function over the same bars, on every core.

Each run is exact: the same fills, fees and funding, to the last unit, as the deployment without latency (see
docs/kernel.md for what it leaves out). Without numba it runs in plain Python, some hundred times slower.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from actors.backtest.kernel_account import Terms
from actors.backtest.kernel_compile import compiled, is_available
from actors.backtest.kernel_loop import Plan, Result, bind
from actors.backtest.kernel_market import Ints, KernelBars
from actors.domain.instrument import Instrument
from actors.domain.steps import Sizing

__all__ = ["NO_CURVE", "NO_FILLS", "Kernel", "Trial", "terms_of"]

NO_FILLS: Ints = np.empty((0, 4), np.int64)
NO_CURVE: Ints = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration."""

    plan: Plan
    params: Any  # the step's NamedTuple
    memory: Any
    sizing: Sizing


def terms_of(instrument: Instrument, leverage: int = 0, taker_fee_e8: int | None = None) -> Terms:
    """Return the terms of a contract; leverage 0 is its default, no fee is its own."""
    return Terms(
        instrument.tick_value,
        instrument.taker_fee_e8 if taker_fee_e8 is None else taker_fee_e8,
        instrument.contracts_max_market,
        leverage or instrument.leverage_default,
        np.array([tier.contracts_max for tier in instrument.tiers], np.int64),
        np.array([tier.maintenance_e8 for tier in instrument.tiers], np.int64),
    )


class Kernel:
    """One step function, bound to a market."""

    def __init__(
        self, step: Callable[..., Any], bars: KernelBars, terms: Terms, *, compile_it: bool | None = None
    ) -> None:
        """Bind; `compile_it` None compiles when it can. Errors: KernelUnavailable."""
        run = _bound(step)
        self.is_compiled = is_available() if compile_it is None else compile_it
        self._run = compiled(run) if self.is_compiled else run
        # Plain Python computes in unbounded ints of its own, several times faster than in numpy's.
        self._bars = bars if self.is_compiled else _listed(bars)
        self._terms = terms if self.is_compiled else _plain(terms)

    def run(self, trial: Trial, fills: Ints = NO_FILLS, curve: Ints = NO_CURVE) -> Result:
        """Run one configuration; `fills` and `curve` are filled as far as they reach, see `bind`."""
        return self._run(
            self._bars, trial.plan, trial.params, trial.memory, trial.sizing, self._terms, fills, curve
        )

    def run_all(self, trials: Sequence[Trial], workers: int = 0) -> Iterator[Result]:
        """Run them all and yield their results in order; `workers` 0 takes every core."""
        workers = workers or os.cpu_count() or 1
        if not trials:
            return
        yield self.run(trials[0])  # compiled here, once
        if workers == 1 or not self.is_compiled:
            yield from map(self.run, trials[1:])
            return
        with ThreadPoolExecutor(workers) as pool:
            try:
                yield from pool.map(self.run, trials[1:])
            finally:
                pool.shutdown(cancel_futures=True)


_BOUND: dict[Callable[..., Any], Callable[..., Result]] = {}


def _bound(step: Callable[..., Any]) -> Callable[..., Result]:
    """Return the loop of a step function, the same each time, so that it is compiled once."""
    if step not in _BOUND:
        _BOUND[step] = bind(step)
    return _BOUND[step]


class _Table(list[list[int]]):
    """A list of rows that is read like an array: table[row, column]."""

    def __getitem__(self, at: Any) -> Any:
        return list.__getitem__(self, at[0])[at[1]]


def _listed(bars: KernelBars) -> KernelBars:
    tables: Any = [_Table(array.tolist()) for array in (bars.prices, bars.touch, bars.funding)]
    marks: Any = bars.marks.tolist()
    spread: Any = bars.spread.tolist()
    return KernelBars(tables[0], tables[1], marks, tables[2], spread, bars.goes_on)


def _plain(terms: Terms) -> Terms:
    return terms._replace(tiers_contracts=terms.tiers_contracts.tolist(), tiers_e8=terms.tiers_e8.tolist())

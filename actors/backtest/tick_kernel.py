"""A maker's step function over level changes and trades, with queue, latency, partial fills and fees.

The same functions run compiled (extra `kernel`) or in plain Python, slower, to the same last unit.
docs/tick-kernel.md says what is modelled and what is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from actors.backtest.kernel_compile import compiled, is_available
from actors.backtest.tick_kernel_book import Book, set_ask, set_bid
from actors.backtest.tick_kernel_events import StartBook, TickEvents, drawn
from actors.backtest.tick_kernel_loop import Views, bind
from actors.backtest.tick_kernel_orders import (
    CASH,
    CROSSED,
    FAULT,
    FEES,
    FILLS,
    NET,
    NOTICES_MAX,
    REJECTED,
    SENT_COUNT,
    TOO_MANY_NOTICES,
    VOLUME,
    Desk,
    TickTerms,
)

__all__ = ["TickKernel", "TickOverflow", "TickResult"]

ORDERS_MAX = 32  # of ours alive or under way: two sides, replaced each step, for the latency of sixteen steps
WINDOW_TICKS_MAX = 4_000_000


class TickOverflow(Exception):
    """A bound of the run was reached: more orders or answers under way than it has room for."""


class TickResult(NamedTuple):
    """What became of a run; sizes in lots, money in 1e-8 USDT."""

    cash_usdt: int
    net_lots: int
    fees_usdt: int
    equity_usdt: int  # at the middle of the last book
    fills_count: int
    volume_lots: int
    commands_count: int
    rejected_count: int  # post-only orders that would have taken, prices outside the window
    crossed_count: int  # messages after which the book was crossed: 0 in sound data
    outside_count: int  # level changes outside the window
    steps_count: int
    fills: Any  # (5, k): ns, signed lots, price, fee, 1 for maker
    curve: Any  # equity at each step


class TickKernel:
    """One step function bound to one market."""

    def __init__(
        self,
        step: Callable[..., Any],
        start: StartBook,
        events: TickEvents,
        terms: TickTerms,
        *,
        entry_latency_ns: int | Any = 0,
        response_latency_ns: int | Any = 0,
        window_ticks: int = 0,
        compile_it: bool | None = None,
    ) -> None:
        """Bind; latencies are one number or a column drawn from in turn; `window_ticks` 0 spans all prices.

        Errors: ValueError for a bad latency, step or window; KernelUnavailable when told to compile
        without numba.
        """
        if terms.step_ns <= 0:
            raise ValueError(f"the strategy acts every {terms.step_ns} ns; it must be 1 or more")
        self.is_compiled = is_available() if compile_it is None else compile_it
        run = _bound(step)
        self._run = compiled(run) if self.is_compiled else run
        self._start, self._terms = start, terms
        self._entry, self._response = drawn(entry_latency_ns), drawn(response_latency_ns)
        self._floor, self._width = _window(start, events, window_ticks)
        self._late = int((events.seen_ns - events.at_ns).max()) // terms.step_ns + 2
        self._steps = int(events.at_ns[-1] - events.at_ns[0]) // terms.step_ns + 1
        self._events = events if self.is_compiled else TickEvents(*(column.tolist() for column in events))

    def run(self, params: Any, memory: Any, fills_max: int = 0, *, with_curve: bool = False) -> TickResult:
        """Run once and keep the first `fills_max` fills. Errors: TickOverflow."""
        book, desk = self._book(), self._desk(fills_max)
        views = Views(*(self._zeros(self._late) for _ in range(4)))
        curve = self._zeros(self._steps if with_curve else 0)
        entry = self._entry if self.is_compiled else self._entry.tolist()
        _, steps, equity = self._run(
            self._events, book, desk, views, params, memory, self._terms, entry, curve
        )
        tally = [int(number) for number in desk.tally]
        if tally[FAULT]:
            which = "answers" if tally[FAULT] == TOO_MANY_NOTICES else "orders"
            raise TickOverflow(f"too many {which} under way: use a longer step or a shorter latency")
        kept = min(tally[FILLS], fills_max)
        return TickResult(
            tally[CASH],
            tally[NET],
            tally[FEES],
            int(equity),
            tally[FILLS],
            tally[VOLUME],
            tally[SENT_COUNT],
            tally[REJECTED],
            tally[CROSSED],
            int(book.tops[2]),
            int(steps),
            np.array([column[:kept] for column in desk.fills], np.int64).reshape(5, kept),
            np.array(curve[:steps], np.int64),
        )

    def _zeros(self, count: int) -> Any:
        return np.zeros(count, np.int64) if self.is_compiled else [0] * count

    def _book(self) -> Book:
        book = Book(self._floor, self._zeros(self._width), self._zeros(self._width), self._zeros(3))
        book.tops[0], book.tops[1] = -1, self._width
        for price, size in zip(self._start.bid_ticks, self._start.bid_size, strict=True):
            set_bid(book, int(price), int(size))
        for price, size in zip(self._start.ask_ticks, self._start.ask_size, strict=True):
            set_ask(book, int(price), int(size))
        book.tops[2] = 0
        return book

    def _desk(self, fills_max: int) -> Desk:
        columns = [self._zeros(ORDERS_MAX) for _ in range(10)]
        edges, tally = self._zeros(4), self._zeros(10)
        edges[0], edges[1], edges[2], edges[3] = 1 << 62, -1, 1 << 62, -1
        tally[CASH] = self._terms.deposit_usdt
        response = self._response if self.is_compiled else self._response.tolist()
        fills = tuple(self._zeros(fills_max) for _ in range(5))
        ring = [self._zeros(NOTICES_MAX) for _ in range(2)]
        return Desk(*columns, edges, tally, ring[0], ring[1], self._zeros(3), response, fills)


@cache
def _bound(step: Callable[..., Any]) -> Callable[..., Any]:
    return bind(step)


def _window(start: StartBook, events: TickEvents, window_ticks: int) -> tuple[int, int]:
    """Return the lowest tick and the width; a given width is laid round the middle of the first book."""
    if window_ticks:
        if not len(start.bid_ticks) or not len(start.ask_ticks):
            raise ValueError("a window of given width needs a first book with both sides")
        middle = (int(np.max(start.bid_ticks)) + int(np.min(start.ask_ticks))) // 2
        floor, width = max(middle - window_ticks // 2, 0), window_ticks
    else:
        prices = [np.asarray(column) for column in (start.bid_ticks, start.ask_ticks, events.price_ticks)]
        floor = min(int(column.min()) for column in prices if len(column))
        width = max(int(column.max()) for column in prices if len(column)) - floor + 1
    if not 0 < width <= WINDOW_TICKS_MAX:
        raise ValueError(f"prices span {width} ticks, more than {WINDOW_TICKS_MAX}: give window_ticks")
    return floor, width

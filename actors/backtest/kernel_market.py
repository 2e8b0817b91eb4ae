"""The market as the kernel reads it: arrays made once, for every configuration the same.

Prices and touches follow `feed.replay`: a decision on a closed candle meets the touch of the next one at its
open, which is what the exchange shows when an order comes without latency; after a gap it meets that of the
close. Funding is settled at the price that the feed shows at its instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.bars import DAY_NS
from actors.domain.money import E8

__all__ = ["Bars", "Ints", "KernelBars", "prepare"]

Ints = NDArray[np.int64]
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed candles of one symbol, in ticks; `at_ns` is the close. Ascending, without duplicates."""

    at_ns: Ints
    open_ticks: Ints
    high_ticks: Ints
    low_ticks: Ints
    close_ticks: Ints
    interval_ns: int

    def __len__(self) -> int:
        return len(self.at_ns)


class KernelBars(NamedTuple):
    """What the loop reads, one row a bar.

    prices: open, high, low, close. touch: bid and ask that meet what was decided on the bar before.
    marks: 1 where a UTC day ends, 2 where funding is settled, 4 where the low comes before the high.
    """

    prices: Ints  # (n, 4)
    touch: Ints  # (n + 1, 2): that of the row after the last bar meets what was decided on it
    marks: NDArray[np.uint8]
    funding: Ints  # (m, 3): bar, rate in 1e-8, price in ticks; ascending
    spread: Ints  # (n,): between bid and ask at each close
    goes_on: int  # 1 when the market goes on after the last bar; else what is decided on it may only reduce


def prepare(
    bars: Bars,
    spread_e8: int,
    funding_at_ns: Ints,
    funding_e8: Ints,
    quoted_ticks: Ints | None = None,
    next_ticks: int = 0,
) -> KernelBars:
    """Return the arrays. `spread_e8` is the feed's spread as a fraction of the price, at least one tick.

    `quoted_ticks` are the prices whose spread stands at each close: opens of the last candles inside bars.
    `next_ticks` is the price right after the last bar; 0 when the data ends with it.
    Errors: ValueError when the bars do not ascend or there are none.
    """
    if not len(bars):
        raise ValueError("there are no bars")
    late = np.flatnonzero(np.diff(bars.at_ns) <= 0)
    if len(late):
        raise ValueError(f"bar {late[0] + 2} does not come after the bar before it")
    prices = np.stack((bars.open_ticks, bars.high_ticks, bars.low_ticks, bars.close_ticks), axis=1)
    marks = np.zeros(len(bars), np.uint8)
    marks[_day_ends(bars.at_ns)] |= 1
    far_is_low = bars.high_ticks - bars.open_ticks <= bars.open_ticks - bars.low_ticks
    marks[far_is_low] |= 4
    funding = _settlements(bars, far_is_low, funding_at_ns, funding_e8)
    marks[funding[:, 0]] |= 2
    quoted = bars.open_ticks if quoted_ticks is None else quoted_ticks
    spread = np.maximum(1, quoted * spread_e8 // E8)
    touch = _touches(bars, spread_e8, spread)
    if next_ticks:
        bid = next_ticks - max(1, next_ticks * spread_e8 // E8) // 2
        touch[-1] = max(1, bid), max(2, bid + max(1, next_ticks * spread_e8 // E8))
    return KernelBars(np.ascontiguousarray(prices), touch, marks, funding, spread, int(next_ticks > 0))


def _touches(bars: Bars, spread_e8: int, at_close_spread: Ints) -> Ints:
    touch = np.empty((len(bars) + 1, 2), np.int64)
    at_close = bars.close_ticks - at_close_spread // 2
    touch[1:, 0], touch[1:, 1] = at_close, at_close + at_close_spread
    spread = np.maximum(1, bars.open_ticks * spread_e8 // E8)
    at_open = bars.open_ticks - spread // 2
    follows = np.concatenate(([True], np.diff(bars.at_ns) == bars.interval_ns))
    touch[:-1, 0][follows], touch[:-1, 1][follows] = at_open[follows], (at_open + spread)[follows]
    return np.maximum(touch, (1, 2))


def _day_ends(at_ns: Ints) -> Ints:
    """Return the last bar of each UTC day; a bar that closes at midnight belongs to the day that ends."""
    days = (at_ns - 1) // DAY_NS
    return np.append(np.flatnonzero(np.diff(days)), len(days) - 1)


def _settlements(bars: Bars, far_is_low: NDArray[np.bool_], at_ns: Ints, rate_e8: Ints) -> Ints:
    """Return (bar, rate, price) of each settlement after the first bar's open and up to the last close."""
    opened_ns = int(bars.at_ns[0]) - bars.interval_ns
    inside = (at_ns > opened_ns) & (at_ns <= bars.at_ns[-1])
    at_ns, rate_e8 = at_ns[inside], rate_e8[inside]
    index = np.searchsorted(bars.at_ns, at_ns)  # the bar that has not closed before
    into_ns = at_ns - (bars.at_ns[index] - bars.interval_ns)
    far = np.where(far_is_low, bars.low_ticks, bars.high_ticks)[index]
    near = np.where(far_is_low, bars.high_ticks, bars.low_ticks)[index]
    opened, close = bars.open_ticks[index], bars.close_ticks[index]
    before = bars.close_ticks[np.maximum(index - 1, 0)]
    interval_ns = bars.interval_ns
    path = [
        into_ns <= 0,
        into_ns <= interval_ns // 3,
        into_ns <= interval_ns * 2 // 3,
        into_ns <= interval_ns - MILLISECOND_NS,
    ]
    price = np.select(path, [before, opened, far, near], close)
    return np.stack((index, rate_e8, price), axis=1).astype(np.int64)

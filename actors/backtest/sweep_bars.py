"""A symbol's candles and funding for the kernel, in bars as long as the strategy's."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from actors.backtest.kernel_market import Bars, KernelBars, prepare
from actors.domain.bars import DAY_NS, BarBuilder, ClosedBar
from actors.domain.instrument import Instrument
from actors.feed.files import DataError
from actors.feed.recent_bars import RecentBars
from actors.feed.replay_file import ReplayFile, read_funding
from actors.feed.settings import ReplaySettings

__all__ = ["History", "read_history"]

SECOND_NS = 1_000_000_000
LAST_OF_DAY = 1


@dataclass(frozen=True, slots=True)
class History:
    """What configurations run over. The first `before_count` bars only warm them up."""

    bars: KernelBars
    before_count: int
    bars_count: int  # without those before
    source_ns: int  # length of the file's candles
    bar_ns: int
    from_ns: int  # open of the first bar that counts
    to_ns: int
    end_ticks: int  # the last price of the period; bars may end before it

    def first(self, warmup: int) -> int:
        """Return the bar at which a configuration begins that asks for so many bars before the period."""
        return max(0, self.before_count - warmup)

    def days_before(self, first: int) -> int:
        """Return how many days of the warm-up end within the bars from `first` on."""
        marks = self.bars.marks[first : self.before_count]
        return int(np.count_nonzero(marks & LAST_OF_DAY))


def read_history(
    settings: ReplaySettings, instrument: Instrument, bar_ns: int, from_ns: int, to_ns: int, warmup: int
) -> History:
    """Return the bars of [from_ns, to_ns) and up to `warmup` before them; 0 takes what the file has.

    Bars before the period are what the feed of a backtest would answer with when a strategy asks for them.

    Errors: DataError for trades, for candles longer than a bar, and for a period with nothing in it.
    """
    file = ReplayFile(settings, ".", instrument)
    if not file.is_candles:
        raise DataError(settings.path, "holds trades; the kernel reads candles", "give a file of candles")
    if bar_ns % file.interval_ns:
        text = f"its candles of {file.interval_ns // SECOND_NS}s do not fit bars of {bar_ns // SECOND_NS}s"
        raise DataError(
            settings.path, text, f"--set ACTOR.bar={file.interval_ns // SECOND_NS}s, or a multiple"
        )
    table, rest = _table(file, bar_ns, from_ns, to_ns, warmup)
    if not len(table):
        remedy = "choose another --from and --to, or another file"
        raise DataError(settings.path, "has no whole bar in the period that was asked for", remedy)
    opened = table[:, 0] - bar_ns
    before = int(np.searchsorted(opened, from_ns)) if from_ns else 0
    if before == len(table):
        raise DataError(settings.path, "ends before the period begins", "choose an earlier --from")
    rows = read_funding(settings, ".", instrument)
    funding = np.array(rows, np.int64).reshape(-1, 2)
    closed, opens, highs, lows, closes, quoted = (np.ascontiguousarray(column) for column in table.T)
    candles = Bars(closed, opens, highs, lows, closes, bar_ns)
    next_ticks = rest[0].open_ticks if rest else 0
    bars = prepare(candles, settings.spread, funding[:, 0], funding[:, 1], quoted, next_ticks)
    count, last = len(table) - before, int(table[-1, 0])
    end_ticks = rest[-1].close_ticks if rest else int(closes[-1])
    return History(bars, before, count, file.interval_ns, bar_ns, int(opened[before]), last, end_ticks)


def _table(file: ReplayFile, bar_ns: int, from_ns: int, to_ns: int, warmup: int) -> tuple[Any, list[Any]]:
    """Return close instant, open, high, low, close, quoted price of each bar, and the rows after the last.

    Longer bars are built as a strategy builds them.
    """
    rest: deque[Any] = deque(maxlen=bar_ns // file.interval_ns)
    parts: list[Any] = []
    recent = RecentBars("", file.interval_ns)
    # Whole days: what is older does not decide how the feed keeps what comes after.
    since_ns = (from_ns - (warmup + 1) * bar_ns) // DAY_NS * DAY_NS
    builder = BarBuilder(bar_ns) if bar_ns != file.interval_ns else None
    for chunk in file.chunks():
        before = [row for row in chunk if since_ns <= row.at_ns < from_ns]
        for row in before:
            recent.add_bar(_closed(row, file.interval_ns))
        inside = [row for row in chunk if row.at_ns >= from_ns and (not to_ns or row.at_ns < to_ns)]
        rest.extend(inside)
        if builder is None:
            made = [(row.at_ns + bar_ns, *row[1:5], row.open_ticks) for row in inside]
        else:
            closed = (_closed(row, file.interval_ns) for row in inside)
            made = [
                (bar.at_ns, *bar[2:6], part.open_ticks) for part in closed for bar in builder.add_bar(part)
            ]
        if made:
            parts.append(np.array(made, np.int64))
    asked = recent.history(bar_ns, warmup)
    warming = [
        (bar.at_ns, bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.open_ticks)
        for bar in asked
    ]
    table = np.concatenate([np.array(warming, np.int64).reshape(-1, 6), *parts])
    return table, [row for row in rest if len(table) and row.at_ns >= table[-1, 0]]


def _closed(row: Any, interval_ns: int) -> ClosedBar:
    return ClosedBar(row.at_ns + interval_ns, interval_ns, *row[1:6], 1)

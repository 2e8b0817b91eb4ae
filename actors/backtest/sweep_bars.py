"""A symbol's candles and funding for the kernel, in bars as long as the strategy's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from actors.backtest.kernel_market import Bars, KernelBars, prepare
from actors.domain.bars import BarBuilder, ClosedBar
from actors.domain.instrument import Instrument
from actors.feed.files import DataError
from actors.feed.replay_file import ReplayFile, read_funding
from actors.feed.settings import ReplaySettings

__all__ = ["History", "read_history"]

SECOND_NS = 1_000_000_000
LAST_OF_DAY = 1


@dataclass(frozen=True, slots=True)
class History:
    """What all configurations run over. The first `before_count` bars only warm them up."""

    bars: KernelBars
    before_count: int
    days_before: int
    bars_count: int  # without those before
    source_ns: int  # length of the file's candles
    bar_ns: int
    from_ns: int  # open of the first bar that counts
    to_ns: int


def read_history(
    settings: ReplaySettings, instrument: Instrument, bar_ns: int, from_ns: int, to_ns: int, warmup: int
) -> History:
    """Return the bars of [from_ns, to_ns) and up to `warmup` before them; 0 takes what the file has.

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
    table = _table(file, bar_ns, from_ns - warmup * bar_ns if from_ns else 0, to_ns)
    if not len(table):
        remedy = "choose another --from and --to, or another file"
        raise DataError(settings.path, "has no whole bar in the period that was asked for", remedy)
    opened = table[:, 0] - bar_ns
    before = int(np.searchsorted(opened, from_ns)) if from_ns else 0
    if before == len(table):
        raise DataError(settings.path, "ends before the period begins", "choose an earlier --from")
    rows = read_funding(settings, ".", instrument)
    funding = np.array(rows, np.int64).reshape(-1, 2)
    closed, opens, highs, lows, closes = (np.ascontiguousarray(column) for column in table.T)
    candles = Bars(closed, opens, highs, lows, closes, bar_ns)
    bars = prepare(candles, settings.spread, funding[:, 0], funding[:, 1])
    days = int(np.count_nonzero(bars.marks[:before] & LAST_OF_DAY))
    count, last = len(table) - before, int(table[-1, 0])
    return History(bars, before, days, count, file.interval_ns, bar_ns, int(opened[before]), last)


def _table(file: ReplayFile, bar_ns: int, from_ns: int, to_ns: int) -> Any:
    """Return close instant, open, high, low, close of each bar; longer ones as a strategy builds them."""
    parts: list[Any] = [np.empty((0, 5), np.int64)]
    builder = BarBuilder(bar_ns) if bar_ns != file.interval_ns else None
    for chunk in file.chunks():
        inside = [row for row in chunk if row.at_ns >= from_ns and (not to_ns or row.at_ns < to_ns)]
        if builder is None:
            made = [(row.at_ns + bar_ns, *row[1:5]) for row in inside]
        else:
            made = [
                (bar.at_ns, *bar[2:6])
                for row in inside
                for bar in builder.add_bar(
                    ClosedBar(row.at_ns + file.interval_ns, file.interval_ns, *row[1:6], 1)  # type: ignore[call-arg]
                )
            ]
        if made:
            parts.append(np.array(made, np.int64))
    return np.concatenate(parts)

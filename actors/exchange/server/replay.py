"""Recorded prices as the market: candles or trades from a file, played round and round."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from actors.domain.instrument import Instrument
from actors.exchange.server.price_path import PricePath

__all__ = ["ReplayPath", "read_rows", "replay_path"]

MS_NS = 1_000_000
ROWS_MAX = 2_000_000
TIMES = ("ts_ms", "timestamp", "time", "ts")
PRICES = ("price", "close", "c", "px")
BAR = ("open", "high", "low", "close")

Row = tuple[int, int]  # (at_ns, price_ticks)


class ReplayPath(PricePath):
    """The price of a record at the same place in it, over and over; history goes on backwards."""

    def __init__(self, rows: list[Row], speed: int = 1) -> None:
        super().__init__(0, "", rows[0][1], speed)
        first = rows[0][0]
        self._times = [at_ns - first for at_ns, _ in rows]
        self._prices = [price for _, price in rows]
        step = (self._times[-1] // (len(rows) - 1)) or 1
        self._length = self._times[-1] + step

    def ticks_at(self, at_ns: int) -> int:
        """Return the newest recorded price at an instant."""
        place = at_ns * self.speed % self._length
        return self._prices[bisect_right(self._times, place) - 1]


def replay_path(rows: list[Row], speed: int) -> ReplayPath:
    """Return rows as a price path."""
    return ReplayPath(rows, speed)


def read_rows(path: Path, instrument: Instrument) -> list[Row]:
    """Return the times and prices of a file of candles or trades, oldest first.

    Errors: ValueError when it has no time or price column, or fewer than two rows. Parquet needs duckdb.
    """
    found = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    rows = sorted(_rows(found, instrument), key=lambda row: row[0])
    if len(rows) < 2 or rows[0][0] == rows[-1][0]:
        raise ValueError("there are fewer than two rows")
    return rows


def _within_bars(bars: list[tuple[int, tuple[int, ...]]]) -> list[Row]:
    """Return the way of the price through its bars: open, the nearer extreme, the other one, close."""
    bars.sort()
    rows: list[Row] = []
    for (at_ns, (first, high, low, last)), (next_ns, _) in pairwise([*bars, (bars[-1][0], bars[-1][1])]):
        quarter = max(0, next_ns - at_ns) // 4 or 1
        extremes = (low, high) if last >= first else (high, low)
        rows += [(at_ns + step * quarter, price) for step, price in enumerate((first, *extremes, last))]
    return rows


def _rows(found: Iterable[Mapping[str, Any]], instrument: Instrument) -> list[Row]:
    rows: list[Row] = []
    bars: list[tuple[int, tuple[int, ...]]] = []
    time_name = price_name = ""

    def ticks(value: Any) -> int:
        return max(1, instrument.nearest_ticks(str(value)))

    for one in found:
        if not time_name:
            time_name = next((name for name in TIMES if name in one), "")
            price_name = next((name for name in PRICES if name in one), "")
            if not time_name or not price_name:
                raise ValueError(f"it needs one column of {', '.join(TIMES)} and one of {', '.join(PRICES)}")
        at_ns = int(one[time_name]) * MS_NS
        if all(name in one for name in BAR):
            bars.append((at_ns, tuple(ticks(one[name]) for name in BAR)))
        else:
            rows.append((at_ns, ticks(one[price_name])))
        if len(rows) + len(bars) > ROWS_MAX:
            raise ValueError(f"there are more than {ROWS_MAX} rows")
    return rows or (_within_bars(bars) if bars else [])


def _csv(path: Path) -> Iterable[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _parquet(path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        import duckdb
    except ImportError:
        raise ValueError("Parquet needs duckdb: install polytrade[data]") from None
    with duckdb.connect() as connection:
        try:
            read = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error as error:
            raise ValueError(f"it cannot be read as Parquet: {str(error).splitlines()[0]}") from error
        names = [column[0] for column in read.description]
        for row in read.fetchall():
            yield dict(zip(names, row, strict=True))

"""Rows of order books: whole ones (quotes are books of one level) and changes of single levels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from actors.domain.orders import Side
from actors.feed.files import DataError
from actors.feed.rows import Units

__all__ = [
    "QUOTE_COLUMNS",
    "BookReader",
    "BookRow",
    "LevelReader",
    "LevelRow",
    "Levels",
    "StartBook",
    "book_columns",
    "read_start",
]

QUOTE_COLUMNS = ("bid", "bid_qty", "ask", "ask_qty")
SIDES = {"b": Side.BUY, "bid": Side.BUY, "buy": Side.BUY, "a": Side.SELL, "ask": Side.SELL, "sell": Side.SELL}

Levels = tuple[tuple[int, int], ...]  # (price_ticks, contracts), best first


class BookRow(NamedTuple):
    """The book as it stood."""

    at_ns: int
    bids: Levels
    asks: Levels


class LevelRow(NamedTuple):
    """One level was set to a size; 0 takes it away."""

    at_ns: int
    side: Side
    price_ticks: int
    contracts: int
    update_id: int  # 0 when the file has none


class StartBook(NamedTuple):
    """The book before the first change. Changes up to `update_id` are in it."""

    bids: Levels
    asks: Levels
    update_id: int


def book_columns(columns: Sequence[str]) -> list[str]:
    """Return bp0, bq0, ap0, aq0, ... as far as the file has them; empty when it has none."""
    found: list[str] = []
    while set(level := [f"{name}{len(found) // 4}" for name in ("bp", "bq", "ap", "aq")]) <= set(columns):
        found += level
    return found


class BookReader:
    """Reads rows of (time, then price and size of bid and ask, level by level). Empty levels end a side."""

    def __init__(self, units: Units, columns: Sequence[str]) -> None:
        self._units = units
        self._columns = columns
        self._last_ns = 0

    def read(self, row: int, values: Sequence[Any]) -> BookRow:
        """Return the book; DataError when it is wrong in itself or out of order."""
        at_ns = self._units.at_ns(values[0], row, self._columns[0])
        if at_ns < self._last_ns:
            remedy = "sort the file by time"
            raise self._units.fail("is earlier than the row before", remedy, row, self._columns[0], values[0])
        bids, asks = self._side(row, values, 1, Side.BUY), self._side(row, values, 3, Side.SELL)
        if bids and asks and bids[0][0] > asks[0][0]:
            raise self._units.fail(
                "is above the best ask", "drop or repair the row", row, self._columns[1], values[1]
            )
        self._last_ns = at_ns
        return BookRow(at_ns, bids, asks)

    def _side(self, row: int, values: Sequence[Any], first: int, side: Side) -> Levels:
        units, columns = self._units, self._columns
        found: list[tuple[int, int]] = []
        for index in range(first, len(values), 4):
            value = values[index]
            if value is None or value == "":
                break
            price = units.ticks(value, row, columns[index])
            size = units.contracts(values[index + 1], price, row, columns[index + 1])
            if found and (price - found[-1][0]) * side > 0:
                remedy = "give the levels best first"
                raise units.fail("is better than the level before", remedy, row, columns[index], value)
            if found and price == found[-1][0]:  # finer prices than our ticks fall together
                found[-1] = (price, found[-1][1] + size)
            elif size:
                found.append((price, size))
        return tuple(found)


class LevelReader:
    """Reads rows of (time, side, price, size[, update id])."""

    def __init__(self, units: Units, columns: Sequence[str]) -> None:
        self._units = units
        self._columns = columns
        self._last_ns = 0

    def read(self, row: int, values: Sequence[Any]) -> LevelRow:
        """Return the change; DataError when it is wrong in itself or out of order."""
        units, columns = self._units, self._columns
        at_ns = units.at_ns(values[0], row, columns[0])
        if at_ns < self._last_ns:
            raise units.fail(
                "is earlier than the row before", "sort the file by time", row, columns[0], values[0]
            )
        side = SIDES.get(str(values[1]).lower())
        if side is None:
            raise units.fail("is no side of a book", "write b or a", row, columns[1], values[1])
        price = units.ticks(values[2], row, columns[2])
        contracts = units.contracts(values[3], price, row, columns[3])
        update_id = int(units.number(values[4], row, columns[4])) if len(values) > 4 else 0
        self._last_ns = at_ns
        return LevelRow(at_ns, side, price, contracts, update_id)


def read_start(path: Path, file: str, units: Units) -> StartBook:
    """Return the book of a JSON file {"bids": [[price, size], ...], "asks": ..., "lastUpdateId": ...}.

    Errors: DataError.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        bids, asks = (_levels(content[name], units, name) for name in ("bids", "asks"))
        return StartBook(bids, asks, int(content.get("lastUpdateId", 0)))
    except OSError:
        raise DataError(file, "there is no such file", "check `book_path`") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        remedy = 'write {"bids": [["100.1", "2"]], "asks": [["100.2", "1"]], "lastUpdateId": 7}'
        raise DataError(file, "is no book", remedy) from None


def _levels(rows: Any, units: Units, name: str) -> Levels:
    found = []
    for number, (price, size) in enumerate(rows, 1):
        ticks = units.ticks(price, number, name)
        found.append((ticks, units.contracts(size, ticks, number, name)))
    return tuple(found)

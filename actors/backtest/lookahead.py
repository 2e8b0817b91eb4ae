"""Finds decisions that know the future: another future must leave every decision before it as it was."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from actors.backtest.record import FillPoint
from actors.feed.files import Row, Table

__all__ = ["Leak", "cuts", "first_leak", "write_other_future"]

PRICE = re.compile(r"open|high|low|close|price|bid|ask|[ba]p\d+")
NOTHING = (None, "")  # a book's side ends here
# Far enough that any rule which looks at prices notices, near enough that no limit of ours does.
FACTORS = (0.97, 1.03)


class Leak(msgspec.Struct, frozen=True):
    """A fill that follows from a decision which another future would have changed."""

    cut_ns: int
    decided_at_ns: int
    symbol: str
    strategy: str
    text: str


def cuts(from_ns: int, to_ns: int, count: int, interval_ns: int) -> list[int]:
    """Return instants spread over a period, on the grid of its bars."""
    step = (to_ns - from_ns) // (count + 1)
    grid = max(1, interval_ns)
    return [(from_ns + number * step) // grid * grid for number in range(1, count + 1)]


def write_other_future(table: Table, columns: Sequence[str], cut: int, unit_ns: int, path: Path) -> None:
    """Copy a table as CSV; from an instant on, rows are by turns of a lower and of a higher market."""
    number = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for chunk in table.chunks(columns):
            for row in chunk:
                number += 1
                is_past = int(row[0]) * unit_ns < cut
                writer.writerow(row if is_past else _other(columns, row, FACTORS[number % 2]))


def _other(columns: Sequence[str], row: Row, factor: float) -> list[object]:
    return [
        repr(float(value) * factor) if value not in NOTHING and PRICE.fullmatch(name) else value
        for name, value in zip(columns, row, strict=True)
    ]


def first_leak(true: Iterable[FillPoint], other: Iterable[FillPoint], cut_ns: int) -> Leak | None:
    """Return the first decision before an instant that only one of two runs made."""
    ours, theirs = _decided(true, cut_ns), _decided(other, cut_ns)
    for key in sorted(ours.symmetric_difference(theirs)):
        at_ns, symbol, strategy, signed, ticks = key
        only = "with the true future only" if key in ours else "with another future only"
        return Leak(cut_ns, at_ns, symbol, strategy, f"{signed:+d} contracts at {ticks} ticks, {only}")
    return None


def _decided(fills: Iterable[FillPoint], cut_ns: int) -> set[tuple[int, str, str, int, int]]:
    return {
        (fill.decided_at_ns, fill.symbol, fill.strategy, fill.signed_contracts, fill.decision_ticks)
        for fill in fills
        if 0 < fill.decided_at_ns < cut_ns and fill.at_ns < cut_ns
    }

"""Writes a table in another form, sorted and without its wrong rows if asked; never half a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors.backtest.data_check import examine
from actors.backtest.record import DataNote
from actors.domain.instrument import Instrument
from actors.feed.files import DataError, Table, open_table
from actors.feed.settings import ReplaySettings

__all__ = ["convert_file", "to_parquet"]

TIME = "ts_ms"


def convert_file(source: str, target: Path, repair_for: Instrument | None) -> tuple[int, list[DataNote]]:
    """Write a table under another name; return the rows written and those left out.

    With an instrument rows are sorted by time, and what a run would refuse is left out. Errors: DataError.
    """
    table = open_table(Path(source), source)
    if target.suffix.lower() not in (".csv", ".parquet", ".pq"):
        remedy = "name it .csv or .parquet"
        raise DataError(str(target), "is neither CSV nor Parquet by its name", remedy)
    aside = target.with_name(target.name + ".unfinished.csv")
    left_out: list[DataNote] = []
    try:
        rows = [row for chunk in table.chunks(table.columns) for row in chunk]
        if repair_for is not None:
            rows = _sorted(table, rows)
            _write(aside, table.columns, rows)
            left_out = _faults(aside, source, repair_for)
            wrong = {one.row for one in left_out}
            rows = [row for number, row in enumerate(rows, 1) if number not in wrong]
        _write(aside, table.columns, rows)
        if target.suffix.lower() == ".csv":
            aside.rename(target)
        else:
            to_parquet(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return len(rows), left_out


def _sorted(table: Table, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
    if TIME not in table.columns:
        raise DataError(table.file, f"has no column {TIME!r} to sort by", "rename its column of times")
    index = table.columns.index(TIME)
    try:
        return sorted(rows, key=lambda row: int(row[index]))
    except (TypeError, ValueError):
        remedy = "give epoch times in UTC milliseconds"
        raise DataError(table.file, "holds a time that is no number", remedy, column=TIME) from None


def _faults(path: Path, source: str, instrument: Instrument) -> list[DataNote]:
    found = examine(str(path), instrument, ReplaySettings(path=str(path)))
    if len(found.faults) < found.rows_count - found.good_count:
        remedy = "look at it with `polytrade data check`: most likely a column means something else"
        raise DataError(source, "has more wrong rows than anybody should repair", remedy)
    return list(found.faults)


def _write(path: Path, columns: Sequence[str], rows: list[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([repr(x) if isinstance(x, float) else x for x in row] for row in rows)


def to_parquet(source: Path, target: Path) -> None:
    """Write a CSV file as Parquet, whole or not at all. Errors: DataError without duckdb."""
    try:
        import duckdb
    except ImportError:
        remedy = "pip install 'polytrade[data]', or write CSV"
        raise DataError(str(target), "is Parquet, and duckdb is not installed", remedy) from None
    aside = target.with_name(target.name + ".unfinished")
    with duckdb.connect(config={"threads": 1}) as connection:
        table = connection.read_csv(str(source), header=True)
        table.write_parquet(str(aside), compression="zstd")
    os.replace(aside, target)

"""Tables on disk, read a chunk at a time: CSV with the standard library, Parquet with duckdb.

Says nothing about what the columns mean. Whatever is wrong with a file is a DataError that names the place
and the remedy.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

__all__ = ["CHUNK_ROWS", "CsvTable", "DataError", "ParquetTable", "Table", "open_table"]

# Checked in one turn of the loop: about 10 ms.
CHUNK_ROWS = 2_000

Row = Sequence[Any]


class DataError(ValueError):
    """A data file cannot be used as it is. `row` counts data rows from 1; 0 when the whole file is meant."""

    def __init__(
        self, file: str, problem: str, remedy: str, *, row: int = 0, column: str = "", value: object = None
    ) -> None:
        self.file, self.problem, self.remedy = file, problem, remedy
        self.row, self.column, self.value = row, column, value
        where = f"{file}: row {row}" if row else file
        where += f", column {column!r}" if column else ""
        found = f" (found {value!r})" if value is not None else ""
        super().__init__(f"{where}: {problem}{found}. Remedy: {remedy}")


class Table(Protocol):
    """A file of named columns."""

    file: str
    columns: tuple[str, ...]

    def chunks(self, columns: Sequence[str]) -> Iterator[list[Row]]:
        """Yield the rows in the order of the file, each with the asked columns in the asked order."""
        ...


def open_table(path: Path, file: str) -> Table:
    """Return the table at a path. `file` is its name in errors, as the operator wrote it.

    Errors: DataError when it does not exist, cannot be read, or has no readable heading.
    """
    if not path.is_file():
        raise DataError(file, "there is no such file", "check `path`; it is relative to the deployment file")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return CsvTable(path, file)
    if suffix in (".parquet", ".pq"):
        return ParquetTable(path, file)
    raise DataError(file, "is neither .csv nor .parquet", "convert it to one of the two, and name it so")


class CsvTable:
    """Comma-separated text with a heading line, UTF-8. All values are text."""

    def __init__(self, path: Path, file: str) -> None:
        self.file = file
        self._path = path
        heading = next(self._lines(), None)
        if not heading:
            raise DataError(file, "is empty", "give a file whose first line names the columns")
        self.columns = tuple(name.strip() for name in heading)
        double = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if double is not None:
            raise DataError(file, "names a column twice", "rename one of the two", column=double)

    def chunks(self, columns: Sequence[str]) -> Iterator[list[Row]]:
        """Yield the rows; DataError for one with more or fewer fields than the heading."""
        lines = self._lines()
        next(lines)
        wanted = [self.columns.index(name) for name in columns]
        width = len(self.columns)
        done = 0
        while chunk := list(islice(lines, CHUNK_ROWS)):
            for number, fields in enumerate(chunk, done + 1):
                if len(fields) != width:
                    raise DataError(
                        self.file,
                        f"has {len(fields)} fields where the heading has {width}",
                        "every line needs the same commas as the first; quote values that hold a comma",
                        row=number,
                    )
            yield [[fields[i] for i in wanted] for fields in chunk]
            done += len(chunk)

    def _lines(self) -> Iterator[list[str]]:
        # utf-8-sig: spreadsheets write a mark in front of the first column's name.
        with self._path.open(newline="", encoding="utf-8-sig") as file:
            try:
                yield from csv.reader(file, strict=True)
            except UnicodeDecodeError:
                raise DataError(self.file, "is not UTF-8 text", "save it as UTF-8") from None
            except csv.Error as error:
                raise DataError(self.file, f"is not proper CSV: {error}", "check the quotes") from None


class ParquetTable:
    """A Parquet file, read by duckdb, which is imported here and only now: it takes a tenth of a second."""

    def __init__(self, path: Path, file: str) -> None:
        self.file = file
        self._path = str(path)
        described = self._query("DESCRIBE SELECT * FROM read_parquet(?)").fetchall()
        self.columns = tuple(str(row[0]) for row in described)

    def chunks(self, columns: Sequence[str]) -> Iterator[list[Row]]:
        """Yield the rows in the order of the file."""
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        result = self._query(f"SELECT {names} FROM read_parquet(?)")
        while chunk := result.fetchmany(CHUNK_ROWS):
            yield chunk

    def _query(self, text: str) -> Any:
        try:
            import duckdb
        except ImportError:
            raise DataError(
                self.file,
                "is Parquet, and duckdb is not installed",
                "pip install 'polytrade[data]', or use CSV",
            ) from None
        try:
            # One thread: the order of the rows is that of the file, and the loop keeps its core.
            return duckdb.connect(config={"threads": 1}).execute(text, [self._path])
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise DataError(self.file, f"cannot be read: {first}", "write the file again") from None

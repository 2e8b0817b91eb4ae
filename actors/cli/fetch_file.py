"""A file that grows beside its name, survives a kill at any instant, and takes its name when whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.cli.exit_codes import ExitCode
from actors.cli.fetch_series import Row
from actors.cli.problems import Problem

__all__ = ["GrowingFile"]

PART = ".part"


class GrowingFile:
    """Rows in order of time. What is appended is on the disk when `append` returns."""

    def __init__(self, target: Path, heading: Sequence[str]) -> None:
        self.target = target
        self.part = target.with_name(target.name + PART)
        self._heading = tuple(heading)

    def resume(self) -> int:
        """Prepare to append after what is there, whole or not; return its last instant in ms, -1 for none.

        A last line that was not written to its end is cut off. Errors: Problem for a file of something else.
        """
        if not self.part.exists():
            self._begin()
        good, last_ms = self._look_through()
        with self.part.open("r+b") as file:
            file.truncate(good)
            os.fsync(file.fileno())
        return last_ms

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows; they come after all that are there."""
        with self.part.open("ab") as file:
            file.write("".join([f"{at_ms},{','.join(fields)}\n" for at_ms, fields in rows]).encode())
            file.flush()
            os.fsync(file.fileno())

    def times(self) -> Iterator[int]:
        """Yield the instants of all rows, in ms."""
        with self.part.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                yield int(line.partition(",")[0])

    def finish(self) -> None:
        """Give the rows their name, in the form it asks for. Errors: DataError without duckdb for Parquet."""
        from actors.backtest.convert import to_parquet

        if self.target.suffix == ".csv":
            os.replace(self.part, self.target)
        else:
            to_parquet(self.part, self.target)
            self.part.unlink()
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """Forget what was begun."""
        self.part.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Begin with what an earlier run has made whole, else with the heading alone."""
        from actors.feed.files import open_table

        aside = self.part.with_name(self.part.name + ".new")
        with aside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self._heading)
            if self.target.exists():
                table = open_table(self.target, str(self.target))
                if table.columns != self._heading:
                    raise self._foreign()
                for chunk in table.chunks(table.columns):
                    writer.writerows([repr(x) if isinstance(x, float) else x for x in row] for row in chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.part)

    def _look_through(self) -> tuple[int, int]:
        """Return how many bytes are whole rows in order, and the last instant."""
        good, last_ms = 0, -1
        with self.part.open("rb") as file:
            for number, line in enumerate(file):
                fields = line.decode("utf-8", "replace").rstrip("\n").split(",")
                if not line.endswith(b"\n") or len(fields) != len(self._heading):
                    break
                if not number:
                    if tuple(fields) != self._heading:
                        raise self._foreign()
                elif fields[0].isdecimal() and int(fields[0]) > last_ms:
                    last_ms = int(fields[0])
                else:
                    break
                good += len(line)
        if not good:
            raise self._foreign()
        return good, last_ms

    def _foreign(self) -> Problem:
        text = f"{self.target} holds something else than {', '.join(self._heading)}"
        return Problem(ExitCode.USAGE, text, "name another folder with --out")

"""One market's file: decides what it holds, looks it through, and gives its rows in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from actors.domain.bars import check_interval
from actors.domain.instrument import Instrument
from actors.feed.book_rows import (
    QUOTE_COLUMNS,
    BookReader,
    BookRow,
    LevelReader,
    LevelRow,
    book_columns,
    read_start,
)
from actors.feed.files import CHUNK_ROWS, DataError, Table, open_table
from actors.feed.rows import Candle, CandleReader, FundingReader, FundingRow, TradeReader, TradeRow, Units
from actors.feed.settings import ReplaySettings
from actors.feed.sound_files import Sound, found_sound, key_of, note_sound

__all__ = ["AnyRow", "ReplayFile", "examine_funding", "mark_file", "read_funding", "trades_file"]

# Names that only files of changes have; duckdb calls one `u_1` because of the other, `U`.
UPDATE_IDS = frozenset({"U", "u", "u_1", "pu"})
FINAL_IDS = ("u_1", "u")

MILLISECOND_NS = 1_000_000
FOREVER_NS = 1 << 63

AnyRow = Candle | TradeRow | BookRow | LevelRow


class ReplayFile:
    """Rows of one symbol. `rows_count` and the instants are known once `check` has run out."""

    def __init__(self, settings: ReplaySettings, directory: str, instrument: Instrument) -> None:
        """Open the file and settle what its columns are. Errors: DataError."""
        self.file = settings.path
        self._settings = settings
        path = Path(directory) / settings.path
        self._table = open_table(path, settings.path)
        self._key = key_of(path, settings, instrument)
        self._units = Units(self.file, instrument, settings.time_unit, settings.quantity)
        self.content = self._decide()
        self.is_candles = self.content == "candles"
        self._columns = self._columns_of(self.content)
        start = settings.book_path if self.content == "depth" else ""
        self.start = read_start(Path(directory) / start, start, self._units) if start else None
        self.interval_ns = self._find_interval() if self.is_candles else 0
        self.rows_count = 0
        self.first_ns = 0
        self.last_ns = 0

    def check(self) -> Iterator[int]:
        """Read the whole file and yield the rows done after each chunk. Errors: DataError.

        One that was read before yields as often without being read: a run takes the same turns either way.
        """
        sound = found_sound(self._key)
        if sound is not None:
            self.first_ns, self.last_ns = sound.first_ns, sound.last_ns
            for done in range(CHUNK_ROWS, sound.rows_count + CHUNK_ROWS, CHUNK_ROWS):
                self.rows_count = min(done, sound.rows_count)
                yield self.rows_count
            return
        for chunk in self.chunks():
            self.first_ns = self.first_ns or chunk[0].at_ns
            self.last_ns = chunk[-1].at_ns
            self.rows_count += len(chunk)
            yield self.rows_count
        if not self.rows_count:
            raise DataError(self.file, "has no rows", "give a file with data")
        note_sound(self._key, Sound(self.rows_count, self.first_ns, self.last_ns))

    def examine(self) -> Iterator[tuple[int, AnyRow | DataError]]:
        """Yield each row's number with the row, or with what is wrong in it; a wrong row counts as absent."""
        reader, number, faults = self._reader(), 0, 0
        played = first_ns = last_ns = 0
        ends_at_ns = self._settings.ends_at_ms * MILLISECOND_NS or FOREVER_NS
        for chunk in self._table.chunks(self._columns):
            for values in chunk:
                number += 1
                try:
                    row = reader.read(number, values)
                except DataError as error:
                    faults += 1
                    yield number, error
                    continue
                if row.at_ns < ends_at_ns:
                    played, first_ns, last_ns = number, first_ns or row.at_ns, row.at_ns
                yield number, row
        if played and not faults:
            note_sound(self._key, Sound(played, first_ns, last_ns))

    def chunks(self) -> Iterator[list[AnyRow]]:
        """Yield the rows in order, a bounded number at a time. Errors: DataError."""
        reader = self._reader()
        done, ends_at_ns = 0, self._settings.ends_at_ms * MILLISECOND_NS
        for chunk in self._table.chunks(self._columns):
            rows = [reader.read(number, values) for number, values in enumerate(chunk, done + 1)]
            if ends_at_ns and rows[-1].at_ns >= ends_at_ns:
                kept = [row for row in rows if row.at_ns < ends_at_ns]
                if kept:
                    yield kept
                return
            yield rows
            done += len(chunk)

    def _reader(self) -> CandleReader | TradeReader | BookReader | LevelReader:
        if self.is_candles:
            return CandleReader(self._units, self._columns, self.interval_ns)
        if self.content == "depth":
            return LevelReader(self._units, self._columns)
        if self.content != "trades":
            return BookReader(self._units, self._columns)
        optional = self._settings.side_column, self._settings.id_column
        side, trade_id = (self._columns.index(name) if name in self._columns else None for name in optional)
        return TradeReader(self._units, self._columns, side, trade_id)

    def _decide(self) -> str:
        """Return what the rows are."""
        content, columns = self._settings.content, set(self._table.columns)
        if content != "auto":
            return content
        if {self._settings.open_column, self._settings.close_column} & columns:
            return "candles"
        if {"bp0", "ap0"} <= columns:
            return "book"
        if set(QUOTE_COLUMNS) <= columns:
            return "quotes"
        if self._settings.price_column in columns:
            return "depth" if UPDATE_IDS & columns else "trades"
        raise DataError(
            self.file,
            f"holds neither candles, trades nor books: its columns are {', '.join(self._table.columns)}",
            "name them: time_column, and open_column to close_column or price_column and quantity_column",
        )

    def _columns_of(self, content: str) -> list[str]:
        if content == "candles":
            return self._candle_columns()
        if content == "trades":
            return self._trade_columns()
        settings, columns = self._settings, self._table.columns
        names = {"time_column": settings.time_column}
        if content == "depth":
            names |= {"side_column": settings.side_column, "price_column": settings.price_column}
            found = _require_columns(self._table, names | {"quantity_column": settings.quantity_column})
            return found + [name for name in FINAL_IDS if name in columns][:1]
        found = _require_columns(self._table, names)
        levels = (
            list(QUOTE_COLUMNS)
            if content == "quotes"
            else book_columns(columns) or ["bp0", "bq0", "ap0", "aq0"]
        )
        missing = [name for name in levels if name not in columns]
        if missing:
            raise DataError(
                self.file, f"has no column {missing[0]!r}", "name its columns so, or set `content`"
            )
        return found + levels

    def _candle_columns(self) -> list[str]:
        settings = self._settings
        names = {
            "time_column": settings.time_column,
            "open_column": settings.open_column,
            "high_column": settings.high_column,
            "low_column": settings.low_column,
            "close_column": settings.close_column,
        }
        if settings.volume_column:
            names["volume_column"] = settings.volume_column
        return _require_columns(self._table, names)

    def _trade_columns(self) -> list[str]:
        settings = self._settings
        names = {
            "time_column": settings.time_column,
            "price_column": settings.price_column,
            "quantity_column": settings.quantity_column,
        }
        if settings.side_column:
            names["side_column"] = settings.side_column
        found = _require_columns(self._table, names)
        # Most files have no ids: it is the one column that may be missing without a word.
        return [*found, settings.id_column] if settings.id_column in self._table.columns else found

    def _find_interval(self) -> int:
        """Return the candle's length: as set, else the shortest step in the first chunk."""
        if self._settings.interval:
            return self._settings.interval
        column = self._columns[0]
        chunk = next(self._table.chunks([column]), [])
        times = [self._units.at_ns(values[0], row, column) for row, values in enumerate(chunk, 1)]
        steps = [after - before for before, after in pairwise(times) if after > before]
        if not steps:
            raise DataError(self.file, "does not show how long its candles are", "set `interval`")
        try:
            check_interval(min(steps))
        except ValueError as error:
            raise DataError(self.file, str(error), "set `interval`, or check `time_unit`") from None
        return min(steps)


def mark_file(settings: ReplaySettings, directory: str, instrument: Instrument) -> ReplayFile | None:
    """Return the opened file of mark prices, None without one. Errors: DataError."""
    if not settings.mark_path:
        return None
    changed = {"path": settings.mark_path, "content": "candles", "volume_column": "", "interval": 0}
    return ReplayFile(msgspec.structs.replace(settings, **changed), directory, instrument)


def trades_file(settings: ReplaySettings, directory: str, instrument: Instrument) -> ReplayFile | None:
    """Return the opened file of trades beside a book, None without one. Errors: DataError."""
    if not settings.trades_path:
        return None
    changed = {"path": settings.trades_path, "content": "trades"}
    return ReplayFile(msgspec.structs.replace(settings, **changed), directory, instrument)


def read_funding(settings: ReplaySettings, directory: str, instrument: Instrument) -> list[FundingRow]:
    """Return all settlements of the funding file, none without one; a year of them is 1,095 rows.

    Errors: DataError.
    """
    if not settings.funding_path:
        return []
    rows: list[FundingRow] = []
    for _, found in examine_funding(settings, directory, instrument):
        if isinstance(found, DataError):
            raise found
        rows.append(found)
    return rows


def examine_funding(
    settings: ReplaySettings, directory: str, instrument: Instrument
) -> Iterator[tuple[int, FundingRow | DataError]]:
    """Yield each settlement's number with the settlement, or with what is wrong in it. Errors: DataError."""
    table = open_table(Path(directory) / settings.funding_path, settings.funding_path)
    names = {"time_column": settings.time_column, "rate_column": settings.rate_column}
    columns = _require_columns(table, names)
    units = Units(table.file, instrument, settings.time_unit, settings.quantity)
    reader = FundingReader(units, columns)
    rows = (values for chunk in table.chunks(columns) for values in chunk)
    for number, values in enumerate(rows, 1):
        try:
            yield number, reader.read(number, values)
        except DataError as error:
            yield number, error


def _require_columns(table: Table, names: dict[str, str]) -> list[str]:
    """Return the columns' names; DataError with all that are missing."""
    missing = {setting: name for setting, name in names.items() if name not in table.columns}
    if not missing:
        return list(names.values())
    raise DataError(
        table.file,
        f"lacks {_listed(missing.values())}; it has {_listed(table.columns)}",
        f"set {_listed(missing)} to the file's own names",
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)

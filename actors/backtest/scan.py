"""Looks a run's files through before the run: what they hold, which period they cover, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from actors.backtest.record import DataFile, DataNote
from actors.backtest.wish import Wish
from actors.domain.instrument import Instrument
from actors.feed.files import DataError
from actors.feed.replay_file import ReplayFile, read_funding
from actors.feed.settings import ReplaySettings

__all__ = ["Data", "scan"]

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Data:
    """What is known of a run's data before the run."""

    files: tuple[DataFile, ...]
    notes: tuple[DataNote, ...]
    from_ns: int
    to_ns: int
    interval_ns: int  # the longest candle; 0 when there are only trades


def scan(feeds: Mapping[str, ReplaySettings], wish: Wish, instruments: Mapping[str, Instrument]) -> Data:
    """Return what the files of all symbols hold. Errors: DataError for the first that cannot be used."""
    files = [
        found
        for symbol, settings in feeds.items()
        for found in _files_of(symbol, settings, instruments[symbol])
    ]
    markets = [found for found in files if found.role == "market"]
    from_ns = wish.from_ns or min(found.first_at_ns for found in markets)
    to_ns = wish.to_ns or max(found.last_at_ns + found.interval_ns for found in markets)
    interval_ns = max(found.interval_ns for found in markets)
    notes = [note for found in markets for note in _range_notes(found, from_ns, to_ns)]
    return Data(tuple(files), tuple(notes), from_ns, to_ns, interval_ns)


def _files_of(symbol: str, settings: ReplaySettings, instrument: Instrument) -> Iterator[DataFile]:
    file = ReplayFile(settings, ".", instrument)
    for _ in file.check():
        pass
    content = "candles" if file.is_candles else "trades"
    yield DataFile(
        "market",
        symbol,
        Path(settings.path).name,
        _digest(settings.path),
        content,
        file.interval_ns,
        file.rows_count,
        file.first_ns,
        file.last_ns,
    )
    rows = read_funding(settings, ".", instrument)
    if rows:
        path = settings.funding_path
        first, last = rows[0].at_ns, rows[-1].at_ns
        yield DataFile(
            "funding", symbol, Path(path).name, _digest(path), "funding", 0, len(rows), first, last
        )


def _range_notes(found: DataFile, from_ns: int, to_ns: int) -> Iterator[DataNote]:
    end_ns = found.last_at_ns + found.interval_ns
    if from_ns >= end_ns or to_ns <= found.first_at_ns:
        raise DataError(
            found.file,
            "has nothing in the period that was asked for",
            "choose another --from and --to, or another file",
        )
    if from_ns < found.first_at_ns or to_ns > end_ns:
        yield DataNote(found.file, 0, "outside_range", "does not cover the whole period")


def _digest(path: str) -> str:
    whole = sha256()
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            whole.update(block)
    return whole.hexdigest()

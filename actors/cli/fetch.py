"""Carries a fetch out: what is missing is asked for at the venue and appended; what it lacks is told."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.cli.exit_codes import ExitCode
from actors.cli.fetch_file import GrowingFile
from actors.cli.fetch_series import DAY_MS, FUNDING_DAYS_MAX, Series, pages
from actors.cli.output import note
from actors.cli.problems import Problem
from actors.cli.progress import Progress
from actors.cli.venue_asker import Asker, asking
from actors.domain.instrument import Instrument

__all__ = ["Fetched", "fetch_all"]

INDEX = "fetched.json"
LOCK = ".fetch.lock"
TRIES = 9  # of one question: about two minutes
REMEDY = "what has come is kept: the same command goes on from there"
GAPS_SHOWN = 5
SETTLED_AFTER_MS = 600_000  # a settlement is listed some time after its hour


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one file holds now."""

    file: str
    symbol: str
    kind: str
    from_ms: int
    to_ms: int
    rows: int
    rows_new: int
    gaps: tuple[tuple[int, int], ...]  # from, to
    missing: int  # rows that the gaps would hold
    notes: tuple[str, ...]


def fetch_all(
    wanted: Sequence[tuple[Series, Instrument]], from_ms: int, to_ms: int, out: Path, ending: str, url: str
) -> list[Fetched]:
    """Fetch every series into its file below `out`; `to_ms` 0 is now. Errors: Problem."""
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out), asking(url, TRIES, REMEDY) as asker:
        found = []
        now_ms = _venue_ms(asker)
        for number, (series, instrument) in enumerate(wanted, 1):
            job = _Job(series, out / f"{series.name}{ending}", url, f"{number}/{len(wanted)} {series.name}")
            found.append(job.run(asker, from_ms, min(to_ms or now_ms, now_ms), now_ms))
            _look_through(found[-1], series, instrument)
        return found


class _Job:
    """One file."""

    def __init__(self, series: Series, target: Path, url: str, title: str) -> None:
        self.series, self.target, self.title = series, target, title
        self._file = GrowingFile(target, series.heading)
        self._entry = {"symbol": series.symbol, "kind": series.kind, "step_ms": series.step_ms, "url": url}

    def run(self, asker: Asker, from_ms: int, to_ms: int, now_ms: int) -> Fetched:
        step = self.series.step_ms
        notes: list[str] = []
        oldest_ms = now_ms - FUNDING_DAYS_MAX * DAY_MS + 60_000
        begins_ms = self._agreed(-(-from_ms // step) * step)
        last_ms = self._file.resume()
        next_ms = begins_ms if last_ms < 0 else last_ms - last_ms % step + step
        if self.series.kind == "funding" and next_ms < oldest_ms:
            notes.append(f"the venue tells settlements of the last {FUNDING_DAYS_MAX} days only")
            next_ms = -(-oldest_ms // step) * step
        ends_ms = self._ends_ms(to_ms, now_ms)
        rows_new = self._append(asker, next_ms, ends_ms)
        times = list(self._file.times())
        if not times:
            self._file.drop()
            text = f"the venue has no {self.series.kind} of {self.series.symbol} in this period"
            raise Problem(ExitCode.DATA, text, "ask for another period")
        self._file.finish()
        gaps = self.series.holes(times, begins_ms, max(ends_ms, times[-1] + 1))
        missing = sum((end - begin) // step for begin, end in gaps)
        _note_in(self.target, {**self._entry, "from_ms": begins_ms, "to_ms": ends_ms, "rows": len(times)})
        name, kind = str(self.target), self.series.kind
        shape = (begins_ms, ends_ms, len(times), rows_new, tuple(gaps), missing, tuple(notes))
        return Fetched(name, self.series.symbol, kind, *shape)

    def _ends_ms(self, to_ms: int, now_ms: int) -> int:
        """Return where the last whole step ends: bars must have ended, settlements only begun."""
        step = self.series.step_ms
        if self.series.kind == "funding":
            return min(to_ms - 1, now_ms - SETTLED_AFTER_MS) // step * step + step
        return to_ms // step * step

    def _append(self, asker: Asker, next_ms: int, ends_ms: int) -> int:
        progress, rows_new = Progress(), 0
        span = max(1, ends_ms - next_ms)
        for rows, done_ms in pages(self.series, next_ms, ends_ms, asker.read):
            self._file.append(rows)
            rows_new += len(rows)
            retried = f", {asker.retried_count} asked again" if asker.retried_count else ""
            progress((done_ms - next_ms) / span, f"{self.title} {at_text(done_ms)}, {rows_new} rows{retried}")
        return rows_new

    def _agreed(self, from_ms: int) -> int:
        """Return where the file begins. Errors: Problem when it is there and was not fetched like this."""
        entry = _index(self.target.parent).get(self.target.name)
        if entry is None:
            if self.target.exists() or self._file.part.exists():
                text = f"{self.target} is there, and no fetch has written it"
                raise Problem(ExitCode.USAGE, text, "name another folder with --out")
            _note_in(self.target, {**self._entry, "from_ms": from_ms})
            return from_ms
        for name, value in self._entry.items():
            if entry.get(name) != value:
                text = f"{self.target} was begun with {name} {entry.get(name)}, not {value}"
                raise Problem(ExitCode.USAGE, text, "ask for the same, or name another folder with --out")
        begun_ms = int(entry["from_ms"])
        if from_ms < begun_ms:
            text = f"{self.target} begins at {at_text(begun_ms)}, and grows at its end only"
            raise Problem(ExitCode.USAGE, text, "fetch what is older into another folder with --out")
        return begun_ms


def _venue_ms(asker: Asker) -> int:
    """Return the venue's clock: a bar that has not ended there is no bar yet."""
    from actors.poloniex.market_rows import read_server_time_ms
    from actors.poloniex.request import server_time

    return asker.read(server_time(), read_server_time_ms)


def _look_through(found: Fetched, series: Series, instrument: Instrument) -> None:
    """Hold candles to the checks of a run. Errors: Problem."""
    if series.kind not in ("candles", "mark") or found.rows < 2:
        return
    from actors.backtest.data_check import examine
    from actors.feed.settings import ReplaySettings

    more = {} if series.kind == "candles" else {"volume_column": ""}
    examined = examine(found.file, instrument, ReplaySettings(path=found.file, content="candles", **more))
    if examined.faults:
        first = examined.faults[0]
        text = f"{found.file}: row {first.row}: {first.text.partition('. Remedy: ')[0]}"
        raise Problem(ExitCode.DATA, text, "look at it with `polytrade data check`")


# -- what is known of the folder ----------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        text = f"another fetch is at work in {folder}"
        raise Problem(ExitCode.FAILURE, text, "wait for it, or name another folder with --out") from None
    finally:
        os.close(lock)


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise Problem(ExitCode.DATA, f"{path} cannot be read: {error}", "remove it with its files") from None
    return found if isinstance(found, dict) else {}


def _note_in(target: Path, entry: Mapping[str, Any]) -> None:
    """Put what is known of a file into the folder's index, whole or not at all."""
    path = target.parent / INDEX
    aside = path.with_name(path.name + ".new")
    with aside.open("w", encoding="utf-8") as file:
        json.dump({**_index(target.parent), target.name: dict(entry)}, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def at_text(at_ms: int) -> str:
    """Return an instant as a person reads it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def show(found: Sequence[Fetched]) -> None:
    """Print what came of it."""
    from actors.cli.output import echo

    for one in found:
        echo(f"{one.file}: {one.rows} rows, {one.rows_new} of them new, until {at_text(one.to_ms)} UTC")
        for begin, end in one.gaps[:GAPS_SHOWN]:
            echo(f"  gap: {at_text(begin)} to {at_text(end)} UTC")
        if len(one.gaps) > GAPS_SHOWN:
            echo(f"  and {len(one.gaps) - GAPS_SHOWN} more gaps; {one.missing} rows are missing in all")
        for text in one.notes:
            note(f"{one.file}: {text}")

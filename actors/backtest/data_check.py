"""Looks a file of history through to its end and tells everything that is wrong, not only the first fault."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from actors.backtest.record import DataNote
from actors.domain.instrument import Instrument
from actors.feed.book_rows import BookRow
from actors.feed.files import DataError, open_table
from actors.feed.replay_file import ReplayFile, examine_funding
from actors.feed.rows import Candle
from actors.feed.settings import ReplaySettings

__all__ = ["Examined", "examine", "examine_any"]

SHOWN_MAX = 1_000  # findings kept one by one; beyond that they are counted only
OUTLIER_FRACTION = 0.1  # a close so far from its neighbours on both sides is looked at by a person


class Examined(msgspec.Struct, frozen=True):
    """What one file holds."""

    file: str
    content: str  # as `content` of feed.replay
    interval_ns: int
    rows_count: int
    good_count: int
    first_at_ns: int
    last_at_ns: int
    low_ticks: int
    high_ticks: int
    faults: tuple[DataNote, ...]  # rows that a run would refuse
    notes: tuple[DataNote, ...]  # gaps and outliers, which a run would take
    counts: tuple[tuple[str, int], ...]  # findings by kind, those not kept included
    missing_count: int  # bars in gaps


def examine(path: str, instrument: Instrument, settings: ReplaySettings) -> Examined:
    """Return what a file holds and what is wrong in it. Errors: DataError when it cannot be read at all."""
    file = ReplayFile(msgspec.structs.replace(settings, path=path), ".", instrument)
    faults: list[DataNote] = []
    notes: list[DataNote] = []
    counts: Counter[str] = Counter()
    low = high = first = last = rows = good = missing = 0
    closes: list[tuple[int, int]] = []
    for row, found in file.examine():
        rows = row
        if isinstance(found, DataError):
            counts["fault"] += 1
            if len(faults) < SHOWN_MAX:
                faults.append(DataNote(file.file, row, "fault", _told(found)))
            continue
        good += 1
        lowest, highest, close = _prices(found)
        is_level = file.content == "depth"  # its prices are all over the book, not one after another
        low, high = min(low or lowest, lowest), max(high, highest)
        first = first or found.at_ns
        gap = (found.at_ns - last) // file.interval_ns - 1 if last and file.interval_ns else 0
        last = found.at_ns
        if gap:
            missing += gap
            counts["gap"] += 1
            _keep(notes, DataNote(file.file, row, "gap", f"{gap} bars are missing before this row"))
        if close and not is_level:
            closes.append((row, close))
        if len(closes) == 3 and _is_outlier(closes):
            counts["outlier"] += 1
            _keep(notes, DataNote(file.file, closes[1][0], "outlier", "its price stands alone"))
        del closes[:-2]
    if not rows:
        raise DataError(file.file, "has no rows", "give a file with data")
    sums = (rows, good, first, last, low, high)
    found_all = (tuple(faults), tuple(notes), tuple(sorted(counts.items())), missing)
    return Examined(file.file, file.content, file.interval_ns, *sums, *found_all)


def examine_any(path: str, instrument: Instrument, settings: ReplaySettings | None = None) -> Examined:
    """Return what any file of history holds: a market, prices without a volume, or settlements.

    Errors: DataError when it cannot be read at all.
    """
    settings = settings or ReplaySettings(path=path)
    columns = set(open_table(Path(path), path).columns)
    prices = {settings.open_column, settings.close_column}
    if settings.rate_column in columns and not columns & {settings.open_column, settings.price_column}:
        return _examine_funding(path, instrument, settings)
    if prices <= columns and settings.volume_column not in columns:
        settings = msgspec.structs.replace(settings, content="candles", volume_column="")
        found = examine(path, instrument, settings)
        return msgspec.structs.replace(found, content="mark")
    return examine(path, instrument, settings)


def _examine_funding(path: str, instrument: Instrument, settings: ReplaySettings) -> Examined:
    faults: list[DataNote] = []
    notes: list[DataNote] = []
    counts: Counter[str] = Counter()
    interval_ns = instrument.funding_interval_ns
    first = last = rows = good = missing = 0
    for row, found in examine_funding(msgspec.structs.replace(settings, funding_path=path), ".", instrument):
        rows = row
        if isinstance(found, DataError):
            counts["fault"] += 1
            _keep(faults, DataNote(path, row, "fault", _told(found)))
            continue
        good, first = good + 1, first or found.at_ns
        gap = found.at_ns // interval_ns - last // interval_ns - 1 if last else 0
        last = found.at_ns
        if gap > 0:
            missing += gap
            counts["gap"] += 1
            _keep(notes, DataNote(path, row, "gap", f"{gap} settlements are missing before this row"))
    if not rows:
        raise DataError(path, "has no rows", "give a file with data")
    told = (tuple(faults), tuple(notes), tuple(sorted(counts.items())), missing)
    return Examined(path, "funding", interval_ns, rows, good, first, last, 0, 0, *told)


def _keep(notes: list[DataNote], note: DataNote) -> None:
    if len(notes) < SHOWN_MAX:
        notes.append(note)


def _told(error: DataError) -> str:
    column = f"column {error.column!r} " if error.column else ""
    found = f" (found {error.value!r})" if error.value is not None else ""
    return f"{column}{error.problem}{found}. Remedy: {error.remedy}"


def _prices(found: object) -> tuple[int, int, int]:
    if isinstance(found, Candle):
        return found.low_ticks, found.high_ticks, found.close_ticks
    if isinstance(found, BookRow):
        prices = [side[0][0] for side in (found.bids, found.asks) if side]
        return (min(prices), max(prices), sum(prices) // len(prices)) if prices else (0, 0, 0)
    price = int(found.price_ticks)  # type: ignore[attr-defined]
    return price, price, price


def _is_outlier(closes: list[tuple[int, int]]) -> bool:
    """Whether the middle one lies far from both neighbours, on the same side."""
    (_, before), (_, middle), (_, after) = closes
    away, back = (middle - before) / before, (middle - after) / after
    return abs(away) > OUTLIER_FRACTION and abs(back) > OUTLIER_FRACTION and away * back > 0

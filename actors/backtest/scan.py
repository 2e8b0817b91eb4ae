"""Looks a run's files through before the run: what they hold, which period they cover, what is wrong."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from actors.backtest.data_check import Examined, examine
from actors.backtest.record import DataFile, DataNote
from actors.backtest.wish import Wish
from actors.domain.instrument import Instrument
from actors.feed.files import DataError
from actors.feed.replay_file import read_funding
from actors.feed.rows import FundingRow
from actors.feed.settings import ReplaySettings

__all__ = ["Data", "digest_of_file", "scan"]

BLOCK_BYTES = 1 << 20
GAPS_FRACTION_MAX = 0.01  # of all bars; more is no market to learn from
HOUR_NS = 3_600_000_000_000
ZONE_HOURS_MAX = 14  # no two zones are farther apart from UTC
QUIET_NS = HOUR_NS  # a file of trades may begin so late, and end so early
STAMPED_LATE_NS = 600_000_000_000  # venues date a settlement some milliseconds late, recorders some more


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
    looked = [_market(symbol, settings, instruments[symbol]) for symbol, settings in feeds.items()]
    markets = [found for found, _ in looked]
    from_ns = wish.from_ns or min(found.first_at_ns for found in markets)
    to_ns = wish.to_ns or max(found.last_at_ns + found.interval_ns for found in markets)
    lacks = _Lacks(from_ns, to_ns, wish.allowed)
    files: list[DataFile] = []
    for (found, examined), (symbol, settings) in zip(looked, feeds.items(), strict=True):
        files.append(found)
        lacks.market(found, examined)
        rows = read_funding(settings, ".", instruments[symbol])
        lacks.funding(found, rows, instruments[symbol].funding_interval_ns)
        if rows:
            files.append(_funding_file(symbol, settings.funding_path, rows))
        if settings.mark_path:
            files.append(_marks(symbol, settings, instruments[symbol], lacks))
        _check_beside(settings, found.content)
        if settings.trades_path:
            like = {"path": settings.trades_path, "content": "trades"}
            beside, _ = _market(symbol, msgspec.structs.replace(settings, **like), instruments[symbol])
            files.append(msgspec.structs.replace(beside, role="trades"))
        if settings.book_path:
            name, digest = Path(settings.book_path).name, digest_of_file(settings.book_path)
            files.append(
                DataFile("start", symbol, name, digest, "book", 0, 1, found.first_at_ns, found.first_at_ns)
            )
    interval_ns = max(found.interval_ns for found in markets)
    return Data(tuple(files), tuple(lacks.notes), from_ns, to_ns, interval_ns)


def _check_beside(settings: ReplaySettings, content: str) -> None:
    """Refuse files that nobody would read beside this market. Errors: DataError."""
    if settings.trades_path and content not in ("quotes", "book", "depth"):
        text = f"is a file of trades beside one of {content}, whose prints would hide it"
        raise DataError(settings.trades_path, text, "leave it out, or give quotes or books as the market")
    if settings.book_path and content != "depth":
        text = f"is a book before the first change, beside a file of {content}"
        raise DataError(settings.book_path, text, "leave it out, or give changes of books as the market")


def _marks(symbol: str, settings: ReplaySettings, instrument: Instrument, lacks: _Lacks) -> DataFile:
    like = {"path": settings.mark_path, "content": "candles", "volume_column": "", "interval": 0}
    found, examined = _market(symbol, msgspec.structs.replace(settings, **like), instrument)
    lacks.market(found, examined)
    return msgspec.structs.replace(found, role="mark", content="mark")


def _market(symbol: str, settings: ReplaySettings, instrument: Instrument) -> tuple[DataFile, Examined]:
    found = examine(settings.path, instrument, settings)
    if found.faults:
        first = found.faults[0]
        problem, _, remedy = first.text.partition(". Remedy: ")
        count = f" (and {dict(found.counts)['fault'] - 1} more)" if len(found.faults) > 1 else ""
        remedy += "; `polytrade data check` shows all, `data convert --repair` leaves them out"
        raise DataError(settings.path, problem + count, remedy, row=first.row)
    name, digest = Path(settings.path).name, digest_of_file(settings.path)
    shape = (found.content, found.interval_ns, found.rows_count, found.first_at_ns, found.last_at_ns)
    return DataFile("market", symbol, name, digest, *shape), found


def _funding_file(symbol: str, path: str, rows: list[FundingRow]) -> DataFile:
    first, last = rows[0].at_ns, rows[-1].at_ns
    return DataFile(
        "funding", symbol, Path(path).name, digest_of_file(path), "funding", 0, len(rows), first, last
    )


class _Lacks:
    """What a period lacks: refused, or noted when it is allowed."""

    def __init__(self, from_ns: int, to_ns: int, allowed: frozenset[str]) -> None:
        self.notes: list[DataNote] = []
        self._from_ns, self._to_ns, self._allowed = from_ns, to_ns, allowed

    def market(self, found: DataFile, examined: Examined) -> None:
        """Look at the period and at gaps and outliers."""
        end_ns = found.last_at_ns + found.interval_ns
        if self._from_ns >= end_ns or self._to_ns <= found.first_at_ns:
            remedy = "choose another --from and --to, or another file"
            raise DataError(found.file, "has nothing in the period that was asked for", remedy)
        slack = found.interval_ns or QUIET_NS
        if self._from_ns < found.first_at_ns - slack or self._to_ns > end_ns + slack:
            text = f"covers {_text(found.first_at_ns)} to {_text(end_ns)} only, less than the period"
            self._lack("range", found.file, text)
        missing, bars = examined.missing_count, found.rows_count + examined.missing_count
        if missing > bars * GAPS_FRACTION_MAX:
            first = next((note for note in examined.notes if note.kind == "gap"), None)
            where = f", the first before row {first.row}" if first else ""
            self._lack("gaps", found.file, f"lacks {missing} of {bars} bars{where}{_zone(examined)}")
        self.notes += [DataNote(found.file, note.row, note.kind, note.text) for note in examined.notes]

    def funding(self, found: DataFile, rows: list[FundingRow], interval_ns: int) -> None:
        """Look for settlements that the period must have had and the file does not."""
        begin = max(self._from_ns, found.first_at_ns)
        end = min(self._to_ns, found.last_at_ns + found.interval_ns)
        first = begin - begin % interval_ns + interval_ns  # one at the start itself nobody has to pay
        settled = [row.at_ns for row in rows]
        due = range(first, end, interval_ns)
        holes = [at_ns for at_ns in due if not _near(settled, at_ns, STAMPED_LATE_NS)]
        if holes:
            text = f"lacks funding: {len(holes)} of {len(due)} settlements, the first at {_text(holes[0])}"
            self._lack("funding", found.file, text)

    def _lack(self, kind: str, file: str, text: str) -> None:
        if kind not in self._allowed:
            remedy = "give a file that has it, " if kind != "range" else "ask for a shorter period, "
            raise DataError(file, text, f"{remedy}or run without with --allow {kind}")
        self.notes.append(DataNote(file, 0, kind, text))


def _zone(examined: Examined) -> str:
    """Return a hint when a gap looks like a clock that was put forward, or like times of two zones."""
    hours = examined.missing_count * examined.interval_ns / HOUR_NS
    is_one = dict(examined.counts).get("gap") == 1
    if not is_one or hours != int(hours) or hours > ZONE_HOURS_MAX:
        return ""
    return f"; it is exactly {int(hours)} h long: are all times UTC?"


def _near(settled: list[int], at_ns: int, within_ns: int) -> bool:
    index = bisect_left(settled, at_ns - within_ns)
    return index < len(settled) and settled[index] <= at_ns + within_ns


def _text(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def digest_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    whole = sha256()
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            whole.update(block)
    return whole.hexdigest()

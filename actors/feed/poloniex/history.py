"""Closed bars of the past, from REST candles: what to ask for, page by page, and how to make bars of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping

from actors.domain.bars import BarBuilder, BarLike, ClosedBar, check_interval
from actors.messages.market import Bar
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_rows import CandleRow
from actors.poloniex.numbers import PriceReader
from actors.poloniex.request import CANDLE_INTERVALS, Request, candles

__all__ = ["HISTORY_BARS_MAX", "base_interval", "read_history"]

MS = 1_000_000
PAGE_MAX = 500
PAGES_MAX = 20
HISTORY_BARS_MAX = PAGE_MAX * PAGES_MAX  # of the interval that is asked for at the venue

HistorySteps = Generator[Request, list[CandleRow], tuple[Bar, ...]]


def base_interval(interval_ns: int, intervals: Mapping[int, str] = CANDLE_INTERVALS) -> int:
    """Return the longest interval of the venue that bars of this one can be built from; 0 when there is none.

    Errors: ValueError for an interval that no bar can have.
    """
    check_interval(interval_ns)
    return next((base_ns for base_ns in intervals if not interval_ns % base_ns), 0)


def read_history(
    symbol: str,
    interval_ns: int,
    bars_count: int,
    now_ns: int,
    reader: PriceReader,
    ask: Callable[[str, str, int, int, int], Request] = candles,
    intervals: Mapping[int, str] = CANDLE_INTERVALS,
) -> HistorySteps:
    """Ask for pages, newest first, until there are enough bars that have closed by now.

    `ask` makes the request of a page of an interval of the venue's, as `intervals` names it.
    Errors: ValueError when no bar can have this interval.
    """
    base_ns = base_interval(interval_ns, intervals)
    if not base_ns or bars_count <= 0:
        return ()
    wanted = min(HISTORY_BARS_MAX, (bars_count + 1) * (interval_ns // base_ns))
    found: dict[int, CandleRow] = {}
    to_ns = now_ns - now_ns % base_ns
    for _ in range(PAGES_MAX):
        from_ns = to_ns - min(PAGE_MAX, wanted - len(found)) * base_ns
        name = intervals[base_ns]
        rows = yield ask(symbol, name, from_ns // MS, to_ns // MS - 1, PAGE_MAX)
        fresh = [row for row in rows if row.start_ms not in found]
        found.update((row.start_ms, row) for row in fresh)
        if not fresh or len(found) >= wanted:
            break
        to_ns = min(found) * MS
    closed = [_closed(found[start_ms], base_ns, reader) for start_ms in sorted(found)]
    bars = _built((bar for bar in closed if bar.at_ns <= now_ns), base_ns, interval_ns)
    return tuple([_message(symbol, bar) for bar in bars[-bars_count:]])


def _closed(row: CandleRow, base_ns: int, reader: PriceReader) -> ClosedBar:
    start_ns = row.start_ms * MS
    if start_ns % base_ns:
        raise Malformed("candle", f"{row.start_ms} ms is not on the grid")
    opened, high = reader.nearest(row.open), reader.nearest(row.high)
    low, close = reader.nearest(row.low), reader.nearest(row.close)
    if not low <= min(opened, close) <= max(opened, close) <= high or low <= 0:
        raise Malformed("candle", f"open {row.open}, high {row.high}, low {row.low}, close {row.close}")
    return ClosedBar(start_ns + base_ns, base_ns, opened, high, low, close, row.contracts, row.trades)


def _built(bars: Iterable[ClosedBar], base_ns: int, interval_ns: int) -> list[BarLike]:
    """Return whole bars of the longer interval; the first one only if it was seen from its start."""
    if base_ns == interval_ns:
        return list(bars)
    builder = BarBuilder(interval_ns)
    parts = list(bars)
    built: list[BarLike] = [bar for part in parts for bar in builder.add_bar(part)]
    if built and parts[0].at_ns - base_ns > built[0].at_ns - interval_ns:
        del built[0]
    return built


def _message(symbol: str, bar: BarLike) -> Bar:
    return Bar(
        symbol,
        bar.at_ns,
        bar.interval_ns,
        bar.open_ticks,
        bar.high_ticks,
        bar.low_ticks,
        bar.close_ticks,
        bar.contracts,
        bar.trades_count,
    )

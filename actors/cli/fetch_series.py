"""What of a market's past the venue tells: the questions, page by page, and the rows they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial

from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.market_rows import (
    CandleRow,
    PriceCandleRow,
    read_candles,
    read_price_candles,
    read_settled,
)
from actors.poloniex.request import CANDLE_INTERVALS, Request, candles, funding_history, price_candles

__all__ = ["FUNDING_DAYS_MAX", "KINDS", "Row", "Series", "pages", "series_of"]

MS_NS = 1_000_000
DAY_MS = 86_400_000
CANDLES_PAGE = 500
FUNDING_PAGE = 100
FUNDING_DAYS_MAX = 180  # of settlements the venue tells no more
ASKS_MAX = 4  # of one page: what is missing is asked for again while that brings something
HOLES_MAX = 20  # asked for one by one; more of them, and the page as a whole
KINDS = ("candles", "funding", "mark", "index", "premium")

Row = tuple[int, tuple[str, ...]]  # instant in ms, and the fields of a line after it
Ask = Callable[[Request, Callable[[Answer], list[Row]]], list[Row]]


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of row of one symbol. Each step of time from 1970 on has one row, in `[step, step + 1)`."""

    kind: str
    symbol: str
    heading: tuple[str, ...]
    step_ms: int
    page: int  # most rows of an answer
    request: Callable[[int, int, int], Request]  # from, to (inclusive) and count
    read: Callable[[Answer], list[Row]]

    @property
    def name(self) -> str:
        """What a file is called, without its ending."""
        return self.symbol if self.kind == "candles" else f"{self.symbol}.{self.kind}"

    def holes(self, at_ms: Sequence[int], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """Return the stretches of a period, whole steps, of which there is no row; `at_ms` ascend."""
        found, next_ms = [], from_ms
        for at in at_ms:
            slot = at - at % self.step_ms
            if slot > next_ms:
                found.append((next_ms, slot))
            next_ms = max(next_ms, slot + self.step_ms)
        return [*found, (next_ms, to_ms)] if next_ms < to_ms else found


def series_of(kind: str, instrument: Instrument, interval_ns: int) -> Series:
    """Return a series; an interval is one of CANDLE_INTERVALS, and funding has its own."""
    symbol, name = instrument.symbol, CANDLE_INTERVALS[interval_ns]
    step_ms = interval_ns // MS_NS
    prices = ("ts_ms", "open", "high", "low", "close")
    if kind == "funding":
        step_ms = instrument.funding_interval_ns // MS_NS
        ask = partial(funding_history, symbol)
        return Series(kind, symbol, ("ts_ms", "rate"), step_ms, FUNDING_PAGE, ask, partial(_settled, symbol))
    if kind == "candles":
        read = partial(_candles, step_ms, instrument.contract_e8)
        ask = partial(candles, symbol, name)
        return Series(kind, symbol, (*prices, "volume"), step_ms, CANDLES_PAGE, ask, read)
    read = partial(_price_candles, step_ms, kind != "premium")
    return Series(
        kind, symbol, prices, step_ms, CANDLES_PAGE, partial(price_candles, kind, symbol, name), read
    )


def pages(series: Series, from_ms: int, to_ms: int, ask: Ask) -> Iterator[tuple[list[Row], int]]:
    """Yield the rows of a period, ascending and each once, a page at a time, with the instant it reaches to.

    A page that lacks rows is asked for again where it lacks them, until that brings nothing new.
    """
    while from_ms < to_ms:
        end_ms = min(to_ms, from_ms + series.page * series.step_ms)
        found: dict[int, Row] = {}
        holes = [(from_ms, end_ms)]
        for _ in range(ASKS_MAX):
            for begin, end in holes if len(holes) <= HOLES_MAX else [(from_ms, end_ms)]:
                count = (end - begin) // series.step_ms
                rows = ask(series.request(begin, end - 1, count), series.read)
                found.update((row[0], row) for row in rows if begin <= row[0] < end)
            before, holes = holes, series.holes(sorted(found), from_ms, end_ms)
            if not holes or holes == before:
                break
        yield [found[at] for at in sorted(found)], end_ms
        from_ms = end_ms


def _candles(step_ms: int, contract_e8: int, answer: Answer) -> list[Row]:
    rows = []
    for row in read_candles(answer):
        _check(row, step_ms, is_price=True)
        volume = format_e8(row.contracts * contract_e8)
        rows.append((row.start_ms, (row.open, row.high, row.low, row.close, volume)))
    return rows


def _price_candles(step_ms: int, is_price: bool, answer: Answer) -> list[Row]:
    found = read_price_candles(answer)
    for row in found:
        _check(row, step_ms, is_price=is_price)
    return [(row.start_ms, (row.open, row.high, row.low, row.close)) for row in found]


def _check(row: CandleRow | PriceCandleRow, step_ms: int, *, is_price: bool) -> None:
    """Errors: Malformed for a bar that no run would take."""
    low, high, opened, close = (_number(text) for text in (row.low, row.high, row.open, row.close))
    if row.start_ms % step_ms:
        raise Malformed("candle", f"{row.start_ms} ms is not on the grid")
    if not low <= min(opened, close) <= max(opened, close) <= high or (is_price and low <= 0):
        raise Malformed("candle", f"open {row.open}, high {row.high}, low {row.low}, close {row.close}")


def _settled(symbol: str, answer: Answer) -> list[Row]:
    rows = [(row.fT, (row.fR,)) for row in read_settled(answer) if row.s == symbol]
    for _, (rate,) in rows:
        _number(rate)
    return rows


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise Malformed("candle", f"{text!r} is no number") from None
    if not found.is_finite():
        raise Malformed("candle", f"{text!r} is not finite")
    return found

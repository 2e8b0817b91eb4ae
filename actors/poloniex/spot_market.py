"""Spot market data over REST: what is asked, and the rows of the answers. Source: docs/poloniex.md, Spot."""

from __future__ import annotations

import msgspec

from actors.poloniex.answers import Answer, row_of, rows_of
from actors.poloniex.decoding import Milliseconds, Name, Row, Size, decoder_of
from actors.poloniex.rate_budget import Limit
from actors.poloniex.request import CANDLE_INTERVALS, Request, public

__all__ = [
    "SPOT_INTERVALS",
    "SpotBook",
    "SpotCandleRow",
    "SpotDayRow",
    "read_spot_book",
    "read_spot_candles",
    "read_spot_day",
    "spot_book",
    "spot_candles",
    "spot_day",
]

SPOT_INTERVALS = {ns: name for ns, name in CANDLE_INTERVALS.items() if name != "HOUR_8"}


class SpotBook(Row):
    """The book: price, quantity, price, quantity ... best first."""

    asks: list[str]
    bids: list[str]


class SpotDayRow(Row):
    """The last day of one market."""

    symbol: Name
    markPrice: str = ""


class SpotCandleRow(Row, array_like=True):
    """One bar; instants in ms, the quantity in units of the coin."""

    low: str
    high: str
    open: str
    close: str
    amount: str
    quantity: str
    taker_amount: str
    taker_quantity: str
    trades: Size
    ts: Milliseconds
    average: str
    interval: str
    start_ms: Milliseconds
    end_ms: Milliseconds


_books: msgspec.json.Decoder[list[SpotBook]] = decoder_of(list[SpotBook])
_days: msgspec.json.Decoder[list[SpotDayRow]] = decoder_of(list[SpotDayRow])
_candles: msgspec.json.Decoder[list[SpotCandleRow]] = decoder_of(list[SpotCandleRow])


def spot_book(symbol: str, levels: int) -> Request:
    """The book; levels: 5, 10, 20, 50, 100 or 150."""
    return public(f"/markets/{symbol}/orderBook", ("limit", str(levels)), limit=Limit.SPOT_PUBLIC)


def spot_day(symbol: str) -> Request:
    """The last day of a market, with its mark price."""
    return public(f"/markets/{symbol}/ticker24h", limit=Limit.SPOT_PUBLIC)


def spot_candles(symbol: str, interval: str, from_ms: int, to_ms: int, count: int) -> Request:
    """Bars whose start lies between two instants, at most 500."""
    return public(
        f"/markets/{symbol}/candles",
        ("interval", interval),
        ("startTime", str(from_ms)),
        ("endTime", str(to_ms)),
        ("limit", str(count)),
        limit=Limit.SPOT_PUBLIC,
    )


def read_spot_book(answer: Answer) -> SpotBook:
    """Return a book. Errors: Malformed."""
    return row_of(answer, _books, "spot order book")


def read_spot_day(answer: Answer) -> SpotDayRow:
    """Return the last day. Errors: Malformed."""
    return row_of(answer, _days, "spot ticker")


def read_spot_candles(answer: Answer) -> list[SpotCandleRow]:
    """Return bars, oldest first. Errors: Malformed."""
    return sorted(rows_of(answer, _candles, "spot candles"), key=_start)


def _start(row: SpotCandleRow) -> int:
    return row.start_ms

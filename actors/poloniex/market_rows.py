"""Rows of market data over REST. Source: docs/poloniex.md, Futures market data."""

from __future__ import annotations

import msgspec

from actors.poloniex.answers import Answer, row_of, rows_of
from actors.poloniex.decoding import Milliseconds, Row, Size, decode, decoder_of

__all__ = [
    "CandleRow",
    "InstrumentRow",
    "PriceCandleRow",
    "RestBookRow",
    "TickerRow",
    "read_candles",
    "read_instruments",
    "read_order_book",
    "read_price_candles",
    "read_server_time_ms",
    "read_settled",
    "read_tickers",
    "read_tiers",
]


class TickerRow(Row):
    """One contract's ticker: prices as text, sizes in contracts."""

    s: str
    c: str = "0"
    bPx: str = "0"
    bSz: str = "0"
    aPx: str = "0"
    aSz: str = "0"
    mPx: str = ""
    iPx: str = ""


class RestBookRow(Row):
    """The book as a whole; `ts` is UTC ms."""

    asks: list[tuple[str, Size]]
    bids: list[tuple[str, Size]]
    ts: Milliseconds


class CandleRow(Row, array_like=True):
    """One bar: low, high, open, close, value, contracts, trades, first and last ms."""

    low: str
    high: str
    open: str
    close: str
    amount: str
    contracts: Size
    trades: Size
    start_ms: Milliseconds
    end_ms: Milliseconds


class PriceCandleRow(Row, array_like=True):
    """One bar of a price that nobody trades at: low, high, open, close, first and last ms."""

    low: str
    high: str
    open: str
    close: str
    start_ms: Milliseconds
    end_ms: Milliseconds


class SettledRow(Row):
    """One settlement of funding: symbol, rate as a fraction, ms."""

    s: str
    fR: str
    fT: Milliseconds


class InstrumentRow(Row):
    """Specification of one contract, as the venue shows it."""

    symbol: str
    tSz: str
    ctVal: str
    ctType: str = "LINEAR"
    status: str = "OPEN"
    alias: str = ""
    bCcy: str = ""
    qCcy: str = ""
    sCcy: str = ""
    minQty: str = "1"
    minSz: str = "1"
    lotSz: str = "1"
    limitMaxQty: str = "0"
    marketMaxQty: str = "0"
    maxLever: str = "0"
    lever: str = "0"
    iM: str = "0"
    mM: str = "0"
    ordPxRange: str = "0"


class TierRow(Row):
    """One step of the risk table: contracts of position from minSize to maxSize."""

    symbol: str
    tier: int
    maxLever: str
    mMRatio: str
    maxSize: str
    minSize: str = "0"
    mgnMode: str = "CROSS"


class _ServerTime(Row):
    serverTime: Milliseconds


_tickers: msgspec.json.Decoder[list[TickerRow]] = decoder_of(list[TickerRow])
_books: msgspec.json.Decoder[list[RestBookRow]] = decoder_of(list[RestBookRow])
_candles: msgspec.json.Decoder[list[CandleRow]] = decoder_of(list[CandleRow])
_price_candles: msgspec.json.Decoder[list[PriceCandleRow]] = decoder_of(list[PriceCandleRow])
_settled: msgspec.json.Decoder[list[SettledRow]] = decoder_of(list[SettledRow])
_instruments: msgspec.json.Decoder[list[InstrumentRow]] = decoder_of(list[InstrumentRow])
_tiers: msgspec.json.Decoder[list[TierRow]] = decoder_of(list[TierRow])
_time: msgspec.json.Decoder[_ServerTime] = decoder_of(_ServerTime)


def read_server_time_ms(answer: Answer) -> int:
    """Return the venue's clock in ms. Errors: Malformed."""
    return decode(_time, answer.data, "server time").serverTime


def read_tickers(answer: Answer) -> list[TickerRow]:
    """Return tickers. Errors: Malformed."""
    return rows_of(answer, _tickers, "tickers")


def read_order_book(answer: Answer) -> RestBookRow:
    """Return a book. Errors: Malformed."""
    return row_of(answer, _books, "order book")


def read_candles(answer: Answer) -> list[CandleRow]:
    """Return bars, oldest first. Errors: Malformed."""
    return sorted(rows_of(answer, _candles, "candles"), key=_start)


def read_price_candles(answer: Answer) -> list[PriceCandleRow]:
    """Return bars, as they come. Errors: Malformed."""
    return rows_of(answer, _price_candles, "price candles")


def read_settled(answer: Answer) -> list[SettledRow]:
    """Return settlements, newest first. Errors: Malformed."""
    return rows_of(answer, _settled, "funding history")


def read_instruments(answer: Answer) -> list[InstrumentRow]:
    """Return specifications. Errors: Malformed."""
    return rows_of(answer, _instruments, "instruments")


def read_tiers(answer: Answer) -> list[TierRow]:
    """Return the risk table. Errors: Malformed."""
    return rows_of(answer, _tiers, "risk tiers")


def _start(row: CandleRow) -> int:
    return row.start_ms

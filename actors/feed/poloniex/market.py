"""One symbol's market as the stream tells it: frames in, our messages out. No socket, no clock.

A method gives the messages that follow from rows, oldest first. Errors: Malformed for a row that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator

from actors.domain.orders import Side
from actors.feed.poloniex.cross_check import CrossCheck
from actors.messages.market import (
    BookDepth,
    FundingRate,
    FundingSettled,
    MarkPrice,
    Quote,
    Trade,
)
from actors.poloniex.book import Book, BookChange
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import BookRow, FundingRow, MarkRow, TradeRow
from actors.poloniex.numbers import PriceReader, parse_e8

__all__ = ["MarketPicture"]

MS = 1_000_000
SIDES = {"buy": Side.BUY, "sell": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}
RATE_MAX_E8 = 10_000_000  # nobody ever paid 10 % in one interval


class MarketPicture:
    """Book, prices and funding of one symbol."""

    def __init__(self, symbol: str, tick_e8: int, levels: int, book_every_ns: int, check: CrossCheck) -> None:
        self.symbol = symbol
        self.reader = PriceReader(tick_e8)
        self.book = Book()
        self.check = check
        self.top = (0, 0, 0, 0)
        self.mark_ticks = self.index_ticks = 0
        self.settled_ns = 0  # the newest funding settlement that was told
        self._levels = levels
        self._book_every_ns = book_every_ns
        self._book_due_ns = 0
        self._trade_id = -1

    def change_book(
        self, row: BookRow, snapshot: bool, now_ns: int
    ) -> tuple[BookChange, list[Quote | BookDepth]]:
        """Take levels; messages only when the book can be believed."""
        ticks = self.reader.on_grid
        bids = [(ticks(price), size) for price, size in row.bids]
        asks = [(ticks(price), size) for price, size in row.asks]
        if snapshot:
            change = self.book.replace(row.id, bids, asks)
        else:
            change = self.book.update(row.lid, row.id, bids, asks)
        if change is not BookChange.APPLIED:
            return change, []
        at_ns = row.ts * MS
        told: list[Quote | BookDepth] = []
        top = self.book.top()
        if top != self.top:
            self.top = top
            told.append(Quote(self.symbol, at_ns, *top))
        self.check.touch(top[0], top[2], now_ns)
        if now_ns >= self._book_due_ns:
            self._book_due_ns = now_ns + self._book_every_ns
            levels = self._levels
            told.append(BookDepth(self.symbol, at_ns, self.book.bids(levels), self.book.asks(levels)))
        return change, told

    def trades(self, rows: tuple[TradeRow, ...]) -> Iterator[Trade]:
        """Give trades one by one; those heard before a reconnect are left out."""
        for row in sorted(rows, key=_trade_id):
            if row.id <= self._trade_id or row.s != self.symbol:
                continue
            self._trade_id = row.id
            side = SIDES.get(row.side)
            price = self.reader.nearest(row.px)
            if side is None or price <= 0 or row.qty <= 0:
                raise Malformed("trade", f"{row.side[:10]} {row.qty} at {row.px[:40]}")
            yield Trade(self.symbol, row.cT * MS, price, row.qty, side, str(row.id))

    def index(self, text: str) -> None:
        """Take the index price; it travels with the next mark price."""
        self.index_ticks = self.reader.nearest(text)

    def mark(self, row: MarkRow, now_ns: int) -> MarkPrice:
        """Take the mark price."""
        mark = self.reader.nearest(row.mPx)
        if mark <= 0:
            raise Malformed("mark price", repr(row.mPx[:40]))
        self.mark_ticks = mark
        self.check.mark.said.add(mark, now_ns)
        return MarkPrice(self.symbol, row.ts * MS, mark, self.index_ticks or mark)

    def funding(self, row: FundingRow) -> list[FundingRate | FundingSettled]:
        """Take the rates; a settlement is told when its instant is newer than the last one told."""
        expected, settled = parse_e8(row.nFR), parse_e8(row.fR)
        if max(abs(expected), abs(settled)) > RATE_MAX_E8:
            raise Malformed("funding rate", f"{row.nFR[:40]}, {row.fR[:40]}")
        told: list[FundingRate | FundingSettled] = []
        settled_ns = row.fT * MS
        if settled_ns > self.settled_ns:
            if self.settled_ns and self.mark_ticks:
                told.append(FundingSettled(self.symbol, settled_ns, settled, self.mark_ticks))
            self.settled_ns = settled_ns
        told.append(FundingRate(self.symbol, row.ts * MS, expected, row.nFT * MS))
        return told

    def forget_book(self) -> None:
        """The connection is gone: what we hold ages from now on, a snapshot replaces it."""
        self.book.clear()
        self.top = (0, 0, 0, 0)


def _trade_id(row: TradeRow) -> int:
    return row.id

"""The actor behind `feed.poloniex_spot`: one spot market by the machine of the futures feed.

Rows of spot are put into the words of futures, quantities of the coin into contracts: what is less than one
contract is nothing. Where the venue has no mark price, the middle of the book stands in for it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.place import Place
from actors.feed.poloniex.actor import PoloniexFeed
from actors.feed.poloniex.history import HistorySteps, read_history
from actors.feed.poloniex.settings import PoloniexSpotFeedSettings
from actors.messages.market import FundingRate, FundingSettled
from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import BookFrame, BookRow, MarkFrame, MarkRow, TradeRow, TradesFrame
from actors.poloniex.market_rows import CandleRow
from actors.poloniex.numbers import parse_e8
from actors.poloniex.request import Request
from actors.poloniex.spot_frames import (
    SpotBookFrame,
    SpotTickerFrame,
    SpotTradesFrame,
    read_spot_public,
)
from actors.poloniex.spot_market import (
    SPOT_INTERVALS,
    read_spot_book,
    read_spot_candles,
    read_spot_day,
    spot_book,
    spot_candles,
    spot_day,
)
from actors.poloniex.stream import Channel
from actors.runtime.behaviour import Context

__all__ = ["PoloniexSpotFeed"]

TICKER_SILENT_NS = 60_000_000_000  # a ticker comes when something changed
NO_PRICE = ("", "0")


class PoloniexSpotFeed(PoloniexFeed):
    """Publishes one spot market, and answers for its past."""

    EMITS: ClassVar = tuple(kind for kind in PoloniexFeed.EMITS if kind not in (FundingRate, FundingSettled))

    def __init__(self, settings: PoloniexSpotFeedSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._contract_e8 = place.instrument.contract_e8
        self._price_text = place.instrument.price_text
        self.handlers = {
            SpotBookFrame: self._on_spot_book,
            SpotTradesFrame: self._on_spot_trades,
            SpotTickerFrame: self._on_spot_ticker,
        }

    def channels(self) -> tuple[Channel, ...]:
        symbols, silent_ns = (self.symbol,), self.settings.silent_after
        return (
            Channel("book_lv2", symbols, silent_ns),
            Channel("ticker", symbols, max(TICKER_SILENT_NS, silent_ns)),
            Channel("trades", symbols),
        )

    def read_frame(self, raw: bytes) -> Any:
        return read_spot_public(raw)

    # -- frames --------------------------------------------------------------------------------------

    def _on_spot_book(self, frame: SpotBookFrame, received_ns: int, context: Context) -> None:
        rows = tuple(
            BookRow(row.symbol, row.id, self._levels(row.asks), self._levels(row.bids), row.ts, row.lastId)
            for row in frame.data
        )
        self.on_book(BookFrame(action=frame.action, data=rows), received_ns, context)

    def _on_spot_trades(self, frame: SpotTradesFrame, received_ns: int, context: Context) -> None:
        rows = []
        for row in frame.data:
            contracts = self._contracts(row.quantity)
            if not row.id.isdecimal():
                raise Malformed("trade", f"id {row.id[:40]!r}")
            if contracts:
                rows.append(
                    TradeRow(row.symbol, int(row.id), row.price, contracts, row.takerSide, row.createTime)
                )
        self.on_trades(TradesFrame(data=tuple(rows)), received_ns, context)

    def _on_spot_ticker(self, frame: SpotTickerFrame, received_ns: int, context: Context) -> None:
        self.session.data("ticker", context.now_ns)
        rows = []
        for row in frame.data:
            text = row.markPrice
            if text in NO_PRICE:
                bid, _, ask, _ = self.picture.top
                text = self._price_text((bid + ask) // 2) if bid and ask else row.close
            rows.append(MarkRow(row.symbol, text, row.ts))
        self.on_mark(MarkFrame(data=tuple(rows)), received_ns, context)

    def _levels(self, levels: list[tuple[str, str]]) -> list[tuple[str, int]]:
        return [(price, self._contracts(quantity)) for price, quantity in levels]

    def _contracts(self, quantity: str) -> int:
        """Return the whole contracts in a quantity of the market's. Errors: Malformed."""
        amount = parse_e8(quantity)
        if amount < 0:
            raise Malformed("quantity", repr(quantity[:40]))
        return amount // self._contract_e8

    # -- REST ----------------------------------------------------------------------------------------

    def check_requests(self) -> tuple[Request, Request]:
        return spot_book(self.symbol, 5), spot_day(self.symbol)

    def best_prices(self, answer: Answer) -> tuple[str, str]:
        book = read_spot_book(answer)
        return book.bids[0] if book.bids else "", book.asks[0] if book.asks else ""

    def mark_price(self, answer: Answer) -> str:
        text = read_spot_day(answer).markPrice
        return "" if text in NO_PRICE else text

    def history_steps(self, interval_ns: int, bars_count: int, now_ns: int) -> HistorySteps:
        reader = self.picture.reader
        return read_history(
            self.symbol, interval_ns, bars_count, now_ns, reader, spot_candles, SPOT_INTERVALS
        )

    def read_page(self, answer: Answer) -> list[CandleRow]:
        return [
            CandleRow(
                row.low,
                row.high,
                row.open,
                row.close,
                row.amount,
                self._contracts(row.quantity),
                row.trades,
                row.start_ms,
                row.end_ms,
            )
            for row in read_spot_candles(answer)
        ]

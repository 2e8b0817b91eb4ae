"""The actor behind `feed.poloniex`: one symbol, a socket of its own, and REST as a second witness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import msgspec

from actors.domain.place import Place
from actors.feed.poloniex.connection import FeedConnection
from actors.feed.poloniex.history import HistorySteps, read_history
from actors.feed.poloniex.settings import PoloniexMarketSettings
from actors.feed.poloniex.timers import FeedPulse, HistoryRetry
from actors.messages.market import (
    BookDepth,
    FeedState,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    Trade,
)
from actors.poloniex.answers import OK, Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import Call, LineDue, NotAnswered, RateLimited
from actors.poloniex.market_rows import CandleRow, read_candles, read_order_book, read_tickers
from actors.poloniex.rate_budget import Priority
from actors.poloniex.request import Request, order_book, tickers
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message, Severity
from actors.runtime.pumps.messages import (
    HttpFailure,
    HttpResponse,
    SocketClosed,
    SocketFrame,
    SocketOpened,
)

__all__ = ["PoloniexFeed"]

LYING = "FeedLying"
HISTORIES_MAX = 64  # questions for the past under way
HISTORY_TRIES = 6
HISTORY_RETRY_NS = 1_000_000_000


@dataclass(slots=True)
class HistoryReading:
    """One reader's question for the past."""

    reader: str
    interval_ns: int
    steps: HistorySteps
    request: Request
    tries: int = 0


class PoloniexFeed(FeedConnection):
    """Publishes one symbol's market, and answers for its past."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        SocketFrame,
        SocketOpened,
        SocketClosed,
        HttpResponse,
        HttpFailure,
        HistoryRequest,
        RateLimited,
        FeedPulse,
        HistoryRetry,
        LineDue,
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        Quote,
        BookDepth,
        Trade,
        MarkPrice,
        FundingRate,
        FundingSettled,
        FeedStatus,
        RateLimited,
    )
    REPLIES: ClassVar[tuple[type[Message], ...]] = (History, FeedStatus)

    def __init__(self, settings: PoloniexMarketSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._histories: dict[int, HistoryReading] = {}
        self._histories_count = 0
        self._check_due_ns = 0
        self._lying: str | None = None  # how; "" when it agrees, None when that is not known yet

    def started(self, context: Context) -> None:
        """Connect; the first cross-check comes at a moment of its own, so that feeds do not ask in chorus."""
        self.connect(context)
        self._check_due_ns = context.now_ns + context.random.randrange(self.settings.cross_check_every)

    def on_feed_pulse(self, message: FeedPulse, context: Context) -> None:
        """Look at everything that has a deadline."""
        self.pulse(context)
        if context.now_ns >= self._check_due_ns:
            self._check_due_ns = context.now_ns + self.settings.cross_check_every
            book, ticker = self.check_requests()
            self._ask(book, self._book_answered, context)
            self._ask(ticker, self._ticker_answered, context)

    def check_requests(self) -> tuple[Request, Request]:
        """Return what the second witness is asked: the best prices, and the mark price."""
        return order_book(self.symbol, 5), tickers(self.symbol)

    def best_prices(self, answer: Answer) -> tuple[str, str]:
        """Return best bid and ask over REST as text, "" for an empty side. Errors: Malformed."""
        row = read_order_book(answer)
        return row.bids[0][0] if row.bids else "", row.asks[0][0] if row.asks else ""

    def mark_price(self, answer: Answer) -> str:
        """Return the mark price over REST as text, "" when there is none. Errors: Malformed."""
        return next((row.mPx for row in read_tickers(answer) if row.s == self.symbol), "")

    # -- the second witness --------------------------------------------------------------------------

    def _ask(
        self,
        request: Request,
        outcome: Callable[[Call, Answer | NotAnswered, Context], None],
        context: Context,
    ) -> None:
        deadline_ns = context.now_ns + self.settings.request_timeout
        self.line.put(Call(request, Priority.IDLE, deadline_ns, outcome), context)

    def _book_answered(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        """Hold the best prices over REST against the stream's."""
        if isinstance(outcome, NotAnswered) or outcome.code != OK:
            return
        ticks, check = self.picture.reader.nearest, self.check
        try:
            bid, ask = [ticks(text) if text else 0 for text in self.best_prices(outcome)]
        except Malformed as error:
            self.surprise(str(error), context)
            return
        if self.is_fresh(call.left_ns):
            check.judge("book", (check.bid, bid), (check.ask, ask))
            self._judge(context)

    def _ticker_answered(self, call: Call, outcome: Answer | NotAnswered, context: Context) -> None:
        """Hold the mark price over REST against the stream's."""
        if isinstance(outcome, NotAnswered) or outcome.code != OK:
            return
        check = self.check
        try:
            text = self.mark_price(outcome)
            mark = self.picture.reader.nearest(text) if text else 0
        except Malformed as error:
            self.surprise(str(error), context)
            return
        if mark and self.is_fresh(call.left_ns):
            check.judge("mark", (check.mark, mark))
            self._judge(context)

    def _judge(self, context: Context) -> None:
        """A lying feed is worth nothing: readers stand still until it agrees with REST again."""
        check, now_ns = self.check, context.now_ns
        if check.is_lying and not self._lying:
            self._lying = check.fault
            self.distrusted = True
            status = FeedStatus(self.symbol, now_ns, FeedState.FROZEN, now_ns, f"contradicted: {check.fault}")
            context.publish(status)
            text = f"The stream of {self.symbol} contradicts REST: {check.fault}"
            context.alert(LYING, Severity.PAGE, text, key=self.symbol)
        elif self._lying and not check.is_lying:
            self._lying = ""
            self.distrusted = False
            context.publish(self.subscription.status(now_ns))
            context.resolve(LYING, key=self.symbol)
        elif self._lying is None and not any(check.strikes.values()):
            self._lying = ""
            context.resolve(LYING, key=self.symbol)  # the feed before a restart may have left it behind

    # -- the past ------------------------------------------------------------------------------------

    def on_history_request(self, message: HistoryRequest, context: Context) -> None:
        """Read closed bars; the answer comes when the pages have."""
        if message.symbol != self.symbol:
            return
        now_ns, count = context.now_ns, message.bars_count
        steps = self.history_steps(message.interval_ns, count, now_ns)
        try:
            request = next(steps)
        except StopIteration:
            self._tell_history(context.sender, message.interval_ns, (), context)
            return
        except ValueError as error:
            context.log("history_refused", reader=context.sender, reason=str(error))
            self._tell_history(context.sender, message.interval_ns, (), context)
            return
        if len(self._histories) >= HISTORIES_MAX or not context.sender:
            self._tell_history(context.sender, message.interval_ns, (), context, is_known=False)
            return
        self._histories_count += 1
        reading = HistoryReading(context.sender, message.interval_ns, steps, request)
        self._histories[self._histories_count] = reading
        self._ask_history(self._histories_count, reading, context)

    def history_steps(self, interval_ns: int, bars_count: int, now_ns: int) -> HistorySteps:
        """Return the reading of closed bars. Errors: ValueError when no bar can have this interval."""
        return read_history(self.symbol, interval_ns, bars_count, now_ns, self.picture.reader)

    def read_page(self, answer: Answer) -> list[CandleRow]:
        """Return a page of candles, oldest first. Errors: Malformed."""
        return read_candles(answer)

    def on_history_retry(self, message: HistoryRetry, context: Context) -> None:
        """Ask for a page again."""
        reading = self._histories.get(message.number)
        if reading is not None:
            self._ask_history(message.number, reading, context)

    def _ask_history(self, number: int, reading: HistoryReading, context: Context) -> None:
        reading.tries += 1
        self._ask(reading.request, partial(self._page_answered, number), context)

    def _page_answered(
        self, number: int, call: Call, outcome: Answer | NotAnswered, context: Context
    ) -> None:
        reading = self._histories.get(number)
        if reading is None:
            return
        if isinstance(outcome, NotAnswered) or outcome.code != OK:
            if reading.tries < HISTORY_TRIES:
                context.schedule(HISTORY_RETRY_NS * reading.tries, HistoryRetry(number))
            else:
                self._end_history(number, (), context, is_known=False)
            return
        try:
            reading.request = reading.steps.send(self.read_page(outcome))
        except StopIteration as end:
            self._end_history(number, end.value, context)
        except Malformed as error:
            self.surprise(str(error), context)
            self._end_history(number, (), context, is_known=False)
        else:
            reading.tries = 0
            self._ask_history(number, reading, context)

    def _end_history(
        self, number: int, bars: tuple[Any, ...], context: Context, *, is_known: bool = True
    ) -> None:
        reading = self._histories.pop(number)
        self._tell_history(reading.reader, reading.interval_ns, bars, context, is_known=is_known)

    def _tell_history(
        self,
        reader: str,
        interval_ns: int,
        bars: tuple[Any, ...],
        context: Context,
        *,
        is_known: bool = True,
    ) -> None:
        history = History(self.symbol, interval_ns, bars, is_known)
        if not reader:
            context.reply(history)
            return
        context.send(reader, history)
        # Whoever warms up has just started, and may have missed the last change.
        context.send(reader, self.status(context.now_ns))

    def status(self, now_ns: int) -> FeedStatus:
        """Return what the feed is worth right now."""
        if self._lying:
            reason = f"contradicted: {self._lying}"
            return FeedStatus(self.symbol, now_ns, FeedState.FROZEN, now_ns, reason)
        return self.subscription.status(now_ns)

    # -- showing -------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """Return prices, connection and checks for an operator."""
        described: dict[str, Any] = msgspec.to_builtins(self.state) if self.is_started else {}
        if not self.is_started:
            return described
        picture, session = self.picture, self.session
        bid, bid_size, ask, ask_size = picture.top
        return described | {
            "bid_ticks": bid,
            "bid_contracts": bid_size,
            "ask_ticks": ask,
            "ask_contracts": ask_size,
            "mark_ticks": picture.mark_ticks,
            "book_is_ready": picture.book.is_ready,
            "stream": session.phase.value,
            "last_loss": session.reason,
            "checks": self.check.checks_count,
            "contradiction": self._lying,
        }

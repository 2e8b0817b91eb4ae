"""The stream of one symbol: kept open, kept believable, and turned into messages."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.place import Place
from actors.feed.poloniex.cross_check import CrossCheck
from actors.feed.poloniex.market import MarketPicture
from actors.feed.poloniex.settings import PoloniexFeedSettings, PoloniexMarketSettings
from actors.feed.poloniex.timers import FeedPulse, PoloniexFeedState
from actors.feed.subscription import Subscription
from actors.messages.market import FundingSettled
from actors.poloniex.book import BookChange
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import (
    BookFrame,
    Control,
    FundingFrame,
    IndexFrame,
    MarkFrame,
    TradesFrame,
    read_public,
)
from actors.poloniex.line import Line, LineDue, RateLimited
from actors.poloniex.rate_budget import RateBudget, limits_of
from actors.poloniex.stream import Action, Channel, Open, Send, StreamLimits, StreamSession
from actors.runtime.behaviour import Behaviour, Context, Persistence, Phase
from actors.runtime.messages import Severity
from actors.runtime.pumps.messages import (
    HttpFailure,
    HttpResponse,
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)

__all__ = ["FeedConnection"]

MS = 1_000_000
SECOND = 1_000 * MS
PULSE_NS = 250 * MS
FUNDING_SILENT_NS = 300 * SECOND  # it comes once a minute
BOOK, DEPTH = "book_lv2", 20
SURPRISE, UNREACHABLE, RATE_LIMITED = "FeedUnreadable", "FeedUnreachable", "VenueRateLimited"
RATE_CALM_NS = 300 * SECOND  # without a 429, and it is over
SURPRISE_TOLD_NS = 600 * SECOND  # from one telling of what cannot be read to the next
SURPRISE_CALM_NS = 3_600 * SECOND  # without anything of the kind, and it is over
LOSSES_TOLD = 2  # attempts in a row without a connection, before somebody is told


class FeedConnection(Behaviour):
    """Market data from frames."""

    STATE = PoloniexFeedState
    PERSISTENCE: ClassVar = Persistence.SAVED
    PHASE: ClassVar = Phase.SOURCE

    state: PoloniexFeedState
    line: Line
    session: StreamSession
    subscription: Subscription
    is_started = False

    def __init__(self, settings: PoloniexMarketSettings, place: Place) -> None:
        self.settings = settings
        self.symbol = place.symbol
        self.check = CrossCheck(settings.cross_check_tolerance, settings.cross_check_strikes)
        self.picture = MarketPicture(
            place.symbol,
            place.instrument.tick_e8,
            settings.book_levels,
            settings.book_every,
            self.check,
        )
        self.distrusted = False
        self.frames_count = 0
        self.gaps_count = 0
        self.surprises_count = 0
        self._snapshot_due_ns = 0  # 0: the book has one
        self._stream_was_up = False
        self._stale_sockets: set[str] = set()
        self._surprise_due_ns = 0  # when the next one is told
        self._losses_in_row = 0
        self.handlers: dict[type, Any] = {
            BookFrame: self.on_book,
            TradesFrame: self.on_trades,
            MarkFrame: self.on_mark,
            IndexFrame: self._on_index,
            FundingFrame: self._on_funding,
        }

    def connect(self, context: Context) -> None:
        """Open the stream."""
        settings, now_ns = self.settings, context.now_ns
        limits = StreamLimits(backoff_min=settings.backoff_min, backoff_max=settings.backoff_max)
        self.session = StreamSession(f"{context.name}@{now_ns}", self.channels(), limits, context.random)
        budget = RateBudget(limits_of(0, settings.limits_fraction), self.state.paces)
        prefix = f"{context.epoch}.{now_ns}."
        self.line = Line(settings.rest_url, settings.request_timeout, budget, _unsigned, prefix=prefix)
        self.subscription = Subscription(self.symbol, settings, now_ns, gap_ns=0)
        if isinstance(settings, PoloniexFeedSettings):
            self.subscription.liveness.stuck_after_ns = settings.references_frozen_after
        self.picture.settled_ns = self.state.settled_ns
        self.is_started = True
        self._act(self.session.start(now_ns), context)
        context.schedule(PULSE_NS, FeedPulse(), key="pulse")

    def channels(self) -> tuple[Channel, ...]:
        """Return what is subscribed to."""
        settings, symbols = self.settings, (self.symbol,)
        return (
            Channel(BOOK, symbols, settings.silent_after, DEPTH),
            Channel("mark_price", symbols, settings.silent_after),
            Channel("index_price", symbols, settings.silent_after),
            Channel("trades", symbols),  # nobody owes us trades
            Channel("funding_rate", symbols, max(FUNDING_SILENT_NS, settings.silent_after)),
        )

    def read_frame(self, raw: bytes) -> Any:
        """Return a frame of the stream. Errors: Malformed."""
        return read_public(raw)

    def stopping(self, context: Context) -> None:
        """Leave the stream."""
        if self.is_started and self.session.socket_id:
            context.effect("socket", SocketClose(self.session.socket_id))

    def pulse(self, context: Context) -> None:
        """Look at the stream, the book's snapshot and the line."""
        now_ns = context.now_ns
        self._act(self.session.tick(now_ns), context)
        if self._snapshot_due_ns and now_ns >= self._snapshot_due_ns:
            self._snapshot_due_ns = 0
            self._act(self.session.lose("no snapshot of the book came", now_ns), context)
        if not self.distrusted:
            self.subscription.check(context)
        self.line.check(context)
        context.schedule(PULSE_NS, FeedPulse(), key="pulse")

    def is_fresh(self, since_ns: int) -> bool:
        """Tell whether the stream has been up, with a book, all the time since an instant."""
        return self.picture.book.is_ready and self.session.is_up and self.session.up_since_ns <= since_ns

    # -- pumps ---------------------------------------------------------------------------------------

    def on_socket_frame(self, message: SocketFrame, context: Context) -> None:
        """One frame; the hot path of the feed."""
        if message.socket_id != self.session.socket_id:
            self._shut_stale(message.socket_id, context)
            return
        self.frames_count += 1
        try:
            frame = self.read_frame(message.data)
            if isinstance(frame, Control):
                actions = self.session.control(frame.event, frame.channel, frame.message, context.now_ns)
                self._act(actions, context)
            elif frame.event:
                channel = str(frame.__struct_config__.tag)
                self._act(self.session.control(frame.event, channel, "", context.now_ns), context)
            else:
                self.handlers[type(frame)](frame, message.received_at_ns, context)
        except Malformed as error:
            self.surprise(str(error), context)

    def on_socket_opened(self, message: SocketOpened, context: Context) -> None:
        """The pump has a connection."""
        self._act(self.session.opened(message.socket_id, context.now_ns), context)

    def on_socket_closed(self, message: SocketClosed, context: Context) -> None:
        """It has none any more."""
        self._stale_sockets.discard(message.socket_id)
        losses_count = self.session.stats.losses
        reason = f"socket closed ({message.code}): {message.reason}"
        self._act(self.session.closed(message.socket_id, reason, context.now_ns), context)
        if self.session.stats.losses != losses_count:
            self._tell_unreachable(message.reason, context)

    def on_http_response(self, message: HttpResponse, context: Context) -> None:
        """An answer came."""
        refused_count = self.line.budget.refused_count()
        self.line.answered(message, context)
        if self.line.budget.refused_count() != refused_count:
            context.save()
            text = f"The venue limits the requests of {self.symbol}: fewer leave for a while"
            context.alert(RATE_LIMITED, Severity.TICKET, text, key=self.symbol, ends_after_ns=RATE_CALM_NS)

    def on_rate_limited(self, message: RateLimited, context: Context) -> None:
        """Somebody who shares a limit with us got a 429; it has raised the alert."""
        if self.is_started and self.line.heard(message, context):
            context.save()

    def on_http_failure(self, message: HttpFailure, context: Context) -> None:
        """No answer came."""
        self.line.failed(message, context)

    def on_line_due(self, message: LineDue, context: Context) -> None:
        """A request's turn may have come."""
        self.line.pump(context)

    # -- frames --------------------------------------------------------------------------------------

    def on_book(self, frame: BookFrame, received_ns: int, context: Context) -> None:
        now_ns, picture = context.now_ns, self.picture
        self.session.data(BOOK, now_ns)
        snapshot = frame.action == "snapshot"
        for row in frame.data:
            if row.s != self.symbol:
                continue
            change, told = picture.change_book(row, snapshot, now_ns)
            if change is BookChange.APPLIED:
                self._snapshot_due_ns = 0
                top = picture.top
                self.subscription.heard(received_ns, row.ts * MS, top[0] + top[2])
                for message in told:
                    context.publish(message)
            elif change is not BookChange.IGNORED:
                self.gaps_count += 1
                self._renew_book(change, context)

    def on_trades(self, frame: TradesFrame, received_ns: int, context: Context) -> None:
        self.session.data("trades", context.now_ns)
        for trade in self.picture.trades(frame.data):
            context.publish(trade)

    def on_mark(self, frame: MarkFrame, received_ns: int, context: Context) -> None:
        self.session.data("mark_price", context.now_ns)
        for row in frame.data:
            if row.s == self.symbol:
                price = self.picture.mark(row, context.now_ns)
                self.subscription.liveness.heard_references(received_ns, price.mark_ticks, price.index_ticks)
                context.publish(price)

    def _on_index(self, frame: IndexFrame, received_ns: int, context: Context) -> None:
        self.session.data("index_price", context.now_ns)
        for row in frame.data:
            if row.s == self.symbol:
                self.picture.index(row.iPx)

    def _on_funding(self, frame: FundingFrame, received_ns: int, context: Context) -> None:
        self.session.data("funding_rate", context.now_ns)
        for row in frame.data:
            if row.s != self.symbol:
                continue
            for message in self.picture.funding(row):
                context.publish(message)
                if isinstance(message, FundingSettled):
                    context.log("funding settled", settled_at_ns=message.at_ns, rate_e8=message.rate_e8)
            if self.picture.settled_ns != self.state.settled_ns:
                self.state.settled_ns = self.picture.settled_ns
                context.save()

    # -- steps ---------------------------------------------------------------------------------------

    def _renew_book(self, change: BookChange, context: Context) -> None:
        """What we hold is not the venue's book: ask for a snapshot."""
        context.log("book renewed", reason=change.value)
        if not self._snapshot_due_ns:
            self._snapshot_due_ns = context.now_ns + self.settings.snapshot_timeout
        self._act(self.session.resubscribe(BOOK, context.now_ns), context)

    def _act(self, actions: list[Action], context: Context) -> None:
        """Carry out what the session wants."""
        for action in actions:
            if isinstance(action, Open):
                timeout_ns = self.session.limits.answer_timeout
                context.effect(
                    "socket", SocketOpen(action.socket_id, self.settings.stream_url, (), timeout_ns)
                )
            elif isinstance(action, Send):
                context.effect("socket", SocketSend(action.socket_id, action.text))
            else:
                context.effect("socket", SocketClose(action.socket_id))
        if self.session.is_up != self._stream_was_up:
            self._stream_was_up = self.session.is_up
            self._turned(context)

    def _turned(self, context: Context) -> None:
        """The stream came up, or went down."""
        if self._stream_was_up:
            self._losses_in_row = 0
            context.resolve(UNREACHABLE, key=self.symbol)
            if not self.picture.book.is_ready:
                self._snapshot_due_ns = context.now_ns + self.settings.snapshot_timeout
            return
        self._snapshot_due_ns = 0
        self.picture.forget_book()
        context.log("stream lost", reason=self.session.reason)

    def _tell_unreachable(self, reason: str, context: Context) -> None:
        """Say in plain words that there is no market to be seen, once it is no hiccup any more."""
        self._losses_in_row += 1
        if self._losses_in_row == LOSSES_TOLD:
            text = (
                f"{self.symbol} has no market data: {self.settings.stream_url} cannot be reached ({reason})"
            )
            context.alert(
                UNREACHABLE, Severity.TICKET, text + "; it is tried again and again", key=self.symbol
            )

    def _shut_stale(self, socket_id: str, context: Context) -> None:
        """A connection from before this behaviour was rebuilt still lives in the pump."""
        if socket_id not in self._stale_sockets and len(self._stale_sockets) < 16:
            self._stale_sockets.add(socket_id)
            context.effect("socket", SocketClose(socket_id))

    def surprise(self, text: str, context: Context) -> None:
        """The venue said what cannot be read: counted, logged, told now and then while it goes on."""
        self.surprises_count += 1
        if context.now_ns >= self._surprise_due_ns:
            self._surprise_due_ns = context.now_ns + SURPRISE_TOLD_NS
            context.log("venue surprise", text=text)
            summary = f"The feed of {self.symbol} says what we cannot read: {text}"
            context.alert(SURPRISE, Severity.TICKET, summary, key=self.symbol, ends_after_ns=SURPRISE_CALM_NS)

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        if not self.is_started:
            return {}
        return {
            "feed_frames": self.frames_count,
            "feed_gaps": self.gaps_count,
            "feed_surprises": self.surprises_count,
            "stream_is_up": int(self.session.is_up),
            "stream_losses": self.session.stats.losses,
            "stream_unknown_frames": self.session.stats.unknown_frames,
            **self.subscription.gauges(),
            **self.line.gauges(),
        }


def _unsigned(request: object, now_ns: int) -> tuple[tuple[str, str], ...]:
    return ()

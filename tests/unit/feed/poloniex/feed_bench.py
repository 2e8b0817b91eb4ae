"""A live feed on its bench, with a stream and a REST side that the test moves by hand."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.money import E8
from actors.domain.place import Place
from actors.feed.poloniex.actor import PoloniexFeed
from actors.feed.poloniex.settings import PoloniexFeedSettings
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import (
    HttpFailure,
    HttpRequest,
    HttpResponse,
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)
from actors.runtime.testing import Bench

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
BTC = "BTC_USDT_PERP"

INSTRUMENT = Instrument(
    symbol=BTC,
    base="BTC",
    tick_e8=E8 // 100,
    contract_e8=E8 // 1000,
    contracts_min=1,
    contracts_max_limit=100_000,
    contracts_max_market=100_000,
    leverage_max=75,
    leverage_default=20,
    price_band_e8=E8 // 20,
    maker_fee_e8=20_000,
    taker_fee_e8=60_000,
    funding_interval_ns=8 * 3_600 * SECOND,
    tiers=(RiskTier(100_000, 75, 600_000),),
)


class FeedBench(Bench):
    """`bid`, `ask`, `mark` are what REST says; `None` for no answer."""

    def __init__(self, up: bool = True, **settings: Any) -> None:
        self.bid, self.ask, self.mark = "100.00", "100.01", "100.00"
        self.rest_answers = True
        self.candles: list[list[str]] = []
        self.sockets: list[str] = []
        self.sent_frames: list[dict[str, Any]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.book_id = 100
        self.line_is_up = True
        self.rest_code = 200
        self._answers: list[Message] = []
        place = Place("test", f"feed/{BTC}", "live", variables={"symbol": BTC}, instruments={BTC: INSTRUMENT})
        wanted = PoloniexFeedSettings(**settings)
        super().__init__(lambda: PoloniexFeed(wanted, place), name=f"feed/{BTC}")
        if up:
            self.run()
            assert self.feed.session.is_up
            self.snapshot()

    @property
    def feed(self) -> PoloniexFeed:
        assert isinstance(self.behaviour, PoloniexFeed)
        return self.behaviour

    def run(self, duration_ns: int = SECOND, *, books: bool = False, step_ns: int = 250 * MS) -> None:
        """Let time pass; with `books`, the stream goes on telling the same book and mark price."""
        end = self.now_ns + duration_ns
        self.carry()
        while self.now_ns < end:
            self.advance(min(step_ns, end - self.now_ns))
            if books:
                self.update()
                self.mark_price()
            self.carry()

    def carry(self) -> None:
        while self.effects or self._answers:
            effects, self.effects = self.effects, []
            for port, message in effects:
                if port == "http":
                    assert isinstance(message, HttpRequest)
                    self._answers.append(self._http(message))
                else:
                    self._socket(message)
            answers, self._answers = self._answers, []
            for answer in answers:
                self.tell(answer)

    def _socket(self, message: Message) -> None:
        if isinstance(message, SocketOpen):
            if not self.line_is_up:
                reason = "ClientConnectorDNSError: no such name"
                self._answers.append(SocketClosed(message.socket_id, 1006, reason))
                return
            self.sockets.append(message.socket_id)
            self._answers.append(SocketOpened(message.socket_id))
        elif isinstance(message, SocketClose):
            if message.socket_id in self.sockets:
                self.sockets.remove(message.socket_id)
                self._answers.append(SocketClosed(message.socket_id, 1000, "closed"))
        elif isinstance(message, SocketSend) and message.socket_id in self.sockets:
            frame = json.loads(message.text)
            self.sent_frames.append(frame)
            if frame["event"] == "ping":
                self._answers.append(self._frame({"event": "pong"}))
            for channel in frame.get("channel", ()):
                self._answers.append(self._frame({"event": frame["event"], "channel": channel}))

    def _http(self, request: HttpRequest) -> Message:
        url = urlsplit(request.url)
        query = dict(parse_qsl(url.query))
        self.asked.append((url.path, query))
        assert request.headers == ()
        if not self.rest_answers:
            return HttpFailure(request.request_id, True, "no answer in time")
        if url.path.endswith("orderBook"):
            data: Any = {"bids": [[self.bid, "5"]], "asks": [[self.ask, "5"]], "ts": self.now_ns // MS}
        elif url.path.endswith("tickers"):
            data = [{"s": BTC, "mPx": self.mark, "c": self.mark}]
        else:
            start, end = int(query["sTime"]), int(query["eTime"])
            data = [row for row in self.candles if start <= int(row[7]) <= end][-500:]
        body = json.dumps({"code": self.rest_code, "msg": "...", "data": data}).encode()
        return HttpResponse(request.request_id, 200, (), body, MS)

    def _frame(self, content: dict[str, Any] | bytes) -> SocketFrame:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return SocketFrame(self.sockets[-1], raw, self.now_ns)

    def frame(self, content: dict[str, Any] | bytes) -> None:
        self.tell(self._frame(content))
        self.carry()

    def book(self, action: str, lid: int, bids: Any, asks: Any, *, at_ns: int = 0) -> None:
        row = {
            "s": BTC,
            "id": self.book_id,
            "lid": lid,
            "bids": bids,
            "asks": asks,
            "ts": (at_ns or self.now_ns) // MS,
        }
        self.frame({"channel": "book_lv2", "action": action, "data": [row]})

    def snapshot(self, bid: str = "100.00", ask: str = "100.01") -> None:
        self.book_id += 1
        self.book("snapshot", self.book_id - 1, [[bid, "5"]], [[ask, "5"]])

    def update(self, bids: Any = (), asks: Any = ()) -> None:
        self.book_id += 1
        self.book("update", self.book_id - 1, bids, asks)

    def mark_price(self, price: str = "100.00") -> None:
        row = {"s": BTC, "mPx": price, "ts": self.now_ns // MS}
        self.frame({"channel": "mark_price", "data": [row]})
        self.index_price(price)

    def index_price(self, price: str = "100.00") -> None:
        row = {"s": BTC, "iPx": price, "ts": self.now_ns // MS}
        self.frame({"channel": "index_price", "data": [row]})

    def alert_names(self) -> list[str]:
        return [alert.name for alert in self.alerts]

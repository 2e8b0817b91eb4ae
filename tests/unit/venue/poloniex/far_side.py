"""A venue actor on its bench, and a far side of plain lists that answers it and knows its stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.venue import CancelOrder, PlaceOrder, QueryAccount, QueryOrder
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
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings
from actors.venue.poloniex.signing import sign

MS = 1_000_000
SECOND = 1_000 * MS
KEY, SECRET = "A3TESTKEY-99", "s3cr3t-TEST-0123456789"
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

Handler = Callable[[str, str, dict[str, str], Any], Any]


@dataclass
class Silence:
    """No answer; bytes may have left."""

    bytes_left: bool = True


@dataclass
class Body:
    """An answer as raw bytes and a status."""

    raw: bytes
    status: int = 200


def ok(data: Any) -> dict[str, Any]:
    return {"code": 200, "msg": "Success", "data": data}


def refusal(code: int, text: str = "no") -> dict[str, Any]:
    return {"code": code, "msg": text, "data": ""}


def order_row(name: str, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": BTC,
        "side": "BUY",
        "type": "LIMIT",
        "ordId": "1" + name.encode().hex(),
        "clOrdId": name,
        "px": "60000",
        "sz": "10",
        "state": "NEW",
        "cancelReason": "",
        "reduceOnly": "false",
        "execQty": "0",
        "cTime": "1760000000000",
        "uTime": "1760000000000",
    }
    return row | changes


def fill_row(name: str, trade_id: str, contracts: int = 10, **changes: Any) -> dict[str, Any]:
    row = {
        "id": "7" + trade_id,
        "symbol": BTC,
        "side": "BUY",
        "ordId": "111",
        "clOrdId": name,
        "trdId": trade_id,
        "type": "TRADE",
        "role": "TAKER",
        "px": "60000",
        "qty": str(contracts),
        "feeCcy": "USDT",
        "feeAmt": "0.36",
        "cTime": "1760000001000",
        "uTime": "1760000001013",
    }
    return row | changes


def stream_fill(name: str, trade_id: str, contracts: int = 10, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": BTC,
        "side": "BUY",
        "ordId": "111",
        "clOrdId": name,
        "role": "TAKER",
        "trdId": trade_id,
        "feeCcy": "USDT",
        "feeAmt": "0.36",
        "type": "TRADE",
        "fpx": "60000",
        "fqty": str(contracts),
        "uTime": 1760000001013,
        "ts": 1760000001020,
    }
    return row | changes


@dataclass
class FarSide:
    """What the venue would answer, by path; a test changes it as it likes."""

    opens: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    bills: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    details: Any = None
    place: Any = None  # an answer, or a function of the body
    cancel: Any = None
    mode: str = "ONE_WAY"
    clock_ahead_ms: int = 0
    cash: str = "10000"
    placed: list[dict[str, Any]] = field(default_factory=list)
    canceled: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)  # "GET /path" -> answer

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, now_ns: int) -> Any:
        self.paths.append(f"{method} {path}")
        override = self.overrides.get(f"{method} {path}")
        if override is not None:
            return override(body) if callable(override) else override
        if path == "/timestamp":
            return {"serverTime": now_ns // MS + self.clock_ahead_ms}
        if path == "/v3/position/mode":
            return ok({"posMode": self.mode})
        if path == "/v3/trade/order" and method == "POST":
            self.placed.append(body)
            answer = self.place(body) if callable(self.place) else self.place
            return answer or ok({"ordId": f"9{len(self.placed)}", "clOrdId": body["clOrdId"]})
        if path == "/v3/trade/order":
            self.canceled.append(body)
            return self.cancel or ok({"ordId": "91", "clOrdId": body["clOrdId"]})
        if path == "/v3/trade/order/details":
            return self.details or refusal(11008, "The order does not exist")
        if path == "/v3/account/balance":
            details = [{"ccy": "USDT", "eq": self.cash, "upl": "0", "avail": self.cash}]
            return ok({"state": "NORMAL", "eq": self.cash, "upl": "0", "details": details})
        lists = {
            "/v3/trade/order/opens": self.opens,
            "/v3/trade/order/history": self.history,
            "/v3/trade/order/trades": self.fills,
            "/v3/trade/position/opens": self.positions,
            "/v3/account/bills": self.bills,
        }
        rows = lists[path]
        if "clOrdId" in query:
            rows = [row for row in rows if row["clOrdId"] == query["clOrdId"]]
        if "from" in query:
            rows = []
        return ok(rows)


class VenueBench(Bench):
    """A venue actor; `run` carries requests to the far side and answers back while time passes."""

    def __init__(self, far: FarSide | None = None, up: bool = True, **settings: Any) -> None:
        self.far = far or FarSide()
        self.latency_ns = 10 * MS
        self.sockets: list[str] = []  # open ones
        self.accept_sockets = True
        self.frames_sent: list[dict[str, Any]] = []
        self.requests: list[HttpRequest] = []
        self._answers: list[tuple[int, Message]] = []
        wanted = PoloniexVenueSettings(**({"key": KEY, "secret": SECRET} | settings))
        place = Place(
            "test", "venue/main", "live", variables={"account": "main"}, instruments={BTC: INSTRUMENT}
        )
        super().__init__(lambda: PoloniexVenue(wanted, place), name="venue/main")
        if up:
            self.run(3 * SECOND)
            assert self.venue.is_up, self.venue.down_reason
            self.far.paths.clear()

    @property
    def venue(self) -> PoloniexVenue:
        assert isinstance(self.behaviour, PoloniexVenue)
        return self.behaviour

    def run(self, duration_ns: int = SECOND, step_ns: int = 10 * MS) -> None:
        end = self.now_ns + duration_ns
        self.carry()
        while self.now_ns < end:
            self.advance(min(step_ns, end - self.now_ns))
            due = [message for at_ns, message in self._answers if at_ns <= self.now_ns]
            self._answers = [(at_ns, message) for at_ns, message in self._answers if at_ns > self.now_ns]
            for message in due:
                self.tell(message)
            self.carry()

    def carry(self) -> None:
        """Take what the actor wants from its pumps."""
        effects, self.effects = self.effects, []
        for port, message in effects:
            if port == "http":
                assert isinstance(message, HttpRequest)
                self.requests.append(message)
                self._answer_later(self._http(message))
            elif isinstance(message, SocketOpen):
                self._open(message)
            elif isinstance(message, SocketClose) and message.socket_id in self.sockets:
                self.sockets.remove(message.socket_id)
                self._answer_later(SocketClosed(message.socket_id, 1000, "closed"))
            elif isinstance(message, SocketSend) and message.socket_id in self.sockets:
                self._stream(message)

    def _answer_later(self, message: Message) -> None:
        self._answers.append((self.now_ns + self.latency_ns, message))

    def _open(self, message: SocketOpen) -> None:
        if self.accept_sockets:
            self.sockets.append(message.socket_id)
            self._answer_later(SocketOpened(message.socket_id))
        else:
            self._answer_later(SocketClosed(message.socket_id, 1006, "refused"))

    def _stream(self, message: SocketSend) -> None:
        frame = json.loads(message.text)
        self.frames_sent.append(frame)
        if frame["event"] == "ping":
            self.frame({"event": "pong"}, later=True)
        elif frame.get("channel") == ["auth"]:
            good = frame["params"]["key"] == KEY
            data = {"success": good, "message": "" if good else "Authentication failed!", "ts": 1}
            self.frame({"data": data, "channel": "auth"}, later=True)
        else:
            for channel in frame["channel"]:
                self.frame({"event": frame["event"], "channel": channel, "symbols": ["all"]}, later=True)

    def _http(self, request: HttpRequest) -> Message:
        url = urlsplit(request.url)
        query = dict(parse_qsl(url.query))
        body = json.loads(request.body) if request.body else None
        self._verify(request, url.path, query)
        answer = self.far.answer(request.method, url.path, query, body, self.now_ns + self.latency_ns // 2)
        if isinstance(answer, Silence):
            return HttpFailure(request.request_id, answer.bytes_left, "no answer in time")
        raw, status = (
            (answer.raw, answer.status) if isinstance(answer, Body) else (json.dumps(answer).encode(), 200)
        )
        return HttpResponse(request.request_id, status, (), raw, self.latency_ns)

    def _verify(self, request: HttpRequest, path: str, query: dict[str, str]) -> None:
        headers = dict(request.headers)
        if path == "/timestamp":
            assert "signature" not in headers
            return
        at_ms = int(headers["signTimestamp"])
        body = request.body.decode() if request.body else None
        assert headers["signature"] == sign(SECRET.encode(), request.method, path, at_ms, query, body)

    def frame(self, content: dict[str, Any] | bytes, *, later: bool = False) -> None:
        """Have a frame come in on the actor's socket."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        message = SocketFrame(self.sockets[-1], raw, self.now_ns)
        if later:
            self._answer_later(message)
        else:
            self.tell(message)
            self.carry()

    def orders(self, *rows: dict[str, Any]) -> None:
        self.frame({"channel": "orders", "data": list(rows)})

    def trades(self, *rows: dict[str, Any]) -> None:
        self.frame({"channel": "trade", "data": list(rows)})

    def drop(self) -> None:
        """The connection breaks."""
        socket_id = self.sockets.pop()
        self.tell(SocketClosed(socket_id, 1006, "reset"))
        self.carry()

    def place(self, name: str = "o-1", **changes: Any) -> None:
        order = PlaceOrder(
            "main", name, BTC, Side.BUY, 10, OrderType.LIMIT, 6_000_000, TimeInForce.GTC, False
        )
        fields = {field: changes.get(field, getattr(order, field)) for field in order.__struct_fields__}
        self.tell(PlaceOrder(**fields), sender="oms/main")

    def cancel(self, name: str = "o-1") -> None:
        self.tell(CancelOrder("main", name, BTC), sender="oms/main")

    def query(self, name: str = "o-1") -> None:
        self.tell(QueryOrder("main", name, BTC), sender="oms/main")

    def ask_account(self, request_id: str = "q1", since_ns: int = 0) -> None:
        self.tell(QueryAccount("main", request_id, since_ns), sender="reconciler/main")


__all__ = ["BTC", "INSTRUMENT", "Body", "FarSide", "Silence", "VenueBench", "replace"]

"""A venue in memory behind a wire that loses, refuses and delays, in a time of its own."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse

MS = 1_000_000
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"


class FakeTimes:
    """Passes only when somebody waits."""

    def __init__(self) -> None:
        self.at_ns = 1_700_000_000_000 * MS

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns

    def sleep_ns(self, duration_ns: int) -> None:
        self.at_ns += duration_ns


class FakeVenue:
    """Futures orders and positions of one account, and what may go wrong on the way there and back."""

    def __init__(self, times: FakeTimes, seed: int = 0, trouble: float = 0.0) -> None:
        self.times = times
        self.orders: dict[str, str] = {}  # venue_order_id -> symbol
        self.positions: dict[str, int] = {}
        self.later: list[tuple[int, str, str]] = []  # (at_ns, venue_order_id, symbol): appear by then
        self.sent: list[tuple[int, str, str]] = []
        self.refuses: set[str] = set()  # paths that are refused for good
        self.market_max = 10**9
        self.per_second: dict[str, int] = {}  # path -> limit
        self.worst_per_second: dict[str, int] = {}
        self._chance, self._trouble = Random(seed), trouble
        self._windows: dict[tuple[str, int], int] = {}

    def send(self, request: HttpRequest) -> HttpResponse | HttpFailure:
        self.times.at_ns += MS
        place = urlsplit(request.url)
        path, query = place.path, {k: v[0] for k, v in parse_qs(place.query).items()}
        self.sent.append((self.times.at_ns, f"{request.method} {path}", request.body.decode()))
        self._appear()
        self._count(path)
        if self._window_is_full(path):
            return self._reply(request, 429, {"code": 429, "message": "too many"})
        luck = self._chance.random()
        if luck < self._trouble:
            kind = self._chance.choice(("429", "503", "500", "lost", "lost_after", "unreachable"))
            if kind == "unreachable":
                return HttpFailure(request.request_id, False, "refused")
            if kind == "lost_after":
                self._act(request.method, path, query, request.body)
            if kind.startswith("lost"):
                self.times.at_ns += request.timeout_ns
                return HttpFailure(request.request_id, True, "timed out")
            return self._reply(request, int(kind), {"code": int(kind), "message": "no"})
        if path in self.refuses:
            return self._reply(request, 200, {"code": 400, "msg": "Param error"})
        found = self._act(request.method, path, query, request.body)
        if path == "/timestamp":
            return self._reply(request, 200, {"serverTime": self.times.at_ns // MS})
        return self._reply(request, 200, found)

    # -- what it does --------------------------------------------------------------------------------

    def _act(self, method: str, path: str, query: dict[str, str], raw: bytes) -> dict[str, Any]:
        body = json.loads(raw) if raw else {}
        data: Any = []
        if (method, path) == ("DELETE", "/v3/trade/allOrders"):
            gone = [n for n, s in self.orders.items() if body.get("symbol", s) == s]
            data = [self._cancel(name) for name in gone]
        elif (method, path) == ("DELETE", "/v3/trade/batchOrders"):
            assert len(body["ordIds"]) <= 10
            data = [self._cancel(name) for name in body["ordIds"]]
        elif (method, path) == ("DELETE", "/v3/trade/order"):
            data = self._cancel(body["ordId"])
        elif path == "/v3/trade/order/opens":
            wanted = query.get("symbol", "")
            rows = sorted(n for n, s in self.orders.items() if wanted in ("", s))
            after = query.get("from", "")
            data = [self._order_row(n) for n in rows if n > after][: int(query["limit"])]
        elif path == "/v3/trade/position/opens":
            data = [self._position_row(s, n) for s, n in self.positions.items() if n]
        elif path == "/v3/trade/positionAll":
            data = [self._close(symbol) for symbol, net in list(self.positions.items()) if net]
        elif path == "/v3/trade/position":
            answer = self._close(body["symbol"])
            return {"code": answer["code"], "msg": "", "data": answer}
        elif (method, path) == ("POST", "/v3/trade/order"):
            assert body["reduceOnly"] is True
            assert body["type"] == "MARKET"
            net = self.positions.get(body["symbol"], 0)
            sign = 1 if body["side"] == "BUY" else -1
            assert int(body["sz"]) <= self.market_max
            if net * sign < 0:
                self.positions[body["symbol"]] = net + sign * min(abs(net), int(body["sz"]))
            data = {"ordId": "9", "clOrdId": body["clOrdId"]}
        return {"code": 200, "msg": "", "data": data}

    def _cancel(self, name: str) -> dict[str, Any]:
        there = self.orders.pop(name, None) is not None
        return {"ordId": name, "clOrdId": "", "code": 200 if there else 11004, "msg": ""}

    def _close(self, symbol: str) -> dict[str, Any]:
        net = self.positions.get(symbol, 0)
        code = 200 if net else 21001
        if abs(net) > self.market_max:
            code = 21010
        elif net:
            self.positions[symbol] = 0
        return {"ordId": "", "clOrdId": "", "code": code, "msg": ""}

    def _appear(self) -> None:
        for at_ns, name, symbol in list(self.later):
            if at_ns <= self.times.at_ns:
                self.later.remove((at_ns, name, symbol))
                self.orders[name] = symbol

    def _count(self, path: str) -> None:
        key = (path, self.times.at_ns // (1_000 * MS))
        self._windows[key] = self._windows.get(key, 0) + 1
        self.worst_per_second[path] = max(self.worst_per_second.get(path, 0), self._windows[key])

    def _window_is_full(self, path: str) -> bool:
        limit = self.per_second.get(path, 0)
        return bool(limit) and self._windows[path, self.times.at_ns // (1_000 * MS)] > limit

    def _order_row(self, name: str) -> dict[str, Any]:
        row = {"symbol": self.orders[name], "ordId": name, "side": "BUY", "type": "LIMIT"}
        return row | {"sz": "1", "state": "NEW", "px": "1"}

    def _position_row(self, symbol: str, net: int) -> dict[str, Any]:
        side = "BUY" if net > 0 else "SELL"
        return {"symbol": symbol, "side": side, "qty": str(abs(net)), "openAvgPx": "1", "mgnMode": "CROSS"}

    def _reply(self, request: HttpRequest, status: int, found: dict[str, Any]) -> HttpResponse:
        return HttpResponse(request.request_id, status, (), json.dumps(found).encode(), MS)

"""An exchange without sockets: requests signed by hand, a clock and prices that move when told."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import msgspec

from actors.domain.catalog import load_catalog
from actors.domain.money import E8
from actors.exchange.server.core import ExchangeCore
from actors.exchange.server.messages import StreamClose, StreamSend, WebRequest
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.exchange.server.state import ServerState

CATALOG = load_catalog((Path(__file__).parents[4] / "config/markets/poloniex-futures.json").read_text())
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"
SECOND_NS = 1_000_000_000
START_NS = 1_795_219_200 * SECOND_NS + 3_600 * SECOND_NS  # 01:00 UTC of some day
PRIVATE, PUBLIC = "/ws/v3/private", "/ws/v3/public"
SPOT_PRIVATE, SPOT_PUBLIC = "/ws/private", "/ws/public"


class HeldPath(PricePath):
    """A price that stands where it was put."""

    def __init__(self, ticks: int) -> None:
        super().__init__(0, "held", ticks)
        self.ticks = ticks

    def ticks_at(self, at_ns: int) -> int:
        return self.ticks


def settings_for(**more) -> ServerSettings:
    accounts = tuple(
        AccountSettings(
            key=name, secret=f"{name}-secret", usdt=10_000 * E8, spot={"USDT": 10_000 * E8, "BTC": E8}
        )
        for name in ("ann", "bob")
    )
    base = {"accounts": accounts, "symbols": (BTC, ETH), "participants": False, "rate_limits": 0}
    return ServerSettings(**{**base, **more})


class ServedWorld:
    """One core, its events, and shorthand. BTC stands at 80,000 and ETH at 2,000 USDT."""

    def __init__(self, **more) -> None:
        self.settings = settings_for(**more)
        self.paths = {BTC: HeldPath(8_000_000), ETH: HeldPath(200_000)}
        self.now_ns = START_NS
        self.events = []
        self.sockets = 0
        self.frames: dict[int, list] = {}
        self.closed: dict[int, bool] = {}
        self._open()

    def _open(self, state=None) -> None:
        self.core = ExchangeCore(self.settings, CATALOG, state, self.paths)
        self.core.record = self._record
        self.core.start(self.now_ns)

    def _record(self, event) -> None:
        raw = msgspec.msgpack.encode(event)
        event = msgspec.msgpack.decode(raw, type=type(event))
        self.core.apply(event)
        self.events.append(event)

    # -- time ---------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass, a tenth of a second at a time."""
        for _ in range(round(seconds * 10)):
            self.now_ns += SECOND_NS // 10
            self.core.pulse(self.now_ns)
        self.core.tell_books(self.now_ns)
        self._deliver()

    def price(self, usdt: int, symbol=BTC) -> None:
        """Move the index and the mark price at once; the median of three follows when the last does too."""
        self.paths[symbol].ticks = usdt * 100
        view = self.core.views[symbol]
        view.last_ticks = usdt * 100
        self.advance(1.1)

    # -- REST ---------------------------------------------------------------------------------------

    def send(self, method, path, query="", body=None, *, key="ann", secret=None, stamp=None, headers=()):
        """Return (status, decoded body, reply) of a signed request."""
        stamp = str(stamp if stamp is not None else self.now_ns // 1_000_000)
        raw = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
        if raw:
            parameters = f"requestBody={raw.decode()}&signTimestamp={stamp}"
        else:
            pairs = [pair for pair in query.split("&") if pair]
            parameters = "&".join(sorted([*pairs, f"signTimestamp={stamp}"], key=lambda p: p.split("=")[0]))
        signature = sign(secret or f"{key}-secret", f"{method}\n{path}\n{parameters}")
        sent = (("key", key), ("signtimestamp", stamp), ("signature", signature), *headers)
        return self.raw(method, path, query, raw, sent)

    def raw(self, method, path, query="", body=b"", headers=()):
        request = WebRequest(1, method, path, query, tuple(headers), body, "127.0.0.1")
        reply = self.core.handle(request, self.now_ns)
        self._deliver()
        return reply.status, json.loads(reply.body) if reply.body else None, reply

    def data(self, method, path, query="", body=None, key="ann"):
        """Return the data of a success."""
        status, found, _ = self.send(method, path, query, body, key=key)
        assert status == 200, found
        if isinstance(found, dict) and "code" in found:
            assert found["code"] == 200, found
            return found.get("data")
        return found

    def code(self, method, path, query="", body=None, key="ann") -> int:
        """Return the code of a refusal."""
        _, found, _ = self.send(method, path, query, body, key=key)
        assert found["code"] != 200, found
        return found["code"]

    def get(self, path, query="", key="ann"):
        return self.data("GET", path, query, key=key)

    def order(self, side="BUY", sz=1, px=None, *, key="ann", symbol=BTC, **more):
        """Return the body of an order; without a price it is a market order."""
        body = {"symbol": symbol, "side": side, "type": "LIMIT" if px else "MARKET", "sz": str(sz), **more}
        return body | ({"px": str(px)} if px else {})

    def place(self, side="BUY", sz=1, px=None, *, key="ann", **more):
        return self.data("POST", "/v3/trade/order", body=self.order(side, sz, px, **more), key=key)

    def refused(self, side="BUY", sz=1, px=None, *, key="ann", **more) -> int:
        return self.code("POST", "/v3/trade/order", body=self.order(side, sz, px, **more), key=key)

    def cancel(self, order_id, key="ann", symbol=BTC):
        return self.data("DELETE", "/v3/trade/order", body={"symbol": symbol, "ordId": order_id}, key=key)

    def trade(self, contracts, px=80_000, *, buyer="ann", seller="bob", **more):
        """Have two accounts trade: the seller rests, the buyer takes."""
        self.place("SELL", contracts, px, key=seller)
        return self.place("BUY", contracts, px, key=buyer, **more)

    def details(self, order_id, key="ann"):
        return self.get("/v3/trade/order/details", f"ordId={order_id}", key=key)

    def positions(self, key="ann"):
        return self.get("/v3/trade/position/opens", key=key)

    def balance(self, key="ann"):
        return self.get("/v3/account/balance", key=key)

    # -- WebSocket ----------------------------------------------------------------------------------

    def connect(self, path, key="") -> int:
        """Return a socket; a key logs it in."""
        self.sockets += 1
        self.frames[self.sockets] = []
        self.core.open_socket(self.sockets, path, self.now_ns)
        self._deliver()
        if key:
            stamp = self.now_ns // 1_000_000
            signature = sign(f"{key}-secret", f"GET\n/ws\nsignTimestamp={stamp}")
            params = {"key": key, "signTimestamp": stamp, "signature": signature}
            (found,) = self.say(self.sockets, {"event": "subscribe", "channel": ["auth"], "params": params})
            assert found["data"]["success"], found
        return self.sockets

    def say(self, socket, frame):
        """Send a frame; return what comes back."""
        self.core.frame(socket, frame if isinstance(frame, str) else json.dumps(frame), self.now_ns)
        self._deliver()
        return self.heard(socket)

    def subscribe(self, socket, channel, symbols, **more):
        return self.say(socket, {"event": "subscribe", "channel": [channel], "symbols": symbols, **more})

    def heard(self, socket, channel=""):
        """Return and forget what a socket was sent."""
        found, self.frames[socket] = self.frames[socket], []
        return [one for one in found if not channel or one.get("channel") == channel]

    def _deliver(self) -> None:
        for out in self.core.take_out():
            if isinstance(out, StreamSend):
                for socket in out.socket_ids:
                    self.frames[socket].append(_read(out.text))
            elif isinstance(out, StreamClose):
                self.closed[out.socket_id] = out.abrupt

    # -- faults and restarts ------------------------------------------------------------------------

    def fault(self, kind, **more):
        """Switch a fault on; return its rule."""
        body = json.dumps({"kind": kind, **more}).encode()
        status, found, _ = self.raw("POST", "/__faults__", body=body)
        assert status == 200, found
        return found

    def reopen(self) -> None:
        """Rebuild the exchange from nothing but its events, as after a kill."""
        state = ServerState()
        rebuilt = ExchangeCore(self.settings, CATALOG, state, self.paths)
        for event in self.events:
            rebuilt.apply(event)
        raw = msgspec.msgpack.encode(state)
        self._open(msgspec.msgpack.decode(raw, type=ServerState))


def sign(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _read(text):
    """Return a frame; of one that cannot be read its text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"unreadable": text}

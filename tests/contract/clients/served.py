"""A real exchange on a real port, in a thread of its own, and a raw client written from the reference."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from actors.cli.exchange import build_node
from actors.domain.catalog import load_catalog
from actors.domain.money import E8
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.exchange.server.web import ExchangeServer

CATALOG = Path(__file__).parents[3] / "config" / "markets" / "poloniex-futures.json"
KEY, SECRET = "key-a", "secret-a"
OTHER_KEY, OTHER_SECRET = "key-b", "secret-b"
BTC = "BTC_USDT_PERP"


def settings_for(**more) -> ServerSettings:
    accounts = (
        AccountSettings(key=KEY, secret=SECRET, usdt=10_000 * E8, spot={"USDT": 10_000 * E8, "BTC": E8}),
        AccountSettings(key=OTHER_KEY, secret=OTHER_SECRET, usdt=50_000 * E8),
    )
    return ServerSettings(
        **{"accounts": accounts, "symbols": (BTC, "ETH_USDT_PERP"), "rate_limits": 0, **more}
    )


class Served:
    """Runs the server until `close`."""

    def __init__(self, settings=None, state=None, port=0) -> None:
        self.settings = settings or settings_for()
        self.node = build_node(self.settings, load_catalog(CATALOG.read_text()), state)
        self.port = port
        self.error = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._started.wait(20)
        if self.error is not None:
            raise self.error

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = ExchangeServer(self.node)
        try:
            await server.start("127.0.0.1", self.port)
        except BaseException as error:
            self.error = error
            self._started.set()
            return
        self.port = server.port
        self._started.set()
        await self._stop.wait()
        await server.stop("the test is over")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


def signature(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


class RawClient:
    """Speaks REST by hand: no library knows the venue for it."""

    def __init__(self, url: str, key: str = KEY, secret: str = SECRET) -> None:
        self.url, self.key, self.secret = url, key, secret

    def send(self, method, path, query=None, body=None, *, stamp=None, headers=None, sign=True):
        """Return (HTTP status, decoded body)."""
        stamp = str(stamp if stamp is not None else int(time.time() * 1000))
        pairs = {k: str(v) for k, v in (query or {}).items()}
        raw = json.dumps(body, separators=(",", ":")) if body is not None else None
        if raw is not None:
            parameters = f"requestBody={raw}&signTimestamp={stamp}"
        else:
            everything = {**pairs, "signTimestamp": stamp}
            parameters = "&".join(f"{k}={urllib.parse.quote(everything[k])}" for k in sorted(everything))
        sent = {"Content-Type": "application/json"}
        if sign:
            text = f"{method}\n{path}\n{parameters}"
            sent |= {"key": self.key, "signTimestamp": stamp, "signature": signature(self.secret, text)}
        url = self.url + path + (f"?{urllib.parse.urlencode(pairs)}" if pairs else "")
        data = raw.encode() if raw is not None else None
        request = urllib.request.Request(url, data=data, method=method, headers=sent | (headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def data(self, method, path, query=None, body=None):
        """Return `data` of an answer that must be a success."""
        status, found = self.send(method, path, query, body)
        assert (status, found.get("code")) == (200, 200), found
        return found["data"]

    def code(self, method, path, query=None, body=None) -> int:
        """Return the code of an answer that must be a refusal."""
        _, found = self.send(method, path, query, body)
        assert found["code"] != 200, found
        return found["code"]

    def get(self, path, **query):
        return self.data("GET", path, query)

    def place(self, side="BUY", sz="1", px=None, **more):
        body = {"symbol": BTC, "side": side, "type": "LIMIT" if px else "MARKET", "sz": sz, **more}
        if px:
            body["px"] = str(px)
        return self.data("POST", "/v3/trade/order", body=body)

    def touch(self, symbol=BTC):
        """Return (best bid, best ask) as numbers."""
        book = self.get("/v3/market/orderBook", symbol=symbol, limit=5)
        return float(book["bids"][0][0]), float(book["asks"][0][0])


def near(price: float, fraction: float) -> str:
    """Return a price that far from another, on the grid of BTC."""
    return f"{price * (1 + fraction):.2f}"


@contextlib.contextmanager
def serving(settings=None, state=None, port=0):
    served = Served(settings, state, port)
    try:
        yield served
    finally:
        served.close()


def wait_for(condition, timeout_s=10.0):
    """Return what a condition returns as soon as it is true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")

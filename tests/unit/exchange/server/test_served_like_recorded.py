"""Replies and frames have the fields of recorded ones, each of the same type; skipped without the records."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.exchange.server.busy_world import busy_world, fall
from tests.unit.exchange.server.served_world import (
    BTC,
    ETH,
    PRIVATE,
    PUBLIC,
    SPOT_PRIVATE,
    SPOT_PUBLIC,
    ServedWorld,
)

RECORDS = Path(__file__).parents[5] / "shared" / "data" / "poloniex_fixtures"
pytestmark = pytest.mark.skipif(not RECORDS.is_dir(), reason="no recorded payloads here")

# Paths of money on its way in or out, of loans and subaccounts, which are not served here, and single
# orders of other people.
NOT_SERVED = re.compile(
    r"/(wallets|margin|subaccounts|v2/wallets)\b|/smartorders/\d+|/orders/\d+|/accounts/\d+"
)
# Parameters that point at somebody's rows or times.
OWN = (
    "from",
    "sTime",
    "eTime",
    "startTime",
    "endTime",
    "sT",
    "eT",
    "ordId",
    "clOrdId",
    "direct",
    "direction",
)
KNOWN = {
    # The venue itself: true and false in its documentation, "true" and "false" on the wire.
    "/v3/trade/order/history.reduceOnly",
}


def row_of(value):
    while isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    return value


def differences(name: str, recorded, served) -> Iterator[str]:
    """Yield what a recorded value has that ours has not, or has in another type."""
    if isinstance(recorded, list) != isinstance(served, list):
        yield f"{name}: {type(served).__name__} instead of {type(recorded).__name__}"
        return
    recorded, served = row_of(recorded), row_of(served)
    if not recorded or not served:
        return  # nothing to compare
    if isinstance(recorded, dict):
        yield from (f"{name}.{field} is missing" for field in recorded if field not in served)
        for field in recorded.keys() & served.keys():
            yield from differences(f"{name}.{field}", recorded[field], served[field])
    elif isinstance(recorded, list):
        if not isinstance(recorded[0], list) and len(recorded) != len(served) and "Book" not in name:
            yield f"{name}: {len(served)} elements instead of {len(recorded)}"
        for index, (one, own) in enumerate(zip(recorded, served, strict=False)):
            yield from differences(f"{name}[{index}]", one, own)
    elif kind(recorded) != kind(served):
        yield f"{name}: {served!r} instead of {recorded!r}"


def kind(value) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def ours(path: str, query: str) -> tuple[str, str]:
    """Return the same question about a symbol that is served here."""
    path = re.sub(r"/markets/[A-Z0-9]+_[A-Z]+", "/markets/BTC_USDT", path)
    query = re.sub(r"[A-Z0-9]+_USDT_PERP", BTC, unquote(query))
    query = re.sub(
        r"\b[A-Z]+_(USDT|USDC|BTC|USDD|TRX|DEF)\b", BTC if path.startswith("/v3") else "BTC_USDT", query
    )
    return path, "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in OWN)


def test_replies_have_the_fields_of_recorded_ones() -> None:
    world = busy_world()
    routes = json.loads((RECORDS / "gct_rest_poloniex.json").read_text())["routes"]
    wrong, asked = [], set()
    for route in routes:
        recorded, path = route["response"], route["path"]
        is_error = isinstance(recorded, dict) and recorded.get("code", 200) != 200
        if route["method"] != "GET" or is_error or not recorded or NOT_SERVED.match(path):
            continue
        path, query = ours(path, route["queryString"])
        status, served, _ = world.send("GET", path, query)
        if isinstance(served, dict) and served.get("code") == 25020:
            continue  # no kill switch is set
        asked.add(path)
        assert status == 200, (path, query, served)
        if path.startswith("/v3"):
            assert served["code"] == 200, (path, query, served)
            recorded, served = recorded["data"], served["data"]
        wrong += differences(path, recorded, served)
    assert [text for text in dict.fromkeys(wrong) if not any(text.startswith(one) for one in KNOWN)] == []
    assert len(asked) > 40


FUTURES_CHANNELS = (
    *("symbol", "book_lv2", "book", "candles_minute_1", "candles_minute_5", "mark_price_candles_minute_1"),
    *("index_candles_minute_1", "tickers", "trades", "index_price", "mark_price", "funding_rate"),
    *("limit_price", "open_interest"),
)
SPOT_CHANNELS = ("symbols", "ticker", "trades", "book", "book_lv2", "candles_minute_5")


def frames_of(world: ServedWorld) -> dict[tuple[bool, str], list[dict]]:
    """Return what our streams send, by (is it spot's, channel), with all that may happen happening."""
    futures, spot = world.connect(PUBLIC), world.connect(SPOT_PUBLIC)
    own, own_spot = world.connect(PRIVATE, "ann"), world.connect(SPOT_PRIVATE, "ann")
    heard = [(False, world.subscribe(futures, channel, [BTC])) for channel in FUTURES_CHANNELS]
    heard += [(True, world.subscribe(spot, channel, ["BTC_USDT"])) for channel in SPOT_CHANNELS]
    heard += [(True, world.subscribe(spot, channel, ["all"])) for channel in ("exchange", "currencies")]
    for channel in ("orders", "positions", "trade", "account"):
        world.subscribe(own, channel, ["all"])
    world.subscribe(own_spot, "orders", ["all"])
    world.say(own_spot, {"event": "subscribe", "channel": ["balances"]})
    world.subscribe(futures, "liquidation_orders", [ETH])
    order = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "79000"}
    world.data("POST", "/orders", body=order)
    world.place("BUY", 3)
    world.place("BUY", 1, 79_000)
    world.paths[ETH].ticks = 200_000
    world.advance(3)
    fall(world)
    world.advance(61)
    sockets = ((False, futures), (True, spot), (False, own), (True, own_spot))
    heard += [(is_spot, world.heard(socket)) for is_spot, socket in sockets]
    found: dict[tuple[bool, str], list[dict]] = {}
    for is_spot, frames in heard:
        for frame in frames:
            if frame.get("data"):
                found.setdefault((is_spot, frame["channel"]), []).append(frame)
    return found


def test_frames_have_the_fields_of_recorded_ones() -> None:
    served = frames_of(busy_world())
    payloads = json.loads((RECORDS / "gct_ws_poloniex.json").read_text())["payloads"]
    wrong, compared = [], set()
    for one in payloads:
        recorded, is_spot = one["payload"], one["gateway"].startswith("spot")
        if one["expects_error_in_gct"] or not isinstance(recorded, dict) or not recorded.get("data"):
            continue
        channel = recorded.get("channel", "auth")
        if channel == "auth":
            continue
        own = served[is_spot, channel]
        state = recorded["data"][0].get("state") if channel == "orders" else None
        frame = next((f for f in own if state is None or f["data"][0]["state"] == state), own[0])
        name = f"{'spot ' if is_spot else ''}{channel}"
        compared.add(name)
        wrong += differences(f"{name}Book" if "book" in channel else name, recorded["data"], frame["data"])
        if recorded.get("action") and recorded["action"] not in {f.get("action") for f in own}:
            wrong.append(f"{name}: no action {recorded['action']}")
    assert list(dict.fromkeys(wrong)) == []
    assert len(compared) > 20


def test_the_replies_that_ccxt_recorded_live_have_no_other_fields_than_ours() -> None:
    world = busy_world()
    methods = json.loads((RECORDS / "ccxt_response_poloniex.json").read_text())["methods"]
    paths = {
        "fetchPositionMode": ("/v3/position/mode", ""),
        "fetchLeverage": ("/v3/position/leverages", f"symbol={BTC}&mgnMode=CROSS"),
        "fetchOrderBook": ("/v3/market/orderBook", f"symbol={BTC}"),
        "fetchMyTrades": ("/v3/trade/order/trades", "limit=100"),
        "fetchTickers": ("/v3/market/tickers", ""),
        "fetchBalance": ("/v3/account/balance", ""),
        "fetchClosedOrders": ("/v3/trade/order/history", ""),
        "fetchOpenOrders": ("/v3/trade/order/opens", ""),
        "fetchTrades": ("/v3/market/trades", f"symbol={BTC}"),
        "fetchOHLCV": ("/v3/market/candles", f"symbol={BTC}&interval=MINUTE_5"),
    }
    wrong, compared = [], 0
    for method, (path, query) in paths.items():
        for case in methods.get(method, []):
            recorded = case["httpResponse"]
            if isinstance(recorded, dict) and recorded.get("code") == 200:
                compared += 1
                wrong += differences(method, recorded["data"], world.get(path, query))
    assert wrong == []
    assert compared >= 8

"""Payloads that others have recorded or copied from the venue's pages are read as what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.poloniex.answers import OK, Answer, read_answer
from actors.poloniex.book import Book
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import BookFrame, Control, read_private, read_public
from actors.poloniex.market_rows import (
    read_candles,
    read_instruments,
    read_order_book,
    read_tickers,
    read_tiers,
)
from actors.poloniex.numbers import PriceReader
from actors.venue.poloniex.reports import Reporter, cash_usdt
from actors.venue.poloniex.rows import (
    read_balance,
    read_bills,
    read_fills,
    read_leverages,
    read_mode,
    read_orders,
    read_placed,
    read_positions,
)
from actors.venue.poloniex.spot_rows import (
    read_spot_accounts,
    read_spot_canceled,
    read_spot_fills,
    read_spot_orders,
    read_spot_placed,
)
from tests.unit.venue.poloniex.far_side import BTC, INSTRUMENT

FOLDER = Path(__file__).resolve().parents[5] / "shared" / "data" / "poloniex_fixtures"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="recorded payloads are not in this place")

FUTURES = {
    "GET /v3/market/allInstruments": read_instruments,
    "GET /v3/market/instruments": read_instruments,
    "GET /v3/market/tickers": read_tickers,
    "GET /v3/market/orderBook": read_order_book,
    "GET /v3/market/candles": read_candles,
    "GET /v3/market/riskLimit": read_tiers,
    "GET /v3/account/balance": read_balance,
    "GET /v3/account/bills": read_bills,
    "POST /v3/trade/order": read_placed,
    "POST /v3/trade/orders": read_placed,
    "DELETE /v3/trade/order": read_placed,
    "DELETE /v3/trade/batchOrders": read_placed,
    "DELETE /v3/trade/allOrders": read_placed,
    "POST /v3/trade/position": read_placed,
    "POST /v3/trade/positionAll": read_placed,
    "GET /v3/trade/order/opens": read_orders,
    "GET /v3/trade/order/history": read_orders,
    "GET /v3/trade/order/details": read_orders,
    "GET /v3/trade/order/trades": read_fills,
    "GET /v3/trade/position/opens": read_positions,
    "GET /v3/position/leverages": read_leverages,
    "GET /v3/position/mode": read_mode,
}
SPOT = {
    "POST /orders": read_spot_placed,
    "POST /orders/batch": read_spot_placed,
    "GET /orders": read_spot_orders,
    "GET /orders/history": read_spot_orders,
    "GET /trades": read_spot_fills,
    "DELETE /orders": read_spot_canceled,
    "DELETE /orders/cancelByIds": read_spot_canceled,
    "GET /accounts/balances": read_spot_accounts,
}
READ_AT_LEAST = 45


def routes() -> list[dict[str, Any]]:
    return json.loads((FOLDER / "gct_rest_poloniex.json").read_text())["routes"]


def test_recorded_answers_are_read() -> None:
    read_count, refused = 0, []
    for route in routes():
        name = f"{route['method']} {route['path']}"
        read = FUTURES.get(name) or SPOT.get(name)
        if read is None:
            continue
        raw = json.dumps(route["response"]).encode()
        answer = read_answer(200, raw, spot=name in SPOT)
        if answer.code != OK:
            continue
        try:
            read(answer)
        except Malformed as error:
            refused.append((name, error.text))
        else:
            read_count += 1
    # Fills under the path of the history: whoever recorded it mixed two pages up.
    missing = "Object missing required field `sz` - at `$[0]`"
    assert refused == [("GET /v3/trade/order/history", missing)]
    assert read_count >= READ_AT_LEAST


def test_every_recorded_error_has_a_code() -> None:
    for route in routes():
        found = route["response"]
        if isinstance(found, dict) and found.get("code") not in (None, 200):
            assert read_answer(200, json.dumps(found).encode()).code == str(found["code"])


def ccxt(method: str) -> list[Answer]:
    cases = json.loads((FOLDER / "ccxt_response_poloniex.json").read_text())["methods"][method]
    bodies = [case["httpResponse"] for case in cases if "linear" in case["description"]]
    return [read_answer(200, json.dumps(body).encode()) for body in bodies]


def test_a_live_account_is_read_exactly() -> None:
    (answer,) = ccxt("fetchBalance")
    assert cash_usdt(read_balance(answer)) == 720_395_666


def test_live_fills_and_orders_are_read_in_our_units() -> None:
    reporter = Reporter("main", {BTC: INSTRUMENT}, "CROSS", "NONE")
    (answer,) = ccxt("fetchMyTrades")
    rows = read_fills(answer)
    fills = [reporter.fill(row) for row in rows if row.symbol == BTC]
    assert (fills[0].price_ticks, fills[0].fee_usdt, fills[0].contracts) == (8_835_942, 4_417_971, 1)
    assert fills[0].at_ns == 1741116306563 * 1_000_000
    (answer,) = ccxt("fetchOpenOrders")
    order = reporter.order(read_orders(answer)[0], (), "x", 0)
    assert (order.limit_ticks, order.contracts, order.reduce_only) == (8_400_000, 1, False)
    (answer,) = ccxt("fetchClosedOrders")
    assert read_orders(answer)[0].reduceOnly is False


def test_recorded_frames_are_read_or_known_to_be_none_of_ours() -> None:
    payloads = json.loads((FOLDER / "gct_ws_poloniex.json").read_text())["payloads"]
    refused = []
    for payload in payloads:
        if payload.get("gateway") == "spot_v2":
            continue
        raw = payload["raw"].encode()
        found = []
        for read in (read_public, read_private):
            try:
                found.append(read(raw))
            except Malformed:
                continue
        if not any(not isinstance(one, Control) or one.event or one.channel for one in found):
            refused.append(payload["label"])
    assert refused == ["Unmarshal Error"]  # the one that is cut off


def test_a_recorded_snapshot_and_its_update_make_a_book() -> None:
    payloads = json.loads((FOLDER / "gct_ws_poloniex.json").read_text())["payloads"]
    raws = [p["raw"].encode() for p in payloads if "book_lv2" in p["raw"] and '"lid"' in p["raw"]]
    snapshot, update = (read_public(raw) for raw in raws[:2])
    assert isinstance(snapshot, BookFrame)
    assert isinstance(update, BookFrame)
    ticks = PriceReader(INSTRUMENT.tick_e8).on_grid
    book = Book()
    first, second = snapshot.data[0], update.data[0]
    book.replace(first.id, [(ticks(p), n) for p, n in first.bids], [(ticks(p), n) for p, n in first.asks])
    assert book.top() == (8_784_242, 1, 8_784_563, 1)
    book.update(second.lid, second.id, [(ticks(p), n) for p, n in second.bids], [])
    assert dict(book.bids(20))[8_780_727] == 4

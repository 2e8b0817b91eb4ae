"""What one message of the Poloniex adapter costs: a book update, an order event, an order to send."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

from actors.cli.benchmarks.world import CATALOG
from actors.domain.catalog import load_catalog
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.feed.poloniex.cross_check import CrossCheck
from actors.feed.poloniex.market import MarketPicture
from actors.messages.venue import OrderAccepted, PlaceOrder
from actors.poloniex.frames import BookFrame, OrdersFrame, StreamFillsFrame, read_private, read_public
from actors.poloniex.request import to_http
from actors.venue.poloniex.reports import Reporter, state_of
from actors.venue.poloniex.requests import place_order
from actors.venue.poloniex.signing import auth_headers, sign

__all__ = [
    "bare_hmac_us",
    "bare_json_book_us",
    "bare_json_order_us",
    "book_decode_us",
    "order_event_decode_us",
    "sign_build_us",
]

SYMBOL = "BTC_USDT_PERP"
MS = 1_000_000
START_MS = 1_760_000_000_000
ROUNDS = 20_000
MESSAGES = 500  # different ones, over and over
LEVELS = 20
MID = 60_000_00  # ticks of 0.01


def book_frames(count: int = MESSAGES) -> list[bytes]:
    """Return a snapshot and updates of three levels a side, chained, as the venue writes them."""
    frames = [_book_frame("snapshot", 0, 0, LEVELS)]
    frames += [_book_frame("update", number, number % 7, 3) for number in range(1, count)]
    return frames


def _book_frame(action: str, number: int, move: int, levels: int) -> bytes:
    def side(first: int, step: int) -> list[list[str]]:
        prices = [first + step * (level + move % 2) for level in range(levels)]
        rows = [[f"{price / 100:.2f}", str(10 + (price + number) % 90)] for price in prices]
        if number % 2:
            rows[0][1] = "0"  # the best level goes, and comes back with the next update
        return rows

    row = {
        "asks": side(MID + 1, 1),
        "bids": side(MID - 1, -1),
        "lid": 1000 + number - 1,
        "id": 1000 + number,
        "ts": START_MS + number,
        "s": SYMBOL,
        "cT": START_MS + number,
    }
    return json.dumps(
        {"channel": "book_lv2", "data": [row], "action": action}, separators=(",", ":")
    ).encode()


def order_frames(count: int = MESSAGES) -> list[bytes]:
    """Return accepted, filled and canceled orders in turn, with all the fields that the venue sends."""
    makers = (_order_frame, _fill_frame, _order_frame)
    return [makers[number % 3](number) for number in range(count)]


def _fill_frame(number: int) -> bytes:
    row: dict[str, Any] = {
        "symbol": SYMBOL,
        "side": "BUY",
        "ordId": str(331_000_000_000_000_000 + number),
        "clOrdId": f"wxh46v-2-{number}",
        "role": "TAKER",
        "trdId": str(7_000_000 + number),
        "feeCcy": "USDT",
        "feeAmt": "0.06000050",
        "deductCcy": "0",
        "deductAmt": "0",
        "fpx": f"{60_000 + number % 50}.01",
        "fqty": "5",
        "uTime": str(START_MS + number),
        "type": "TRADE",
        "ts": str(START_MS + number),
    }
    return json.dumps({"channel": "trade", "data": [row]}, separators=(",", ":")).encode()


def _order_frame(number: int) -> bytes:
    row: dict[str, Any] = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "mgnMode": "CROSS",
        "timeInForce": "GTC",
        "clOrdId": f"wxh46v-2-{number}",
        "sz": "20",
        "px": f"{60_000 + number % 50}.01",
        "reduceOnly": False,
        "posSide": "BOTH",
        "ordId": str(331_000_000_000_000_000 + number),
        "state": "CANCELED" if number % 3 else "NEW",
        "source": "API",
        "avgPx": "60000.5",
        "execQty": "5",
        "execAmt": "300.0025",
        "feeCcy": "USDT",
        "feeAmt": "0.06000050",
        "deductCcy": "0",
        "deductAmt": "0",
        "stpMode": "EXPIRE_TAKER",
        "cTime": str(START_MS + number),
        "uTime": str(START_MS + number),
        "ts": str(START_MS + number),
    }
    return json.dumps({"channel": "orders", "data": [row]}, separators=(",", ":")).encode()


def _per_call_us(work: Callable[[bytes], object], frames: list[bytes]) -> float:
    """Return CPU microseconds a call: time that others take from this process does not count."""
    for raw in frames:
        work(raw)
    turns = list(islice(cycle(frames), ROUNDS))
    began = time.process_time_ns()
    for raw in turns:
        work(raw)
    return (time.process_time_ns() - began) / ROUNDS / 1e3


def book_decode_us() -> float:
    """Return what an update costs from bytes to Quote and BookDepth, the book kept."""
    tick_e8 = load_catalog(CATALOG.read_text())[SYMBOL].tick_e8
    frames = book_frames()
    picture = MarketPicture(SYMBOL, tick_e8, LEVELS, 100 * MS, CrossCheck(200_000, 3))
    clock = iter(range(0, 1 << 62, 10 * MS))

    def work(raw: bytes) -> None:
        frame = read_public(raw)
        assert isinstance(frame, BookFrame)
        snapshot = frame.action == "snapshot"
        for row in frame.data:
            picture.change_book(row, snapshot, next(clock))

    return _per_call_us(work, frames)


def order_event_decode_us() -> float:
    """Return what an order event or a fill costs from bytes to our message."""
    reporter = Reporter("main", load_catalog(CATALOG.read_text()), "CROSS", "EXPIRE_TAKER")

    def work(raw: bytes) -> None:
        frame = read_private(raw)
        if isinstance(frame, OrdersFrame):
            for row in frame.data:
                if state_of(row) is OrderState.CANCELED:
                    reporter.canceled(row)
                else:
                    OrderAccepted("main", row.clOrdId, row.ordId, row.uTime * MS)
        elif isinstance(frame, StreamFillsFrame):
            for fill in frame.data:
                reporter.fill(fill)

    return _per_call_us(work, order_frames())


def sign_build_us() -> float:
    """Return what one order costs from our message to the signed HTTP request."""
    reporter = Reporter("main", load_catalog(CATALOG.read_text()), "CROSS", "EXPIRE_TAKER")
    names = [f"wxh46v-2-{number}".encode() for number in range(MESSAGES)]
    key, secret = "an-api-key-of-usual-length-0123456789", b"a-secret-of-the-usual-length" * 2
    stamps = iter(range(START_MS, 1 << 62))

    def work(name: bytes) -> None:
        order = PlaceOrder(
            *("main", name.decode(), SYMBOL, Side.BUY, 20, OrderType.LIMIT, MID, TimeInForce.GTC, False)
        )
        request = place_order(reporter.order_body(order))
        at_ms = next(stamps)
        signature = sign(secret, request.method, request.path, at_ms, None, request.body)
        headers = (*auth_headers(key, signature, at_ms), ("recvWindow", "5000"))
        to_http(request, "1.2.3", "https://api.poloniex.com", headers, 4_000 * MS)

    return _per_call_us(work, names)


def bare_json_book_us() -> float:
    """Return what msgspec takes to read a book update without types, us."""
    import msgspec

    return _per_call_us(msgspec.json.decode, book_frames())


def bare_json_order_us() -> float:
    """Return what msgspec takes to read an order event without types, us."""
    import msgspec

    return _per_call_us(msgspec.json.decode, order_frames())


def bare_hmac_us() -> float:
    """Return what one HMAC-SHA256 of an order's length takes, us."""
    import hmac

    return _per_call_us(lambda text: hmac.digest(b"k" * 56, text, "sha256"), [b"x" * 320])

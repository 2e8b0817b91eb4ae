"""Neither spot actor dies of anything the far side may say, and no byte makes a reader fail otherwise."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.poloniex.answers import Answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.spot_frames import read_spot_private, read_spot_public
from actors.poloniex.spot_market import read_spot_book, read_spot_candles, read_spot_day
from actors.runtime.codec import encode_message
from actors.venue.poloniex.spot_rows import (
    read_spot_accounts,
    read_spot_canceled,
    read_spot_fees,
    read_spot_fills,
    read_spot_orders,
    read_spot_placed,
)
from tests.contract.venue.spot_driver import COIN, DEPOSIT, PoloniexSpot, SpotFeedBench
from tests.property.test_poloniex_codecs import JSON

SECOND = 1_000_000_000
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
READERS = [
    *(read_spot_accounts, read_spot_canceled, read_spot_fees, read_spot_fills, read_spot_orders),
    *(read_spot_placed, read_spot_book, read_spot_candles, read_spot_day),
]
VALUES: Any = st.one_of(
    JSON, st.sampled_from(["-1", "0", "1e30", "0.0000001", "99999999999999999999", "NaN"])
)
EVENT = {
    "symbol": COIN.symbol,
    "orderId": "7",
    "side": "BUY",
    "type": "LIMIT",
    "state": "PARTIALLY_FILLED",
    "eventType": "trade",
    "clientOrderId": "o-1",
    "quantity": "0.001",
    "price": "80000",
    "filledQuantity": "0.0005",
    "createTime": 1,
    "ts": 1,
    "tradeId": "5",
    "tradeQty": "0.0005",
    "tradePrice": "80000",
    "tradeFee": "0.000001",
    "tradeTime": 1,
    "feeCurrency": "BTC",
}
BOOK = {
    "symbol": COIN.symbol,
    "id": 3,
    "lastId": 2,
    "asks": [["80001", "1"]],
    "bids": [["80000", "1"]],
    "ts": 1,
}
TRADE = {
    "symbol": COIN.symbol,
    "id": "4",
    "price": "80000",
    "quantity": "1",
    "takerSide": "buy",
    "createTime": 1,
}


@st.composite
def bent(draw: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **draw(st.dictionaries(st.sampled_from(sorted(row)), VALUES, max_size=3))}


def frames(channel: str, row: dict[str, Any]) -> Any:
    return bent(row).map(lambda found: {"channel": channel, "data": [found]})


@pytest.fixture(scope="module")
def at_venue() -> PoloniexSpot:
    return PoloniexSpot()


@pytest.fixture(scope="module")
def at_feed() -> SpotFeedBench:
    bench = SpotFeedBench()
    bench.run(2 * SECOND)
    return bench


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_rows_or_malformed(raw: bytes) -> None:
    for read in (read_spot_private, read_spot_public):
        _tolerate(read, raw)
    for reader in READERS:
        _tolerate(reader, Answer("200", "", raw, 200))


@given(value=VALUES)
def test_any_json_is_rows_or_malformed(value: Any) -> None:
    for reader in READERS:
        _tolerate(reader, Answer("200", "", json.dumps(value).encode(), 200))


@QUICK
@given(said=st.lists(st.one_of(frames("orders", EVENT), st.binary(max_size=40)), max_size=6))
def test_the_venue_survives_any_stream_and_its_books_stay_the_exchanges(
    at_venue: PoloniexSpot, said: list[Any]
) -> None:
    for frame in said:
        if _is_json(frame):
            at_venue.bench.frame(frame)
    at_venue.bench.run(SECOND)
    for message in at_venue.bench.published:
        encode_message(message)
    at_venue.bench.published.clear()
    msgspec.msgpack.encode(at_venue.bench.behaviour.state)
    assert at_venue.world.core.spot.engine.purse("ann").coins == {"USDT": DEPOSIT}


@QUICK
@given(said=st.lists(st.one_of(frames("book_lv2", BOOK), frames("trades", TRADE), st.binary(max_size=40))))
def test_the_feed_survives_any_stream(at_feed: SpotFeedBench, said: list[Any]) -> None:
    for frame in said:
        if _is_json(frame):
            at_feed.frame(frame)
    at_feed.run(SECOND // 2)
    for message in at_feed.published:
        encode_message(message)
    at_feed.published.clear()


def _tolerate(read: Any, found: Any) -> None:
    try:
        read(found)
    except Malformed:
        return


def _is_json(value: Any) -> bool:
    if isinstance(value, bytes):
        return True
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True

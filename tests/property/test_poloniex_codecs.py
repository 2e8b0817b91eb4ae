"""Whatever bytes come: typed rows or the typed error, and no number is changed on the way."""

from __future__ import annotations

import contextlib
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.poloniex.answers import Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import OrdersFrame, read_private, read_public
from actors.poloniex.market_rows import (
    read_candles,
    read_instruments,
    read_order_book,
    read_server_time_ms,
    read_tickers,
    read_tiers,
)
from actors.poloniex.numbers import PriceReader, parse_e8
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
from actors.venue.poloniex.signing import query_text, string_to_sign

READERS = [
    *(read_balance, read_bills, read_fills, read_leverages, read_mode, read_orders, read_placed),
    *(read_positions, read_candles, read_instruments, read_order_book, read_server_time_ms, read_tickers),
    read_tiers,
]
ORDER = {
    "symbol": "BTC_USDT_PERP",
    "side": "BUY",
    "type": "LIMIT",
    "clOrdId": "o-1",
    "sz": "3",
    "px": "64999",
    "reduceOnly": False,
    "ordId": "353849510130364416",
    "state": "NEW",
    "execQty": "0",
    "cTime": 1725330697421,
    "uTime": 1725330697421,
}
FRAMES = [
    {"channel": "orders", "data": [ORDER]},
    {"channel": "trade", "data": [{**ORDER, "trdId": "1", "fpx": "1", "fqty": "2"}]},
    {"channel": "auth", "data": {"success": True, "ts": 1}},
    {
        "channel": "book_lv2",
        "action": "update",
        "data": [{"s": "A", "id": 2, "lid": 1, "ts": 1, "bids": [["1.5", "1"]], "asks": [["2", "0"]]}],
    },
    {"channel": "trades", "data": [{"s": "A", "id": 1, "px": "1", "qty": "1", "side": "buy", "cT": 1}]},
    {"channel": "funding_rate", "data": [{"s": "A", "ts": 1, "fR": "0", "fT": 1, "nFR": "0", "nFT": 2}]},
    {"event": "subscribe", "channel": "orders", "symbols": ["all"]},
]
SCALARS: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "NaN", "1e99", "-0", "0.1", "999999999999999999999"]),
)
JSON: Any = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def read_or_refuse(read: Any, *arguments: Any) -> None:
    with contextlib.suppress(Malformed):
        read(*arguments)


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(read_private, raw)
    read_or_refuse(read_public, raw)
    read_answer(200, raw)
    read_answer(500, raw, spot=True)
    for read in READERS:
        read_or_refuse(read, Answer("200", "", raw, 200))


@st.composite
def mutated(draw: Any) -> bytes:
    """A real frame with bytes changed, cut out or repeated."""
    raw = bytearray(json.dumps(draw(st.sampled_from(FRAMES))).encode())
    for _ in range(draw(st.integers(1, 4))):
        if not raw:
            break
        at = draw(st.integers(0, len(raw) - 1))
        kind = draw(st.sampled_from(["set", "cut", "repeat", "tail"]))
        if kind == "set":
            raw[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del raw[at : at + draw(st.integers(1, 10))]
        elif kind == "repeat":
            raw[at:at] = raw[at : at + draw(st.integers(1, 10))]
        else:
            del raw[at:]
    return bytes(raw)


@given(mutated())
def test_mutated_frames_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(read_private, raw)
    read_or_refuse(read_public, raw)


@given(
    st.sampled_from(FRAMES), st.dictionaries(st.sampled_from([*ORDER, "data", "channel"]), JSON, max_size=4)
)
def test_fields_of_any_type_are_read_or_refused(frame: Any, changes: Any) -> None:
    data = frame.get("data")
    rows = [{**data[0], **changes}] if isinstance(data, list) else data
    raw = json.dumps({**frame, "data": rows}).encode()
    read_or_refuse(read_private, raw)
    read_or_refuse(read_public, raw)


@given(st.sampled_from(READERS), JSON)
def test_answers_of_any_shape_are_read_or_refused(read: Any, data: Any) -> None:
    answer = read_answer(200, json.dumps({"code": 200, "data": data}).encode())
    read_or_refuse(read, answer)


@given(
    st.integers(1, 10_000_000),
    st.integers(0, 10_000_000),
    st.integers(0, 10**12),
    st.booleans(),
    st.dictionaries(st.text(max_size=5).filter(lambda name: name not in ORDER), JSON, max_size=3),
)
def test_an_order_survives_the_wire_however_its_numbers_are_written(
    size: int, filled: int, at_ms: int, as_text: bool, more: dict[str, Any]
) -> None:
    write = str if as_text else int
    row = {**more, **ORDER, "sz": write(size), "execQty": write(filled), "uTime": write(at_ms)}
    found = read_private(json.dumps({"channel": "orders", "data": [row]}).encode())
    assert isinstance(found, OrdersFrame)
    assert (found.data[0].sz, found.data[0].execQty, found.data[0].uTime) == (size, filled, at_ms)


# -- numbers


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=18, allow_nan=False))
def test_money_is_the_nearest_unit_half_to_even(value: Decimal) -> None:
    expected = int((value * 10**8).to_integral_value(rounding=ROUND_HALF_EVEN))
    assert parse_e8(format(value, "f")) == expected


@given(st.integers(0, 10**10), st.sampled_from([1, 1_000, 1_000_000, 50_000_000]))
def test_a_price_on_the_grid_comes_back(ticks: int, tick_e8: int) -> None:
    reader = PriceReader(tick_e8)
    text = format(Decimal(ticks * tick_e8).scaleb(-8), "f")
    assert reader.on_grid(text) == reader.nearest(text) == ticks
    assert reader.nearest(text + "0" if "." in text else text + ".0") == ticks


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    for read in (parse_e8, PriceReader(100).nearest, PriceReader(100).on_grid):
        read_or_refuse(read, text)


# -- signing


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=5), st.integers(0, 10**13)
)
def test_what_is_signed_is_the_sorted_query_whatever_its_order(query: dict[str, str], at_ms: int) -> None:
    backwards = dict(reversed(query.items()))
    one = string_to_sign("GET", "/p", at_ms, query)
    assert one == string_to_sign("GET", "/p", at_ms, backwards)
    pairs = {**query, "signTimestamp": str(at_ms)}
    assert one == "GET\n/p\n" + "&".join(query_text({name: pairs[name]}) for name in sorted(pairs))


@pytest.mark.parametrize("read", READERS)
def test_no_data_is_refused_or_empty(read: Any) -> None:
    for data in (b"null", b'""', b"[]", b"{}"):
        try:
            found = read(Answer("200", "", data, 200))
        except Malformed:
            continue
        assert found == []

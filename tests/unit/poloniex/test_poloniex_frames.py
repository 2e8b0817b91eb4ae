"""Frames and answers as typed rows, tolerant where the venue is careless."""

from __future__ import annotations

import json

import pytest

from actors.poloniex.answers import read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.frames import (
    AuthFrame,
    BookFrame,
    Control,
    OrdersFrame,
    StreamFillsFrame,
    TradesFrame,
    read_private,
    read_public,
)

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


def frame(channel: str, *rows: object, **more: object) -> bytes:
    return json.dumps({"channel": channel, "data": rows, **more}).encode()


def read_order(**changes: object):
    found = read_private(frame("orders", {**ORDER, **changes}))
    assert isinstance(found, OrdersFrame)
    return found.data[0]


def test_numbers_may_be_text_and_text_may_be_numbers() -> None:
    loose = read_order(sz=3, px=64999, ordId=353849510130364416, cTime="1725330697421", reduceOnly="true")
    assert (loose.sz, loose.px, loose.ordId) == (3, "64999", "353849510130364416")
    assert (loose.cTime, loose.reduceOnly) == (1725330697421, True)
    assert read_order(sz="3.000").sz == read_order(sz=3.0).sz == 3


def test_a_price_written_as_a_number_keeps_every_digit() -> None:
    raw = frame("orders", ORDER).replace(b'"64999"', b"64999.123456789012345678")
    found = read_private(raw)
    assert isinstance(found, OrdersFrame)
    assert found.data[0].px == "64999.123456789012345678"


def test_unknown_fields_and_nulls_of_optional_ones_are_ignored() -> None:
    assert read_order(new={"a": [1]}, cancelReason=None, clOrdId=None).clOrdId == ""


@pytest.mark.parametrize("name", ["symbol", "side", "ordId", "state", "sz"])
def test_a_missing_field_that_matters_is_malformed(name: str) -> None:
    rest = {key: value for key, value in ORDER.items() if key != name}
    with pytest.raises(Malformed):
        read_private(frame("orders", rest))


@pytest.mark.parametrize("value", ["x", "", {}, [], "1.5", True, "9" * 400])
def test_a_size_that_is_no_count_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        read_order(sz=value)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"5", b"null", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"channel":7,"data":7']
)
def test_rubbish_is_malformed_and_nothing_worse(raw: bytes) -> None:
    for read in (read_public, read_private):
        with pytest.raises(Malformed):
            read(raw)


def test_a_known_channel_with_rubbish_in_it_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_private(b'{"channel":"orders","data":7}')
    with pytest.raises(Malformed):
        read_public(b'{"channel":"trades","data":[{"s":"A"}]}')


@pytest.mark.parametrize(
    ("raw", "event", "channel"),
    [
        (b'{"event":"pong"}', "pong", ""),
        (b'{"event":"error","message":"no valid symbols"}', "error", ""),
        (b'{"channel":"abc","data":[]}', "", "abc"),
        (b'{"event":"new","x":1}', "new", ""),
    ],
)
def test_frames_without_a_known_channel_are_control_frames(raw: bytes, event: str, channel: str) -> None:
    for read in (read_public, read_private):
        found = read(raw)
        assert isinstance(found, Control)
        assert (found.event, found.channel) == (event, channel)


def test_an_acknowledgement_is_told_from_data() -> None:
    found = read_private(b'{"channel":"orders","event":"subscribe","symbols":["all"]}')
    assert (found.event, isinstance(found, OrdersFrame)) == ("subscribe", True)


def test_a_login_is_read() -> None:
    found = read_private(b'{"data":{"success":false,"message":"no","ts":1},"channel":"auth"}')
    assert isinstance(found, AuthFrame)
    assert found.data is not None
    assert (found.data.success, found.data.message) == (False, "no")


def test_market_frames_are_read() -> None:
    row = {"asks": [["1.5", "2"]], "bids": [], "lid": 1, "id": 2, "ts": 3, "s": "A"}
    book = read_public(frame("book_lv2", row, action="update"))
    assert isinstance(book, BookFrame)
    assert (book.action, book.data[0].asks) == ("update", [("1.5", 2)])
    trade = {"id": 291, "ts": 5, "s": "A", "px": "46100", "qty": "1", "amt": "461", "side": "buy", "cT": 4}
    trades = read_public(frame("trades", trade))
    assert isinstance(trades, TradesFrame)
    assert trades.data[0].qty == 1


def test_fills_are_read() -> None:
    row = {"symbol": "A", "side": "BUY", "ordId": "3", "trdId": 48, "fpx": "1", "fqty": "2", "uTime": 1}
    found = read_private(frame("trade", row))
    assert isinstance(found, StreamFillsFrame)
    assert (found.data[0].trdId, found.data[0].fqty) == ("48", 2)


# -- answers


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b'{"code":200,"msg":"Success","data":[]}', "200"),
        (200, b'{"code":"200","msg":null,"data":[]}', "200"),
        (200, b'{"code":24101,"msg":"Invalid symbol!","data":""}', "24101"),
        (404, b'{"code":404,"message":"Resources do not exist"}', "404"),
        (401, b'{"code":401,"message":"Illegal of ip"}', "401"),
        (502, b"<html>", ""),
        (500, b'{"code":200,"data":{}}', ""),
        (200, b"", ""),
        (200, b'{"code":[1]}', ""),
        (200, b"[" * 50_000, ""),
        (200, b'{"code":true}', ""),
    ],
)
def test_the_body_decides_and_the_status_only_where_the_body_is_silent(
    status: int, body: bytes, code: str
) -> None:
    assert read_answer(status, body).code == code


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b'{"id":"1","clientOrderId":"a"}', "200"),
        (200, b'[{"id":"1"}]', "200"),
        (400, b'{"code":21301,"message":"Order not exists"}', "21301"),
        (200, b'{"orderId":"1","state":"PENDING_CANCEL","code":200,"message":""}', "200"),
        (500, b"[]", ""),
        (200, b"oops", ""),
    ],
)
def test_spot_answers_have_no_envelope(status: int, body: bytes, code: str) -> None:
    answer = read_answer(status, body, spot=True)
    assert answer.code == code
    assert answer.data == (body if code == "200" else answer.data)

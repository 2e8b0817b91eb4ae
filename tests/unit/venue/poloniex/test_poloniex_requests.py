"""What leaves: bodies and queries as the venue wants them, and settings that cannot be wrong."""

from __future__ import annotations

import json

import pytest

from actors.deployment.setting_types import walk_fields, written_struct
from actors.domain.place import Place
from actors.feed.poloniex.settings import PoloniexFeedSettings
from actors.poloniex.answers import Answer
from actors.poloniex.rate_budget import LIMITS
from actors.poloniex.request import (
    Request,
    candles,
    funding_rate,
    instruments,
    order_book,
    risk_tiers,
    server_time,
    tickers,
    to_http,
    trades,
)
from actors.venue.poloniex import requests, spot_requests
from actors.venue.poloniex.credentials import Credentials, credentials_of
from actors.venue.poloniex.requests import OrderBody
from actors.venue.poloniex.settings import PoloniexVenueSettings
from actors.venue.poloniex.spot_requests import SpotOrderBody
from actors.venue.poloniex.spot_rows import read_spot_fills, read_spot_orders, read_spot_placed

ORDER = OrderBody("A", "BUY", "CROSS", "BOTH", "LIMIT", "1", "60000", "GTC", "o-1")
SPOT = SpotOrderBody("A_B", "BUY", "LIMIT", "1", "", "5", "GTC", "o-1")
EVERY = [
    *(server_time(), instruments(), instruments("A"), tickers("A"), order_book("A", 5)),
    *(candles("A", "MINUTE_1", 1, 2, 500), trades("A", 10), funding_rate("A"), risk_tiers("A")),
    *(requests.place_order(ORDER), requests.place_many((ORDER,)), requests.cancel_order("A", "o-1")),
    *(requests.cancel_many("A", ("o-1", "o-2")), requests.cancel_all(), requests.cancel_all("A")),
    *(requests.close_position("A", "CROSS", "o-1"), requests.close_all(), requests.open_orders()),
    *(requests.order_history("A", since_ms=5, after="9"), requests.order_details("o-1"), requests.fills()),
    *(requests.balance(), requests.bills("FUNDING_FEE", since_ms=7), requests.positions()),
    *(requests.position_mode(), requests.set_position_mode("ONE_WAY"), requests.leverages("A", "CROSS")),
    *(requests.set_leverage("A", "CROSS", 20), requests.change_margin("A", "1.5", add=True)),
    *(requests.risk_limits("A", "CROSS"), spot_requests.spot_place_order(SPOT)),
    *(spot_requests.spot_cancel_order("o-1"), spot_requests.spot_cancel_all(("A_B",))),
    *(spot_requests.spot_order("o-1"), spot_requests.spot_open_orders(), spot_requests.spot_fills()),
    *(spot_requests.spot_order_history(since_ms=3), spot_requests.spot_order_fills("7")),
    spot_requests.spot_balances(),
]


@pytest.mark.parametrize("request_", EVERY, ids=lambda one: f"{one.method} {one.path}")
def test_every_request_has_a_limit_and_a_form_the_venue_takes(request_: Request) -> None:
    assert request_.limit in LIMITS
    assert request_.path.startswith("/")
    assert all(text for _, text in request_.query)
    assert not (request_.query and request_.body)
    assert request_.changes == (request_.method != "GET")
    assert request_.signed or request_.method == "GET"
    if request_.body is not None:
        json.loads(request_.body)
    message = to_http(request_, "1", "https://api.poloniex.com", (), 1)
    assert message.url.startswith("https://api.poloniex.com" + request_.path)


def test_an_orders_empty_fields_are_left_out() -> None:
    body = json.loads(requests.place_order(ORDER).body or "")
    assert set(body) == {
        *("symbol", "side", "mgnMode", "posSide", "type", "sz", "px", "timeInForce", "clOrdId")
    }


def test_a_batch_is_a_bare_array() -> None:
    assert isinstance(json.loads(requests.place_many((ORDER, ORDER)).body or ""), list)


def test_a_page_begins_after_the_last_row_of_the_one_before() -> None:
    query = dict(requests.order_history("A", "o-1", since_ms=5, after="9").query)
    assert query == {"symbol": "A", "clOrdId": "o-1", "sTime": "5", "from": "9", "limit": "100"}


def test_spot_rows_are_read() -> None:
    order = {"id": 5, "symbol": "A_B", "state": "NEW", "side": "BUY", "type": "LIMIT", "quantity": 1.5}
    (row,) = read_spot_orders(Answer("200", "", json.dumps([order]).encode(), 200))
    assert (row.id, row.quantity) == ("5", "1.5")
    fill = {"id": "1", "symbol": "A_B", "orderId": "5", "side": "BUY", "price": "2", "quantity": "3"}
    assert read_spot_fills(Answer("200", "", json.dumps([fill]).encode(), 200))[0].price == "2"
    batch = [{"id": "1", "clientOrderId": "a"}, {"code": 21312, "message": "dup", "clientOrderId": "b"}]
    assert [row.code for row in read_spot_placed(Answer("200", "", json.dumps(batch).encode(), 200))] == [
        200,
        21312,
    ]


# -- settings and credentials


@pytest.mark.parametrize("kind", [PoloniexVenueSettings, PoloniexFeedSettings])
def test_every_setting_is_explained_and_can_be_written(kind: type) -> None:
    assert all(field.description for _, field in walk_fields(kind))
    assert written_struct(kind())


def test_limits_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="clock_worry"):
        PoloniexVenueSettings(clock_worry=2_000_000_000)
    with pytest.raises(ValueError, match="backoff_min"):
        PoloniexVenueSettings(backoff_min=60_000_000_000)
    with pytest.raises(ValueError, match="backoff_min"):
        PoloniexFeedSettings(backoff_min=60_000_000_000)


def test_references_become_values_only_where_the_deployment_gave_them() -> None:
    key, secret = "secret://kv/a#key", "secret://kv/a#secret"
    given = Place("t", "venue/main", "live", secrets={key: "K", secret: "S"})
    found = credentials_of(key, secret, given)
    assert found is not None
    assert (found.key, found.secret) == ("K", b"S")
    assert credentials_of(key, secret, Place("t", "venue/main", "live", secrets={key: "K"})) is None
    assert credentials_of("", "", given) is None
    assert "secrets" not in repr(given)


def test_credentials_show_the_end_of_the_key_at_most_and_cannot_be_copied() -> None:
    import copy
    import pickle

    found = Credentials("ABCDEFGHIJKL", "topsecret")
    assert repr(found) == "Credentials(...IJKL)"
    assert Credentials("short", "x").shown == "..."
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(found)

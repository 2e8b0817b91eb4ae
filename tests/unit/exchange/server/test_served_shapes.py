"""Every documented path answers with the documented fields, each of its documented type."""

import pytest

from tests.unit.exchange.server.busy_world import busy_world
from tests.unit.exchange.server.reference import FUTURES, MODE, PLACED, POSITION_SIDE, ROW, SPOT
from tests.unit.exchange.server.served_world import (
    BTC,
    ETH,
    ServedWorld,
)
from tests.unit.exchange.server.shapes import (
    count,
    decimal,
    either,
    found,
    text,
    whole,
    word,
)


@pytest.fixture(scope="module")
def world() -> ServedWorld:
    return busy_world()


@pytest.mark.parametrize(("path", "query", "shape"), FUTURES, ids=lambda one: one if type(one) is str else "")
def test_a_futures_path_answers_with_the_documented_fields(world, path, query, shape) -> None:
    status, reply, _ = world.send("GET", path, query)
    assert (status, reply["code"], set(reply)) == (200, 200, {"code", "msg", "data"})
    assert found(reply["data"], shape) == []


@pytest.mark.parametrize(("path", "query", "shape"), SPOT, ids=lambda one: one if type(one) is str else "")
def test_a_spot_path_answers_with_the_documented_fields_and_no_envelope(world, path, query, shape) -> None:
    status, reply, _ = world.send("GET", path, query)
    assert status == 200, reply
    assert found(reply, shape) == []


# -- what is written -------------------------------------------------------------------------------------


def test_orders_and_cancels_answer_with_ids_one_by_one_and_in_rows(world) -> None:
    one = world.place("BUY", 1, 79_000)
    assert found(one, PLACED) == []
    body = {**world.order("BUY", 1, 79_000), "mgnMode": "CROSS", "posSide": "BOTH"}
    rows = world.data("POST", "/v3/trade/orders", body=[body, body])
    assert found(rows, [ROW]) == []
    assert found(world.cancel(one["ordId"]), PLACED) == []
    named = {"symbol": BTC, "ordIds": [rows[0]["ordId"]]}
    assert found(world.data("DELETE", "/v3/trade/batchOrders", body=named), [ROW]) == []
    assert found(
        world.data("DELETE", "/v3/trade/allOrders", body={"symbol": BTC, "side": "SELL"}), [ROW]
    ) == ["it is empty"]


def test_leverage_margin_and_mode_answer_with_what_is_set(world) -> None:
    leverage = {"symbol": BTC, "lever": 20, "mgnMode": "CROSS"}
    answer = {"symbol": word, "lever": count, "mgnMode": MODE, "posSide": text}
    assert found(world.data("POST", "/v3/position/leverage", body=leverage), answer) == []
    world.place("BUY", 1, symbol=ETH, mgnMode="ISOLATED", posSide="BOTH")
    margin = {"symbol": ETH, "amt": "1", "type": "ADD"}
    answer = {"amt": decimal, "lever": whole, "symbol": word, "posSide": POSITION_SIDE, "type": word}
    assert found(world.data("POST", "/v3/trade/position/margin", body=margin), answer) == []
    assert world.data("POST", "/v3/position/mode", body={"posMode": "ONE_WAY"}) == {}


def test_spot_orders_answer_as_documented(world) -> None:
    body = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "79000"}
    placed = world.data("POST", "/orders", body=body)
    assert found(placed, {"id": whole, "clientOrderId": text}) == []
    rows = world.data("POST", "/orders/batch", body=[body, {**body, "quantity": "x", "clientOrderId": "bad"}])
    assert found(rows[0], {"id": whole, "clientOrderId": text}) == []
    assert found(rows[1], {"code": count, "message": word, "clientOrderId": either("bad")}) == []
    _, canceled, _ = world.send("DELETE", f"/orders/{placed['id']}")
    shape = {"orderId": whole, "clientOrderId": text, "state": either("PENDING_CANCEL"), "code": count}
    assert found(canceled, {**shape, "message": text}) == []

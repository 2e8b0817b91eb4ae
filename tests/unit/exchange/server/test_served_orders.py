"""Futures orders over the wire: life, refusals, cancel reasons, batches, modes."""

import pytest

from tests.unit.exchange.server.served_world import BTC, ETH, ServedWorld


@pytest.fixture
def world():
    return ServedWorld()


def test_an_order_rests_fills_and_is_history(world) -> None:
    placed = world.place("BUY", 3, 79_000)
    assert len(placed["ordId"]) == 18
    assert placed["clOrdId"] == f"polo{placed['ordId']}"
    (row,) = world.get("/v3/trade/order/opens")
    assert (row["state"], row["px"], row["sz"], row["reduceOnly"]) == ("NEW", "79000", "3", False)
    world.place("SELL", 1, 79_000, key="bob")
    assert world.details(placed["ordId"])["state"] == "PARTIALLY_FILLED"
    world.place("SELL", 2, key="bob")
    assert world.get("/v3/trade/order/opens") == []
    (row,) = world.get("/v3/trade/order/history")
    assert (row["state"], row["avgPx"], row["execQty"], row["execAmt"]) == ("FILLED", "79000", "3", "237")
    assert row["reduceOnly"] == "false"
    fills = world.get("/v3/trade/order/trades")
    assert [(f["qty"], f["role"], f["px"], f["feeRate"]) for f in fills] == [
        ("2", "MAKER", "79000", "0.0002"),
        ("1", "MAKER", "79000", "0.0002"),
    ]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"symbol": "NOPE_USDT_PERP"}, 10001),
        ({"side": "HOLD"}, 400),
        ({"type": "STOP"}, 400),
        ({"sz": "0"}, 400),
        ({"sz": "1.5"}, 400),
        ({"sz": "10001"}, 21010),
        ({"px": "79000.005"}, 400),
        ({"px": "60000"}, 10014),
        ({"px": "NaN"}, 400),
        ({"px": True}, 400),
        ({"timeInForce": "DAY"}, 400),
        ({"stpMode": "MAYBE"}, 400),
        ({"mgnMode": "CROSS"}, 400),
        ({"mgnMode": "CROSS", "posSide": "LONG"}, 11011),
        ({"clOrdId": "with space"}, 400),
        ({"clOrdId": "x" * 65}, 400),
        ({"reduceOnly": True}, 21002),
        ({"symbol": ETH, "px": "2000", "sz": "9000"}, 10019),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_venues_code(world, more, code) -> None:
    body = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "px": "79000", "sz": "1", **more}
    assert world.code("POST", "/v3/trade/order", body=body) == code
    assert world.get("/v3/trade/order/opens") == []


def test_too_little_margin_is_refused(world) -> None:
    world.data("POST", "/v3/position/leverage", body={"symbol": BTC, "lever": "1", "mgnMode": "CROSS"})
    assert world.refused("BUY", 200, 79_000) == 21721


def test_sides_may_be_lower_case_and_sizes_numbers(world) -> None:
    body = {"symbol": BTC, "side": "buy", "type": "limit", "px": 79_000, "sz": 2, "unknown": {"x": 1}}
    world.data("POST", "/v3/trade/order", body=body)
    assert world.get("/v3/trade/order/opens")[0]["side"] == "BUY"


def test_a_client_id_is_taken_once_open_or_ended(world) -> None:
    world.place("BUY", 1, 79_000, clOrdId="mine")
    assert world.refused("BUY", 1, 79_000, clOrdId="mine") == 250
    world.data("DELETE", "/v3/trade/order", body={"symbol": BTC, "clOrdId": "mine"})
    assert world.refused("BUY", 1, 79_000, clOrdId="mine") == 250
    world.place("BUY", 1, 79_000, clOrdId="mine", key="bob")


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"type": "LIMIT_MAKER", "px": "80000"}, "LIMIT_MAKER_ORDER_INCORRECT_PRICE_CONDITION"),
        ({"px": "79000", "timeInForce": "IOC"}, "LIMIT_MATCH_IOC_OR_FOK_ORDER_PRICE_CANNOT_MATCH"),
        (
            {"px": "80000", "sz": "9", "timeInForce": "FOK"},
            "LIMIT_MATCH_FOK_ORDER_MAKER_INSUFFICIENT_AVAILABLE_QUANTITY",
        ),
        ({"px": "80000", "sz": "9", "timeInForce": "IOC"}, "LIMIT_MATCH_IOC_ORDER_CANNOT_FILLED"),
    ],
)
def test_orders_are_accepted_first_and_canceled_with_a_reason(world, order, reason) -> None:
    world.place("SELL", 5, 80_000, key="bob")
    body = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "sz": "1", **order}
    placed = world.data("POST", "/v3/trade/order", body=body)
    row = world.details(placed["ordId"])
    assert row["cancelReason"] == reason
    assert row["state"] == ("PARTIALLY_CANCELED" if row["execQty"] != "0" else "CANCELED")


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        ("NONE", ("FILLED", "FILLED")),
        ("EXPIRE_TAKER", ("NEW", "CANCELED")),
        ("EXPIRE_MAKER", ("CANCELED", "NEW")),
        ("EXPIRE_BOTH", ("CANCELED", "CANCELED")),
    ],
)
def test_self_trades_end_as_the_order_says(world, mode, states) -> None:
    maker = world.place("SELL", 1, 80_000)
    taker = world.place("BUY", 1, 80_000, stpMode=mode)
    assert tuple(world.details(one["ordId"])["state"] for one in (maker, taker)) == states


def test_a_finished_order_cannot_be_canceled(world) -> None:
    placed = world.place("BUY", 1, 79_000)
    world.cancel(placed["ordId"])
    again = {"symbol": BTC, "ordId": placed["ordId"]}
    assert world.code("DELETE", "/v3/trade/order", body=again) == 11008
    assert world.code("DELETE", "/v3/trade/order", body={"symbol": BTC}) == 400
    other = {"symbol": ETH, "ordId": world.place("BUY", 1, 79_000)["ordId"]}
    assert world.code("DELETE", "/v3/trade/order", body=other) == 11008
    assert world.details(placed["ordId"])["cancelReason"] == "USER_CANCEL_ORDER_ACTION"


def test_nobody_cancels_or_sees_the_orders_of_others(world) -> None:
    placed = world.place("BUY", 1, 79_000)
    assert (
        world.code("DELETE", "/v3/trade/order", body={"symbol": BTC, "ordId": placed["ordId"]}, key="bob")
        == 11008
    )
    assert world.get("/v3/trade/order/opens", key="bob") == []


def test_cancels_come_as_query_too(world) -> None:
    placed = world.place("BUY", 1, 79_000)
    world.data("DELETE", "/v3/trade/order", f"symbol={BTC}&ordId={placed['ordId']}")
    assert world.get("/v3/trade/order/opens") == []


def test_a_batch_answers_row_by_row(world) -> None:
    row = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "sz": "1", "mgnMode": "CROSS", "posSide": "BOTH"}
    rows = [{**row, "px": "79000"}, {**row, "px": "1"}, {k: v for k, v in row.items() if k != "posSide"}]
    found = world.data("POST", "/v3/trade/orders", body=rows)
    assert [one["code"] for one in found] == [200, 10014, 400]
    assert world.code("POST", "/v3/trade/orders", body=rows * 4) == 10016
    ids = [found[0]["ordId"], "331000000000009999"]
    canceled = world.data("DELETE", "/v3/trade/batchOrders", body={"symbol": BTC, "ordIds": ids})
    assert [one["code"] for one in canceled] == [200, 11008]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"symbol": BTC}, [ETH]),
        ({"symbols": [ETH]}, [BTC, BTC]),
        ({"symbols": []}, []),
        ({"side": "SELL"}, [ETH, BTC]),
    ],
)
def test_cancel_all_knows_symbol_symbols_and_side(world, body, left) -> None:
    world.place("BUY", 1, 79_000)
    world.place("SELL", 1, 81_000)
    world.place("BUY", 1, 1_990, symbol=ETH)
    world.data("DELETE", "/v3/trade/allOrders", body=body)
    assert [row["symbol"] for row in world.get("/v3/trade/order/opens")] == left


def test_lists_are_newest_first_and_go_on_from_a_cursor(world) -> None:
    ids = [world.place("BUY", 1, 79_000)["ordId"] for _ in range(5)]
    path = "/v3/trade/order/opens"
    assert [row["ordId"] for row in world.get(path, "limit=2")] == [ids[4], ids[3]]
    assert [row["ordId"] for row in world.get(path, f"limit=2&from={ids[3]}")] == [ids[2], ids[1]]
    assert [row["ordId"] for row in world.get(path, f"limit=2&from={ids[1]}&direct=PREV")] == [ids[3], ids[2]]
    assert world.code("GET", path, "limit=101") == 24104


def test_orders_canceled_without_a_fill_are_soon_forgotten(world) -> None:
    world.cancel(world.place("BUY", 1, 79_000)["ordId"])
    world.trade(1)
    assert len(world.get("/v3/trade/order/history")) == 2
    world.now_ns += 6 * 3_600 * 1_000_000_000
    assert [row["state"] for row in world.get("/v3/trade/order/history")] == ["FILLED"]
    world.now_ns += 91 * 86_400 * 1_000_000_000
    assert world.get("/v3/trade/order/history") == []


def test_an_order_that_finds_nobody_is_refused_or_canceled(world) -> None:
    assert world.refused("BUY", 1) == 10004
    assert world.refused("SELL", 1) == 10003
    world.place("SELL", 1, 80_000, key="bob")
    placed = world.place("BUY", 2)
    assert world.details(placed["ordId"])["cancelReason"] == "MARKET_ORDER_NO_OTHER_SIDE_ORDER"


def test_limits_per_second_are_counted_by_account() -> None:
    world = ServedWorld(rate_limits=1)
    answers = [world.send("GET", "/v3/trade/order/opens") for _ in range(11)]
    assert [status for status, _, _ in answers] == [200] * 10 + [429]
    assert answers[-1][1]["code"] == 429
    assert world.send("GET", "/v3/trade/order/opens", key="bob")[0] == 200
    world.now_ns += 1_000_000_000
    assert world.send("GET", "/v3/trade/order/opens")[0] == 200


def test_unknown_paths_have_the_gateways_shape(world) -> None:
    status, found, _ = world.raw("GET", "/v3/market/nope")
    assert (status, found["code"]) == (404, 404)
    assert "No static resource v3/market/nope" in found["message"]

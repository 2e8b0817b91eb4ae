"""Spot over the wire: orders, coins, fees, smart orders, the kill switch, and trading on the WebSocket."""

import pytest

from tests.unit.exchange.server.served_world import SPOT_PRIVATE, SPOT_PUBLIC, ServedWorld

SYMBOL = "BTC_USDT"


@pytest.fixture
def world():
    made = ServedWorld()
    before = made.core.spot.engine.coins_balance()
    yield made
    assert made.core.spot.engine.coins_balance() == before, "coins came from nowhere or got lost"


def place(world, side="BUY", quantity="0.01", price="80000", key="ann", **more):
    body = {"symbol": SYMBOL, "side": side, "type": "LIMIT", "quantity": quantity, "price": price, **more}
    return world.data("POST", "/orders", body={k: v for k, v in body.items() if v}, key=key)


def refused(world, **more):
    body = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "80000", **more}
    status, found, _ = world.send("POST", "/orders", body={k: v for k, v in body.items() if v})
    assert status == 400
    return found["code"]


def coins(world, key="ann"):
    rows = world.get("/accounts/balances", key=key)[0]["balances"]
    return {row["currency"]: (row["available"], row["hold"]) for row in rows}


def test_money_is_held_by_bids_and_coins_by_asks(world) -> None:
    bid = place(world, "BUY", "0.1")
    place(world, "SELL", "0.4", "90000")
    assert coins(world) == {"BTC": ("0.6", "0.4"), "USDT": ("2000", "8000")}
    world.data("DELETE", f"/orders/{bid['id']}")
    assert coins(world)["USDT"] == ("10000", "0")


def test_a_fill_settles_to_the_last_unit(world) -> None:
    place(world, "SELL", "0.1", key="bob")
    place(world, "BUY", "0.1")
    assert coins(world) == {"BTC": ("1.0998", "0"), "USDT": ("2000", "0")}
    assert coins(world, "bob") == {"BTC": ("0.9", "0"), "USDT": ("17984", "0")}
    (trade,) = world.get("/trades")
    assert (trade["feeCurrency"], trade["feeAmount"], trade["matchRole"]) == ("BTC", "0.0002", "TAKER")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"symbol": "NO_USDT"}, 24101),
        ({"side": "HOLD"}, 21319),
        ({"type": "STOP"}, 21320),
        ({"timeInForce": "DAY"}, 21321),
        ({"quantity": "1"}, 21721),
        ({"side": "SELL", "quantity": "1.1"}, 21721),
        ({"price": "80000.001"}, 21335),
        ({"quantity": "0.0000001"}, 21336),
        ({"quantity": "0.00001"}, 21350),
        ({"price": "1", "quantity": "5"}, 21309),
        ({"type": "MARKET", "price": "", "quantity": "", "amount": "0.5"}, 21350),
        ({"type": "MARKET", "price": "", "quantity": "1"}, 602),
        ({"clientOrderId": "x" * 65}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_venues_code(world, more, code) -> None:
    assert refused(world, **more) == code


def test_a_market_order_to_buy_says_what_it_spends(world) -> None:
    place(world, "SELL", "0.05", "80000", key="bob")
    place(world, "SELL", "0.05", "81000", key="bob")
    body = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "amount": "6025"}
    order = world.data("GET", f"/orders/{world.data('POST', '/orders', body=body)['id']}")
    assert (order["filledQuantity"], order["filledAmount"]) == ("0.075", "6025")


def test_client_ids_find_orders_and_are_taken_once(world) -> None:
    placed = place(world, clientOrderId="mine")
    assert world.data("GET", "/orders/cid:mine")["id"] == placed["id"]
    assert refused(world, clientOrderId="mine") == 21312
    gone = world.send("DELETE", "/orders/cid:mine")[1]
    assert (gone["orderId"], gone["state"], gone["code"]) == (placed["id"], "PENDING_CANCEL", 200)
    assert world.send("DELETE", "/orders/cid:mine")[1]["code"] == 21305
    assert world.send("GET", "/orders/cid:never")[1]["code"] == 21301


def test_batches_and_bulk_cancels_answer_row_by_row(world) -> None:
    row = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "79000"}
    rows = world.data("POST", "/orders/batch", body=[row, {**row, "side": "HOLD"}, row])
    assert [one.get("code") for one in rows] == [None, 21319, None]
    ids = [rows[0]["id"], "205000000000009999"]
    gone = world.data("DELETE", "/orders/cancelByIds", body={"orderIds": ids})
    assert [one["code"] for one in gone] == [200, 21301]
    assert len(world.data("DELETE", "/orders", body={"symbols": [SYMBOL]})) == 1
    assert world.get("/orders") == []


def test_replacing_keeps_side_and_symbol(world) -> None:
    before = place(world, "BUY", "0.01", "79000")
    after = world.data("PUT", f"/orders/{before['id']}", body={"price": "78000"})
    (row,) = world.get("/orders")
    assert (row["id"], row["price"], row["quantity"], row["side"]) == (after["id"], "78000", "0.01", "BUY")
    bad = world.send("PUT", f"/orders/{after['id']}", body={"price": "78000.001"})[1]
    assert bad["code"] == 21335
    assert len(world.get("/orders")) == 1


def test_the_kill_switch_cancels_unless_it_hears_from_the_account(world) -> None:
    place(world, "BUY", "0.01", "79000")
    assert world.send("GET", "/orders/killSwitchStatus")[1]["code"] == 25020
    world.data("POST", "/orders/killSwitch", body={"timeout": "10"})
    world.advance(8)
    world.data("POST", "/orders/killSwitch", body={"timeout": "10"})
    world.advance(8)
    assert len(world.get("/orders")) == 1
    world.advance(2.5)
    assert world.get("/orders") == []
    assert world.send("POST", "/orders/killSwitch", body={"timeout": "9"})[1]["code"] == 400


def move_spot(world, price):
    place(world, "SELL", "0.001", str(price), key="bob")
    place(world, "BUY", "0.001", str(price), key="bob", stpMode="NONE")
    world.advance(0.1)


def test_a_stop_becomes_an_order_when_its_price_comes(world) -> None:
    move_spot(world, 80_000)
    body = {
        "symbol": SYMBOL,
        "side": "SELL",
        "type": "STOP_LIMIT",
        "stopPrice": "79000",
        "price": "78900",
        "quantity": "0.01",
    }
    placed = world.data("POST", "/smartorders", body=body)
    assert [one["id"] for one in world.get("/smartorders")] == [placed["id"]]
    move_spot(world, 79_500)
    assert world.get("/orders") == []
    move_spot(world, 79_000)
    assert world.get("/smartorders") == []
    (row,) = world.get("/orders")
    assert (row["side"], row["price"]) == ("SELL", "78900")
    (smart,) = world.get(f"/smartorders/{placed['id']}")
    assert (smart["state"], smart["triggeredOrder"]["id"]) == ("TRIGGERED", row["id"])


def test_a_trailing_stop_follows_the_best_price(world) -> None:
    move_spot(world, 80_000)
    body = {
        "symbol": SYMBOL,
        "side": "SELL",
        "type": "TRAILING_STOP",
        "trailingOffset": "5%",
        "quantity": "0.01",
    }
    world.data("POST", "/smartorders", body=body)
    world.advance(0.1)
    move_spot(world, 84_000)
    move_spot(world, 80_000)
    assert len(world.get("/smartorders")) == 1
    place(world, "BUY", "0.05", "79500", key="bob")
    move_spot(world, 79_700)
    assert world.get("/smartorders") == []
    assert world.get("/smartorders/history")[0]["state"] == "TRIGGERED"


def test_smart_orders_survive_and_are_canceled(world) -> None:
    body = {"symbol": SYMBOL, "side": "BUY", "stopPrice": "90000", "amount": "100"}
    placed = world.data("POST", "/smartorders", body=body)
    world.reopen()
    assert [one["id"] for one in world.get("/smartorders")] == [placed["id"]]
    assert world.data("DELETE", f"/smartorders/{placed['id']}")["state"] == "CANCELED"
    assert world.send("DELETE", "/smartorders/123")[1]["code"] == 25000
    assert world.get("/smartorders") == []


def test_transfers_are_kept_and_found(world) -> None:
    body = {"currency": "USDT", "amount": "100", "fromAccount": "SPOT", "toAccount": "FUTURES"}
    found = world.data("POST", "/accounts/transfer", body=body)
    assert world.get(f"/accounts/transfer/{found['transferId']}")["amount"] == "100"
    assert world.balance()["eq"] == "10100"
    back = {**body, "fromAccount": "FUTURES", "toAccount": "SPOT"}
    world.data("POST", "/accounts/transfer", body=back)
    too_much = {**body, "amount": "10001"}
    assert world.send("POST", "/accounts/transfer", body=too_much)[1]["code"] == 21721


def test_books_on_the_stream_go_on_in_a_chain(world) -> None:
    socket = world.connect(SPOT_PUBLIC)
    place(world, "BUY", "0.01", "79000")
    ack, snapshot = world.subscribe(socket, "book_lv2", [SYMBOL])
    (row,) = snapshot["data"]
    assert (ack["event"], snapshot["action"], row["bids"]) == ("subscribe", "snapshot", [["79000", "0.01"]])
    place(world, "BUY", "0.02", "79001")
    world.advance(0.1)
    (update,) = world.heard(socket, "book_lv2")
    assert update["data"][0]["lastId"] == row["id"]
    assert update["data"][0]["bids"] == [["79001", "0.02"]]


def test_trading_on_the_stream_is_answered_and_told(world) -> None:
    socket = world.connect(SPOT_PRIVATE, "ann")
    world.subscribe(socket, "orders", ["all"])
    world.subscribe(socket, "balances", [])
    params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "79000"}
    heard = world.say(socket, {"id": "7", "event": "createOrder", "params": params})
    (answer,) = [one for one in heard if one.get("id") == "7"]
    order_id = answer["data"][0]["orderId"]
    events = {one["channel"]: one["data"][0] for one in heard if "channel" in one}
    assert (events["orders"]["eventType"], events["orders"]["orderId"]) == ("place", str(order_id))
    assert (events["balances"]["currency"], events["balances"]["hold"]) == ("USDT", "790")
    heard = world.say(socket, {"id": "8", "event": "cancelOrders", "params": {"orderIds": [str(order_id)]}})
    assert [one["data"][0]["code"] for one in heard if one.get("id") == "8"] == [200]
    assert world.heard(socket) == []
    heard = world.say(socket, {"id": "9", "event": "createOrder", "params": {**params, "quantity": "9"}})
    assert heard[0]["data"][0]["code"] == 21721
    heard = world.say(socket, {"id": "10", "event": "cancelAllOrders", "params": {"symbols": []}})
    assert heard[0]["data"] == []


def test_a_fill_is_told_with_its_fee_and_both_balances(world) -> None:
    socket = world.connect(SPOT_PRIVATE, "ann")
    world.subscribe(socket, "orders", [SYMBOL])
    world.subscribe(socket, "balances", [])
    place(world, "SELL", "0.01", key="bob")
    place(world, "BUY", "0.01")
    heard = world.heard(socket)
    orders = [one["data"][0] for one in heard if one["channel"] == "orders"]
    assert [(o["eventType"], o["state"]) for o in orders] == [("place", "NEW"), ("trade", "FILLED")]
    assert (orders[1]["tradeFee"], orders[1]["feeCurrency"]) == ("0.00002", "BTC")
    told = {one["data"][0]["currency"] for one in heard if one["channel"] == "balances"}
    assert told == {"BTC", "USDT"}

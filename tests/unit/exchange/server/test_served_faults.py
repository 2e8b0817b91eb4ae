"""The fault port: each fault does its harm, and only where it was told to."""

import json

import pytest

from tests.unit.exchange.server.served_world import BTC, ETH, PRIVATE, PUBLIC, ServedWorld

BALANCE = "/v3/account/balance"


@pytest.fixture
def world():
    return ServedWorld(faults=True)


def test_without_leave_there_is_no_fault_port() -> None:
    assert ServedWorld().raw("GET", "/__faults__")[0] == 404


def test_faults_are_added_listed_counted_and_removed(world) -> None:
    rule = world.fault("http_error", path=BALANCE, status=503, count=2)
    assert [world.send("GET", BALANCE)[0] for _ in range(3)] == [503, 503, 200]
    (listed,) = world.raw("GET", "/__faults__")[1]["rules"]
    assert (listed["id"], listed["struck"]) == (rule["id"], 2)
    assert world.raw("DELETE", f"/__faults__/{rule['id']}")[1]["kind"] == "http_error"
    assert world.raw("DELETE", f"/__faults__/{rule['id']}")[0] == 400
    world.fault("drop")
    assert world.raw("DELETE", "/__faults__")[1] == {"removed": 1}
    assert world.raw("POST", "/__faults__", body=b'{"kind":"dance"}')[0] == 400
    assert "mute" in world.raw("GET", "/__faults__/kinds")[1]


def test_an_error_comes_in_the_body(world) -> None:
    world.fault("error", path="/v3/trade/order", method="POST", code=11008, message="no")
    assert world.refused("BUY", 1, 79_000) == 11008
    assert world.get("/v3/trade/order/opens") == []


def test_a_fault_of_one_account_leaves_the_others_alone(world) -> None:
    world.fault("rate_limit", account="ann")
    assert world.send("GET", BALANCE)[0] == 429
    assert world.send("GET", BALANCE, key="bob")[0] == 200


def test_every_third_request_is_struck(world) -> None:
    world.fault("rate_limit", every=3)
    assert [world.send("GET", BALANCE)[0] for _ in range(6)] == [200, 200, 429] * 2


def test_a_lost_answer_is_of_an_order_that_was_taken(world) -> None:
    world.fault("lose_answer", path="/v3/trade/order", method="POST", count=1)
    body = json.dumps(world.order("BUY", 1, 79_000, clOrdId="lost"))
    assert world.send("POST", "/v3/trade/order", body=json.loads(body))[2].cut_at == 0
    assert world.get("/v3/trade/order/opens")[0]["clOrdId"] == "lost"
    assert world.refused("BUY", 1, 79_000, clOrdId="lost") == 250


def test_a_dropped_request_was_never_done(world) -> None:
    world.fault("drop", path="/v3/trade/order", method="POST", count=1)
    assert world.send("POST", "/v3/trade/order", body=world.order("BUY", 1, 79_000))[2].cut_at == 0
    assert world.get("/v3/trade/order/opens") == []


def test_a_partial_body_ends_in_the_middle(world) -> None:
    world.fault("partial_body", path=BALANCE)
    reply = world.send("GET", BALANCE)[2]
    assert 0 < reply.cut_at < len(reply.body)


def test_a_delayed_answer_says_how_long(world) -> None:
    world.fault("delay", path=BALANCE, delay_ms=250)
    assert world.send("GET", BALANCE)[2].delay_ms == 250


def test_a_request_done_twice_meets_the_duplicate_check(world) -> None:
    world.fault("duplicate_request", path="/v3/trade/order", method="POST")
    assert world.refused("BUY", 1, 79_000, clOrdId="twice") == 250
    assert len(world.get("/v3/trade/order/opens")) == 1


def test_an_order_can_be_taken_and_refused_all_the_same(world) -> None:
    world.fault("false_refusal", path="/v3/trade/order", method="POST", code=10001, message="busy", count=1)
    assert world.refused("BUY", 1, 79_000, clOrdId="both") == 10001
    assert world.get("/v3/trade/order/opens")[0]["clOrdId"] == "both"
    assert world.place("BUY", 1, 79_000)["ordId"]


def test_a_fault_can_be_about_what_a_body_says(world) -> None:
    limit, sell = '"type":"LIMIT"', '"side":"SELL"'
    world.fault("error", path="/v3/trade/order", method="POST", code=11008, contains=[limit], lacks=[sell])
    assert world.refused("BUY", 1, 79_000) == 11008
    assert world.place("SELL", 1, 81_000)["ordId"]
    assert world.place("BUY", 1, 79_000, type="LIMIT_MAKER")["ordId"]


def test_an_accepted_order_can_be_canceled_at_once(world) -> None:
    world.fault("reject_after_answer", symbol=BTC, reason="RISK_CANCEL_ORDER_ACTION")
    placed = world.place("BUY", 1, 79_000)
    row = world.details(placed["ordId"])
    assert (row["state"], row["cancelReason"]) == ("CANCELED", "RISK_CANCEL_ORDER_ACTION")


def test_a_revoked_key_is_a_stranger(world) -> None:
    rule = world.fault("revoke_key", account="ann")
    assert world.send("GET", BALANCE)[0] == 401
    assert world.send("GET", BALANCE, key="bob")[0] == 200
    world.raw("DELETE", f"/__faults__/{rule['id']}")
    assert world.send("GET", BALANCE)[0] == 200


def test_maintenance_refuses_what_is_signed(world) -> None:
    world.fault("maintenance")
    assert world.code("GET", BALANCE) == 1002
    assert world.raw("GET", "/v3/market/allInstruments")[0] == 200


def test_a_skewed_clock_refuses_honest_requests(world) -> None:
    before = world.raw("GET", "/timestamp")[1]["serverTime"]
    world.fault("skew", skew_ms=90_000)
    assert world.raw("GET", "/timestamp")[1]["serverTime"] == before + 90_000
    assert world.send("GET", BALANCE)[1]["code"] == 400


def test_frozen_prices_stand_still(world) -> None:
    world.fault("freeze_prices", symbol=BTC)
    world.paths[BTC].ticks = 7_900_000
    world.paths[ETH].ticks = 190_000
    world.advance(2)
    prices = {row["s"]: row["iPx"] for row in world.raw("GET", "/v3/market/indexPrice")[1]["data"]}
    assert prices == {BTC: "80000", ETH: "1900"}


def test_a_market_that_jumps_takes_its_book_with_it_and_comes_back(world) -> None:
    rule = world.fault("jump", symbol=BTC, shift_bps=-1_000)
    world.advance(3)
    found = world.raw("GET", "/v3/market/markPrice")[1]["data"]
    prices = {row["symbol" if "symbol" in row else "s"]: float(row["mPx"]) for row in found}
    assert prices[BTC] == pytest.approx(72_000, rel=0.01)
    assert prices[ETH] == pytest.approx(2_000, rel=0.01)
    world.raw("DELETE", f"/__faults__/{rule['id']}")
    world.advance(1)
    index = {row["s"]: row["iPx"] for row in world.raw("GET", "/v3/market/indexPrice")[1]["data"]}
    assert index[BTC] == "80000"


def test_an_account_is_overcharged_until_it_is_not(world) -> None:
    def rate() -> str:
        world.advance(1)
        world.trade(1)
        return str(world.get("/v3/trade/order/trades")[0]["feeRate"])

    assert rate() == "0.0006"
    rule = world.fault("overcharge", account="ann", shift_bps=50)
    assert rate() == "0.0056"
    assert world.get("/v3/trade/order/trades", key="bob")[0]["feeRate"] == "0.0002"
    world.raw("DELETE", f"/__faults__/{rule['id']}")
    assert rate() == "0.0006"


@pytest.mark.parametrize(
    ("status", "place", "cancel"),
    [
        ("PAUSED", 10005, 10005),
        ("CANCEL_ONLY", 10006, 200),
        ("CANCEL_CLOSE_ONLY", 10015, 200),
        ("CLOSED", 10000, 200),
    ],
)
def test_a_symbol_takes_what_its_status_allows(world, status, place, cancel) -> None:
    resting = world.place("BUY", 1, 79_000)
    world.fault("symbol_status", symbol=BTC, status_word=status)
    world.advance(0.1)
    assert world.refused("BUY", 1, 79_000) == place
    body = {"symbol": BTC, "ordId": resting["ordId"]}
    assert world.send("DELETE", "/v3/trade/order", body=body)[1]["code"] == cancel
    (row,) = world.get("/v3/market/allInstruments", f"symbol={BTC}")
    assert row["status"] == status


def follow(world):
    socket = world.connect(PUBLIC)
    world.place("BUY", 1, 79_000)
    snapshot = world.subscribe(socket, "book_lv2", [BTC])[1]
    world.subscribe(socket, "tickers", [BTC])
    return socket, snapshot["data"][0]["id"]


def move(world, count=1):
    for step in range(count):
        world.place("BUY", 1, 79_001 + step)
        world.advance(0.1)


def test_one_channel_is_mute_while_others_live(world) -> None:
    socket, _ = follow(world)
    world.fault("mute", channel="book_lv2")
    move(world)
    assert {one["channel"] for one in world.heard(socket)} == {"tickers"}


def test_a_gap_breaks_the_chain(world) -> None:
    socket, last = follow(world)
    world.fault("gap", symbol=BTC, count=1)
    move(world, 2)
    (update,) = world.heard(socket, "book_lv2")
    assert update["data"][0]["lid"] > last


def test_frames_come_twice_or_swapped(world) -> None:
    socket, _ = follow(world)
    rule = world.fault("duplicate", channel="book_lv2")
    move(world)
    one, two = world.heard(socket, "book_lv2")
    assert one == two
    world.raw("DELETE", f"/__faults__/{rule['id']}")
    world.fault("reorder", channel="book_lv2")
    world.place("BUY", 1, 79_101)
    world.advance(0.1)
    assert world.heard(socket, "book_lv2") == []
    world.place("BUY", 1, 79_102)
    world.advance(0.1)
    later, earlier = world.heard(socket, "book_lv2")
    assert later["data"][0]["lid"] == earlier["data"][0]["id"]


def test_a_garbled_frame_is_half_of_one_and_the_next_is_whole(world) -> None:
    socket, _ = follow(world)
    world.fault("garble", channel="book_lv2", count=1)
    move(world)
    assert ["unreadable" in one for one in world.heard(socket)].count(True) == 1
    move(world)
    assert len(world.heard(socket, "book_lv2")) == 1


def test_private_frames_of_one_account_can_be_lost(world) -> None:
    ann, bob = world.connect(PRIVATE, "ann"), world.connect(PRIVATE, "bob")
    for socket in (ann, bob):
        world.subscribe(socket, "orders", ["all"])
    world.fault("drop_frame", channel="orders", account="ann")
    world.trade(1)
    assert world.heard(ann) == []
    assert world.heard(bob) != []


def test_a_connection_is_cut_instead_of_sending(world) -> None:
    socket, _ = follow(world)
    world.fault("disconnect", channel="book_lv2", count=1)
    move(world)
    assert world.closed[socket] is True

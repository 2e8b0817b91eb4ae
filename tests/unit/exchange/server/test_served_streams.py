"""The futures WebSockets: protocol, books, private channels."""

import pytest

from tests.unit.exchange.server.served_world import BTC, ETH, PRIVATE, PUBLIC, SECOND_NS, ServedWorld


@pytest.fixture
def world():
    return ServedWorld()


@pytest.fixture
def public(world):
    return world.connect(PUBLIC)


@pytest.mark.parametrize("ping", ['{"event":"ping"}', "ping", "PING", " Ping "])
def test_every_form_of_ping_is_answered(world, public, ping) -> None:
    assert world.say(public, ping) == [{"event": "pong"}]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ("hello", "Not JSON string\uff1ahello"),
        ({"event": "subscribe", "channel": ["nope"], "symbols": [BTC]}, 'Invalid channel values ["nope"]'),
        ({"event": "subscribe", "channel": ["book_lv2"], "symbols": ["NO"]}, "no valid symbols"),
        ({"event": "subscribe", "channel": ["book_lv2"], "symbols": []}, "no valid symbols"),
        ({"event": "subscribe", "channel": ["book"], "symbols": [BTC], "depth": 30}, "Invalid depth: 30"),
        (
            {"event": "subscribe", "channel": ["book_lv2"], "symbols": ["all"]},
            "All symbols subscription is not allowed",
        ),
        (
            {"event": "subscribe", "channel": ["orders"], "symbols": ["all"]},
            'Invalid channel values ["orders"]',
        ),
        ({"event": "dance"}, "Invalid event dance"),
        ("[1,2]", "Not JSON string\uff1a[1,2]"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_socket_stays_open(world, public, frame, text) -> None:
    assert world.say(public, frame) == [{"event": "error", "message": text}]
    assert world.say(public, "ping") == [{"event": "pong"}]


def test_subscriptions_are_acknowledged_listed_and_ended(world, public) -> None:
    frame = {"event": "subscribe", "channel": ["tickers", "mark_price"], "symbols": [BTC]}
    answers = [one for one in world.say(public, frame) if one.get("event")]
    assert [one["channel"] for one in answers] == ["tickers", "mark_price"]
    assert world.say(public, {"event": "list_subscriptions"}) == [
        {"subscriptions": ["tickers", "mark_price"]}
    ]
    gone = {"event": "unsubscribe", "channel": ["tickers"], "symbols": [BTC]}
    assert world.say(public, gone) == [{"event": "unsubscribe", "channel": "tickers", "symbols": [BTC]}]
    world.say(public, {"event": "unsubscribe_all"})
    assert world.say(public, {"event": "list_subscriptions"}) == [{"subscriptions": []}]
    world.advance(2)
    assert world.heard(public) == []


def test_a_client_that_is_silent_for_thirty_seconds_is_cut_off(world, public) -> None:
    world.subscribe(public, "tickers", [BTC])
    world.advance(29)
    world.say(public, "ping")
    world.advance(29)
    assert public not in world.closed
    world.advance(2.1)
    assert world.closed[public] is True


def test_five_hundred_frames_a_second_are_enough(world, public) -> None:
    for _ in range(500):
        world.say(public, "ping")
    assert public not in world.closed
    world.say(public, "ping")
    assert world.closed[public] is True


def fill_book(world, levels=25):
    for step in range(levels):
        world.place("BUY", 1 + step, 79_990 - step)
        world.place("SELL", 1 + step, 80_010 + step)


def test_a_book_begins_with_twenty_levels_and_goes_on_in_a_chain(world, public) -> None:
    fill_book(world)
    ack, snapshot = world.subscribe(public, "book_lv2", [BTC])
    assert ack == {"event": "subscribe", "channel": "book_lv2", "symbols": [BTC]}
    (row,) = snapshot["data"]
    assert snapshot["action"] == "snapshot"
    assert (len(row["bids"]), len(row["asks"])) == (20, 20)
    assert (row["bids"][0], row["asks"][0]) == (["79990", "1"], ["80010", "1"])
    bids = dict(row["bids"])
    last = row["id"]
    world.place("BUY", 7, 79_995)
    world.advance(0.1)
    (update,) = world.heard(public, "book_lv2")
    assert update["action"] == "update"
    (row,) = update["data"]
    assert row["lid"] == last < row["id"]
    assert row["asks"] == []
    for px, sz in row["bids"]:
        bids.pop(px, None) if sz == "0" else bids.update({px: sz})
    assert sorted(map(float, bids), reverse=True)[:2] == [79_995, 79_990]
    assert len(bids) == 20, "the level that left the window was deleted"


def test_followed_updates_give_the_book_that_rest_shows(world, public) -> None:
    fill_book(world, 30)
    (row,) = world.subscribe(public, "book_lv2", [BTC])[1]["data"]
    book = {"bids": dict(row["bids"]), "asks": dict(row["asks"])}
    last = row["id"]
    for step in range(40):
        world.place(
            "BUY" if step % 2 else "SELL",
            1 + step * 7 % 13,
            80_010 + step % 3 if step % 2 else 79_990 - step % 4,
            key="bob",
        )
        if step % 5 == 0:
            world.place("SELL", 3, 80_003 + step % 7)
        world.advance(0.1)
        for update in world.heard(public, "book_lv2"):
            (row,) = update["data"]
            assert row["lid"] == last
            last = row["id"]
            for side in ("bids", "asks"):
                for px, sz in row[side]:
                    book[side].pop(px, None) if sz == "0" else book[side].update({px: sz})
    shown = world.get("/v3/market/orderBook", f"symbol={BTC}&limit=20")
    for side, reverse in (("bids", True), ("asks", False)):
        mine = sorted(book[side].items(), key=lambda level: float(level[0]), reverse=reverse)
        assert [list(level) for level in mine] == shown[side]


def test_a_second_subscriber_does_not_break_the_chain_of_the_first(world, public) -> None:
    fill_book(world)
    last = world.subscribe(public, "book_lv2", [BTC])[1]["data"][0]["id"]
    world.place("BUY", 7, 79_995)
    other = world.connect(PUBLIC)
    snapshot = world.subscribe(other, "book_lv2", [BTC])[1]["data"][0]
    (update,) = world.heard(public, "book_lv2")
    assert update["data"][0]["lid"] == last
    assert update["data"][0]["id"] == snapshot["id"]


def test_public_channels_speak_at_their_pace(world, public) -> None:
    world.trade(1)
    frame = {
        "event": "subscribe",
        "symbols": [BTC],
        "channel": [
            "tickers",
            "trades",
            "index_price",
            "mark_price",
            "funding_rate",
            "limit_price",
            "open_interest",
            "candles_minute_1",
            "mark_price_candles_minute_1",
            "symbol",
        ],
    }
    first = {one["channel"] for one in world.say(public, frame) if "data" in one}
    assert first >= {"tickers", "funding_rate", "symbol", "candles_minute_1"}
    world.trade(2)
    world.advance(2)
    heard = world.heard(public)
    by_channel = {one["channel"]: one["data"][0] for one in heard}
    assert by_channel["trades"]["side"] == "buy"
    assert by_channel["trades"]["qty"] == "2"
    assert by_channel["index_price"]["iPx"] == "80000"
    assert by_channel["candles_minute_1"][0] == BTC
    assert len(by_channel["candles_minute_1"]) == 11
    assert [one["channel"] for one in heard].count("tickers") >= 10
    assert [one["channel"] for one in heard].count("mark_price") == 2


def test_private_channels_need_a_login_and_a_right_one(world) -> None:
    socket = world.connect(PRIVATE)
    refused = world.subscribe(socket, "orders", ["all"])
    assert refused[0]["event"] == "error"
    bad = {
        "event": "subscribe",
        "channel": ["auth"],
        "params": {"key": "ann", "signTimestamp": 1, "signature": "x"},
    }
    (answer,) = world.say(socket, bad)
    assert answer["data"]["success"] is False
    assert answer["data"]["message"] == "Authentication failed!"


def test_an_order_is_told_step_by_step(world) -> None:
    socket = world.connect(PRIVATE, "ann")
    for channel in ("orders", "trade", "positions", "account"):
        world.subscribe(socket, channel, ["all"])
    world.place("SELL", 1, 80_000, key="bob")
    world.place("SELL", 1, 80_001, key="bob")
    assert world.heard(socket) == []
    placed = world.place("BUY", 3, 80_001)
    heard = world.heard(socket)
    orders = [one["data"][0] for one in heard if one["channel"] == "orders"]
    assert [(o["state"], o["execQty"], o.get("fillSz"), o["avgPx"]) for o in orders] == [
        ("NEW", "0", None, "0"),
        ("PARTIALLY_FILLED", "1", "1", "80000"),
        ("PARTIALLY_FILLED", "2", "1", "80000.5"),
    ]
    assert {o["ordId"] for o in orders} == {placed["ordId"]}
    assert orders[1]["reduceOnly"] is False
    trades = [one["data"][0] for one in heard if one["channel"] == "trade"]
    assert [(t["fpx"], t["fqty"], t["role"]) for t in trades] == [
        ("80000", "1", "TAKER"),
        ("80001", "1", "TAKER"),
    ]
    (position,) = [one["data"][0] for one in heard if one["channel"] == "positions"]
    assert (position["qty"], position["openAvgPx"], position["lever"]) == ("2", "80000.5", 20)
    (account,) = [one["data"][0] for one in heard if one["channel"] == "account"]
    assert float(account["im"]) > 0
    world.cancel(placed["ordId"])
    (ended,) = [one["data"][0] for one in world.heard(socket, "orders")]
    assert (ended["state"], ended["cancelReason"]) == ("PARTIALLY_CANCELED", "USER_CANCEL_ORDER_ACTION")


def test_a_closed_position_is_told_with_size_zero(world) -> None:
    world.trade(2)
    socket = world.connect(PRIVATE, "ann")
    world.subscribe(socket, "positions", [BTC])
    world.trade(2, 80_010, buyer="bob", seller="ann")
    (row,) = [one["data"][0] for one in world.heard(socket)]
    assert (row["qty"], row["oldQty"], row["side"], row["fpnl"]) == ("0", "2", "BUY", "0.02")


def test_private_news_of_other_symbols_and_accounts_stay_away(world) -> None:
    socket = world.connect(PRIVATE, "bob")
    world.subscribe(socket, "orders", [ETH])
    world.place("BUY", 1, 79_000, key="bob")
    world.place("BUY", 1, 1_990, key="ann", symbol=ETH)
    assert world.heard(socket) == []
    world.place("BUY", 1, 1_990, key="bob", symbol=ETH)
    assert len(world.heard(socket)) == 1


def test_liquidations_are_told_to_the_public_and_to_the_owner(world, public) -> None:
    body = {"symbol": BTC, "lever": 50, "mgnMode": "ISOLATED"}
    world.data("POST", "/v3/position/leverage", body=body)
    world.trade(10, mgnMode="ISOLATED", posSide="BOTH")
    world.subscribe(public, "liquidation_orders", [BTC])
    socket = world.connect(PRIVATE, "ann")
    world.subscribe(socket, "trade", ["all"])
    world.price(78_000)
    (told,) = world.heard(public, "liquidation_orders")
    assert (told["data"][0]["s"], told["data"][0]["side"], told["data"][0]["sz"]) == (BTC, "SELL", "10")
    (fill,) = [one["data"][0] for one in world.heard(socket, "trade")]
    assert fill["type"] == "LIQUID"


def test_a_path_that_is_not_there_is_closed(world) -> None:
    assert world.connect("/ws/v9/public") in world.closed


def test_a_day_old_session_still_works(world, public) -> None:
    for _ in range(3):
        world.now_ns += 20 * SECOND_NS
        world.say(public, "ping")
    assert world.say(public, {"event": "list_subscriptions"}) == [{"subscriptions": []}]

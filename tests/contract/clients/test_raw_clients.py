"""Clients written by hand, over real sockets: the futures WebSockets, faults of the connection, restarts."""

import asyncio
import http.client
import time
import urllib.error

import aiohttp
import pytest

from tests.contract.clients.raw_socket import fault, on_socket
from tests.contract.clients.served import (
    BTC,
    OTHER_KEY,
    OTHER_SECRET,
    RawClient,
    near,
    serving,
    settings_for,
    wait_for,
)


@pytest.fixture(scope="module")
def served():
    with serving(settings_for(faults=True, participants_every=150_000_000)) as one:
        yield one


@pytest.fixture
def client(served):
    yield RawClient(served.url)
    RawClient(served.url).send("DELETE", "/__faults__", sign=False)
    RawClient(served.url).send("DELETE", "/v3/trade/allOrders")


def test_a_book_kept_from_the_stream_never_misses_an_update(served) -> None:
    async def work(socket):
        await socket.subscribe("book_lv2", [BTC])
        snapshot = await socket.hear(lambda f: f.get("action") == "snapshot")
        row = snapshot["data"][0]
        assert (len(row["bids"]), len(row["asks"])) == (20, 20)
        book, last = {"bids": dict(row["bids"]), "asks": dict(row["asks"])}, row["id"]
        for _ in range(8):
            row = (await socket.hear(lambda f: f.get("action") == "update"))["data"][0]
            assert row["lid"] == last
            last = row["id"]
            for side in ("bids", "asks"):
                for price, size in row[side]:
                    book[side].pop(price, None) if size == "0" else book[side].update({price: size})
                assert len(book[side]) == 20
            assert max(map(float, book["bids"])) < min(map(float, book["asks"]))

    on_socket(served, "/ws/v3/public", work)


def test_an_order_is_told_on_the_private_stream(served, client) -> None:
    bid, _ = client.touch()

    async def work(socket):
        assert await socket.log_in()
        await socket.subscribe("orders", ["all"])
        await socket.hear(lambda f: f.get("event") == "subscribe")
        placed = await asyncio.to_thread(client.place, "BUY", "2", near(bid, -0.02))
        told = (await socket.hear(lambda f: f.get("channel") == "orders"))["data"][0]
        assert (told["ordId"], told["state"]) == (placed["ordId"], "NEW")
        body = {"symbol": BTC, "ordId": placed["ordId"]}
        await asyncio.to_thread(client.data, "DELETE", "/v3/trade/order", None, body)
        told = (await socket.hear(lambda f: f.get("channel") == "orders"))["data"][0]
        assert told["state"] == "CANCELED"

    on_socket(served, "/ws/v3/private", work)


PUBLIC_CHANNELS = (
    *("symbol", "book_lv2", "book", "tickers", "trades", "index_price", "mark_price", "funding_rate"),
    *(
        "limit_price",
        "open_interest",
        "candles_minute_1",
        "mark_price_candles_minute_5",
        "index_candles_hour_1",
    ),
)


def test_every_public_channel_speaks(served) -> None:
    async def work(socket):
        for channel in PUBLIC_CHANNELS:
            await socket.subscribe(channel, [BTC])
        missing, acknowledged = set(PUBLIC_CHANNELS), set()
        while missing:
            frame = await socket.hear(lambda f: True)
            if frame.get("event") == "subscribe":
                acknowledged.add(frame["channel"])
            elif frame["data"]:
                row = frame["data"][0]
                assert (row[0] if isinstance(row, list) else row["s"]) == BTC
                missing.discard(frame["channel"])
        assert acknowledged == set(PUBLIC_CHANNELS)
        await socket.say({"event": "list_subscriptions"})
        listed = await socket.hear(lambda f: "subscriptions" in f)
        assert set(listed["subscriptions"]) == set(PUBLIC_CHANNELS)
        await socket.say({"event": "unsubscribe_all"})
        await socket.hear(lambda f: f.get("event") == "unsubscribe_all")
        assert await socket.listen(0.5) == []

    on_socket(served, "/ws/v3/public", work)


def test_the_life_of_an_order_is_told_by_all_private_channels(served, client) -> None:
    """It rests, is filled in two parts by another account's orders, and becomes a position with a fee."""
    other = RawClient(served.url, OTHER_KEY, OTHER_SECRET)

    def trade(name):
        bid, ask = client.touch()
        px = f"{(bid + ask) / 2:.2f}"  # between the participants' quotes: nobody else trades there
        client.place("BUY", "3", px, clOrdId=name)
        for sz in ("1", "2"):
            other.place("SELL", sz, px, timeInForce="IOC")

    async def work(socket, name):
        assert await socket.log_in()
        for channel in ("orders", "trade", "positions", "account"):
            await socket.subscribe(channel, ["all"])
        await asyncio.to_thread(trade, name)
        return await socket.listen(0.5)

    for attempt in range(5):  # a participant may step in between now and then
        name = f"life-{attempt}"
        heard = on_socket(served, "/ws/v3/private", lambda socket, name=name: work(socket, name))
        told = [frame["data"][0] for frame in heard if frame.get("channel") == "orders" and "data" in frame]
        states = [(row["state"], row["execQty"]) for row in told if row["clOrdId"] == name]
        if states == [("NEW", "0"), ("PARTIALLY_FILLED", "1"), ("FILLED", "3")]:
            break
        client.data("DELETE", "/v3/trade/allOrders", body={"symbol": BTC})
    else:
        raise AssertionError(states)
    last = {frame["channel"]: frame["data"][0] for frame in heard if "data" in frame}
    fills = [frame["data"][0] for frame in heard if frame.get("channel") == "trade" and "data" in frame]
    assert [(fill["fqty"], fill["role"]) for fill in fills] == [("1", "MAKER"), ("2", "MAKER")]
    (position,) = client.get("/v3/trade/position/opens")
    assert (last["positions"]["qty"], last["positions"]["openAvgPx"]) == (
        position["qty"],
        position["openAvgPx"],
    )
    assert last["account"]["details"][0]["avail"] == client.get("/v3/account/balance")["details"][0]["avail"]
    order = client.get("/v3/trade/order/details", clOrdId=name)
    assert (order["state"], order["feeAmt"]) == ("FILLED", last["orders"]["feeAmt"])
    client.data("POST", "/v3/trade/positionAll", body={})


def test_pings_are_answered_and_nonsense_is_not_fatal(served) -> None:
    async def work(socket):
        for frame in ("ping", {"event": "ping"}):
            await socket.say(frame)
            await socket.hear(lambda f: f == {"event": "pong"})
        await socket.say("nonsense")
        await socket.hear(lambda f: f.get("event") == "error")
        await socket.say("ping")
        await socket.hear(lambda f: f == {"event": "pong"})

    on_socket(served, "/ws/v3/public", work)


def test_a_silent_client_is_cut_off_without_a_close_frame() -> None:
    with serving(settings_for(silence_max=1_500_000_000)) as served:

        async def work(socket):
            await socket.subscribe("tickers", [BTC])
            began = time.monotonic()
            while True:
                message = await socket.socket.receive(timeout=10)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    assert 1.0 < time.monotonic() - began < 6.0
                    return socket.socket.close_code

        assert on_socket(served, "/ws/v3/public", work) == 1006


def test_an_order_whose_answer_is_lost_was_taken_all_the_same(served, client) -> None:
    bid, _ = client.touch()
    fault(served, kind="lose_answer", path="/v3/trade/order", method="POST", count=1)
    with pytest.raises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
        client.place("BUY", "1", near(bid, -0.02), clOrdId="lost-answer")
    (row,) = client.get("/v3/trade/order/opens", clOrdId="lost-answer")
    assert row["state"] == "NEW"


def test_half_an_answer_is_no_answer(served, client) -> None:
    fault(served, kind="partial_body", path="/v3/account/balance", count=1)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.get("/v3/account/balance")
    assert client.get("/v3/account/balance")["eq"]


def test_a_delayed_answer_does_not_delay_the_others(served, client) -> None:
    fault(served, kind="delay", path="/v3/account/bills", delay_ms=700, count=1)
    began = time.monotonic()
    client.get("/v3/account/balance")
    assert time.monotonic() - began < 0.6
    client.get("/v3/account/bills")
    assert time.monotonic() - began > 0.6


def test_a_cut_connection_can_be_opened_again(served) -> None:
    fault(served, kind="disconnect", channel="tickers", count=1)

    async def cut(socket):
        await socket.subscribe("tickers", [BTC])
        while (await socket.socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
            pass
        return socket.socket.close_code

    async def whole(socket):
        await socket.subscribe("tickers", [BTC])
        return (await socket.hear(lambda f: "data" in f))["data"][0]["s"]

    assert on_socket(served, "/ws/v3/public", cut) == 1006
    assert on_socket(served, "/ws/v3/public", whole) == BTC


def test_everything_is_still_there_after_a_restart(tmp_path) -> None:
    seen = (
        "/v3/trade/order/opens",
        "/v3/trade/position/history",
        "/v3/trade/order/trades",
        "/v3/account/bills",
    )
    with serving(state=tmp_path / "journal") as served:
        client = RawClient(served.url)
        bid, _ = client.touch()
        client.place("BUY", "2", near(bid, -0.03), clOrdId="stays")
        client.place("BUY", "3")
        client.place("SELL", "3")
        client.data("POST", "/v3/position/leverage", body={"symbol": BTC, "lever": 7, "mgnMode": "CROSS"})
        before = [client.get(path) for path in seen]
        equity = client.get("/v3/account/balance")["eq"]
    with serving(state=tmp_path / "journal") as served:
        client = RawClient(served.url)
        assert [client.get(path) for path in seen] == before
        assert client.get("/v3/account/balance")["eq"] == equity
        assert client.get("/v3/position/leverages", symbol=BTC)[0]["lever"] == "7"
        assert client.code("POST", "/v3/trade/order", None, order_body(near(bid, -0.03), "stays")) == 250
        client.data("DELETE", "/v3/trade/order", body={"symbol": BTC, "clOrdId": "stays"})
        assert wait_for(lambda: client.get("/v3/market/trades", symbol=BTC))


def order_body(px, client_id):
    return {"symbol": BTC, "side": "BUY", "type": "LIMIT", "sz": "1", "px": px, "clOrdId": client_id}


def test_a_port_in_use_is_told(served) -> None:
    from tests.contract.clients.served import Served

    with pytest.raises(OSError, match="in use"):
        Served(port=served.port)

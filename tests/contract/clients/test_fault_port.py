"""Every kind of fault, switched on over HTTP and felt by clients over real sockets."""

import asyncio
import http.client
import itertools
import time
import urllib.error

import aiohttp
import pytest

from actors.exchange.server.faults import KINDS
from tests.contract.clients.raw_socket import fault, on_socket
from tests.contract.clients.served import (
    BTC,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    SECRET,
    RawClient,
    near,
    serving,
    settings_for,
    wait_for,
)

ORDER, OPENS, BALANCE = "/v3/trade/order", "/v3/trade/order/opens", "/v3/account/balance"
CUT = (urllib.error.URLError, ConnectionError, http.client.HTTPException)
PUBLIC, PRIVATE = "/ws/v3/public", "/ws/v3/private"
names = (f"fault-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def served():
    with serving(settings_for(faults=True, participants_every=50_000_000)) as one:
        yield one


@pytest.fixture
def client(served):
    yield RawClient(served.url)
    RawClient(served.url).send("DELETE", "/__faults__", sign=False)
    RawClient(served.url).send("DELETE", "/v3/trade/allOrders")


@pytest.fixture
def other(served):
    return RawClient(served.url, OTHER_KEY, OTHER_SECRET)


def low(client) -> str:
    return near(client.touch()[0], -0.03)


def is_known(client, name) -> bool:
    return bool(client.get(OPENS, clOrdId=name) or client.get("/v3/trade/order/history", clOrdId=name))


def test_every_kind_is_explained_by_the_port_itself(client) -> None:
    _, kinds = client.send("GET", "/__faults__/kinds", sign=False)
    assert kinds == KINDS


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"kind": "bogus"}, "one of delay, error"),
        ({"kind": "delay", "dely_ms": 4}, "dely_ms"),
        ({"kind": "delay", "delay_ms": "4"}, "Expected `int`"),
        ({}, "kind"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_what_would(client, rule, text) -> None:
    status, found = client.send("POST", "/__faults__", body=rule, sign=False)
    assert status == 400
    assert text in found["message"]
    assert client.send("GET", "/__faults__", sign=False) == (200, {"rules": []})


# -- requests --------------------------------------------------------------------------------------------


def test_an_error_code_comes_with_http_200_and_nothing_is_done(served, client) -> None:
    fault(served, kind="error", path=ORDER, method="POST", code=10014, message="limit", count=1)
    name, px = next(names), low(client)
    assert client.send("POST", ORDER, body=order(px, name)) == (
        200,
        {"code": 10014, "msg": "limit", "data": ""},
    )
    assert not is_known(client, name)
    client.place("BUY", "1", px, clOrdId=name)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_has_its_http_status(served, client, status) -> None:
    fault(served, kind="http_error", path=BALANCE, status=status, code=status, count=1)
    assert client.send("GET", BALANCE)[0] == status
    assert client.send("GET", BALANCE)[0] == 200


def test_a_storm_of_429_ends_when_the_rule_goes(served, client) -> None:
    fault(served, kind="rate_limit", path="/v3/")
    assert {client.send("GET", path)[0] for path in (BALANCE, OPENS, "/v3/market/tickers")} == {429}
    client.send("DELETE", "/__faults__", sign=False)
    assert client.send("GET", BALANCE)[0] == 200


@pytest.mark.parametrize(
    ("kind", "is_done"), [("lose_answer", True), ("partial_body", True), ("drop", False)]
)
def test_an_answer_that_never_comes_says_nothing_about_the_order(served, client, kind, is_done) -> None:
    name, px = next(names), low(client)
    fault(served, kind=kind, path=ORDER, method="POST", count=1)
    with pytest.raises(CUT):
        client.place("BUY", "1", px, clOrdId=name)
    assert is_known(client, name) is is_done


def test_a_request_done_twice_makes_one_order_of_a_named_one_and_two_of_others(served, client) -> None:
    px = low(client)
    fault(served, kind="duplicate_request", path=ORDER, method="POST")
    assert client.send("POST", ORDER, body=order(px, next(names)))[1]["code"] == 250
    client.data("DELETE", "/v3/trade/allOrders", body={"symbol": BTC})
    unnamed = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "sz": "1", "px": px}
    client.data("POST", ORDER, body=unnamed)
    assert len(client.get(OPENS)) == 2


def test_an_accepted_order_is_canceled_at_once_with_the_reason(served, client) -> None:
    reason = "SYS_CANCEL_ORDER_ACTION"
    fault(served, kind="reject_after_answer", reason=reason, symbol=BTC, count=1)
    placed = client.place("BUY", "1", low(client))
    row = client.get("/v3/trade/order/details", ordId=placed["ordId"])
    assert (row["state"], row["cancelReason"]) == ("CANCELED", reason)


def test_a_fault_of_one_account_or_symbol_leaves_the_others_alone(served, client, other) -> None:
    fault(served, kind="http_error", path="/v3/", account=KEY)
    assert client.send("GET", BALANCE)[0] == 500
    assert other.send("GET", BALANCE)[0] == 200
    client.send("DELETE", "/__faults__", sign=False)
    fault(served, kind="http_error", symbol="ETH_USDT_PERP")
    tickers = "/v3/market/tickers"
    assert client.send("GET", tickers, {"symbol": "ETH_USDT_PERP"})[0] == 500
    assert client.send("GET", tickers, {"symbol": BTC})[0] == 200
    body = {**order("1000", next(names)), "symbol": "ETH_USDT_PERP"}
    assert client.send("POST", ORDER, body=body)[0] == 500


def test_every_third_request_is_struck_and_the_count_ends_it(served, client) -> None:
    fault(served, kind="http_error", path=BALANCE, every=3, count=2)
    statuses = [client.send("GET", BALANCE)[0] for _ in range(9)]
    assert statuses == [200, 200, 500, 200, 200, 500, 200, 200, 200]


def order(px, name) -> dict:
    return {"symbol": BTC, "side": "BUY", "type": "LIMIT", "sz": "1", "px": px, "clOrdId": name}


# -- the world -------------------------------------------------------------------------------------------


def test_prices_stand_still_until_they_are_let_go(served, client) -> None:
    fault(served, kind="freeze_prices", symbol=BTC)
    path = "/v3/market/indexPrice"
    time.sleep(1.2)
    before = client.get(path, symbol=BTC)
    other_before = client.get(path, symbol="ETH_USDT_PERP")
    wait_for(lambda: client.get(path, symbol="ETH_USDT_PERP") != other_before)
    time.sleep(1.2)
    assert client.get(path, symbol=BTC) == before
    client.send("DELETE", "/__faults__", sign=False)
    wait_for(lambda: client.get(path, symbol=BTC) != before)


def test_a_clock_that_is_off_refuses_honest_timestamps(served, client) -> None:
    fault(served, kind="skew", skew_ms=120_000)
    _, found = client.send("GET", "/timestamp", sign=False)
    assert 110_000 < found["serverTime"] - time.time() * 1_000 < 130_000
    assert client.send("GET", BALANCE)[0] == 400
    assert client.send("GET", BALANCE, stamp=found["serverTime"])[0] == 200


def test_maintenance_refuses_what_is_signed_and_market_data_goes_on(served, client) -> None:
    fault(served, kind="maintenance")
    assert client.code("GET", BALANCE) == 1002
    assert client.send("GET", "/accounts/balances")[1]["code"] == 1002
    assert client.get("/v3/market/tickers")


@pytest.mark.parametrize(
    ("word", "place", "cancel"),
    [
        ("PAUSED", 10005, 10005),
        ("CANCEL_ONLY", 10006, 0),
        ("CANCEL_CLOSE_ONLY", 10015, 0),
        ("CLOSED", 10000, 0),
    ],
)
def test_a_symbol_takes_what_its_status_allows_and_streams_it(served, client, word, place, cancel) -> None:
    placed = client.place("BUY", "1", low(client))
    body = {"symbol": BTC, "ordId": placed["ordId"]}

    async def work(socket):
        await socket.subscribe("symbol", [BTC])
        await socket.hear(lambda f: f.get("action") == "snapshot")
        fault(served, kind="symbol_status", symbol=BTC, status_word=word)
        frame = await socket.hear(lambda f: f.get("channel") == "symbol" and "data" in f)
        assert frame["data"][0]["status"] == word

    on_socket(served, PUBLIC, work)
    assert client.get("/v3/market/instruments", symbol=BTC)["status"] == word
    assert client.code("POST", ORDER, body=order(placed and low(client), next(names))) == place
    _, found = client.send("DELETE", ORDER, body=body)
    assert found["code"] == (cancel or 200)
    client.send("DELETE", "/__faults__", sign=False)
    wait_for(lambda: client.get("/v3/market/instruments", symbol=BTC)["status"] == "OPEN")


def test_a_revoked_key_is_a_stranger_and_loses_its_stream(served, client, other) -> None:
    async def work(socket):
        assert await socket.log_in()
        await asyncio.to_thread(lambda: fault(served, kind="revoke_key", account=KEY))
        while (message := await socket.socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
            pass
        return message.type, socket.socket.close_code

    async def again(socket):
        return await socket.log_in(KEY, SECRET)

    _, code = on_socket(served, PRIVATE, work)
    assert code == 1006
    assert client.send("GET", BALANCE)[0] == 401
    assert other.send("GET", BALANCE)[0] == 200
    assert on_socket(served, PRIVATE, again) is False
    client.send("DELETE", "/__faults__", sign=False)
    assert on_socket(served, PRIVATE, again) is True


# -- streams ---------------------------------------------------------------------------------------------


def rows(frames, channel) -> list[dict]:
    return [frame["data"][0] for frame in frames if frame.get("channel") == channel and "data" in frame]


def updates(frames) -> list[dict]:
    return rows([frame for frame in frames if frame.get("action") == "update"], "book_lv2")


def test_one_channel_is_mute_while_the_others_live(served, client) -> None:
    async def work(socket):
        for channel in ("tickers", "mark_price", "book_lv2"):
            await socket.subscribe(channel, [BTC])
        await socket.hear(lambda f: f.get("channel") == "mark_price" and "data" in f)
        fault(served, kind="mute", channel="tickers", symbol=BTC)
        await socket.listen(0.3)
        return await socket.listen(1.5)

    heard = on_socket(served, PUBLIC, work)
    assert rows(heard, "tickers") == []
    assert rows(heard, "mark_price")
    assert updates(heard)


def followed(served, seconds=1.5, **rule) -> list[dict]:
    """Return the updates of a book after its snapshot, under a fault."""

    async def work(socket):
        await socket.subscribe("book_lv2", [BTC])
        await socket.hear(lambda f: f.get("action") == "snapshot")
        fault(served, channel="book_lv2", **rule)
        return await socket.listen(seconds)

    return updates(on_socket(served, PUBLIC, work))


def test_a_gap_breaks_the_chain_of_ids(served, client) -> None:
    found = followed(served, kind="gap", every=2)
    assert len(found) > 1
    assert all(row["lid"] != before["id"] for before, row in itertools.pairwise(found))


def test_frames_come_twice(served, client) -> None:
    found = [row["id"] for row in followed(served, kind="duplicate")]
    assert len(found) > 2
    assert found[::2] == found[1::2]


def test_frames_come_in_the_wrong_order(served, client) -> None:
    found = [row["id"] for row in followed(served, kind="reorder")]
    assert len(found) > 1
    assert any(row < before for before, row in itertools.pairwise(found))
    assert len(set(found)) == len(found)


def test_left_out_frames_are_gone(served, client) -> None:
    found = followed(served, kind="drop_frame", every=2)
    assert any(row["lid"] != before["id"] for before, row in itertools.pairwise(found))


def test_frames_come_late_and_others_in_time(served, client) -> None:
    async def work(socket):
        for channel in ("index_price", "mark_price"):
            await socket.subscribe(channel, [BTC])
        fault(served, kind="delay_frame", channel="mark_price", delay_ms=700)
        await socket.listen(1.0)
        late = {"mark_price": [], "index_price": []}
        end = time.monotonic() + 2.2
        while time.monotonic() < end:
            frame = await socket.hear(lambda f: "data" in f)
            late[frame["channel"]].append(time.time() * 1_000 - frame["data"][0]["ts"])
        return late

    late = on_socket(served, PUBLIC, work)
    assert min(late["mark_price"]) >= 650
    assert min(late["index_price"]) < 500


def test_private_frames_of_one_account_are_lost_and_the_list_knows_better(served, client) -> None:
    px, name = low(client), next(names)

    async def work(socket):
        assert await socket.log_in()
        for channel in ("orders", "account"):
            await socket.subscribe(channel, ["all"])
        await socket.listen(0.2)
        fault(served, kind="mute", channel="orders", account=KEY)
        await asyncio.to_thread(client.place, "BUY", "1", px, clOrdId=name)
        return await socket.listen(0.5)

    heard = on_socket(served, PRIVATE, work)
    assert rows(heard, "orders") == []
    assert rows(heard, "account")
    assert is_known(client, name)

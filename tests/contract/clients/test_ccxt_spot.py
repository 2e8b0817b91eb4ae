"""ccxt, unchanged but for the base URLs, believes that it trades spot at Poloniex; so does ccxt pro."""

import asyncio

import pytest

from tests.contract.clients.served import KEY, SECRET, near, serving

ccxt = pytest.importorskip("ccxt")

SYMBOL = "BTC/USDT"


@pytest.fixture(scope="module")
def served():
    with serving() as one:
        yield one


def urls(served):
    sockets = {"public": f"{served.socket_url}/ws/public", "private": f"{served.socket_url}/ws/private"}
    return {"api": {"spot": served.url, "swap": served.url, "ws": sockets}}


@pytest.fixture(scope="module")
def client(served):
    made = ccxt.poloniex({"apiKey": KEY, "secret": SECRET, "urls": urls(served), "enableRateLimit": False})
    made.load_markets()
    return made


@pytest.fixture
def clean(client):
    yield client
    client.cancel_all_orders(SYMBOL)


def test_markets_have_scales_and_minima(client) -> None:
    market = client.market(SYMBOL)
    assert market["spot"]
    assert market["active"]
    assert market["precision"] == {**market["precision"], "price": 0.01, "amount": 1e-6}


def test_market_data_is_there(client) -> None:
    book = client.fetch_order_book(SYMBOL, 20)
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert abs(client.fetch_ticker(SYMBOL)["last"] / book["bids"][0][0] - 1) < 0.01
    assert SYMBOL in client.fetch_tickers()
    candles = client.fetch_ohlcv(SYMBOL, "5m", limit=20)
    assert len(candles) == 20
    assert all(low <= min(o, c) <= max(o, c) <= high for _, o, high, low, c, _ in candles)
    assert {trade["side"] for trade in client.fetch_trades(SYMBOL)} <= {"buy", "sell"}
    assert client.fetch_currencies()["BTC"]


def test_balances_hold_what_an_order_needs(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    before = clean.fetch_balance()["USDT"]
    price = float(near(bid, -0.02))
    clean.create_order(SYMBOL, "limit", "buy", 0.01, price)
    after = clean.fetch_balance()["USDT"]
    assert after["used"] == pytest.approx(before["used"] + 0.01 * price)
    assert after["total"] == pytest.approx(before["total"])


def test_an_order_rests_is_found_edited_and_canceled(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    order = clean.create_order(
        SYMBOL, "limit", "buy", 0.01, float(near(bid, -0.02)), {"clientOrderId": "s-1"}
    )
    assert clean.fetch_order(order["id"])["status"] == "open"
    edited = clean.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, float(near(bid, -0.03)))
    (found,) = clean.fetch_open_orders(SYMBOL)
    assert (found["id"], found["amount"]) == (edited["id"], 0.02)
    clean.cancel_order(edited["id"], SYMBOL)
    assert clean.fetch_open_orders(SYMBOL) == []
    assert clean.fetch_order(edited["id"])["status"] == "canceled"


def test_buying_and_selling_at_market_moves_coins_and_charges_fees(clean) -> None:
    before = clean.fetch_balance()
    bought = clean.create_order(
        SYMBOL, "market", "buy", 100, None, {"createMarketBuyOrderRequiresPrice": False}
    )
    trades = [trade for trade in clean.fetch_my_trades(SYMBOL) if trade["order"] == bought["id"]]
    assert trades
    assert {trade["fee"]["currency"] for trade in trades} == {"BTC"}
    amount = sum(trade["amount"] for trade in trades)
    sold = clean.create_order(SYMBOL, "market", "sell", round(amount, 6))
    fees = [t["fee"]["cost"] for t in clean.fetch_my_trades(SYMBOL) if t["order"] == sold["id"]]
    after = clean.fetch_balance()
    assert sum(fees) == pytest.approx(0.2, rel=0.05)
    assert before["USDT"]["total"] - 2 < after["USDT"]["total"] < before["USDT"]["total"]
    assert [t["id"] for t in clean.fetch_order_trades(bought["id"], SYMBOL)] == [t["id"] for t in trades][::1]


def test_a_stop_order_waits_and_is_canceled(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    stop = float(near(bid, -0.05))
    order = clean.create_order(SYMBOL, "limit", "sell", 0.01, stop, {"triggerPrice": stop})
    waiting = clean.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert [one["id"] for one in waiting] == [order["id"]]
    clean.cancel_order(order["id"], SYMBOL, {"trigger": True})
    assert clean.fetch_open_orders(SYMBOL, params={"trigger": True}) == []


def test_money_goes_from_spot_to_futures_and_back(clean) -> None:
    before = clean.fetch_balance()["USDT"]["total"]
    clean.transfer("USDT", 100, "spot", "future")
    assert clean.fetch_balance()["USDT"]["total"] == pytest.approx(before - 100)
    clean.transfer("USDT", 100, "future", "spot")
    assert clean.fetch_balance()["USDT"]["total"] == pytest.approx(before)


def test_refusals_become_the_exceptions_ccxt_has_for_them(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    with pytest.raises(ccxt.InsufficientFunds):
        clean.create_order(SYMBOL, "limit", "buy", 10, float(near(bid, -0.01)))
    with pytest.raises(ccxt.OrderNotFound):
        clean.fetch_order("205999999999999999")


def test_fees_are_told(client) -> None:
    assert client.fetch_trading_fees()[SYMBOL]["taker"] == 0.002


def test_batches_of_spot_orders_are_placed_and_canceled_row_by_row(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    row = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "price": near(bid, -0.03)}
    placed = clean.privatePostOrdersBatch([{**row, "quantity": "0.01"}, {**row, "quantity": "x"}])
    assert "id" in placed[0]
    assert int(placed[1]["code"]) != 200
    canceled = clean.privateDeleteOrdersCancelByIds({"orderIds": [placed[0]["id"]]})
    assert [one["state"] for one in canceled] == ["PENDING_CANCEL"]
    assert clean.fetch_open_orders(SYMBOL) == []


def test_everything_open_is_canceled_by_one_call(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    for step in range(3):
        clean.create_order(SYMBOL, "limit", "buy", 0.01, float(near(bid, -0.02 - step / 1_000)))
    assert len(clean.cancel_all_orders(SYMBOL)) == 3
    assert clean.fetch_open_orders(SYMBOL) == []


def test_ended_orders_are_found_by_their_states(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    filled = clean.create_order(SYMBOL, "limit", "buy", 0.001, float(near(bid, 0.02)), {"timeInForce": "IOC"})
    refused = clean.create_order(
        SYMBOL, "limit", "buy", 0.001, float(near(bid, -0.02)), {"timeInForce": "IOC"}
    )
    passive = clean.create_order(SYMBOL, "limit", "buy", 0.001, float(near(bid, -0.02)), {"postOnly": True})
    clean.cancel_order(passive["id"], SYMBOL)
    history = clean.request("orders/history", "private", "GET", {"symbol": "BTC_USDT", "limit": 10})
    states = {row["id"]: row["state"] for row in history}
    assert [states[one["id"]] for one in (filled, refused, passive)] == ["FILLED", "CANCELED", "CANCELED"]
    assert clean.fetch_order_status(filled["id"]) == "closed"


def test_the_kill_switch_is_set_shown_and_taken_back(clean) -> None:
    clean.privatePostOrdersKillSwitch({"timeout": "60"})
    status = clean.privateGetOrdersKillSwitchStatus()
    assert int(status["cancellationTime"]) - int(status["startTime"]) == 60_000
    clean.privatePostOrdersKillSwitch({"timeout": "-1"})


# -- ccxt pro ---------------------------------------------------------------------------------------


def run_pro(served, work):
    """Run a coroutine function with a connected ccxt pro client."""
    pro = pytest.importorskip("ccxt.pro")

    async def run():
        client = pro.poloniex(
            {"apiKey": KEY, "secret": SECRET, "urls": urls(served), "enableRateLimit": False}
        )
        try:
            await client.load_markets()
            return await asyncio.wait_for(work(client), 20)
        finally:
            await client.close()

    return asyncio.run(run())


def test_pro_follows_book_ticker_trades_and_candles(served) -> None:
    async def work(client):
        book = await client.watch_order_book(SYMBOL)
        for _ in range(5):
            book = await client.watch_order_book(SYMBOL)
            assert book["bids"][0][0] < book["asks"][0][0]
        ticker = await client.watch_ticker(SYMBOL)
        assert ticker["last"] > 0
        trades = await client.watch_trades(SYMBOL)
        assert trades[0]["amount"] > 0
        candles = await client.watch_ohlcv(SYMBOL, "1m")
        assert candles[-1][2] >= candles[-1][3]

    run_pro(served, work)


def test_pro_places_hears_and_cancels_orders(served) -> None:
    async def work(client):
        balance = asyncio.ensure_future(client.watch_balance())
        orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
        await asyncio.sleep(0.5)
        bid = (await client.fetch_order_book(SYMBOL, 5))["bids"][0][0]
        placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, float(near(bid, -0.02)))
        heard = (await orders)[-1]
        assert (heard["id"], heard["status"]) == (placed["id"], "open")
        assert (await balance)["USDT"]["used"] > 0
        again = asyncio.ensure_future(client.watch_orders(SYMBOL))
        await client.cancel_order_ws(placed["id"], SYMBOL)
        assert (await again)[-1]["status"] == "canceled"

    run_pro(served, work)


def test_pro_hears_its_own_trades_and_the_end_of_its_orders(served) -> None:
    async def work(client):
        # With a symbol this ccxt waits under one name and resolves another.
        trades = asyncio.ensure_future(client.watch_my_trades())
        orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
        await asyncio.sleep(0.5)
        placed = await client.create_order_ws(SYMBOL, "market", "buy", 50, None, {"cost": 50})
        trade = (await trades)[-1]
        assert (trade["order"], trade["side"], trade["takerOrMaker"]) == (placed["id"], "buy", "taker")
        heard = (await orders)[-1]
        while heard["status"] != "closed":
            heard = (await client.watch_orders(SYMBOL))[-1]
        assert heard["id"] == placed["id"]

    run_pro(served, work)


def test_pro_cancels_some_and_all_over_the_socket(served) -> None:
    async def work(client):
        bid = (await client.fetch_order_book(SYMBOL, 5))["bids"][0][0]
        ids = []
        for _ in range(4):
            placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.001, float(near(bid, -0.02)))
            ids.append(placed["id"])
            await asyncio.sleep(0.01)  # ccxt names a request by its millisecond, and this venue is near
        gone = await client.cancel_orders_ws(ids[:2], SYMBOL)
        assert sorted(one["id"] for one in gone) == sorted(ids[:2])
        await asyncio.sleep(0.01)
        await client.cancel_all_orders_ws(SYMBOL)
        assert await client.fetch_open_orders(SYMBOL) == []

    run_pro(served, work)


def test_pro_follows_many_symbols(served) -> None:
    other = "ETH/USDT"

    async def work(client):
        tickers = await client.watch_tickers([SYMBOL, other])
        assert set(tickers) <= {SYMBOL, other}
        seen = set()
        while seen != {SYMBOL, other}:
            seen |= {trade["symbol"] for trade in await client.watch_trades_for_symbols([SYMBOL, other])}

    run_pro(served, work)

"""ccxt, unchanged but for the base URLs, believes that it trades perpetuals at Poloniex."""

import itertools

import pytest

from tests.contract.clients.served import BTC, KEY, SECRET, near, serving

ccxt = pytest.importorskip("ccxt")

SYMBOL = "BTC/USDT:USDT"
BOTH = {"mgnMode": "CROSS", "posSide": "BOTH"}


@pytest.fixture(scope="module")
def served():
    with serving() as one:
        yield one


@pytest.fixture(scope="module")
def client(served):
    urls = {"api": {"spot": served.url, "swap": served.url}}
    made = ccxt.poloniex(
        {
            "apiKey": KEY,
            "secret": SECRET,
            "options": {"defaultType": "swap"},
            "urls": urls,
            "enableRateLimit": False,
        }
    )
    made.load_markets()
    return made


@pytest.fixture
def clean(client):
    """Nothing open before and after."""
    yield client
    client.cancel_all_orders(SYMBOL)
    client.swapPrivatePostV3TradePositionAll()


def test_markets_have_sizes_and_precision(client) -> None:
    market = client.market(SYMBOL)
    assert market["swap"]
    assert (market["contractSize"], market["active"], market["settle"]) == (0.001, True, "USDT")
    assert market["precision"] == {**market["precision"], "price": 0.01, "amount": 1.0}


def test_tickers_and_books_agree(client) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    book = client.fetch_order_book(SYMBOL, 20)
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert abs(ticker["last"] / book["bids"][0][0] - 1) < 0.01
    assert set(client.fetch_tickers()) >= {SYMBOL, "ETH/USDT:USDT"}


def test_candles_ascend_and_contain_their_prices(client) -> None:
    candles = client.fetch_ohlcv(SYMBOL, "1h", limit=50)
    assert len(candles) == 50
    assert [b[0] - a[0] for a, b in itertools.pairwise(candles)] == [3_600_000] * 49
    for _, first, high, low, last, volume in candles:
        assert low <= min(first, last) <= max(first, last) <= high
        assert volume >= 0


def test_trades_come_with_side_price_and_size(client) -> None:
    trades = client.fetch_trades(SYMBOL)
    assert trades
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}
    assert all(trade["amount"] > 0 and trade["price"] > 0 for trade in trades)


def test_the_clock_is_ours(client) -> None:
    assert abs(client.fetch_time() - client.milliseconds()) < 5_000


def test_the_balance_is_the_deposit(client) -> None:
    assert client.fetch_balance()["USDT"]["total"] == pytest.approx(10_000, abs=100)


def test_an_order_rests_and_is_canceled(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    order = clean.create_order(SYMBOL, "limit", "buy", 2, float(near(bid, -0.02)), {"clOrdId": "rest-1"})
    (found,) = clean.fetch_open_orders(SYMBOL)
    assert (found["id"], found["clientOrderId"], found["status"]) == (order["id"], "rest-1", "open")
    assert (found["amount"], found["remaining"], found["side"]) == (2, 2, "buy")
    clean.cancel_order(order["id"], SYMBOL)
    assert clean.fetch_open_orders(SYMBOL) == []
    ended = [one for one in clean.fetch_closed_orders(SYMBOL) if one["id"] == order["id"]]
    assert [one["status"] for one in ended] == ["canceled"]


def test_a_market_order_makes_a_position_a_trade_and_a_fee(clean) -> None:
    order = clean.create_order(SYMBOL, "market", "buy", 3)
    trades = [trade for trade in clean.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert sum(trade["amount"] for trade in trades) == 3
    assert all(trade["takerOrMaker"] == "taker" and trade["fee"]["cost"] > 0 for trade in trades)
    (position,) = clean.fetch_positions([SYMBOL])
    assert (position["contracts"], position["leverage"], position["marginMode"]) == (3, 20, "cross")
    assert position["entryPrice"] == pytest.approx(trades[0]["price"], rel=0.001)
    (closed,) = [one for one in clean.fetch_closed_orders(SYMBOL) if one["id"] == order["id"]]
    assert (closed["status"], closed["filled"]) == ("closed", 3)


def test_batches_are_placed_and_canceled_row_by_row(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    row = {"symbol": BTC, "type": "LIMIT", "side": "BUY", "px": near(bid, -0.03), **BOTH}
    placed = clean.swapPrivatePostV3TradeOrders([{**row, "sz": "1"}, {**row, "sz": "2"}, {**row, "sz": "x"}])
    assert [int(one["code"]) for one in placed["data"]] == [200, 200, 400]
    ids = [one["ordId"] for one in placed["data"][:2]]
    assert sorted(order["id"] for order in clean.fetch_open_orders(SYMBOL)) == sorted(ids)
    canceled = clean.swapPrivateDeleteV3TradeBatchOrders(
        {"symbol": BTC, "ordIds": [*ids, "331999999999999999"]}
    )
    assert [int(one["code"]) for one in canceled["data"]] == [200, 200, 11008]
    assert clean.fetch_open_orders(SYMBOL) == []


def test_batches_through_the_methods_of_newer_ccxt(clean) -> None:
    if not (clean.has["createOrders"] and clean.has["cancelOrders"]):
        pytest.skip("this ccxt has no batches for this venue")
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    price = float(near(bid, -0.03))
    rows = [{"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": n, "price": price} for n in (1, 2)]
    placed = clean.create_orders(rows)
    assert len({order["id"] for order in placed}) == 2
    clean.cancel_orders([order["id"] for order in placed], SYMBOL)
    assert clean.fetch_open_orders(SYMBOL) == []


def test_cancel_all_leaves_nothing(clean) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    for step in range(3):
        clean.create_order(SYMBOL, "limit", "buy", 1, float(near(bid, -0.02 - step / 1000)))
    assert len(clean.cancel_all_orders(SYMBOL)) == 3
    assert clean.fetch_open_orders(SYMBOL) == []


def test_leverage_and_mode_can_be_changed(clean) -> None:
    clean.set_leverage(15, SYMBOL, {"marginMode": "cross"})
    assert clean.fetch_leverage(SYMBOL, {"marginMode": "cross"})["longLeverage"] == 15
    clean.set_leverage(20, SYMBOL, {"marginMode": "cross"})
    clean.set_position_mode(True, SYMBOL)
    assert clean.fetch_position_mode(SYMBOL)["hedged"]
    clean.set_position_mode(False, SYMBOL)
    assert not clean.fetch_position_mode(SYMBOL)["hedged"]


def test_margin_of_an_isolated_position_can_be_changed(clean) -> None:
    clean.create_order(SYMBOL, "market", "buy", 2, None, {"marginMode": "isolated", "posSide": "BOTH"})
    clean.add_margin(SYMBOL, 10)
    (position,) = clean.swapPrivateGetV3TradePositionOpens()["data"]
    assert position["mgnMode"] == "ISOLATED"
    before = float(position["mgn"])
    clean.reduce_margin(SYMBOL, 5)
    (position,) = clean.swapPrivateGetV3TradePositionOpens()["data"]
    assert float(position["mgn"]) == pytest.approx(before - 5)


def test_refusals_become_the_exceptions_ccxt_has_for_them(clean) -> None:
    clean.set_leverage(1, SYMBOL, {"marginMode": "cross"})
    with pytest.raises(ccxt.InsufficientFunds):
        clean.create_order(SYMBOL, "market", "buy", 200)
    clean.set_leverage(20, SYMBOL, {"marginMode": "cross"})
    with pytest.raises(ccxt.ExchangeError):
        clean.cancel_order("331999999999999999", SYMBOL)


def test_a_wrong_secret_is_found_out(served) -> None:
    urls = {"api": {"spot": served.url, "swap": served.url}}
    thief = ccxt.poloniex(
        {"apiKey": KEY, "secret": "guess", "options": {"defaultType": "swap"}, "urls": urls}
    )
    with pytest.raises(ccxt.BaseError):
        thief.swapPrivateGetV3AccountBalance()


def test_the_rest_of_the_market_data_is_there(client) -> None:
    query = {"symbol": BTC}
    rate = client.swapPublicGetV3MarketFundingRate(query)["data"]
    assert int(rate["nFT"]) - int(rate["fT"]) == 8 * 3_600_000
    assert client.swapPublicGetV3MarketRiskLimit(query)["data"][0]["tier"] == "1"
    assert float(client.swapPublicGetV3MarketOpenInterest(query)["data"]["oInterest"]) > 0
    assert client.request("v3/market/limitPrice", "swapPublic", "GET", dict(query))["data"][0]["buyLmt"]
    assert client.swapPublicGetV3MarketMarkPriceCandlesticks({**query, "interval": "HOUR_1"})["data"]
    for name in ("IndexPrice", "MarkPrice", "IndexPriceComponents", "Insurance", "LiquidationOrder"):
        assert getattr(client, f"swapPublicGetV3Market{name}")()["code"] in (200, "200"), name


def test_bills_closing_and_histories_are_read_like_the_venues(clean) -> None:
    clean.create_order(SYMBOL, "market", "sell", 2)
    clean.swapPrivatePostV3TradePosition({"symbol": BTC, "mgnMode": "CROSS"})
    assert clean.fetch_positions([SYMBOL]) == []
    assert {"FEE", "PNL"} <= {row["type"] for row in clean.swapPrivateGetV3AccountBills()["data"]}
    newest = clean.swapPrivateGetV3TradePositionHistory()["data"][0]
    assert (newest["side"], newest["closedQty"]) == ("SELL", "2")


def test_money_goes_to_the_futures_account_and_back(clean) -> None:
    before = clean.fetch_balance()["USDT"]["total"]
    clean.transfer("USDT", 50, "spot", "future")
    assert clean.fetch_balance()["USDT"]["total"] == pytest.approx(before + 50)
    clean.transfer("USDT", 50, "future", "spot")
    assert clean.fetch_balance()["USDT"]["total"] == pytest.approx(before)


def test_candles_and_own_trades_are_found_by_time(clean) -> None:
    since = clean.milliseconds() - 3_600_000
    candles = clean.fetch_ohlcv(SYMBOL, "1m", since=since, limit=30)
    assert len(candles) == 30
    assert candles[0][0] >= since - 60_000
    order = clean.create_order(SYMBOL, "market", "buy", 1)
    mine = clean.fetch_my_trades(SYMBOL, since=since, limit=5)
    assert order["id"] in {trade["order"] for trade in mine}
    ended = clean.fetch_closed_orders(SYMBOL, since=since, limit=5)
    assert order["id"] in {one["id"] for one in ended}


@pytest.mark.parametrize(
    ("params", "price", "status"),
    [
        ({"postOnly": True}, -0.02, "open"),
        ({"timeInForce": "IOC"}, -0.02, "canceled"),
        ({"timeInForce": "FOK"}, -0.02, "canceled"),
        ({"timeInForce": "IOC"}, 0.02, "closed"),
        ({"postOnly": True}, 0.02, "canceled"),
    ],
)
def test_each_kind_of_limit_order_ends_as_it_should(clean, params, price, status) -> None:
    bid = clean.fetch_order_book(SYMBOL, 5)["bids"][0][0]
    order = clean.create_order(SYMBOL, "limit", "buy", 1, float(near(bid, price)), params)
    known = [*clean.fetch_open_orders(SYMBOL), *clean.fetch_closed_orders(SYMBOL)]
    assert [one["status"] for one in known if one["id"] == order["id"]] == [status]

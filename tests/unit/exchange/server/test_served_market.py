"""The made-up market: participants whose orders are real, and prices that are a function of time."""

from itertools import pairwise

import pytest

from actors.domain.orders import Side
from actors.exchange.server.candles import INTERVALS
from actors.exchange.server.depth import levels_of
from actors.exchange.server.participants import MAKER, TAKER
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.served_engine import HOUSE_ORDERS_KEPT
from tests.unit.exchange.server.served_world import BTC, ETH, SECOND_NS, START_NS, ServedWorld


@pytest.fixture
def world():
    return ServedWorld(participants=True)


def test_there_are_books_and_trades_from_the_first_moment_on(world) -> None:
    for symbol in (BTC, ETH):
        book = world.get("/v3/market/orderBook", f"symbol={symbol}&limit=20")
        assert (len(book["bids"]), len(book["asks"])) == (20, 20)
        assert world.get("/v3/market/trades", f"symbol={symbol}")
        assert float(world.get("/v3/market/openInterest", f"symbol={symbol}")["oInterest"]) > 0
    assert len(world.data("GET", "/markets/BTC_USDT/orderBook", "limit=20")["bids"]) == 40


def test_the_book_follows_the_price_and_never_crosses(world) -> None:
    for price in (8_010_000, 7_950_000, 8_100_000, 8_050_000):
        world.paths[BTC].ticks = price
        world.advance(3)
        market = world.core.views[BTC].market
        bids, asks = levels_of(market, Side.BUY, 20), levels_of(market, Side.SELL, 20)
        assert len(bids) == len(asks) == 20
        assert bids[0][0] < asks[0][0]
        assert abs(bids[0][0] - price) < price // 500
    assert world.core.engine.books_balance()


def test_whoever_bids_above_the_market_is_sold_to(world) -> None:
    placed = world.place("BUY", 5, 79_500)
    world.paths[BTC].ticks = 7_900_000
    world.advance(3)
    row = world.details(placed["ordId"])
    assert (row["state"], row["avgPx"]) == ("FILLED", "79500")


def test_the_same_seed_is_the_same_market() -> None:
    def trades(seed):
        world = ServedWorld(participants=True, seed=seed)
        world.advance(5)
        return world.get("/v3/market/trades", f"symbol={BTC}")

    assert trades(1) == trades(1)
    assert trades(1) != trades(2)


def test_a_path_is_a_function_of_time_that_moves_and_stays_near() -> None:
    path, again = PricePath(7, BTC, 8_000_000), PricePath(7, BTC, 8_000_000)
    times = [START_NS + step * SECOND_NS for step in range(0, 100_000, 997)]
    prices = [path.ticks_at(at) for at in times]
    assert prices == [again.ticks_at(at) for at in reversed(times)][::-1]
    assert len(set(prices)) > 50
    assert all(7_000_000 < price < 9_000_000 for price in prices)
    moves = [abs(path.ticks_at(at + SECOND_NS) - path.ticks_at(at)) for at in times]
    assert max(moves) < 8_000_000 // 1_000, "no jumps within a second"


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_are_whole_and_join(world, interval) -> None:
    world.core.views[BTC].path = PricePath(7, BTC, 8_000_000)
    rows = world.get("/v3/market/candles", f"symbol={BTC}&interval={interval}&limit=30")
    assert len(rows) == 30
    for low, high, first, last, *_ in rows:
        assert float(low) <= min(float(first), float(last)) <= max(float(first), float(last)) <= float(high)
    for before, after in pairwise(rows):
        assert int(after[7]) == int(before[8]) + 1


def test_candles_of_a_time_are_those_of_that_time(world) -> None:
    hour_ms = 3_600_000
    start = START_NS // 1_000_000 - 10 * hour_ms
    query = f"symbol={BTC}&interval=HOUR_1&sTime={start}&eTime={start + 3 * hour_ms}"
    rows = world.get("/v3/market/candles", query)
    assert [int(row[7]) for row in rows] == [start + step * hour_ms for step in range(4)]
    later = world.get("/v3/market/candles", f"symbol={BTC}&interval=HOUR_1&sTime={start}&limit=2")
    assert [int(row[7]) for row in later] == [start, start + hour_ms]
    assert world.code("GET", "/v3/market/candles", f"symbol={BTC}&interval=HOUR_3") == 24102
    assert world.code("GET", "/v3/market/markPriceCandlesticks", f"symbol={BTC}&interval=HOUR_6") == 24102
    assert world.code("GET", "/v3/market/candles", f"symbol={BTC}&interval=HOUR_1&limit=501") == 24104


def test_trades_build_the_newest_candle(world) -> None:
    path = "/v3/market/candles"
    query = f"symbol={BTC}&interval=MINUTE_1&limit=1"
    before = world.get(path, query)[0]
    bid = world.get("/v3/market/orderBook", f"symbol={BTC}&limit=5")["bids"][0][0]
    world.place("SELL", 3, bid)
    after = world.get(path, query)[0]
    assert int(after[5]) == int(before[5]) + 3
    assert float(after[3]) == float(bid)


@pytest.mark.parametrize(("limit", "code"), [("7", 24104), ("151", 24104), ("-1", 24104)])
def test_books_have_certain_depths(world, limit, code) -> None:
    assert world.code("GET", "/v3/market/orderBook", f"symbol={BTC}&limit={limit}") == code


def test_a_scale_adds_levels_up(world) -> None:
    fine = world.get("/v3/market/orderBook", f"symbol={BTC}&limit=150")
    coarse = world.get("/v3/market/orderBook", f"symbol={BTC}&limit=150&scale=100")
    assert all(float(px) % 100 == 0 for side in ("bids", "asks") for px, _ in coarse[side])
    for side in ("bids", "asks"):
        total = sum(int(size) for _, size in fine[side])
        assert sum(int(size) for _, size in coarse[side]) == total
    assert float(coarse["bids"][0][0]) <= float(fine["bids"][0][0])
    assert float(coarse["asks"][0][0]) >= float(fine["asks"][0][0])


def test_what_is_remembered_of_the_participants_is_little(world) -> None:
    world.advance(60)
    for engine in (world.core.engine, world.core.spot.engine):
        wallets = engine.state.wallets
        assert {len(wallets[name].closed.items) for name in (MAKER, TAKER)} == {HOUSE_ORDERS_KEPT}
        assert len(engine.members[MAKER].orders) < 200

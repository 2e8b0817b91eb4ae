"""Mark price, funding rate and the queue for deleveraging, by the venue's formulas."""

from itertools import pairwise

import pytest

from actors.domain.money import E8
from actors.exchange.server.market_view import INTEREST_E8, PREMIUM_CLAMP_E8, RATE_MAX_E8
from actors.exchange.server.settings import AccountSettings
from tests.unit.exchange.server.served_world import BTC, SECOND_NS, START_NS, ServedWorld

HOUR_NS = 3_600 * SECOND_NS


@pytest.fixture
def world() -> ServedWorld:
    accounts = tuple(
        AccountSettings(key=n, secret=f"{n}-secret", usdt=10_000 * E8) for n in ("ann", "bob", "cat")
    )
    return ServedWorld(accounts=accounts, insurance_usdt=0)


def book(world: ServedWorld, bid: int, ask: int) -> None:
    world.data("DELETE", "/v3/trade/allOrders", body={"symbol": BTC}, key="bob")
    world.place("BUY", 1, bid, key="bob")
    world.place("SELL", 1, ask, key="bob")


@pytest.mark.parametrize(
    ("last", "mark"),
    [
        (7_990_000, 8_000_400),  # below both others: the lower one of them
        (8_001_000, 8_000_800),  # above both: the higher one
        (8_000_600, 8_000_600),  # between them
    ],
)
def test_the_mark_is_the_median_of_funding_basis_and_last_trade(world, last, mark) -> None:
    view = world.core.views[BTC]
    book(world, 80_006, 80_010)  # the middle is 800 ticks above the index
    view.rate_e8, view.last_ticks = INTEREST_E8, last
    view._basis.clear()
    view._basis_at_ns = 0
    # Half an interval to go at 0.01 %: 400 ticks above an index of 8,000,000.
    assert view.value(START_NS + HOUR_NS, 8_000_000, view.instrument.funding_interval_ns // 2) == mark


def test_the_basis_is_the_mean_of_five_minutes_of_samples_five_seconds_apart(world) -> None:
    view = world.core.views[BTC]
    book(world, 79_999, 80_001)
    view._basis.clear()
    for step in range(100):
        view.value(START_NS + HOUR_NS + step * SECOND_NS, 8_000_000 - step * 10, HOUR_NS)
    assert list(view._basis) == [step * 10 for step in range(0, 100, 5)]
    for step in range(100, 1_000):
        view.value(START_NS + HOUR_NS + step * SECOND_NS, 8_000_000, HOUR_NS)
    assert list(view._basis) == [0] * 60


@pytest.mark.parametrize(
    ("premium_e8", "rate_e8"),
    [
        (0, INTEREST_E8),
        (PREMIUM_CLAMP_E8, INTEREST_E8),  # within the clamp the interest alone counts
        (200_000, 200_000 - PREMIUM_CLAMP_E8),
        (-200_000, -200_000 + PREMIUM_CLAMP_E8),
        (5_000_000, RATE_MAX_E8),
        (-5_000_000, -RATE_MAX_E8),
    ],
)
def test_the_funding_rate_is_premium_and_clamped_interest_within_its_caps(world, premium_e8, rate_e8) -> None:
    view = world.core.views[BTC]
    view.index_ticks = 8_000_000
    view._basis.clear()
    view._basis.append(premium_e8 * 8_000_000 // E8)
    assert view.rate() == rate_e8


def leverage(world: ServedWorld, key: str, lever: int) -> None:
    body = {"symbol": BTC, "lever": lever, "mgnMode": "CROSS"}
    world.data("POST", "/v3/position/leverage", body=body, key=key)


def test_the_last_of_the_queue_is_deleveraged_first(world) -> None:
    for key, lever in (("ann", 75), ("bob", 20), ("cat", 5)):
        leverage(world, key, lever)
    out = {"currency": "USDT", "amount": "9850", "fromAccount": "FUTURES", "toAccount": "SPOT"}
    world.data("POST", "/accounts/transfer", body=out)
    world.place("SELL", 60, 80_000, key="bob")
    world.place("SELL", 39, 80_000, key="cat")
    world.place("BUY", 99, 80_000)
    world.price(79_500)
    ranks = {key: world.positions(key)[0]["adl"] for key in ("ann", "bob", "cat")}
    assert ranks == {"ann": "1", "bob": "1", "cat": "0.5"}
    socket = world.connect("/ws/v3/private", "bob")
    world.subscribe(socket, "positions", ["all"])
    world.price(76_500)  # through ann's bankruptcy price, and the fund is empty
    assert world.positions("ann") == world.positions("bob") == []
    assert world.get("/v3/trade/position/history", key="bob")[0]["state"] == "ADL"
    assert world.get("/v3/trade/order/trades", key="bob")[0]["type"] == "ADL"
    assert {"ADL_PNL"} <= {row["type"] for row in world.get("/v3/account/bills", key="bob")}
    told = world.heard(socket, "positions")[-1]["data"][0]
    assert (told["qty"], told["state"]) == ("0", "ADL")
    assert world.core.engine.books_balance()


def test_premium_candles_hold_the_distance_of_the_book_from_the_index(world) -> None:
    book(world, 80_079, 80_081)  # a thousandth above the index
    world.advance(61)
    low, high, first, last, start, end = (
        float(one)
        for one in world.get("/v3/market/premiumIndexCandlesticks", f"symbol={BTC}&interval=HOUR_1&limit=2")[
            -1
        ]
    )
    assert (low, high, first, last) == (0.001, 0.001, 0.001, 0.001)
    assert end - start == 3_599_999
    earlier = world.get("/v3/market/premiumIndexCandlesticks", f"symbol={BTC}&interval=HOUR_1&limit=2")[0]
    assert earlier[:4] == ["0"] * 4


def test_settlements_from_before_the_start_are_interest_and_join_those_since() -> None:
    world = ServedWorld(funding_interval=60 * SECOND_NS)
    world.advance(125)
    since = world.now_ns // 1_000_000 - 600_000
    rows = world.get("/v3/market/fundingRate/history", f"symbol={BTC}&sT={since}")
    times = [int(row["fT"]) for row in rows]
    assert len(rows) == 10
    assert [before - after for before, after in pairwise(times)] == [60_000] * 9
    assert {row["fR"] for row in rows[3:]} == {"0.0001"}
    newest = world.get("/v3/market/fundingRate/history", f"symbol={BTC}")
    assert newest == rows[:1]
    assert world.get("/v3/market/fundingRate", f"symbol={BTC}")["fT"] == rows[0]["fT"]

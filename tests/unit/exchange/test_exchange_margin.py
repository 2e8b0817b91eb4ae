"""What an account may take on: price band, sizes, margin of positions and of open orders, risk tiers."""

import pytest

from actors.domain.money import E8
from actors.exchange.codes import Refusal
from actors.exchange.engine import Exchange
from actors.exchange.margin import takeover
from actors.exchange.rules import Rules
from actors.messages.market import MarkPrice
from actors.messages.venue import PlaceOrder
from tests.unit.exchange.exchange_world import (
    ALPHA,
    BUY,
    GTC,
    INSTRUMENTS,
    IOC,
    LIMIT,
    MARKET,
    POST_ONLY,
    SELL,
    World,
    accepted,
    refusal,
)


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (9_499, Refusal.PRICE_BAND),
        (10_501, Refusal.PRICE_BAND),
        (0, Refusal.BAD_PARAMETER),
        (-1, Refusal.BAD_PARAMETER),
    ],
)
def test_a_limit_outside_the_band_around_the_mark_is_refused(limit, code) -> None:
    world = World()
    for side in (BUY, SELL):
        assert refusal(world.place("ann", side, 1, limit, kind=LIMIT)) == code
    assert accepted(world.place("ann", BUY, 1, 9_500))
    assert accepted(world.place("ann", SELL, 1, 10_500))


@pytest.mark.parametrize(
    ("contracts", "limit", "taken"),
    [(0, 10_000, False), (5_001, 10_000, False), (2_001, 0, False), (1, 10_000, True), (-1, 0, False)],
)
def test_sizes_outside_the_instruments_limits_are_refused(contracts, limit, taken) -> None:
    world = World(deposit_usdt=1_000_000)
    world.quote(9_999, 9_999, 10_001, 9_999)
    outcomes = world.place("ann", BUY, contracts, limit)
    assert accepted(outcomes) if taken else refusal(outcomes) == Refusal.BAD_SIZE


def test_orders_of_strangers_and_for_strange_symbols_are_refused() -> None:
    world = World()
    assert refusal(world.place("zoe", BUY, 1, 10_000)) == Refusal.UNKNOWN_ACCOUNT
    assert refusal(world.place("ann", BUY, 1, 10_000, symbol="GAMMA")) == Refusal.UNKNOWN_SYMBOL
    assert world.events[2:] == []


def test_a_post_only_order_must_be_good_till_canceled() -> None:
    world = World()
    assert refusal(world.place("ann", BUY, 1, 9_990, kind=POST_ONLY, tif=IOC)) == Refusal.BAD_PARAMETER
    assert accepted(world.place("ann", BUY, 1, 9_990, kind=POST_ONLY, tif=GTC))


def test_open_orders_tie_up_margin_and_give_it_back() -> None:
    world = World(deposit_usdt=150)  # leverage 10: 1,500 USDT of exposure, less the fee
    assert accepted(world.place("ann", BUY, 10, 9_990, name="a"))
    assert refusal(world.place("ann", BUY, 10, 9_990)) == Refusal.INSUFFICIENT_MARGIN
    world.cancel("ann", "a")
    assert accepted(world.place("ann", BUY, 14, 9_990))


def test_margin_is_needed_for_the_worse_side_only() -> None:
    world = World(deposit_usdt=150)
    assert accepted(world.place("ann", BUY, 14, 9_990))
    assert accepted(world.place("ann", SELL, 14, 10_010))
    assert refusal(world.place("ann", SELL, 3, 10_010)) == Refusal.INSUFFICIENT_MARGIN


def test_margin_counts_across_symbols() -> None:
    world = World(deposit_usdt=150)
    world.buy_at_market("ann", 14)
    assert refusal(world.place("ann", BUY, 100, 9_990, symbol="BETA")) == Refusal.INSUFFICIENT_MARGIN
    assert accepted(world.place("ann", BUY, 5, 9_990, symbol="BETA"))


@pytest.mark.parametrize(
    ("deposit", "side", "limit", "taken"),
    [
        # 10 contracts at 99.90: a tenth of 999 USDT, and 0.0006 of them should they take.
        ("100.49940001", BUY, 9_990, True),
        ("100.4994", BUY, 9_990, False),
        # at 100.10 a bid loses 1 USDT at once
        ("101.70060001", BUY, 10_010, True),
        ("101.7006", BUY, 10_010, False),
        ("101.49940001", SELL, 9_990, True),
        ("101.4994", SELL, 9_990, False),
    ],
)
def test_margin_fee_and_loss_are_needed_to_the_last_unit(deposit, side, limit, taken) -> None:
    outcomes = World(deposit_usdt=deposit).place("ann", side, 10, limit)
    assert accepted(outcomes) if taken else refusal(outcomes) == Refusal.INSUFFICIENT_MARGIN


@pytest.mark.parametrize(("deposit", "taken"), [("100.60000001", True), ("100.6", False)])
def test_what_an_order_takes_needs_its_margin_to_the_last_unit_too(deposit, taken) -> None:
    world = World(deposit_usdt=deposit)
    world.depth([], [(10_000, 10)])
    outcomes = world.place("ann", BUY, 10)
    assert accepted(outcomes) if taken else refusal(outcomes) == Refusal.INSUFFICIENT_MARGIN


def test_a_position_too_large_for_a_raised_leverage_keeps_the_margin_of_its_tier() -> None:
    world = World(deposit_usdt=1_000_000, rules=Rules(leverage={"ALPHA": 5}))
    world.quote(10_000, 2_000, 10_001, 0)
    world.place("ann", SELL, 2_000)
    raised = Exchange(INSTRUMENTS, Rules(leverage={"ALPHA": 10}), world.exchange.state)
    raised.mark(MarkPrice("ALPHA", 0, 10_000, 10_000), world.now_ns)
    assert raised.members["ann"].initial_usdt == 200_000 // 5 * E8
    assert raised.members["ann"].standings["ALPHA"].leverage == 5


def test_an_order_needs_a_name() -> None:
    world = World()
    order = PlaceOrder("ann", "", "ALPHA", BUY, 1, LIMIT, 9_990, GTC, False)
    assert refusal(world.exchange.place(order, world.now_ns)) == Refusal.BAD_PARAMETER


def test_open_profit_can_be_used_and_open_loss_cannot() -> None:
    world = World(deposit_usdt=120)
    world.buy_at_market("ann", 10)
    world.mark(10_400)
    assert accepted(world.place("ann", BUY, 3, 10_300, name="a"))
    world.cancel("ann", "a")
    world.mark(9_700)
    assert refusal(world.place("ann", BUY, 1, 9_700)) == Refusal.INSUFFICIENT_MARGIN


def test_a_price_worse_than_the_mark_needs_its_loss_covered_too() -> None:
    world = World(deposit_usdt=110)
    world.depth([], [(10_500, 10)])
    assert refusal(world.place("ann", BUY, 10)) == Refusal.INSUFFICIENT_MARGIN  # 50 USDT lost at once
    world.depth([], [(10_000, 10)])
    assert accepted(world.place("ann", BUY, 10))


def test_an_account_under_water_may_still_reduce() -> None:
    world = World(deposit_usdt=120)
    world.buy_at_market("ann", 10)
    world.mark(9_200)
    world.quote(9_190, 10, 9_210, 10)
    assert accepted(world.place("ann", SELL, 4))
    assert world.net("ann") == 6


def test_a_market_order_is_held_against_what_it_would_really_trade() -> None:
    world = World(deposit_usdt=120)
    world.depth([], [(10_000, 5)])
    assert accepted(world.place("ann", BUY, 2_000))
    assert world.net("ann") == 5


def test_a_position_beyond_the_tier_of_the_leverage_is_refused() -> None:
    world = World(deposit_usdt=1_000_000)
    assert accepted(world.place("ann", BUY, 1_000, 10_000))
    assert refusal(world.place("ann", BUY, 1, 10_000)) == Refusal.RISK_LIMIT
    lower = World(deposit_usdt=1_000_000, rules=Rules(leverage={"ALPHA": 5}))
    assert accepted(lower.place("ann", BUY, 1_001, 10_000))


def test_shorts_and_resting_asks_count_towards_the_tier_too() -> None:
    world = World(deposit_usdt=1_000_000)
    world.sell_at_market("ann", 400)
    assert accepted(world.place("ann", SELL, 300, 10_010))
    assert refusal(world.place("ann", SELL, 301, 10_010)) == Refusal.RISK_LIMIT
    assert accepted(world.place("ann", SELL, 300, 10_010))
    assert accepted(world.place("ann", BUY, 1_400, 9_990))
    assert refusal(world.place("ann", BUY, 1, 9_990)) == Refusal.RISK_LIMIT


def test_leverage_beyond_every_tier_allows_nothing() -> None:
    world = World(deposit_usdt=1_000_000, rules=Rules(leverage={"ALPHA": 21}))
    assert refusal(world.place("ann", BUY, 1, 10_000)) == Refusal.RISK_LIMIT


def test_the_number_of_open_orders_is_bounded_and_market_orders_are_not_counted() -> None:
    world = World(rules=Rules(open_orders_max=2))
    world.quote(9_999, 9, 10_001, 9)
    for _ in range(2):
        assert accepted(world.place("ann", BUY, 1, 9_990))
    assert refusal(world.place("ann", BUY, 1, 9_990)) == Refusal.TOO_MANY_ORDERS
    assert accepted(world.place("ann", BUY, 1, kind=MARKET))
    assert accepted(world.place("bob", BUY, 1, 9_990))


def test_fees_can_be_overridden() -> None:
    world = World(rules=Rules(fees_e8={"maker": -10_000, "taker": 100_000}))
    world.buy_at_market("ann", 10)
    assert world.exchange.state.fees_usdt == E8  # 1,000 USDT at 0.001
    world.place("ann", BUY, 10, 9_990)
    world.trade(9_980, 10, SELL)
    assert world.exchange.state.fees_usdt == E8 - 999 * E8 // 10_000


@pytest.mark.parametrize(
    ("net", "equity_usdt", "expected"),
    [
        (10, 10 * E8, (10, 9_900)),  # 1 USDT a contract is 100 ticks
        (-10, 10 * E8, (-10, 10_100)),
        (10, -10 * E8, (10, 10_100)),  # already bankrupt: the fund pays more than the mark
        (-10, -10 * E8, (-10, 9_900)),
        (3, E8 // 10, (3, 9_997)),  # 10 ticks over 3 contracts: what is left over stays with the account
        (3, -E8 // 10, (3, 10_004)),
        (100, 0, (100, 10_000)),  # all of the first tier
        (150, 0, (50, 10_000)),  # down to it
        (-1_200, 0, (-200, 10_000)),  # down to the second
    ],
)
def test_a_takeover_uses_up_the_equity_and_goes_down_one_tier(net, equity_usdt, expected) -> None:
    assert takeover(ALPHA, net, 10_000, equity_usdt) == expected

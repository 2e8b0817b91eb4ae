"""Fees by level, slippage, and the place in the displayed queue."""

import pytest

from actors.exchange.rules import Rules
from actors.exchange.settings import ExchangeSettings
from actors.messages.venue import OrderFilled
from tests.unit.exchange.exchange_world import BUY, SELL, World

MINUTE_NS = 60_000_000_000


def prices(outcomes) -> list[tuple[int, int]]:
    return [(one.contracts, one.price_ticks) for one in outcomes if isinstance(one, OrderFilled)]


# -- fees ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "vip", "fees"),
    [
        ("contract", 0, {}),
        ("published", 0, {"maker": 20_000, "taker": 60_000}),
        ("published", 9, {"maker": 0, "taker": 21_000}),
        ("ranks", 0, {"maker": 15_000, "taker": 50_000}),
        ("ranks", 6, {"maker": -15_000, "taker": 30_000}),
    ],
)
def test_fees_come_from_the_schedule_and_level(schedule, vip, fees) -> None:
    assert ExchangeSettings(fee_schedule=schedule, vip=vip).rules().fees_e8 == fees


def test_a_named_fee_goes_before_the_schedule() -> None:
    settings = ExchangeSettings(fee_schedule="ranks", vip=1, fees={"taker": 1})
    assert settings.rules().fees_e8 == {"maker": 13_000, "taker": 1}


def test_a_level_without_a_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="set fee_schedule"):
        ExchangeSettings(vip=3)


# -- slippage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "price"), [(BUY, 10_011), (SELL, 9_989)])
def test_a_taker_pays_the_fixed_slippage_rounded_against_him(side, price) -> None:
    world = World(rules=Rules(slippage_e8=100_001))  # a hair above 10 ticks
    world.quote(10_000, 50, 10_000 if side is BUY else 10_001, 50)
    assert prices(world.place("ann", side, 5)) == [(5, price)]


def test_the_impact_goes_with_the_square_root_of_the_part_of_the_volume() -> None:
    world = World(rules=Rules(impact_e8=1_000_000))  # 1 % for the whole volume
    world.quote(9_999, 500, 10_000, 500)
    world.trade(10_000, 400, BUY)
    assert prices(world.place("ann", BUY, 4)) == [(4, 10_010)]  # sqrt(1 %) of 1 %
    assert prices(world.place("ann", BUY, 16)) == [(16, 10_020)]


def test_what_was_traded_before_the_window_does_not_count() -> None:
    world = World(rules=Rules(impact_e8=1_000_000, impact_window_ns=MINUTE_NS))
    world.quote(9_999, 500, 10_000, 500)
    world.trade(10_000, 400, BUY)
    world.now_ns += MINUTE_NS
    assert prices(world.place("ann", BUY, 4)) == [(4, 10_100)]


def test_no_slippage_goes_beyond_the_limit_nor_into_the_price_of_a_real_order() -> None:
    world = World(rules=Rules(slippage_e8=1_000_000))
    world.place("bob", SELL, 2, 10_001)
    world.quote(9_999, 50, 10_000, 3)
    assert prices(world.place("ann", BUY, 5, 10_004))[:2] == [(3, 10_004), (2, 10_001)]
    assert world.exchange.books_balance()


# -- the displayed queue -------------------------------------------------------------------------------


def shown_world() -> World:
    world = World(rules=Rules(queue_shown=True))
    world.depth([(10_000, 100), (9_990, 40)], [(10_001, 100)])
    return world


def test_an_order_waits_until_what_was_shown_before_it_has_traded() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 10_000, name="a")
    assert prices(world.trade(10_000, 100, SELL)) == []
    assert prices(world.trade(10_000, 3, SELL)) == [(3, 10_000)]
    assert prices(world.trade(10_000, 9, SELL)) == [(2, 10_000)]


def test_a_trade_larger_than_the_queue_reaches_the_order_with_the_rest() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 10_000)
    world.place("bob", BUY, 5, 10_000)
    assert prices(world.trade(10_000, 107, SELL)) == [(5, 10_000), (2, 10_000)]


def test_takers_of_our_own_side_do_not_advance_the_queue() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 10_000)
    world.trade(10_000, 500, BUY)
    assert prices(world.trade(10_000, 100, SELL)) == []


def test_cancels_advance_it_in_proportion_and_new_orders_join_behind() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 10_000)
    world.depth([(10_000, 300)], [(10_001, 100)])  # 200 join behind
    world.depth([(10_000, 150)], [(10_001, 100)])  # half of all go: 50 are left ahead
    assert prices(world.trade(10_000, 50, SELL)) == []
    assert prices(world.trade(10_000, 1, SELL)) == [(1, 10_000)]


def test_what_traded_is_not_counted_again_as_canceled() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 10_000)
    world.trade(10_000, 40, SELL)
    world.depth([(10_000, 60)], [(10_001, 100)])
    assert prices(world.trade(10_000, 60, SELL)) == []
    assert prices(world.trade(10_000, 1, SELL)) == [(1, 10_000)]


def test_a_better_price_than_all_that_is_shown_has_nobody_before_it() -> None:
    world = World(rules=Rules(queue_shown=True))
    world.depth([(10_000, 100)], [(10_005, 100)])
    world.place("ann", BUY, 5, 10_002)
    assert prices(world.trade(10_002, 2, SELL)) == [(2, 10_002)]


def test_below_the_shown_book_only_a_trade_through_the_price_fills() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 9_980)
    assert prices(world.trade(9_980, 500, SELL)) == []
    assert prices(world.trade(9_979, 5, SELL)) == [(5, 9_980)]


def test_a_level_that_is_shown_later_puts_the_order_at_its_end() -> None:
    world = shown_world()
    world.place("ann", BUY, 5, 9_980)
    world.depth([(9_980, 30)], [(10_001, 100)])
    assert prices(world.trade(9_980, 30, SELL)) == []
    assert prices(world.trade(9_980, 5, SELL)) == [(5, 9_980)]

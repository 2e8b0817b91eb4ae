"""Incoming orders: whom they meet, at which price, and what becomes of the rest."""

import pytest

from actors.domain.lifecycle import OrderState
from actors.exchange.codes import CancelReason, Refusal
from actors.exchange.rules import Rules
from actors.messages.venue import OrderAccepted, OrderCanceled, OrderFilled
from tests.unit.exchange.exchange_world import (
    BUY,
    FOK,
    IOC,
    POST_ONLY,
    SELL,
    World,
    accepted,
    ended,
    fills,
    kinds,
    refusal,
)


@pytest.fixture
def world():
    return World()


def test_a_market_order_walks_the_displayed_levels_best_first(world) -> None:
    world.depth([(9_999, 5)], [(10_001, 3), (10_002, 4), (10_003, 50)])

    outcomes = world.place("ann", BUY, 10)

    assert fills(outcomes) == [
        ("ann", 3, 10_001, False),
        ("ann", 4, 10_002, False),
        ("ann", 3, 10_003, False),
    ]
    assert kinds(outcomes) == [OrderAccepted, OrderFilled, OrderFilled, OrderFilled]


def test_displayed_liquidity_is_gone_until_the_next_book_update(world) -> None:
    world.depth([], [(10_001, 3), (10_002, 4)])
    world.place("ann", BUY, 5)

    again = world.place("ann", BUY, 5)
    assert fills(again) == [("ann", 2, 10_002, False)]
    assert ended(again) == (CancelReason.NO_LIQUIDITY, 2)

    world.depth([], [(10_001, 3), (10_002, 4)])
    assert fills(world.place("ann", BUY, 3)) == [("ann", 3, 10_001, False)]


def test_a_quote_after_a_book_replaces_the_top_and_keeps_the_deeper_levels(world) -> None:
    world.depth([], [(10_001, 3), (10_002, 4), (10_003, 5)])
    world.quote(9_990, 1, 10_002, 1)

    outcomes = world.place("ann", BUY, 9)

    assert fills(outcomes) == [("ann", 1, 10_002, False), ("ann", 5, 10_003, False)]


def test_a_quote_without_a_side_leaves_nothing_to_take(world) -> None:
    world.depth([(9_999, 3)], [(10_001, 3)])
    world.quote(9_999, 3, 0, 0)
    assert ended(world.place("ann", BUY, 1)) == (CancelReason.NO_LIQUIDITY, 0)


def test_empty_levels_in_a_book_are_stepped_over(world) -> None:
    world.depth([], [(10_001, 0), (10_002, 2), (10_003, 0), (10_004, 1)])
    outcomes = world.place("ann", BUY, 3)
    assert fills(outcomes) == [("ann", 2, 10_002, False), ("ann", 1, 10_004, False)]


def test_a_limit_order_takes_up_to_its_limit_and_rests_with_the_rest(world) -> None:
    world.depth([], [(10_001, 3), (10_002, 4)])

    outcomes = world.place("ann", BUY, 10, 10_001, name="a")

    assert fills(outcomes) == [("ann", 3, 10_001, False)]
    assert OrderCanceled not in kinds(outcomes)
    assert world.order("ann", "a").filled_contracts == 3
    assert world.order("ann", "a").state is OrderState.PARTIALLY_FILLED
    assert world.exchange.markets["ALPHA"].book.bids.best().order is world.order("ann", "a")


def test_a_market_order_does_not_leave_the_price_band(world) -> None:
    world.depth([], [(10_500, 1), (10_501, 9)])
    outcomes = world.place("ann", BUY, 5)
    assert fills(outcomes) == [("ann", 1, 10_500, False)]
    assert ended(outcomes) == (CancelReason.NO_LIQUIDITY, 1)


def test_real_orders_trade_with_each_other_at_the_resting_price_and_maker_pays_less(world) -> None:
    world.place("ann", SELL, 5, 10_010, name="a")

    outcomes = world.place("bob", BUY, 5, 10_020)

    assert fills(outcomes) == [("bob", 5, 10_010, False), ("ann", -5, 10_010, True)]
    assert world.exchange.state.wallets["ann"].holdings["ALPHA"].fees_usdt * 3 == (
        world.exchange.state.wallets["bob"].holdings["ALPHA"].fees_usdt
    )
    assert world.exchange.nodes == {}


def test_the_older_of_two_orders_at_a_price_trades_first_and_a_better_price_before_both() -> None:
    world = World(accounts=("ann", "bob", "cat", "dan"))
    world.place("ann", SELL, 5, 10_010)
    world.place("bob", SELL, 5, 10_010)
    world.place("cat", SELL, 5, 10_009)

    outcomes = world.place("dan", BUY, 12, 10_010)

    makers = [fill for fill in fills(outcomes) if fill[3]]
    assert makers == [("cat", -5, 10_009, True), ("ann", -5, 10_010, True), ("bob", -2, 10_010, True)]


def test_a_better_displayed_price_comes_first_wherever_our_orders_stand_in_the_queue() -> None:
    world = World(rules=Rules(queue_front=True))
    world.place("bob", SELL, 5, 10_010)
    world.depth([], [(10_009, 2)])
    outcomes = world.place("ann", BUY, 3, 10_010)
    assert [fill[:3] for fill in fills(outcomes)][:2] == [("ann", 2, 10_009), ("ann", 1, 10_010)]


@pytest.mark.parametrize(("queue_front", "first"), [(True, "bob"), (False, None)])
def test_at_one_price_the_queue_setting_says_whether_real_orders_come_first(queue_front, first) -> None:
    world = World(rules=Rules(queue_front=queue_front))
    world.place("bob", SELL, 5, 10_010, name="b")
    world.depth([], [(10_010, 5)])
    world.place("ann", BUY, 5, 10_010)
    assert world.order("bob", "b").filled_contracts == (5 if first else 0)


def test_real_and_displayed_orders_are_merged_by_price(world) -> None:
    world.place("bob", SELL, 2, 10_002)
    world.place("bob", SELL, 2, 10_004)
    world.depth([], [(10_001, 1), (10_003, 1), (10_005, 9)])

    outcomes = world.place("ann", BUY, 7, 10_005)

    taken = [(contracts, price) for account, contracts, price, _ in fills(outcomes) if account == "ann"]
    assert taken == [(1, 10_001), (2, 10_002), (1, 10_003), (2, 10_004), (1, 10_005)]


def test_post_only_rests_when_nothing_meets_it_and_is_canceled_when_something_does(world) -> None:
    world.depth([(9_999, 5)], [(10_001, 5)])
    assert kinds(world.place("ann", BUY, 5, 10_000, kind=POST_ONLY)) == [OrderAccepted]

    outcomes = world.place("ann", BUY, 2, 10_001, kind=POST_ONLY)
    assert kinds(outcomes) == [OrderAccepted, OrderCanceled]
    assert ended(outcomes) == (CancelReason.POST_ONLY_WOULD_TAKE, 0)
    assert world.net("ann") == 0


def test_post_only_that_would_meet_a_real_order_is_canceled_and_the_real_order_stays(world) -> None:
    world.place("bob", SELL, 5, 10_001, name="b")
    assert ended(world.place("ann", BUY, 5, 10_001, kind=POST_ONLY)) == (CancelReason.POST_ONLY_WOULD_TAKE, 0)
    assert world.order("bob", "b").filled_contracts == 0


def test_immediate_or_cancel_cancels_the_rest(world) -> None:
    world.depth([], [(10_001, 3)])
    outcomes = world.place("ann", BUY, 5, 10_001, tif=IOC)
    assert ended(outcomes) == (CancelReason.IOC_REMAINDER, 3)
    assert world.exchange.nodes == {}


def test_fill_or_kill_fills_wholly_or_leaves_everything_untouched(world) -> None:
    world.depth([], [(10_001, 3)])
    world.place("bob", SELL, 3, 10_001, name="b")

    assert ended(world.place("ann", BUY, 7, 10_001, tif=FOK)) == (CancelReason.FOK_UNFILLED, 0)
    assert world.order("bob", "b").filled_contracts == 0

    outcomes = world.place("ann", BUY, 6, 10_001, tif=FOK)
    assert sum(contracts for account, contracts, _, _ in fills(outcomes) if account == "ann") == 6


def test_fill_or_kill_market_orders_are_held_to_it_too(world) -> None:
    world.depth([], [(10_001, 3)])
    assert ended(world.place("ann", BUY, 4, tif=FOK)) == (CancelReason.FOK_UNFILLED, 0)
    assert len(fills(world.place("ann", BUY, 3, tif=FOK))) == 1


def test_an_order_that_meets_its_own_account_expires_there(world) -> None:
    world.place("bob", SELL, 1, 10_001)
    world.place("ann", SELL, 5, 10_002, name="mine")

    outcomes = world.place("ann", BUY, 4, 10_003)

    assert fills(outcomes) == [("ann", 1, 10_001, False), ("bob", -1, 10_001, True)]
    assert ended(outcomes) == (CancelReason.SELF_TRADE, 1)
    assert world.order("ann", "mine").filled_contracts == 0


def test_an_order_with_one_contract_left_expires_at_its_own_account_too(world) -> None:
    world.place("bob", SELL, 4, 10_001)
    world.place("ann", SELL, 5, 10_002)
    assert ended(world.place("ann", BUY, 5, 10_003)) == (CancelReason.SELF_TRADE, 4)


def test_a_market_order_without_any_market_is_refused_with_a_clear_code() -> None:
    world = World(marked=False)
    assert refusal(world.place("ann", BUY, 1)) == Refusal.NO_MARKET
    assert refusal(world.place("ann", BUY, 1, 10_000)) == Refusal.NO_MARKET
    world.mark(10_000)
    assert refusal(world.place("ann", BUY, 1)) == Refusal.NO_MARKET  # a price, but no book yet
    world.quote(9_999, 1, 10_001, 1)
    assert accepted(world.place("ann", BUY, 1))


def test_a_real_order_is_market_enough_for_a_market_order() -> None:
    world = World()
    world.place("bob", SELL, 5, 10_010)
    assert refusal(world.place("ann", SELL, 1)) == Refusal.NO_MARKET
    assert fills(world.place("ann", BUY, 1))[0] == ("ann", 1, 10_010, False)


@pytest.mark.parametrize("told", ["quote", "depth", "trade"])
def test_any_price_will_do_while_there_is_no_mark_price(told) -> None:
    world = World(marked=False)
    if told == "quote":
        world.quote(9_990, 1, 10_010, 1)
    elif told == "depth":
        world.depth([(9_990, 1), (9_000, 1)], [(10_010, 1), (11_000, 1)])
    else:
        world.trade(10_000, 1, BUY)
    assert world.exchange.markets["ALPHA"].reference_ticks == 10_000
    world.trade(10_300, 1, BUY)  # a trade alone counts only as the first
    assert world.exchange.markets["ALPHA"].reference_ticks == 10_000
    world.mark(10_100)
    world.quote(9_990, 1, 10_010, 1)
    world.depth([(9_990, 1)], [(10_010, 1)])
    assert world.exchange.markets["ALPHA"].reference_ticks == 10_100


def test_a_half_empty_book_says_no_price() -> None:
    world = World(marked=False)
    world.quote(0, 0, 10_010, 1)
    world.depth([], [(10_010, 1)])
    assert world.exchange.markets["ALPHA"].reference_ticks == 0


def test_a_mark_price_that_is_none_is_ignored() -> None:
    world = World()
    assert world.mark(0) == []
    assert world.exchange.markets["ALPHA"].reference_ticks == 10_000


def test_news_of_symbols_that_are_not_traded_here_are_ignored() -> None:
    world = World()
    assert world.quote(1, 1, 2, 1, "GAMMA") == []
    assert world.depth([(1, 1)], [], "GAMMA") == []
    assert world.trade(1, 1, BUY, "GAMMA") == []
    assert world.mark(1, "GAMMA") == []
    assert world.rate(1, "GAMMA") == []
    assert world.settle(1, 1, 1, "GAMMA") == []


def test_the_middle_of_the_quotes_stands_in_until_a_mark_price_comes() -> None:
    world = World(marked=False)
    world.quote(9_990, 1, 10_010, 1)
    assert refusal(world.place("ann", BUY, 1, 9_000)) == Refusal.PRICE_BAND
    world.mark(9_200)
    assert accepted(world.place("ann", BUY, 1, 9_000))

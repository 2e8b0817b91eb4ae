"""Resting orders: how trades and quotes of the outside market fill them, and how they leave the book."""

import pytest

from actors.domain.lifecycle import OrderState
from actors.exchange.codes import CancelReason, Refusal
from actors.exchange.rules import Rules
from actors.messages.venue import CancelRejected, OrderCanceled
from tests.unit.exchange.exchange_world import BUY, SELL, World, ended, fills, kinds, only

FRONT, BACK = Rules(queue_front=True), Rules(queue_front=False)


def test_a_trade_through_the_limit_fills_at_the_limit_up_to_the_traded_size() -> None:
    world = World(rules=BACK)
    world.place("ann", BUY, 10, 9_990, name="a")
    assert fills(world.trade(9_980, 4, SELL)) == [("ann", 4, 9_990, True)]
    assert world.order("ann", "a").state is OrderState.PARTIALLY_FILLED
    assert fills(world.trade(9_989, 40, SELL)) == [("ann", 6, 9_990, True)]
    assert world.order("ann", "a").state is OrderState.FILLED


@pytest.mark.parametrize(
    ("rules", "taker", "filled"), [(FRONT, SELL, 1), (FRONT, BUY, 0), (BACK, SELL, 0), (BACK, BUY, 0)]
)
def test_a_trade_at_the_limit_fills_only_the_front_of_the_queue_and_only_against_its_taker(
    rules, taker, filled
) -> None:
    world = World(rules=rules)
    world.place("ann", BUY, 1, 9_990)
    assert len(fills(world.trade(9_990, 5, taker))) == filled


def test_a_trade_next_to_the_limit_fills_nobody() -> None:
    world = World(rules=FRONT)
    world.place("ann", BUY, 1, 9_990)
    world.place("ann", SELL, 1, 10_010)
    assert world.trade(9_991, 5, SELL) == world.trade(10_009, 5, BUY) == []


@pytest.mark.parametrize(
    ("rules", "taker", "filled"), [(FRONT, BUY, 1), (FRONT, SELL, 0), (BACK, SELL, 0), (BACK, BUY, 0)]
)
def test_asks_are_the_mirror_image_of_bids(rules, taker, filled) -> None:
    world = World(rules=rules)
    world.place("ann", SELL, 1, 10_010)
    assert len(fills(world.trade(10_010, 5, taker))) == filled
    assert len(fills(world.trade(10_011, 5, taker))) == 1 - filled


def test_the_traded_size_is_shared_out_by_price_then_time() -> None:
    world = World()
    world.place("ann", BUY, 3, 9_990)
    world.place("bob", BUY, 3, 9_991)
    world.place("bob", BUY, 3, 9_990)
    assert fills(world.trade(9_980, 7, SELL)) == [
        ("bob", 3, 9_991, True),
        ("ann", 3, 9_990, True),
        ("bob", 1, 9_990, True),
    ]


def test_a_quote_that_crosses_fills_at_the_limit_and_is_used_up() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990, name="a")
    assert fills(world.quote(9_980, 1, 9_985, 4)) == [("ann", 4, 9_990, True)]
    assert ended(world.place("bob", BUY, 1)) == (CancelReason.NO_LIQUIDITY, 0)
    assert fills(world.quote(9_980, 1, 9_990, 5)) == [("ann", 5, 9_990, True)]


def test_what_a_crossing_quote_has_left_can_still_be_taken() -> None:
    world = World()
    world.place("ann", BUY, 3, 9_990)
    world.quote(9_980, 1, 9_985, 4)
    assert fills(world.place("bob", BUY, 9)) == [("bob", 1, 9_985, False)]


def test_a_book_that_crosses_fills_level_by_level() -> None:
    world = World()
    world.place("ann", SELL, 10, 10_010)
    outcomes = world.depth([(10_020, 2), (10_010, 3), (10_009, 50)], [])
    assert fills(outcomes) == [("ann", -2, 10_010, True), ("ann", -3, 10_010, True)]


def test_the_market_leaves_orders_alone_that_it_does_not_reach() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990)
    assert world.quote(9_991, 5, 9_992, 5) == []
    assert world.trade(9_991, 5, SELL) == []
    assert world.trade(9_991, 5, SELL, symbol="BETA") == []


def test_a_resting_order_pays_the_maker_fee() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990)
    world.trade(9_980, 10, SELL)
    assert world.exchange.state.fees_usdt == 10 * 9_990 * 1_000_000 * 20_000 // 100_000_000


def test_a_canceled_order_leaves_the_book_and_the_count_of_what_it_filled_is_told() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990, name="a")
    world.trade(9_980, 4, SELL)

    outcomes = world.cancel("ann", "a")

    assert ended(outcomes) == (CancelReason.REQUESTED, 4)
    assert world.trade(9_000, 4, SELL) == []
    assert world.cancel("ann", "a") == outcomes  # told again, not done again
    holding = world.exchange.state.wallets["ann"].holdings["ALPHA"]
    assert (holding.buy_contracts, holding.buy_ticks) == (0, 0)


def test_a_cancel_of_a_filled_or_strange_order_is_refused() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990, name="a")
    world.trade(9_980, 10, SELL)
    assert only(world.cancel("ann", "a"), CancelRejected).code == Refusal.ORDER_CLOSED
    assert only(world.cancel("ann", "b"), CancelRejected).code == Refusal.UNKNOWN_ORDER
    assert only(world.cancel("zoe", "a"), CancelRejected).code == Refusal.UNKNOWN_ORDER


def test_another_account_cannot_cancel_an_order() -> None:
    world = World()
    world.place("ann", BUY, 10, 9_990, name="a")
    assert kinds(world.cancel("bob", "a")) == [CancelRejected]
    assert OrderCanceled in kinds(world.cancel("ann", "a"))

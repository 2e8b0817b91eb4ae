"""Reduce-only orders never open or flip a position; they shrink to what is left of it, and end with it."""

from actors.exchange.codes import CancelReason, Refusal
from actors.messages.venue import OrderCanceled
from tests.unit.exchange.exchange_world import BUY, FOK, SELL, World, ended, fills, kinds, only, refusal


def test_a_reduce_only_order_without_an_opposite_position_is_refused() -> None:
    world = World()
    world.quote(9_999, 9, 10_001, 9)
    assert refusal(world.place("ann", SELL, 1, reduce_only=True)) == Refusal.REDUCE_ONLY
    world.buy_at_market("ann", 5)
    assert refusal(world.place("ann", BUY, 1, reduce_only=True)) == Refusal.REDUCE_ONLY


def test_a_market_order_larger_than_the_position_closes_it_and_no_more() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.quote(9_999, 100, 10_001, 100)

    outcomes = world.place("ann", SELL, 8, reduce_only=True)

    assert fills(outcomes) == [("ann", -5, 9_999, False)]
    assert ended(outcomes) == (CancelReason.REDUCE_ONLY, 5)
    assert world.net("ann") == 0


def test_a_fill_or_kill_order_larger_than_the_position_is_killed() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.quote(9_999, 100, 10_001, 100)
    assert ended(world.place("ann", SELL, 8, tif=FOK, reduce_only=True)) == (CancelReason.FOK_UNFILLED, 0)
    assert world.net("ann") == 5


def test_a_resting_order_fills_only_what_there_is_to_reduce_and_ends() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 8, 10_010, reduce_only=True, name="r")

    outcomes = world.trade(10_020, 100, BUY)

    assert fills(outcomes) == [("ann", -5, 10_010, True)]
    assert ended(outcomes) == (CancelReason.REDUCE_ONLY, 5)
    assert world.net("ann") == 0


def test_resting_orders_end_when_the_position_closes_otherwise() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 5, 10_010, reduce_only=True, name="r1")
    world.place("ann", SELL, 5, 10_020, reduce_only=True, name="r2")

    outcomes = world.sell_at_market("ann", 5)

    canceled = [o.client_order_id for o in outcomes if type(o) is OrderCanceled]
    assert canceled == ["r1", "r2"]
    assert world.exchange.nodes == {}


def test_resting_orders_end_when_the_position_flips() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 5, 10_010, reduce_only=True, name="r")
    outcomes = world.sell_at_market("ann", 9)
    assert only(outcomes, OrderCanceled).client_order_id == "r"
    assert world.net("ann") == -4


def test_two_reduce_only_makers_of_one_account_together_reduce_only_the_position() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 4, 10_010, reduce_only=True, name="r1")
    world.place("ann", SELL, 4, 10_011, reduce_only=True, name="r2")

    outcomes = world.place("bob", BUY, 20, 10_020)

    assert [fill for fill in fills(outcomes) if fill[0] == "ann"] == [
        ("ann", -4, 10_010, True),
        ("ann", -1, 10_011, True),
    ]
    assert world.net("ann") == 0
    assert world.net("bob") == 5
    assert only(outcomes, OrderCanceled).client_order_id == "r2"


def test_a_normal_maker_before_a_reduce_only_one_uses_up_the_position() -> None:
    world = World()
    world.buy_at_market("ann", 5)
    world.place("ann", SELL, 5, 10_010, name="normal")
    world.place("ann", SELL, 5, 10_011, reduce_only=True, name="r")

    outcomes = world.place("bob", BUY, 8, 10_020)

    assert fills(outcomes)[-1] == ("ann", -5, 10_010, True)
    assert world.net("ann") == 0
    assert world.order("ann", "r").filled_contracts == 0
    assert OrderCanceled in kinds(outcomes)


def test_reduce_only_orders_need_no_margin() -> None:
    world = World(deposit_usdt=110)
    world.buy_at_market("ann", 10)  # 1000 USDT at leverage 10
    assert refusal(world.place("ann", BUY, 10, 9_990)) == Refusal.INSUFFICIENT_MARGIN
    assert kinds(world.place("ann", SELL, 10, 10_100, reduce_only=True)) != []
    assert world.exchange.members["ann"].open_count == 1

"""Positions side by side, isolated margin, self-trades, own fees, and who pays when the fund is empty."""

import pytest

from actors.domain.money import E8
from actors.exchange.codes import Refusal
from actors.exchange.provisions import free_usdt, move_cash, move_margin, set_fees, set_leverage
from actors.exchange.rules import Rules
from actors.exchange.terms import SelfTrade, Slot, Terms, holding_keys, slot_of
from actors.messages.venue import OrderCanceled, OrderFilled, OrderRejected, PlaceOrder
from tests.unit.exchange.exchange_world import (
    BUY,
    GTC,
    LIMIT,
    MARKET,
    SELL,
    TICK_VALUE,
    World,
    fills,
    indexes,
    kinds,
    plain,
    rebuilt_from_events,
    rebuilt_from_snapshot,
)


def put(world, account, name, side, contracts, limit=0, slot=Slot.CROSS, stp=SelfTrade.EXPIRE_TAKER, **more):
    kind = LIMIT if limit else MARKET
    reduce_only = more.get("reduce_only", False)
    order = PlaceOrder(account, name, "ALPHA", side, contracts, kind, limit, GTC, reduce_only)
    return world.exchange.place(order, world.now_ns, Terms(slot, stp))


def standing(world, account="ann", slot=Slot.CROSS):
    return world.exchange.members[account].standing(world.exchange.markets["ALPHA"], slot)


def open_position(world, slot, side=BUY, contracts=10, price=10_000, account="ann"):
    if side is BUY:
        world.quote(price - 1, 0, price, contracts)
    else:
        world.quote(price, contracts, price + 1, 0)
    outcomes = put(world, account, f"{account}-{slot}-{side}-{world.now_ns}", side, contracts, 0, slot)
    assert OrderFilled in kinds(outcomes), outcomes
    world.now_ns += 1


@pytest.fixture
def world():
    made = World()
    yield made
    assert made.exchange.books_balance()
    again = rebuilt_from_events(made)
    assert plain(again) == plain(made.exchange)
    assert indexes(again) == indexes(made.exchange)
    assert indexes(rebuilt_from_snapshot(made)) == indexes(made.exchange)


def test_a_key_tells_its_slot() -> None:
    for slot in Slot:
        assert slot_of(holding_keys("ALPHA")[slot]) == ("ALPHA", slot)


def test_a_long_and_a_short_stand_side_by_side(world) -> None:
    open_position(world, Slot.CROSS_LONG, BUY, 10)
    open_position(world, Slot.CROSS_SHORT, SELL, 4)
    assert standing(world, slot=Slot.CROSS_LONG).holding.position.net_contracts == 10
    assert standing(world, slot=Slot.CROSS_SHORT).holding.position.net_contracts == -4
    assert world.net("ann") == 0


def test_a_resting_order_fills_the_position_it_was_placed_for(world) -> None:
    put(world, "ann", "a", BUY, 5, 9_990, Slot.ISOLATED_LONG)
    world.trade(9_980, 5, SELL)
    assert standing(world, slot=Slot.ISOLATED_LONG).holding.position.net_contracts == 5
    assert world.net("ann") == 0


def test_opening_an_isolated_position_moves_its_margin_out_of_the_cash(world) -> None:
    before = world.cash("ann")
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED).holding
    assert held.margin_usdt == 10 * 10_000 * TICK_VALUE // 10
    assert world.cash("ann") == before - held.margin_usdt - held.fees_usdt


def test_closing_half_of_an_isolated_position_brings_half_of_its_margin_back(world) -> None:
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED).holding
    margin, cash, fees = held.margin_usdt, world.cash("ann"), held.fees_usdt
    open_position(world, Slot.ISOLATED, SELL, 5, 10_100)
    realised = 5 * 100 * TICK_VALUE
    assert held.margin_usdt == margin // 2
    assert world.cash("ann") == cash + margin // 2 + realised - (held.fees_usdt - fees)


def test_an_isolated_loss_leaves_the_rest_of_the_account_alone(world) -> None:
    free = free_usdt(world.exchange.members["ann"])
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED).holding
    lost = held.margin_usdt
    world.mark(9_050)
    assert held.position.net_contracts == 0
    assert free_usdt(world.exchange.members["ann"]) >= free - lost - held.fees_usdt


def test_margin_added_to_an_isolated_position_keeps_it_alive(world) -> None:
    open_position(world, Slot.ISOLATED)
    assert move_margin(world.exchange, standing(world, slot=Slot.ISOLATED), 500 * E8, world.now_ns) is None
    world.mark(9_050)
    assert standing(world, slot=Slot.ISOLATED).holding.position.net_contracts == 10


def test_margin_cannot_be_taken_back_below_the_initial_margin(world) -> None:
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED)
    assert move_margin(world.exchange, held, -1, world.now_ns)[0] == Refusal.INSUFFICIENT_MARGIN
    move_margin(world.exchange, held, 100 * E8, world.now_ns)
    assert move_margin(world.exchange, held, -100 * E8, world.now_ns) is None


def test_a_cross_position_has_no_margin_of_its_own(world) -> None:
    open_position(world, Slot.CROSS)
    assert move_margin(world.exchange, standing(world), 1, world.now_ns)[0] == Refusal.NO_POSITION


def test_a_higher_leverage_ties_up_less_and_allows_smaller_positions(world) -> None:
    assert set_leverage(world.exchange, standing(world), 20, world.now_ns) is None
    open_position(world, Slot.CROSS)
    assert world.exchange.members["ann"].initial_usdt == 10 * 10_000 * TICK_VALUE // 20
    assert kinds(put(world, "ann", "big", BUY, 95, 10_000)) == [OrderRejected]
    assert kinds(put(world, "bob", "big", BUY, 95, 10_000)) != [OrderRejected]


def test_a_leverage_that_the_account_cannot_carry_is_refused(world) -> None:
    open_position(world, Slot.CROSS, contracts=200)
    found = set_leverage(world.exchange, standing(world), 1, world.now_ns)
    assert found[0] == Refusal.INSUFFICIENT_MARGIN
    assert set_leverage(world.exchange, standing(world), 21, world.now_ns)[0] == Refusal.BAD_LEVERAGE
    assert set_leverage(world.exchange, standing(world), 20, world.now_ns)[0] == Refusal.RISK_LIMIT


def test_a_lower_leverage_puts_more_margin_behind_an_isolated_position(world) -> None:
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED)
    assert set_leverage(world.exchange, held, 5, world.now_ns) is None
    assert held.holding.margin_usdt == 10 * 10_000 * TICK_VALUE // 5


def test_own_fees_are_charged_as_taker_and_as_maker(world) -> None:
    set_fees(world.exchange, world.exchange.members["ann"], 0, 50_000, world.now_ns)
    open_position(world, Slot.CROSS)
    assert standing(world).holding.fees_usdt == 10 * 10_000 * TICK_VALUE * 50_000 // E8
    put(world, "ann", "m", SELL, 10, 10_010)
    before = standing(world).holding.fees_usdt
    world.trade(10_020, 10, BUY)
    assert standing(world).holding.fees_usdt == before


def test_money_leaves_only_as_far_as_it_is_free(world) -> None:
    member = world.exchange.members["ann"]
    open_position(world, Slot.CROSS, contracts=100)
    free = free_usdt(member)
    assert move_cash(world.exchange, member, -free - 1, world.now_ns)[0] == Refusal.INSUFFICIENT_MARGIN
    assert move_cash(world.exchange, member, -free, world.now_ns) is None
    assert free_usdt(member) == 0


@pytest.mark.parametrize(
    ("mode", "filled", "resting", "ended"),
    [
        (SelfTrade.EXPIRE_TAKER, 0, ["own", "other"], ["taker"]),
        (SelfTrade.EXPIRE_MAKER, 5, [], ["own"]),
        (SelfTrade.EXPIRE_BOTH, 0, ["other"], ["taker", "own"]),
        (SelfTrade.ALLOWED, 5, ["other"], []),
    ],
)
def test_an_order_that_meets_its_own_account_follows_its_rule(world, mode, filled, resting, ended) -> None:
    put(world, "ann", "own", SELL, 5, 10_010)
    put(world, "bob", "other", SELL, 5, 10_020)
    outcomes = put(world, "ann", "taker", BUY, 5, 10_020, stp=mode)
    assert sum(c for who, c, _, maker in fills(outcomes) if not maker) == filled
    assert [o.client_order_id for o in outcomes if type(o) is OrderCanceled] == ended
    left = [order.request.client_order_id for order in world.exchange.state.open_orders.values()]
    assert left == resting


def test_the_other_side_pays_when_the_fund_may_not() -> None:
    world = World(rules=Rules(insurance_loss_usdt_max=0))
    open_position(world, Slot.CROSS, SELL, account="bob")
    open_position(world, Slot.ISOLATED)
    outcomes = world.mark(8_000)
    closed = [(o.account, o.price_ticks) for o in outcomes if type(o) is OrderFilled]
    assert [account for account, _ in closed] == ["ann", "bob"]
    assert closed[0][1] == closed[1][1] == 9_000
    assert world.exchange.state.insurance_usdt == 0
    assert (world.net("bob"), world.exchange.books_balance()) == (0, True)


def test_the_fund_pays_whatever_is_needed_when_nobody_says_otherwise(world) -> None:
    open_position(world, Slot.CROSS, SELL, account="bob")
    open_position(world, Slot.ISOLATED)
    world.mark(8_000)
    assert world.net("bob") == -10
    assert world.exchange.state.insurance_usdt < 0


def test_funding_is_paid_by_every_position_of_an_account(world) -> None:
    open_position(world, Slot.CROSS_LONG, BUY, 10)
    open_position(world, Slot.ISOLATED_SHORT, SELL, 4)
    margin = standing(world, slot=Slot.ISOLATED_SHORT).holding.margin_usdt
    paid = world.settle(10_000, 10_000, world.now_ns)
    assert [(p.net_contracts, p.payment_usdt) for p in paid] == [
        (10, 10 * 10_000 * TICK_VALUE * 10_000 // E8),
        (-4, -4 * 10_000 * TICK_VALUE * 10_000 // E8),
    ]
    assert standing(world, slot=Slot.ISOLATED_SHORT).holding.margin_usdt == margin - paid[1].payment_usdt


def test_the_most_profitable_opponents_are_deleveraged_first_and_no_more_than_needed() -> None:
    world = World(accounts=("ann", "bob", "cid"), rules=Rules(insurance_loss_usdt_max=0))
    world.quote(9_900, 6, 9_901, 0)
    put(world, "cid", "c", SELL, 6)
    world.now_ns += 1
    open_position(world, Slot.CROSS, SELL, 10, 10_000, account="bob")
    open_position(world, Slot.ISOLATED)
    world.mark(8_000)
    assert (world.net("bob"), world.net("cid")) == (0, -6)
    world = World(accounts=("ann", "bob", "cid"), rules=Rules(insurance_loss_usdt_max=0))
    open_position(world, Slot.CROSS, SELL, 7, 10_000, account="bob")
    world.quote(9_900, 6, 9_901, 0)
    put(world, "cid", "c", SELL, 6)
    open_position(world, Slot.ISOLATED)
    world.mark(8_000)
    assert (world.net("bob"), world.net("cid")) == (0, -3)
    assert world.exchange.books_balance()


def test_an_isolated_position_ties_up_nothing_beside_its_margin(world) -> None:
    member = world.exchange.members["ann"]
    open_position(world, Slot.ISOLATED)
    held = standing(world, slot=Slot.ISOLATED).holding
    assert free_usdt(member) == 10_000 * E8 - held.margin_usdt - held.fees_usdt
    world.mark(10_100)
    assert free_usdt(member) == 10_000 * E8 - held.margin_usdt - held.fees_usdt
    free = free_usdt(member)
    put(world, "ann", "more", BUY, 10, 10_000, Slot.ISOLATED)
    assert free_usdt(member) == free - 10 * 10_000 * TICK_VALUE // 10


def test_growing_an_isolated_position_needs_margin_for_the_growth_alone() -> None:
    world = World(deposit_usdt=1_100)
    open_position(world, Slot.ISOLATED, contracts=50)
    assert OrderRejected not in kinds(put(world, "ann", "more", BUY, 50, 10_000, Slot.ISOLATED))
    assert OrderRejected in kinds(put(world, "ann", "most", BUY, 50, 10_000, Slot.ISOLATED))

"""Accounts that can no longer carry their positions."""

import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.domain.orders import Side
from actors.exchange.codes import CancelReason
from actors.exchange.liquidation import maintenance_usdt
from actors.exchange.rules import Rules
from actors.messages.venue import OrderCanceled, OrderFilled, PlaceOrder
from tests.unit.exchange.exchange_world import BUY, IOC, MARKET, SELL, World, kinds, rebuilt_from_snapshot


def liquidations(outcomes):
    return [o for o in outcomes if type(o) is OrderFilled and o.liquidation]


def test_a_position_is_closed_at_its_bankruptcy_price_without_a_fee_and_the_fund_takes_the_rest() -> None:
    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 9)
    fee = world.exchange.state.fees_usdt

    assert world.mark(9_000) == []  # equity 9.46 USDT, 8.10 needed
    outcomes = world.mark(8_970)

    (fill,) = liquidations(outcomes)
    # 99.46 USDT over 9 contracts are 1,105.1 ticks.
    assert (fill.side, fill.contracts, fill.price_ticks, fill.fee_usdt) == (Side.SELL, 9, 8_895, 0)
    assert fill.client_order_id == ""
    assert world.net("ann") == 0
    assert 0 <= world.cash("ann") < 9 * 1_000_000  # less than a tick of the position
    assert world.exchange.state.insurance_usdt == 9 * (8_970 - 8_895) * 1_000_000
    assert world.exchange.state.fees_usdt == fee
    assert world.exchange.books_balance()


def test_a_short_is_liquidated_when_the_mark_rises() -> None:
    world = World(deposit_usdt=100)
    world.sell_at_market("ann", 9)
    (fill,) = liquidations(world.mark(11_030))
    assert (fill.side, fill.price_ticks) == (Side.BUY, 11_105)
    assert world.exchange.books_balance()


def test_after_a_gap_the_fund_pays_and_the_account_ends_at_zero() -> None:
    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 9)
    world.mark(8_000)
    assert 0 <= world.cash("ann") < 9 * 1_000_000
    assert world.exchange.state.insurance_usdt < 0
    assert world.exchange.books_balance()


def test_open_orders_are_canceled_first() -> None:
    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 9)
    world.place("ann", SELL, 9, 10_100, name="a", reduce_only=True)
    world.place("ann", BUY, 1, 5_000, symbol="BETA", name="b")
    world.mark(5_100, symbol="BETA")
    world.place("ann", BUY, 1, 5_000, symbol="BETA", name="c")

    outcomes = world.mark(8_900)

    assert kinds(outcomes)[:2] == [OrderCanceled, OrderCanceled]
    assert {o.reason for o in outcomes[:2]} == {CancelReason.LIQUIDATION}
    assert [o.client_order_id for o in outcomes[:2]] == ["a", "c"]
    assert world.exchange.nodes == {}


def test_a_large_position_is_reduced_tier_by_tier_until_the_rest_can_be_carried() -> None:
    world = World(deposit_usdt=4_000)
    world.buy_at_market("ann", 300)
    # At 9,000: equity 982 USDT; 300 contracts need 2.5 % of 27,000 = 675.
    assert world.mark(9_000) == []
    # At 8,890: 652 of equity against 667 needed; 100 contracts need 1 % of 8,890 and keep a third.
    outcomes = world.mark(8_890)
    (fill,) = liquidations(outcomes)
    assert fill.contracts == 200
    assert world.net("ann") == 100
    member = world.exchange.members["ann"]
    assert member.equity_usdt > maintenance_usdt(member)
    assert world.exchange.books_balance()


def test_the_position_that_needs_most_margin_goes_first_and_spares_the_other_when_that_suffices() -> None:
    world = World(deposit_usdt=3_300)
    world.buy_at_market("ann", 200)
    world.buy_at_market("ann", 500, symbol="BETA")
    world.mark(8_530)
    world.mark(10_000, symbol="BETA")
    assert world.net("ann") == 100
    assert world.net("ann", "BETA") == 500
    assert world.exchange.books_balance()


def test_a_healthy_account_beside_it_is_not_touched() -> None:
    world = World(deposit_usdt=1_000)
    world.buy_at_market("ann", 90)
    world.buy_at_market("bob", 9)
    outcomes = world.mark(8_900)
    assert {o.account for o in outcomes} == {"ann"}
    assert world.net("bob") == 9


def test_nobody_is_liquidated_by_quotes_that_stand_in_for_a_mark_price() -> None:
    world = World(deposit_usdt=100, marked=False)
    world.quote(9_999, 9, 10_001, 9)
    world.place("ann", BUY, 9)
    assert world.quote(7_999, 9, 8_001, 9) == []
    assert world.net("ann") == 9
    assert liquidations(world.mark(8_000)) != []


def test_nobody_is_liquidated_while_another_position_has_no_mark_price() -> None:
    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 1, symbol="BETA")
    world.buy_at_market("ann", 8)
    world.exchange = rebuilt_from_snapshot(world)
    world.exchange.record = world._record
    assert world.mark(5_000) == []
    world.quote(9_999, 1, 10_001, 1, symbol="BETA")
    assert world.mark(5_001) == []
    assert liquidations(world.mark(10_000, symbol="BETA")) != []


@pytest.mark.parametrize(("deposit", "liquidated"), [("98.1", True), ("98.10000001", False)])
def test_equity_that_just_equals_the_maintenance_margin_does_not_suffice(deposit, liquidated) -> None:
    world = World(deposit_usdt=deposit, rules=Rules(fees_e8={"taker": 0}))
    world.buy_at_market("ann", 9)
    assert bool(world.mark(9_000)) is liquidated


def test_what_the_exchange_orders_itself_is_numbered_on_from_the_last() -> None:
    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 9)
    (fill,) = liquidations(world.mark(8_000))
    assert (fill.venue_order_id, fill.trade_id, fill.maker) == ("2", "2", False)
    (_, closed) = world.exchange.state.wallets["ann"].closed.items
    assert closed.request == PlaceOrder("ann", "", "ALPHA", SELL, 9, MARKET, 0, IOC, True)
    assert (closed.state, closed.fills) == (OrderState.FILLED, [fill])
    world.buy_at_market("bob", 1, 8_000)
    assert world.exchange.state.orders_count == world.exchange.state.trades_count == 3


def test_a_liquidation_is_among_the_fills_that_a_query_tells() -> None:
    from actors.exchange.answers import answer_account
    from actors.messages.venue import QueryAccount

    world = World(deposit_usdt=100)
    world.buy_at_market("ann", 9)
    world.mark(8_000)
    answer = answer_account(world.exchange, QueryAccount("ann", "q", 0), world.now_ns)
    assert [fill.liquidation for fill in answer.fills] == [False, True]
    assert answer.positions == ()


def test_the_first_margin_is_told_by_the_numbers() -> None:
    world = World(deposit_usdt=1_000)
    world.buy_at_market("ann", 10)
    member = world.exchange.members["ann"]
    assert member.initial_usdt == 100 * E8
    assert maintenance_usdt(member) == 10 * E8

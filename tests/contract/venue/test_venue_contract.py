"""What every venue kind promises the OMS, the ledger and the reconciler, in the words of `messages.venue`.

Nothing here knows how a venue spells its codes, numbers its orders or reaches its far side.
"""

import itertools

import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
)
from tests.contract.venue.poloniex_driver import PoloniexDriver
from tests.contract.venue.venue_driver import DRIVERS, VenueDriver, fills_once

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, POST_ONLY = OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


class Desk:
    """A trader at a driver: shorthand for requests, and what was heard."""

    def __init__(self, driver: VenueDriver) -> None:
        self.driver = driver
        self.requests_count = itertools.count(1)

    def place(self, name, side, contracts, limit=0, *, kind=None, tif=None, reduce_only=False, account=""):
        kind = kind or (LIMIT if limit else MARKET)
        tif = tif or (GTC if limit else IOC)
        symbol = self.driver.instrument.symbol
        account = account or self.driver.account
        order = PlaceOrder(account, name, symbol, side, contracts, kind, limit, tif, reduce_only)
        self.driver.request(order)
        return self.driver.heard()

    def cancel(self, name):
        self.driver.request(CancelOrder(self.driver.account, name, self.driver.instrument.symbol))
        return self.driver.heard()

    def order(self, name) -> VenueOrder:
        self.driver.request(QueryOrder(self.driver.account, name, self.driver.instrument.symbol))
        return first(self.driver.heard(), VenueOrder)

    def account(self, since_ns=0) -> VenueAccount:
        request_id = f"q{next(self.requests_count)}"
        self.driver.request(QueryAccount(self.driver.account, request_id, since_ns))
        answer = first(self.driver.heard(), VenueAccount)
        assert answer.request_id == request_id
        return answer


def first(messages, kind):
    found = [message for message in messages if type(message) is kind]
    assert found, f"no {kind.__name__} among {messages}"
    return found[0]


def has(messages, kind) -> bool:
    return any(type(message) is kind for message in messages)


ALL_DRIVERS = {**DRIVERS, "poloniex over bytes": PoloniexDriver}


@pytest.fixture(params=ALL_DRIVERS)
def desk(request) -> Desk:
    driver = ALL_DRIVERS[request.param]()
    driver.market(10_000, [(9_999, 50), (9_998, 50)], [(10_001, 50), (10_002, 50)])
    driver.heard()
    return Desk(driver)


def test_a_market_order_is_accepted_and_filled_with_fee_and_price(desk) -> None:
    heard = desk.place("a", BUY, 60)
    accepted = first(heard, OrderAccepted)
    fills = fills_once(heard)
    assert [(f.contracts, f.price_ticks, f.side, f.maker) for f in fills] == [
        (50, 10_001, BUY, False),
        (10, 10_002, BUY, False),
    ]
    assert {f.venue_order_id for f in fills} == {accepted.venue_order_id}
    assert len({f.trade_id for f in fills}) == 2
    assert all(f.fee_usdt > 0 and f.client_order_id == "a" and not f.liquidation for f in fills)
    assert not has(heard, OrderCanceled)


def test_an_order_beyond_the_rules_is_rejected_and_never_was(desk) -> None:
    heard = desk.place("a", BUY, 1, 20_000)
    assert first(heard, OrderRejected).client_order_id == "a"
    assert first(heard, OrderRejected).code
    assert not desk.order("a").found


def test_an_order_that_costs_too_much_is_rejected(desk) -> None:
    assert has(desk.place("a", BUY, 900, 9_990), OrderAccepted)
    assert has(desk.place("b", BUY, 900, 9_990), OrderRejected)


def test_a_resting_order_is_filled_by_the_market_as_a_maker_at_its_limit(desk) -> None:
    assert fills_once(desk.place("a", BUY, 10, 9_990)) == []
    desk.driver.trade(9_985, 4, SELL)
    (fill,) = fills_once(desk.driver.heard())
    assert (fill.contracts, fill.price_ticks, fill.maker) == (4, 9_990, True)
    assert desk.order("a").state is OrderState.PARTIALLY_FILLED
    desk.driver.trade(9_985, 6, SELL)
    desk.driver.heard()
    assert desk.order("a").state is OrderState.FILLED


def test_a_cancel_ends_an_order_and_tells_what_was_filled(desk) -> None:
    desk.place("a", BUY, 10, 9_990)
    desk.driver.trade(9_985, 4, SELL)
    desk.driver.heard()
    canceled = first(desk.cancel("a"), OrderCanceled)
    assert (canceled.client_order_id, canceled.filled_contracts) == ("a", 4)
    desk.driver.trade(9_000, 4, SELL)
    assert fills_once(desk.driver.heard()) == []


def test_a_cancel_that_comes_too_late_is_rejected(desk) -> None:
    desk.place("a", BUY, 1)
    assert first(desk.cancel("a"), CancelRejected).client_order_id == "a"
    assert has(desk.cancel("never"), CancelRejected)


def test_the_same_order_twice_is_one_order(desk) -> None:
    one = fills_once(desk.place("a", BUY, 5))
    again = desk.place("a", BUY, 5)
    assert not has(again, OrderRejected)
    assert fills_once([*one, *again]) == one
    (position,) = desk.account().positions
    assert position.net_contracts == 5


@pytest.mark.parametrize(
    ("kind", "tif", "contracts", "filled"),
    [(POST_ONLY, GTC, 5, 0), (LIMIT, IOC, 60, 50), (LIMIT, FOK, 60, 0)],
)
def test_orders_that_may_not_rest_are_accepted_and_canceled(desk, kind, tif, contracts, filled) -> None:
    heard = desk.place("a", BUY, contracts, 10_001, kind=kind, tif=tif)
    assert has(heard, OrderAccepted)
    assert first(heard, OrderCanceled).filled_contracts == filled
    assert first(heard, OrderCanceled).reason
    assert sum(fill.contracts for fill in fills_once(heard)) == filled


def test_a_reduce_only_order_closes_and_never_opens(desk) -> None:
    desk.place("a", BUY, 5)
    heard = desk.place("b", SELL, 9, reduce_only=True)
    assert sum(fill.contracts for fill in fills_once(heard)) == 5
    assert first(heard, OrderCanceled).filled_contracts == 5
    assert desk.account().positions == ()


def test_two_traders_meet_and_each_hears_of_his_own_fill_only(desk) -> None:
    desk.place("mine", SELL, 5, 10_000)
    heard = desk.place("theirs", BUY, 5, 10_000, account=desk.driver.other_account)
    (fill,) = fills_once(heard)
    assert (fill.account, fill.client_order_id, fill.maker) == (desk.driver.account, "mine", True)


def test_a_question_about_an_order_brings_its_fills(desk) -> None:
    fills = fills_once(desk.place("a", BUY, 60))
    answer = desk.order("a")
    assert answer.found
    assert list(answer.fills) == fills
    assert (answer.state, answer.filled_contracts) == (OrderState.FILLED, 60)


def test_what_was_never_placed_is_proven_absent(desk) -> None:
    answer = desk.order("never")
    assert (answer.found, answer.state, answer.fills) == (False, OrderState.ABSENT, ())


def test_an_account_is_cash_positions_orders_fills_and_funding(desk) -> None:
    before = desk.account().cash_usdt
    (fill,) = fills_once(desk.place("a", BUY, 10))
    desk.place("b", BUY, 3, 9_990)
    desk.driver.settle_funding(E8 // 1_000, 10_000)
    (paid,) = {m.funding_id: m for m in desk.driver.heard() if type(m) is FundingPaid}.values()

    account = desk.account()

    assert account.cash_usdt == before - fill.fee_usdt - paid.payment_usdt
    (position,) = account.positions
    assert (position.net_contracts, position.cost_ticks) == (10, 10 * 10_001)
    assert [order.client_order_id for order in account.open_orders] == ["b"]
    assert list(account.fills) == [fill]
    assert list(account.funding) == [paid]


def test_fills_before_the_asked_instant_are_left_out(desk) -> None:
    desk.place("a", BUY, 1)
    desk.driver.heard()
    since_ns = desk.driver.now_ns()
    fills = fills_once(desk.place("b", BUY, 1))
    assert list(desk.account(since_ns).fills) == fills


def test_cash_moves_by_exactly_what_the_fills_say(desk) -> None:
    before = desk.account().cash_usdt
    fills = fills_once(desk.place("a", BUY, 20))
    desk.driver.market(10_100, [(10_099, 50)], [(10_101, 50)])
    fills += fills_once(desk.place("b", SELL, 20))
    paid = sum(f.side * f.contracts * f.price_ticks * desk.driver.instrument.tick_value for f in fills)
    assert desk.account().cash_usdt == before - paid - sum(fill.fee_usdt for fill in fills)


def test_a_liquidation_is_told_as_a_fill_that_nobody_ordered(desk) -> None:
    desk.place("a", BUY, 900, 10_002)
    desk.driver.market(10_000, [], [(10_002, 900)])
    desk.driver.heard()
    desk.driver.market(8_000, [], [])
    heard = desk.driver.heard()
    liquidations = [m for m in heard if type(m) is OrderFilled and m.liquidation]
    assert liquidations
    assert {(m.client_order_id, m.side, m.fee_usdt) for m in liquidations} == {("", SELL, 0)}


def test_nothing_acknowledged_is_lost_when_the_far_side_restarts(desk) -> None:
    desk.place("a", BUY, 10)
    desk.place("b", BUY, 3, 9_990)
    before = desk.account()

    desk.driver.restart_far_side()

    after = desk.account()
    assert (after.cash_usdt, after.positions, after.fills) == (
        before.cash_usdt,
        before.positions,
        before.fills,
    )
    assert [order.client_order_id for order in after.open_orders] == ["b"]
    desk.driver.trade(9_985, 3, SELL)
    assert [fill.client_order_id for fill in fills_once(desk.driver.heard())] == ["b"]

"""What every spot venue promises the OMS, the ledger and the reconciler; and all say the same numbers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
)
from actors.runtime.messages import Message
from tests.contract.venue.spot_driver import DEPOSIT, SPOT_DRIVERS, PoloniexSpot, SpotDriver
from tests.contract.venue.venue_driver import fills_once

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, POST_ONLY = OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
MARK = 8_000_000


class Desk:
    """A trader at a driver."""

    def __init__(self, driver: SpotDriver) -> None:
        self.driver = driver
        self._count = itertools.count(1)

    def place(self, name: str, side: Side, contracts: int, limit: int = 0, **more: Any) -> list[Message]:
        kind = more.get("kind") or (LIMIT if limit else MARKET)
        tif = more.get("tif") or (GTC if limit else IOC)
        reduces = more.get("reduce_only", False)
        symbol = self.driver.instrument.symbol
        order = PlaceOrder(self.driver.account, name, symbol, side, contracts, kind, limit, tif, reduces)
        self.driver.request(order)
        return self.driver.heard()

    def cancel(self, name: str) -> list[Message]:
        self.driver.request(CancelOrder(self.driver.account, name, self.driver.instrument.symbol))
        return self.driver.heard()

    def order(self, name: str) -> VenueOrder:
        self.driver.request(QueryOrder(self.driver.account, name, self.driver.instrument.symbol))
        found: VenueOrder = first(self.driver.heard(), VenueOrder)
        return found

    def account(self) -> VenueAccount:
        self.driver.request(QueryAccount(self.driver.account, f"q{next(self._count)}", 0))
        found: VenueAccount = first(self.driver.heard(), VenueAccount)
        return found


def first(messages: list[Message], kind: type[Message]) -> Any:
    found = [message for message in messages if type(message) is kind]
    assert found, f"no {kind.__name__} among {messages}"
    return found[0]


def has(messages: list[Message], kind: type[Message]) -> bool:
    return any(type(message) is kind for message in messages)


def coins(account: VenueAccount, desk: Desk) -> int:
    size = desk.driver.instrument.contract_e8
    return sum(held.net_contracts * size + held.dust_e8 for held in account.positions)


def opened(name: str) -> Desk:
    driver = SPOT_DRIVERS[name]()
    driver.market(MARK, [(MARK - 1, 5_000), (MARK - 2, 9_000)], [(MARK + 1, 5_000), (MARK + 2, 9_000)])
    driver.heard()
    return Desk(driver)


@pytest.fixture(params=SPOT_DRIVERS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return opened(request.param)


def test_a_purchase_pays_its_fee_in_coins(desk: Desk) -> None:
    heard = desk.place("a", BUY, 6_234)
    accepted = first(heard, OrderAccepted)
    fills = fills_once(heard)
    assert [(f.contracts, f.price_ticks, f.maker) for f in fills] == [
        (5_000, MARK + 1, False),
        (1_234, MARK + 2, False),
    ]
    # 0.2 % of 5,000 contracts are 10; of 1,234 they are 2.468, so 3 go and 0.532 of one stays as dust.
    assert [(f.fee_contracts, f.dust_e8) for f in fills] == [(10, 0), (3, 53)]
    assert [f.fee_usdt for f in fills] == [10 * (MARK + 1), 3 * (MARK + 2)]
    assert {f.venue_order_id for f in fills} == {accepted.venue_order_id}
    account = desk.account()
    assert coins(account, desk) == sum(f.signed_contracts * 100 + f.dust_e8 for f in fills)
    assert account.cash_usdt == DEPOSIT - sum(f.contracts * f.price_ticks for f in fills)
    assert list(account.fills) == fills


def test_a_sale_pays_its_fee_in_money(desk: Desk) -> None:
    desk.place("a", BUY, 4_000)
    before = desk.account()
    (fill,) = fills_once(desk.place("b", SELL, 3_000))
    assert (fill.fee_contracts, fill.dust_e8) == (0, 0)
    assert fill.fee_usdt == 3_000 * (MARK - 1) * 2 // 1_000
    after = desk.account()
    assert after.cash_usdt == before.cash_usdt + 3_000 * (MARK - 1) - fill.fee_usdt
    assert coins(after, desk) == coins(before, desk) - 3_000 * 100


def test_what_is_not_held_cannot_be_sold_and_what_is_not_there_cannot_be_spent(desk: Desk) -> None:
    assert first(desk.place("a", SELL, 2_000), OrderRejected).code
    assert first(desk.place("b", BUY, 200_000, MARK - 10), OrderRejected).code
    assert not desk.order("a").found


def test_resting_orders_hold_money_that_nobody_spends_twice(desk: Desk) -> None:
    assert has(desk.place("a", BUY, 90_000, MARK - 10), OrderAccepted)
    assert has(desk.place("b", BUY, 90_000, MARK - 10), OrderRejected)
    account = desk.account()
    assert account.cash_usdt == DEPOSIT
    assert [order.client_order_id for order in account.open_orders] == ["a"]


def test_a_resting_order_fills_as_a_maker_and_a_cancel_tells_how_far(desk: Desk) -> None:
    assert fills_once(desk.place("a", BUY, 1_000, MARK - 10)) == []
    desk.driver.trade(MARK - 20, 400, SELL)
    (fill,) = fills_once(desk.driver.heard())
    assert (fill.contracts, fill.price_ticks, fill.maker) == (400, MARK - 10, True)
    assert desk.order("a").state is OrderState.PARTIALLY_FILLED
    canceled = first(desk.cancel("a"), OrderCanceled)
    assert (canceled.client_order_id, canceled.filled_contracts) == ("a", 400)
    assert has(desk.cancel("a"), CancelRejected) or desk.order("a").state is OrderState.CANCELED
    assert has(desk.cancel("never"), CancelRejected)


@pytest.mark.parametrize(
    ("kind", "tif", "contracts", "filled"),
    [(POST_ONLY, GTC, 500, 0), (LIMIT, IOC, 6_000, 5_000), (LIMIT, FOK, 6_000, 0)],
)
def test_orders_that_may_not_rest_do_not(
    desk: Desk, kind: OrderType, tif: TimeInForce, contracts: int, filled: int
) -> None:
    heard = desk.place("a", BUY, contracts, MARK + 1, kind=kind, tif=tif)
    assert has(heard, OrderRejected) or first(heard, OrderCanceled).filled_contracts == filled
    assert sum(fill.contracts for fill in fills_once(heard)) == filled
    assert desk.account().open_orders == ()


def test_reducing_is_selling(desk: Desk) -> None:
    desk.place("a", BUY, 1_000)
    assert has(desk.place("b", BUY, 1_000, reduce_only=True), OrderRejected)
    assert sum(f.contracts for f in fills_once(desk.place("c", SELL, 998, reduce_only=True))) == 998
    assert coins(desk.account(), desk) == 0


def test_the_same_order_twice_is_one_order(desk: Desk) -> None:
    one = fills_once(desk.place("a", BUY, 1_000))
    again = desk.place("a", BUY, 1_000)
    assert not has(again, OrderRejected)
    assert fills_once([*one, *again]) == one
    assert coins(desk.account(), desk) == 998 * 100


def test_a_question_brings_fills_and_what_never_was_is_absent(desk: Desk) -> None:
    fills = fills_once(desk.place("a", BUY, 6_000))
    answer = desk.order("a")
    assert (answer.found, answer.state, answer.filled_contracts) == (True, OrderState.FILLED, 6_000)
    assert sorted(answer.fills, key=lambda f: int(f.trade_id)) == fills
    absent = desk.order("never")
    assert (absent.found, absent.state, absent.fills) == (False, OrderState.ABSENT, ())


def test_nothing_is_lost_when_the_far_side_restarts(desk: Desk) -> None:
    desk.place("a", BUY, 1_234)
    desk.place("b", BUY, 300, MARK - 10)
    before = desk.account()
    desk.driver.restart_far_side()
    after = desk.account()
    assert (after.cash_usdt, after.positions, after.fills) == (
        before.cash_usdt,
        before.positions,
        before.fills,
    )
    assert [order.client_order_id for order in after.open_orders] == ["b"]
    desk.driver.trade(MARK - 20, 300, SELL)
    assert [fill.client_order_id for fill in fills_once(desk.driver.heard())] == ["b"]


def test_every_venue_says_the_same_numbers() -> None:
    said = []
    for name in SPOT_DRIVERS:
        desk = opened(name)
        fills = [*fills_once(desk.place("a", BUY, 6_789)), *fills_once(desk.place("b", SELL, 5_432))]
        desk.place("c", BUY, 777, MARK - 10)
        desk.driver.trade(MARK - 11, 333, SELL)
        fills += fills_once(desk.driver.heard())
        account = desk.account()
        said.append(
            (
                [
                    (f.side, f.contracts, f.price_ticks, f.fee_usdt, f.fee_contracts, f.dust_e8, f.maker)
                    for f in fills
                ],
                account.cash_usdt,
                account.positions,
                [(o.client_order_id, o.contracts, o.filled_contracts) for o in account.open_orders],
            )
        )
    assert said[0] == said[1]


def test_an_order_whose_answer_got_lost_is_found_by_its_name() -> None:
    desk = opened("poloniex over bytes")
    driver = desk.driver
    assert isinstance(driver, PoloniexSpot)
    driver.bench.lose_answers = 1
    heard = desk.place("a", BUY, 1_000)
    assert has(heard, OutcomeUnknown)
    answer = desk.order("a")
    assert (answer.state, answer.filled_contracts) == (OrderState.FILLED, 1_000)
    assert sum(request.method == "POST" for request in driver.bench.requests) == 1


def test_a_market_order_to_buy_needs_a_young_price() -> None:
    desk = opened("poloniex over bytes")
    driver = desk.driver
    assert isinstance(driver, PoloniexSpot)
    driver.bench.run(11_000_000_000)
    assert first(desk.place("a", BUY, 1_000), OrderRejected).code == "no_price"
    sold = desk.place("b", SELL, 1_000)  # it was sent: the venue says that there are no coins
    assert first(sold, OrderRejected).code == "21721"


def test_every_request_of_a_purchase_is_capped() -> None:
    desk = opened("poloniex over bytes")
    driver = desk.driver
    assert isinstance(driver, PoloniexSpot)
    desk.place("a", BUY, 1_000)
    (sent,) = [request for request in driver.bench.requests if request.method == "POST"]
    assert b'"type":"LIMIT","quantity":"0.001","price":"80800.01","timeInForce":"IOC"' in sent.body


def test_fills_have_a_name_that_streams_and_lists_share() -> None:
    desk = opened("poloniex over bytes")
    heard = [m for m in desk.place("a", BUY, 6_000) if type(m) is OrderFilled]
    names = {fill.trade_id for fill in heard}
    assert {fill.trade_id for fill in desk.account().fills} == names
    assert {fill.trade_id for fill in desk.order("a").fills} == names

"""Stopping an account from outside: whatever goes wrong on the way, only what the venue shows is claimed."""

import pytest

from actors.direct.account import FUTURES, SIMULATED, AccountPlan, Coin, Shown, Wish
from actors.direct.stop import Stopping, proof_text
from actors.messages.control import HaltLevel
from actors.venue.poloniex.credentials import Credentials
from tests.unit.direct.fake_venue import BTC, ETH, MS, FakeTimes, FakeVenue

SECOND = 1_000 * MS
COINS = (Coin(BTC, "BTC", 0, 1, 10), Coin(ETH, "ETH", 0, 1, 10))
PLAN = AccountPlan(account="main", address="venue/main", kind=FUTURES, rest_url="http://x", coins=COINS)
CANCEL_ALL, FLATTEN = HaltLevel.CANCEL_ALL, HaltLevel.FLATTEN


def stop(
    venue: FakeVenue, level: HaltLevel, symbol: str = "", *, within_s: int = 60, widened: bool = True
) -> Shown:
    wish, keys = Wish(level, symbol, "halt0"), {"main": Credentials("key", "secret")}
    stopping = Stopping([PLAN], keys, wish, lambda: venue, venue.times, venue.times.at_ns)
    if widened:
        stopping.widen()
    stopping.run(within_s * SECOND)
    return stopping.shown["main"]


def with_orders(count: int, *, seed: int = 0, trouble: float = 0.0) -> FakeVenue:
    venue = FakeVenue(FakeTimes(), seed, trouble)
    venue.orders = {f"{number:04}": BTC if number % 2 else ETH for number in range(count)}
    venue.positions = {BTC: 7, ETH: -3}
    return venue


def test_orders_go_by_scope_in_one_request_and_positions_stay() -> None:
    venue = with_orders(500)
    shown = stop(venue, CANCEL_ALL)
    assert (venue.orders, venue.positions) == ({}, {BTC: 7, ETH: -3})
    assert (shown.proven, shown.canceled_count, shown.orders) == (True, 500, [])
    assert sum(what.startswith("DELETE") for _, what, _ in venue.sent) == 1
    assert shown.positions == {BTC: "7", ETH: "-3"}


def test_flatten_closes_what_is_open_and_says_what_was() -> None:
    venue = with_orders(3)
    shown = stop(venue, FLATTEN)
    assert (venue.orders, venue.positions) == ({}, {BTC: 0, ETH: 0})
    assert (shown.proven, shown.positions, shown.positions_before) == (True, {}, {BTC: "7", ETH: "-3"})


def test_a_symbol_alone_is_stopped_and_others_are_left_as_they_are() -> None:
    venue = with_orders(10)
    shown = stop(venue, FLATTEN, BTC)
    assert shown.proven
    assert set(venue.orders.values()) == {ETH}
    assert venue.positions == {BTC: 0, ETH: -3}


def test_orders_are_canceled_in_batches_of_ten_when_the_scope_is_refused() -> None:
    venue = with_orders(45)
    venue.refuses.add("/v3/trade/allOrders")
    shown = stop(venue, CANCEL_ALL)
    assert shown.proven
    assert (
        sum(what == "DELETE /v3/trade/batchOrders" for _, what, _ in venue.sent) == 6
    )  # 23 and 22 of a symbol


def test_orders_are_canceled_one_by_one_when_batches_are_refused_too() -> None:
    venue = with_orders(45)
    venue.refuses |= {"/v3/trade/allOrders", "/v3/trade/batchOrders"}
    assert stop(venue, CANCEL_ALL).proven
    assert sum(what == "DELETE /v3/trade/order" for _, what, _ in venue.sent) == 45


def test_a_position_larger_than_a_market_order_is_closed_in_pieces_that_only_reduce() -> None:
    venue = with_orders(0)
    venue.positions, venue.market_max = {BTC: 34}, 10
    shown = stop(venue, FLATTEN)
    assert (shown.proven, venue.positions) == (True, {BTC: 0})
    assert [body for _, what, body in venue.sent if what == "POST /v3/trade/order"][-1].count('"4"') == 1


def test_an_order_that_shows_up_late_is_canceled_too() -> None:
    venue = with_orders(0)
    venue.later = [(venue.times.at_ns + 300 * MS, "9999", BTC)]
    shown = stop(venue, CANCEL_ALL)
    assert (shown.proven, venue.orders, shown.looks_count) == (True, {}, 4)


def test_nothing_is_claimed_when_the_time_is_over() -> None:
    venue = with_orders(5, trouble=1.0)
    shown = stop(venue, FLATTEN, within_s=3)
    assert not shown.proven
    assert "NOT PROVEN" in proof_text(shown, FLATTEN) or "nothing was shown" in proof_text(shown, FLATTEN)


def test_a_refused_key_is_told_and_nothing_is_claimed() -> None:
    venue = with_orders(5)
    venue.refuses |= {"/v3/trade/allOrders", "/v3/trade/position/opens"}
    shown = stop(venue, CANCEL_ALL)
    assert (shown.proven, len(venue.orders)) == (False, 5)
    assert "Param error" in shown.fault


@pytest.mark.parametrize("seed", range(40))
def test_whatever_goes_wrong_a_proof_is_true(seed: int) -> None:
    venue = with_orders(130, seed=seed, trouble=0.4)
    venue.later = [(venue.times.at_ns + seed * 20 * MS, "9999", BTC)]
    shown = stop(venue, FLATTEN, within_s=600)
    assert shown.proven, shown.fault
    assert (venue.orders, venue.positions) == ({}, {BTC: 0, ETH: 0})


def test_done_twice_it_does_nothing_the_second_time() -> None:
    venue = with_orders(20)
    stop(venue, FLATTEN)
    shown = stop(venue, FLATTEN)
    assert (shown.proven, shown.canceled_count, shown.closing_count) == (True, 0, 0)


def test_beside_a_node_it_keeps_to_its_share_of_the_limits() -> None:
    venue = with_orders(30)
    venue.refuses.add("/v3/trade/allOrders")
    stop(venue, CANCEL_ALL, widened=False)
    reads = sum(
        worst
        for path, worst in venue.worst_per_second.items()
        if path in ("/v3/trade/order/opens", "/v3/trade/position/opens")
    )
    assert reads <= 2 * 2  # 10% of ten is one a second; a window may hold the end of one and the next


def test_a_limit_that_refuses_is_waited_for_and_not_hammered() -> None:
    venue = with_orders(5)
    venue.per_second = {"/v3/trade/allOrders": 0, "/v3/trade/order/opens": 1}
    shown = stop(venue, CANCEL_ALL)
    assert shown.proven
    assert shown.requests_count < 30


def test_an_account_of_a_simulated_venue_needs_the_latch_only() -> None:
    plan = AccountPlan(account="main", address="venue/main", kind=SIMULATED)
    times = FakeTimes()
    stopping = Stopping([plan], {}, Wish(FLATTEN), lambda: FakeVenue(times), times, times.at_ns)
    assert stopping.run(SECOND)
    assert "the latch alone" in proof_text(stopping.shown["main"], FLATTEN)

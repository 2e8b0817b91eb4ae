"""TWAP, VWAP and iceberg: never more than was wanted, whatever happens to the pieces."""

import pytest

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.plans import Iceberg, Plan, Twap, Vwap
from actors.messages.venue import PlaceOrder
from tests.unit.oms.oms_bench import SECOND, TREND
from tests.unit.oms.parent_bench import ParentBench

TWAP = Twap(4, 40 * SECOND)


@pytest.fixture
def bench() -> ParentBench:
    return ParentBench()


def work(bench: ParentBench, plan: Plan, contracts: int) -> str:
    return bench.launch(plan, Side.BUY, contracts, reduce_only=False)


def bought(bench: ParentBench) -> list[int]:
    """Fill whatever was sent since last time; return the sizes."""
    placed = bench.take(PlaceOrder)
    for order in placed:
        bench.sold(order)
    return [order.contracts for order in placed]


def test_a_twap_sends_equal_slices_over_its_time(bench: ParentBench) -> None:
    twap = work(bench, TWAP, 10)
    sizes = [bought(bench)]
    for _ in range(3):
        bench.advance(10 * SECOND)
        sizes.append(bought(bench))
    assert sizes == [[3], [3], [2], [2]]
    assert bench.parent(twap).state.value == "done"


def test_a_vwap_follows_its_profile(bench: ParentBench) -> None:
    vwap = work(bench, Vwap((1, 5, 2, 2), 40 * SECOND), 100)
    sizes = [bought(bench)]
    for _ in range(3):
        bench.advance(10 * SECOND)
        sizes.append(bought(bench))
    assert sizes == [[10], [50], [20], [20]]
    assert bench.parent(vwap).state.value == "done"


def test_what_a_slice_did_not_get_is_tried_again_and_given_up_when_the_time_is_over(
    bench: ParentBench,
) -> None:
    twap = work(bench, Twap(2, 20 * SECOND, limit_ticks=500_000), 10)
    first = bench.only()
    assert (first.order_type, first.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
    bench.accept(first.client_order_id)
    bench.canceled(first.client_order_id)
    assert bench.take(PlaceOrder) == []
    bench.advance(SECOND)
    again = bench.only()
    bench.sold(again)
    bench.advance(10 * SECOND)
    last = bench.only()
    assert (again.contracts, last.contracts) == (5, 5)
    bench.accept(last.client_order_id)
    bench.advance(10 * SECOND)
    assert bench.parent(twap).state.value == "finishing"
    bench.canceled(last.client_order_id)
    assert (bench.parent(twap).state.value, bench.parent(twap).filled) == ("done", 5)


def test_a_slice_in_doubt_counts_as_working(bench: ParentBench) -> None:
    work(bench, TWAP, 10)
    bench.only()  # never answered
    bench.advance(60 * SECOND)
    sent = bench.take(PlaceOrder)
    assert sum(order.contracts for order in sent) <= 7


def test_slices_that_were_missed_are_spread_over_those_that_follow(bench: ParentBench) -> None:
    work(bench, Twap(10, 100 * SECOND), 100)
    assert bought(bench) == [10]
    bench._timers.clear()  # the node is down
    bench.advance(45 * SECOND)
    bench.restart()
    bench.agree()
    assert bought(bench) == [15]  # of 90 over 6


def test_a_twap_of_a_restarted_node_goes_on_where_it_was(bench: ParentBench) -> None:
    twap = work(bench, TWAP, 10)
    total = sum(bought(bench))
    for _ in range(3):
        bench.restart()
        bench.agree()
        bench.advance(10 * SECOND)
        total += sum(bought(bench))
    assert total == 10
    assert bench.parent(twap).state.value == "done"


def test_a_denied_slice_fails_the_whole_and_tells(bench: ParentBench) -> None:
    twap = work(bench, TWAP, 10)
    bought(bench)
    bench.allows = False
    bench.advance(10 * SECOND)
    assert bench.parent(twap).state.value == "failed"
    assert [alert.name for alert in bench.alerts] == ["ParentFailed"]
    bench.allows = True
    bench.advance(60 * SECOND)
    assert bench.take(PlaceOrder) == []


def test_a_canceled_or_halted_twap_sends_no_more(bench: ParentBench) -> None:
    for scope in ({}, {"intent_id": ""}):
        twap = work(bench, TWAP, 10)
        bought(bench)
        bench.cancel(**(scope and {"intent_id": twap, "strategy": TREND}))
        assert bench.parent(twap).state.value == "canceled"
        bench.advance(60 * SECOND)
        assert bench.take(PlaceOrder) == []


def test_an_iceberg_shows_one_part_at_a_time(bench: ParentBench) -> None:
    iceberg = work(bench, Iceberg(500_000, 4), 10)
    sizes = []
    while placed := bench.take(PlaceOrder):
        (order,) = placed
        assert (order.order_type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
        bench.accept(order.client_order_id)
        bench.sold(order, 1)
        assert bench.take(PlaceOrder) == []
        if order.contracts > 1:
            bench.sold(order, order.contracts - 1)
        sizes.append(order.contracts)
    assert sizes == [4, 4, 2]
    assert bench.parent(iceberg).state.value == "done"


def test_a_part_of_an_iceberg_that_somebody_cancels_ends_it(bench: ParentBench) -> None:
    iceberg = work(bench, Iceberg(500_000, 4), 10)
    placed = bench.only()
    bench.accept(placed.client_order_id)
    bench.tell_cancel(placed.client_order_id)
    bench.canceled(placed.client_order_id)
    bench.vet()
    assert bench.take(PlaceOrder) == []
    assert bench.parent(iceberg).state.value == "canceled"

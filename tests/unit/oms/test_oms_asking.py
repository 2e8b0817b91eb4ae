"""What a person asks of the OMS, and what is on the record afterwards."""

from actors.domain.lifecycle import OrderState
from actors.messages.orders import CancelScope, OrdersListed, OrdersRequest
from actors.messages.venue import CancelOrder
from actors.oms.asking import LISTED_MAX
from actors.oms.events import ScopeCanceled
from tests.unit.oms.oms_bench import BTC, ETH, TREND, OmsBench

S = OrderState


def _listed(bench: OmsBench, message: object) -> OrdersListed:
    bench.tell(message)
    assert isinstance(bench.replies[-1], OrdersListed)
    return bench.replies[-1]


def _names(listed: OrdersListed) -> list[str]:
    return [order.client_order_id for order in listed.orders]


def test_those_in_doubt_come_first_and_the_newest_closed_ones_last(bench: OmsBench) -> None:
    closed = [bench.opened(), bench.opened(), bench.opened()]
    for name in closed:
        bench.fill(name)
    opened, unknown = bench.opened(), bench.unknown()
    listed = _listed(bench, OrdersRequest("", "", "", (), 2))
    assert _names(listed) == [unknown, opened, closed[2], closed[1]]
    assert (listed.orders[2].filled_contracts, listed.orders[2].fee_usdt) == (10, 7)


def test_more_than_fit_into_an_answer_are_counted_and_all_of_them_canceled(bench: OmsBench) -> None:
    for _ in range(LISTED_MAX + 3):
        bench.opened()
    listed = _listed(bench, CancelScope("", "", "", "", "ada", ""))
    assert (len(listed.orders), listed.left_out_count) == (LISTED_MAX, 3)
    assert len(bench.take(CancelOrder)) == LISTED_MAX + 3


def test_a_canceled_scope_is_on_the_record_with_a_name(bench: OmsBench) -> None:
    bench.opened(), bench.opened(symbol=ETH)
    name = bench.opened()
    _listed(bench, CancelScope("main", BTC, TREND, "", "ada", "drill"))
    expected = ScopeCanceled(BTC, TREND, "", "ada", "drill", 2, bench.now_ns)
    assert [event for event in bench.events if isinstance(event, ScopeCanceled)] == [expected]
    assert bench.order(name).reason == "canceled by ada: drill"
    bench.restart()
    assert bench.order(name).state is S.UNKNOWN


def test_a_scope_that_hits_nothing_leaves_no_trace(bench: OmsBench) -> None:
    bench.opened()
    events = len(bench.events)
    assert _listed(bench, CancelScope("hedge", "", "", "", "ada", "")).orders == ()
    assert (len(bench.events), bench.take(CancelOrder)) == (events, [])


def test_an_order_in_doubt_is_canceled_as_soon_as_it_is_known_to_rest(bench: OmsBench) -> None:
    name = bench.unknown()
    listed = _listed(bench, CancelScope("", "", "", name, "ada", ""))
    assert [(order.client_order_id, order.cancel_wanted) for order in listed.orders] == [(name, True)]
    assert bench.take(CancelOrder) == []
    bench.show(name, S.OPEN)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]

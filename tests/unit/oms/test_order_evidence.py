"""What the venue's account of an order means, judged without an OMS around it."""

import pytest

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import Side
from actors.oms.evidence import Verdict, judge
from actors.oms.state import Order
from tests.unit.oms.oms_bench import ETH, OmsBench

S, E = OrderState, OrderEvent
ASK_AGAIN = Verdict(None, conclusive=False)
NOTHING_NEW = Verdict(None)


def _order(bench: OmsBench, state: OrderState, filled: int) -> Order:
    order = bench.order(bench.submit())
    order.state, order.filled_contracts = state, filled
    return order


@pytest.mark.parametrize(
    ("ours", "our_filled", "theirs", "their_filled", "verdict"),
    [
        (S.UNKNOWN, 0, S.OPEN, 0, Verdict(E.PROVEN_OPEN)),
        (S.UNKNOWN, 4, S.PARTIALLY_FILLED, 4, Verdict(E.PROVEN_PARTLY_FILLED)),
        (S.UNKNOWN, 0, S.CANCELED, 0, Verdict(E.CANCELED)),
        (S.UNKNOWN, 4, S.CANCELED, 4, Verdict(E.CANCELED)),
        (S.UNKNOWN, 0, S.REJECTED, 0, Verdict(E.REJECTED)),
        (S.UNKNOWN, 0, S.ABSENT, 0, Verdict(E.PROVEN_ABSENT)),
        (S.UNKNOWN, 4, S.ABSENT, 0, Verdict(E.PROVEN_ABSENT, impossible=True)),
        (S.SUBMITTING, 0, S.OPEN, 0, Verdict(E.ACCEPTED)),
        # what agrees says nothing new
        (S.OPEN, 0, S.OPEN, 0, NOTHING_NEW),
        (S.PARTIALLY_FILLED, 4, S.PARTIALLY_FILLED, 4, NOTHING_NEW),
        (S.CANCELING, 0, S.OPEN, 0, NOTHING_NEW),
        (S.FILLED, 10, S.FILLED, 10, NOTHING_NEW),
        (S.CANCELED, 4, S.CANCELED, 4, NOTHING_NEW),
        # fills are missing
        (S.UNKNOWN, 0, S.CANCELED, 4, ASK_AGAIN),
        (S.OPEN, 0, S.PARTIALLY_FILLED, 4, ASK_AGAIN),
        (S.UNKNOWN, 0, S.FILLED, 10, ASK_AGAIN),
        # older than our newest fill
        (S.PARTIALLY_FILLED, 4, S.OPEN, 0, ASK_AGAIN),
        (S.FILLED, 10, S.PARTIALLY_FILLED, 4, ASK_AGAIN),
        # a final count that we have outrun
        (S.PARTIALLY_FILLED, 4, S.CANCELED, 2, Verdict(E.CANCELED, impossible=True)),
        (S.UNKNOWN, 4, S.FILLED, 4, Verdict(E.FILLED_WHOLLY, impossible=True)),
        (S.UNKNOWN, 4, S.REJECTED, 4, Verdict(E.REJECTED, impossible=True)),
        # not for this function to say: the table has no such pair
        (S.CANCELED, 0, S.OPEN, 0, Verdict(E.PROVEN_OPEN)),
        (S.OPEN, 0, S.ABSENT, 0, Verdict(E.PROVEN_ABSENT)),
        # no venue can show that
        (S.UNKNOWN, 0, S.UNKNOWN, 0, ASK_AGAIN),
        (S.UNKNOWN, 0, S.CANCELING, 0, ASK_AGAIN),
    ],
)
def test_evidence_is_judged_by_what_is_known_for_sure(
    bench: OmsBench,
    ours: OrderState,
    our_filled: int,
    theirs: OrderState,
    their_filled: int,
    verdict: Verdict,
) -> None:
    order = _order(bench, ours, our_filled)
    shown = bench.evidence(order.client_order_id, theirs, filled_contracts=their_filled)
    assert judge(order, shown) == verdict


@pytest.mark.parametrize("change", [{"side": Side.SELL}, {"contracts": 11}, {"symbol": ETH}], ids=str)
def test_another_order_under_our_name_is_impossible(bench: OmsBench, change: dict[str, object]) -> None:
    order = _order(bench, S.UNKNOWN, 0)
    assert judge(order, bench.evidence(order.client_order_id, S.OPEN, **change)).impossible


def test_an_accepted_order_cannot_have_been_absent(bench: OmsBench) -> None:
    order = bench.order(bench.opened())
    assert judge(order, bench.evidence(order.client_order_id, S.ABSENT)).impossible

"""A person's word about an order: on the record, and only where it can be true."""

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.control import Acknowledged, Rejected, ResolveOrder
from actors.messages.trading import OrderUpdate
from actors.messages.venue import QueryOrder
from actors.oms.events import OrderResolved
from tests.unit.oms.oms_bench import SECOND, OmsBench

S = OrderState


def _resolve(bench: OmsBench, name: str, state: OrderState, evidence: str = "ticket 12") -> object:
    bench.tell(ResolveOrder(name, state, evidence, "ada"))
    return bench.replies[-1]


@pytest.mark.parametrize("state", [S.OPEN, S.CANCELED, S.REJECTED, S.ABSENT], ids=lambda s: s.value)
def test_a_person_settles_an_unknown_order_on_the_record(bench: OmsBench, state: OrderState) -> None:
    name = bench.unknown()
    bench.take(OrderUpdate)
    assert _resolve(bench, name, state) == Acknowledged(f"{name}: unknown -> {state.value}")
    assert bench.order(name).state is state
    assert bench.events[-1] == OrderResolved(name, state, "ticket 12", "ada", bench.now_ns)
    assert {m.state for m in bench.take(OrderUpdate)} == {state}
    bench.advance(60 * SECOND)
    assert bench.take(QueryOrder) == []


def test_the_settled_order_stays_settled_after_a_restart(bench: OmsBench) -> None:
    name = bench.unknown()
    _resolve(bench, name, S.CANCELED)
    bench.restart()
    assert bench.order(name).state is S.CANCELED


@pytest.mark.parametrize(
    ("filled", "state"),
    [
        (0, S.FILLED),
        (0, S.PARTIALLY_FILLED),
        (4, S.OPEN),
        (4, S.REJECTED),
        (4, S.ABSENT),
        (4, S.FILLED),
        (0, S.UNKNOWN),
        (0, S.SUBMITTING),
        (0, S.CANCELING),
    ],
    ids=str,
)
def test_what_cannot_be_true_is_refused(bench: OmsBench, filled: int, state: OrderState) -> None:
    name = bench.opened()
    if filled:
        bench.fill(name, filled)
    before = bench.order(name).state
    events = len(bench.events)
    assert isinstance(_resolve(bench, name, state), Rejected)
    assert (bench.order(name).state, len(bench.events)) == (before, events)


def test_a_partly_filled_order_can_be_declared_canceled(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4)
    assert isinstance(_resolve(bench, name, S.CANCELED), Acknowledged)


def test_a_word_without_evidence_is_refused(bench: OmsBench) -> None:
    assert isinstance(_resolve(bench, bench.unknown(), S.CANCELED, evidence=" "), Rejected)


def test_an_order_that_does_not_live_cannot_be_resolved(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name)
    assert isinstance(_resolve(bench, name, S.CANCELED), Rejected)
    assert isinstance(_resolve(bench, "nobody", S.CANCELED), Rejected)


def test_an_order_that_still_waits_for_its_answer_cannot_be_resolved(bench: OmsBench) -> None:
    assert isinstance(_resolve(bench, bench.submit(), S.CANCELED), Rejected)


def test_an_order_resolved_as_open_that_was_wanted_canceled_is_canceled(bench: OmsBench) -> None:
    name = bench.submit()
    bench.cancel()
    bench.advance(6 * SECOND)
    _resolve(bench, name, S.OPEN)
    assert bench.order(name).state is S.CANCELING

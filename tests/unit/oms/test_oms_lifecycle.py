"""Every pair of state and event: in the table it moves the order, outside it moves nothing."""

from collections.abc import Callable

import pytest

from actors.domain.lifecycle import TERMINAL, TRANSITIONS, OrderEvent, OrderState
from actors.messages.evidence import UnexpectedReport
from actors.messages.venue import OrderAccepted, RequestKind
from actors.oms.events import OrderAnomaly
from actors.oms.state import NEXT, TERMINAL_VALUES
from tests.unit.oms.oms_bench import CONTRACTS, SECOND, OmsBench

S, E = OrderState, OrderEvent


def _canceling(bench: OmsBench) -> str:
    name = bench.submit()
    bench.accept(name, "")
    bench.cancel()
    return name


def _absent(bench: OmsBench) -> str:
    name = bench.unknown()
    bench.advance(20 * SECOND)
    bench.show(name, S.ABSENT)
    return name


def _after(bench: OmsBench, act: Callable[[str], object]) -> str:
    name = bench.submit()
    act(name)
    return name


# How an order gets where it stands, by messages alone.
WAYS: dict[OrderState, Callable[[OmsBench], str]] = {
    S.SUBMITTING: lambda bench: bench.submit(),
    S.OPEN: lambda bench: _after(bench, lambda name: bench.accept(name, "")),
    S.PARTIALLY_FILLED: lambda bench: _after(bench, lambda name: bench.fill(name, 4)),
    S.CANCELING: _canceling,
    S.UNKNOWN: lambda bench: bench.unknown(),
    S.FILLED: lambda bench: _after(bench, bench.fill),
    S.CANCELED: lambda bench: _after(bench, bench.canceled),
    S.REJECTED: lambda bench: _after(bench, bench.reject),
    S.ABSENT: _absent,
}

# What the venue says, for the events that a single report means whatever the order's state is.
REPORTS: dict[OrderEvent, Callable[[OmsBench, str], object]] = {
    E.ACCEPTED: lambda bench, name: bench.accept(name, ""),
    E.REJECTED: lambda bench, name: bench.reject(name),
    E.FILLED_PARTLY: lambda bench, name: bench.fill(name, 1),
    E.FILLED_WHOLLY: lambda bench, name: bench.fill(
        name, CONTRACTS - bench.order(name).filled_contracts or CONTRACTS
    ),
    E.CANCEL_REJECTED: lambda bench, name: bench.refuse_cancel(name),
    E.CANCELED: lambda bench, name: bench.canceled(name, bench.order(name).filled_contracts),
}


@pytest.fixture(params=OrderState, ids=lambda state: state.value)
def placed(request: pytest.FixtureRequest, bench: OmsBench) -> tuple[OmsBench, str, OrderState]:
    """An order in each of the states, with nothing said about it yet."""
    name = WAYS[request.param](bench)
    assert bench.order(name).state is request.param
    bench.events.clear()
    bench.published.clear()
    bench.sent.clear()
    return bench, name, request.param


def _expect_unexpected(bench: OmsBench, name: str, state: OrderState, event: OrderEvent) -> None:
    anomalies = [e for e in bench.events if isinstance(e, OrderAnomaly)]
    (report,) = (m for m in bench.published if isinstance(m, UnexpectedReport))
    assert [(a.client_order_id, a.state, a.event) for a in anomalies] == [(name, state.value, event.value)]
    assert (report.client_order_id, report.state, report.event) == (name, state, event)
    assert report.report == anomalies[0].report
    assert [alert.name for alert in bench.alerts if alert.key == name] == ["OrderReportUnexpected"]


def test_the_compiled_table_is_the_lifecycle_table() -> None:
    compiled = {
        (S(state), E(event)): following for event, row in NEXT.items() for state, following in row.items()
    }
    assert compiled == TRANSITIONS
    assert {S(value) for value in TERMINAL_VALUES} == TERMINAL


@pytest.mark.parametrize(
    "event",
    [event for event in OrderEvent if event not in (E.FILLED_PARTLY, E.FILLED_WHOLLY)],  # tried below
    ids=lambda event: event.value,
)
def test_an_event_moves_an_order_by_the_table_or_not_at_all(
    placed: tuple[OmsBench, str, OrderState], event: OrderEvent
) -> None:
    bench, name, state = placed
    report = OrderAccepted("main", name, "", bench.now_ns)  # any: the event is what decides
    bench.oms._move(bench.order(name), event, report, bench, "", "")
    following = TRANSITIONS.get((state, event))
    if following is None:
        assert bench.order(name).state is state
        _expect_unexpected(bench, name, state, event)
    else:
        assert bench.order(name).state is following
        assert not bench.alerts


@pytest.mark.parametrize("event", REPORTS, ids=lambda event: event.value)
def test_a_report_moves_an_order_by_the_table_or_goes_to_the_reconciler(
    placed: tuple[OmsBench, str, OrderState], event: OrderEvent
) -> None:
    bench, name, state = placed
    REPORTS[event](bench, name)
    following = TRANSITIONS.get((state, event))
    if state is S.REJECTED and event is E.REJECTED:
        assert bench.events == []  # the same refusal again says nothing new
    elif following is None:
        # One contract more than the whole is as much as whole.
        meant = E.FILLED_WHOLLY if state is S.FILLED and event is E.FILLED_PARTLY else event
        assert bench.order(name).state is state
        _expect_unexpected(bench, name, state, meant)
    else:
        assert bench.order(name).state is following
        assert not any(isinstance(e, OrderAnomaly) for e in bench.events)


@pytest.mark.parametrize("request_kind", RequestKind, ids=lambda kind: kind.value)
def test_a_lost_answer_matters_only_to_who_waits_for_it(
    placed: tuple[OmsBench, str, OrderState], request_kind: RequestKind
) -> None:
    bench, name, state = placed
    bench.lose(name, request_kind)
    waits = (state, request_kind) in {
        (S.SUBMITTING, RequestKind.PLACE),
        (S.CANCELING, RequestKind.CANCEL),
    }
    assert bench.order(name).state is (S.UNKNOWN if waits else state)
    assert bool(bench.events) is waits


def test_the_same_acceptance_again_says_nothing_new(bench: OmsBench) -> None:
    name = bench.opened()
    events = list(bench.events)
    bench.accept(name)
    assert (bench.events, bench.alerts) == (events, [])
    assert bench.oms.repeats_count == 1


def test_the_same_cancel_report_again_is_not_recorded(bench: OmsBench) -> None:
    name = bench.opened()
    bench.canceled(name)
    events, told = len(bench.events), len(bench.sent)
    bench.canceled(name)
    assert (len(bench.events), len(bench.sent)) == (events, told)


def test_an_acceptance_under_another_venue_id_is_unexpected(bench: OmsBench) -> None:
    name = bench.opened()
    bench.accept(name, "another")
    assert bench.order(name).venue_order_id == f"v{name}"
    assert [alert.name for alert in bench.alerts] == ["OrderReportUnexpected"]


def test_an_unexpected_report_is_settled_when_a_comparison_agrees(bench: OmsBench) -> None:
    from actors.messages.control import ReconcileFinished

    name = bench.opened()
    bench.reject(name)
    bench.state_books()
    bench.tell(ReconcileFinished("main", False, ("x",), bench.now_ns))
    assert bench.resolved == []
    bench.find_agreement()
    assert [(r.name, r.key) for r in bench.resolved] == [("OrderReportUnexpected", name)]
    bench.find_agreement()
    assert len(bench.resolved) == 1

"""UNKNOWN is a state: entered when an answer is lost, left by evidence alone."""

from itertools import pairwise

import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.control import ReconcileNow
from actors.messages.evidence import UnexpectedReport, VerifyOrders
from actors.messages.trading import OrderUpdate
from actors.messages.venue import CancelOrder, QueryOrder, RequestKind, VenueConnection
from actors.oms.settings import OmsSettings
from actors.runtime.messages import Severity
from tests.unit.oms.oms_bench import BTC, MS, RISK, SECOND, TREND, OmsBench

S = OrderState
HOUR = 3_600 * SECOND


def test_an_order_without_an_answer_becomes_unknown(bench: OmsBench) -> None:
    name = bench.submit()
    bench.advance(5 * SECOND - 1)
    assert bench.order(name).state is S.SUBMITTING
    bench.advance(1)
    assert bench.order(name).state is S.UNKNOWN
    assert [to for to, m in bench.sent if isinstance(m, OrderUpdate)] == [TREND, RISK]


def test_a_cancel_without_an_answer_becomes_unknown(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    bench.advance(5 * SECOND)
    assert bench.order(name).state is S.UNKNOWN


def test_an_answered_order_waits_for_nothing(bench: OmsBench) -> None:
    name = bench.opened()
    bench.advance(HOUR)
    assert bench.order(name).state is S.OPEN
    assert bench._timers == []


def test_only_the_unanswered_among_many_become_unknown(bench: OmsBench) -> None:
    names = []
    for _ in range(10):
        names.append(bench.submit())
        bench.advance(100 * MS)
    for name in names[::2]:
        bench.accept(name)
    bench.advance(10 * SECOND)
    assert [bench.order(name).state for name in names] == [S.OPEN, S.UNKNOWN] * 5


def test_the_venue_is_asked_with_growing_pauses_and_never_stops_being_asked(bench: OmsBench) -> None:
    bench.unknown()
    instants = []
    for _ in range(36_000):
        bench.advance(100 * MS)
        instants += [bench.now_ns for _ in bench.take(QueryOrder)]
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    assert pauses[0] < 2 * SECOND
    assert max(pauses) <= 31 * SECOND
    assert min(pauses[-20:]) >= 20 * SECOND
    assert len(set(pauses[-20:])) > 1  # jitter
    assert len(instants) > 100


def test_an_unknown_order_never_times_out_into_an_answer(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(24 * HOUR)
    assert bench.order(name).state is S.UNKNOWN


def test_somebody_is_paged_when_nobody_knows_for_too_long(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(30 * SECOND - 1)
    assert bench.alerts == []
    bench.advance(2 * SECOND)
    assert [(a.name, a.key, a.severity) for a in bench.alerts] == [("OrderUnknown", name, Severity.PAGE)]
    bench.show(name, S.OPEN)
    assert [(r.name, r.key) for r in bench.resolved] == [("OrderUnknown", name)]


def test_the_page_counts_from_the_loss_even_across_a_restart(bench: OmsBench) -> None:
    bench.unknown()
    bench.advance(29 * SECOND)
    bench.restart()
    assert bench.alerts == []
    bench.advance(2 * SECOND)
    assert {a.name for a in bench.alerts} == {"OrderUnknown"}


def test_the_page_of_a_second_doubt_counts_from_the_second_loss(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(29 * SECOND)
    bench.show(name, S.OPEN)
    bench.cancel()
    bench.lose(name, RequestKind.CANCEL)
    bench.advance(29 * SECOND)
    assert bench.alerts == []


def test_an_order_settled_in_time_pages_nobody(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.show(name, S.OPEN)
    bench.advance(HOUR)
    assert (bench.alerts, bench.resolved) == ([], [])
    assert bench.take(QueryOrder) == []


@pytest.mark.parametrize("state", [S.OPEN, S.CANCELED, S.REJECTED], ids=lambda state: state.value)
def test_evidence_settles_an_unknown_order(bench: OmsBench, state: OrderState) -> None:
    name = bench.unknown()
    bench.show(name, state)
    assert bench.order(name).state is state
    assert len(bench.oms._doubts) == 0


def test_missing_fills_come_with_the_evidence(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.show(name, S.PARTIALLY_FILLED, fills=(bench.filled(name, 3), bench.filled(name, 4)))
    assert (bench.order(name).state, bench.order(name).filled_contracts) == (S.PARTIALLY_FILLED, 7)


def test_evidence_of_a_filled_order_fills_it(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.show(name, S.FILLED, fills=(bench.filled(name),))
    assert bench.order(name).state is S.FILLED
    assert bench.alerts == []


def test_evidence_without_the_fills_it_counts_settles_nothing(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.show(name, S.CANCELED, filled_contracts=4)
    assert bench.order(name).state is S.UNKNOWN
    bench.show(name, S.CANCELED, fills=(bench.filled(name, 4),))
    assert bench.order(name).state is S.CANCELED


def test_an_early_not_found_is_no_proof_of_absence(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(SECOND)
    assert bench.take(QueryOrder)
    bench.show(name, S.ABSENT)
    assert bench.order(name).state is S.UNKNOWN


def test_a_not_found_asked_late_enough_proves_absence(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(20 * SECOND)
    bench.show(name, S.ABSENT)
    assert bench.order(name).state is S.ABSENT


def test_a_not_found_that_nobody_asked_for_proves_nothing(bench: OmsBench) -> None:
    name = bench.unknown()
    bench.advance(20 * SECOND)
    bench.restart()
    bench.show(name, S.ABSENT)
    assert bench.order(name).state is S.UNKNOWN


def test_an_order_the_venue_once_accepted_is_never_declared_absent(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    bench.lose(name, RequestKind.CANCEL)
    bench.advance(20 * SECOND)
    bench.show(name, S.ABSENT)
    assert bench.order(name).state is S.UNKNOWN
    assert len(bench.take(UnexpectedReport)) == 1
    assert len(bench.oms._doubts) == 1


def test_a_late_answer_settles_an_unknown_order(bench: OmsBench) -> None:
    accepted, rejected = bench.unknown(), bench.unknown()
    bench.accept(accepted)
    bench.reject(rejected)
    assert bench.order(accepted).state is S.OPEN
    assert bench.order(rejected).state is S.REJECTED
    bench.advance(HOUR)
    assert bench.take(QueryOrder) == []


def test_orders_on_their_way_are_unknown_after_a_restart_and_asked_about(bench: OmsBench) -> None:
    submitting, opened, canceling = bench.submit(), bench.opened(), bench.opened()
    bench.tell_cancel(canceling)
    bench.published.clear()
    bench.restart()
    assert bench.order(submitting).state is S.UNKNOWN
    assert bench.order(canceling).state is S.UNKNOWN
    assert bench.order(opened).state is S.OPEN
    bench.advance(SECOND)
    asked = {query.client_order_id for query in bench.take(QueryOrder)}
    assert asked == {submitting, canceling}


def test_live_orders_are_compared_after_a_restart(bench: OmsBench) -> None:
    bench.restart()
    assert bench.take(ReconcileNow) == []
    bench.opened()
    bench.restart()
    assert bench.take(ReconcileNow) == [ReconcileNow("main")]


def test_an_order_still_wanted_canceled_is_canceled_when_it_turns_out_open(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    bench.take(CancelOrder)
    bench.lose(name, RequestKind.CANCEL)
    bench.show(name, S.OPEN)
    assert len(bench.take(CancelOrder)) == 1
    assert bench.order(name).state is S.CANCELING


def test_a_refused_cancel_is_asked_about(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    bench.refuse_cancel(name)
    assert bench.order(name).state is S.UNKNOWN
    bench.advance(SECOND)
    assert bench.take(QueryOrder) == [QueryOrder("main", name, BTC)]
    bench.show(name, S.FILLED, fills=(bench.filled(name),))
    assert bench.order(name).state is S.FILLED


def test_a_cancel_that_is_refused_again_and_again_is_reported(bench: OmsBench) -> None:
    name = bench.opened()
    bench.cancel()
    for _ in range(3):
        bench.refuse_cancel(name)
        bench.show(name, S.OPEN)
    assert [a.name for a in bench.alerts] == ["CancelRefused"]
    bench.canceled(name)
    assert [r.name for r in bench.resolved] == ["CancelRefused"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_cancel_that_has_no_answer_again_and_again_is_reported(bench: OmsBench, is_told: bool) -> None:
    name = bench.opened()
    bench.cancel()
    for count in range(1, 4):
        if is_told:
            bench.lose(name, RequestKind.CANCEL)
        else:
            bench.advance(6 * SECOND)
        assert [a.name for a in bench.alerts] == ["CancelRefused"] * (count == 3)
        bench.show(name, S.OPEN)
    bench.canceled(name)
    assert [r.name for r in bench.resolved] == ["CancelRefused"]


def test_everything_in_doubt_is_asked_about_when_the_venue_comes_back(bench: OmsBench) -> None:
    bench.unknown()
    bench.advance(HOUR)
    bench.take(QueryOrder)
    bench.tell(VenueConnection("main", False, "gone", bench.now_ns))
    bench.tell(VenueConnection("main", True, "back", bench.now_ns))
    bench.advance(MS)
    assert len(bench.take(QueryOrder)) == 1


def test_questions_go_out_in_small_bursts() -> None:
    bench = OmsBench(OmsSettings(query_burst_max=3))
    for _ in range(10):
        bench.unknown()
    bench.tell(VenueConnection("main", True, "back", bench.now_ns))
    bench.advance(0)
    assert len(bench.take(QueryOrder)) == 3
    bench.advance(50 * MS)
    assert len(bench.take(QueryOrder)) == 3


def test_an_order_the_reconciler_doubts_is_asked_about_until_it_is_answered(bench: OmsBench) -> None:
    name = bench.opened()
    bench.tell(VerifyOrders("main", (name, "stranger"), "not in the venue's list"))
    bench.advance(MS)
    assert bench.take(QueryOrder) == [QueryOrder("main", name, BTC)]
    bench.show(name, S.OPEN)
    bench.advance(HOUR)
    assert bench.take(QueryOrder) == []
    assert bench.order(name).state is S.OPEN


def test_an_open_order_the_venue_never_had_goes_to_the_reconciler(bench: OmsBench) -> None:
    name = bench.opened()
    bench.tell(VerifyOrders("main", (name,), "not in the venue's list"))
    bench.advance(20 * SECOND)
    bench.show(name, S.ABSENT)
    assert bench.order(name).state is S.OPEN
    assert len(bench.take(UnexpectedReport)) == 1
    assert len(bench.oms._doubts) == 0


def test_an_open_order_the_venue_canceled_while_we_were_away_closes(bench: OmsBench) -> None:
    name = bench.opened()
    bench.tell(VerifyOrders("main", (name,), "not in the venue's list"))
    bench.show(name, S.CANCELED, fills=(bench.filled(name, 2),))
    assert (bench.order(name).state, bench.order(name).filled_contracts) == (S.CANCELED, 2)


# -- evidence that is older than what we know


def test_evidence_read_while_a_cancel_was_on_its_way_contradicts_nothing(bench: OmsBench) -> None:
    name = bench.opened()
    bench.tell(VerifyOrders("main", (name,), "compared"))
    began_ns = bench.now_ns
    bench.advance(100 * MS)
    bench.tell_cancel(name)
    bench.canceled(name)
    bench.take(QueryOrder)
    bench.advance(400 * MS)
    bench.show(name, S.OPEN, at_ns=began_ns)
    assert (bench.alerts, bench.take(UnexpectedReport)) == ([], [])
    assert bench.order(name).state is S.CANCELED
    bench.advance(60 * SECOND)
    assert bench.take(QueryOrder), "it is read once more, to be sure"
    bench.show(name, S.CANCELED)
    bench.take(QueryOrder)
    bench.advance(HOUR)
    assert bench.take(QueryOrder) == []
    assert bench.alerts == []


def test_evidence_read_well_after_a_cancel_that_still_shows_the_order_is_told(bench: OmsBench) -> None:
    name = bench.opened()
    bench.tell_cancel(name)
    bench.canceled(name)
    bench.advance(3 * SECOND)
    bench.show(name, S.OPEN)
    assert [alert.name for alert in bench.alerts] == ["OrderReportUnexpected"]
    assert len(bench.take(UnexpectedReport)) == 1


def test_a_proof_of_absence_from_before_an_acceptance_contradicts_nothing(bench: OmsBench) -> None:
    name = bench.unknown()
    began_ns = bench.now_ns
    bench.advance(SECOND)
    bench.accept(name)
    bench.show(name, S.ABSENT, at_ns=began_ns)
    assert (bench.alerts, bench.order(name).state) == ([], S.OPEN)

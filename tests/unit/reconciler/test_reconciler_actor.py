"""When the reconciler looks, what it says, and what it does about what it finds."""

import pytest

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.messages.account import AdjustCash
from actors.messages.control import Acknowledged, ReconcileFinished, ReconcileNow
from actors.messages.evidence import UnexpectedReport, VerifyOrders
from actors.messages.trading import OrdersSnapshotRequest
from actors.messages.venue import (
    CancelOrder,
    OrderAccepted,
    OrderFilled,
    QueryAccount,
    VenueConnection,
)
from actors.reconciler.settings import ReconcilerSettings
from actors.runtime.messages import Severity
from tests.unit.reconciler.reconciler_bench import (
    BTC,
    CASH,
    MS,
    NOW,
    SECOND,
    ReconcilerBench,
    fill,
    funding,
    known,
    ledger_snapshot,
    order,
    orders_snapshot,
    shown,
    venue_account,
)


@pytest.fixture
def bench() -> ReconcilerBench:
    return ReconcilerBench()


# -- when it looks, and when the rest may start


def test_the_venue_is_asked_at_the_start_before_anybody_acts(bench: ReconcilerBench) -> None:
    (query,) = bench.take(QueryAccount)
    assert query.fills_since_ns == NOW - 3_610 * SECOND
    assert not bench.is_ready
    assert bench.take(OrdersSnapshotRequest) == []  # ours is asked after the venue has spoken


def test_agreement_lets_the_others_start(bench: ReconcilerBench) -> None:
    assert bench.verdict() == ReconcileFinished("main", True, (), bench.now_ns)
    assert bench.is_ready
    assert bench.alerts == []


def test_disagreement_keeps_the_others_waiting(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    assert not bench.verdict().agrees
    assert not bench.is_ready


def test_disagreement_lets_the_others_start_where_policy_says_so() -> None:
    bench = ReconcilerBench(ReconcilerSettings(ready_when="compared"))
    bench.positions({BTC: 4}, {})
    assert not bench.verdict().agrees
    assert bench.is_ready


def test_readiness_is_said_once(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.is_ready = False
    bench.advance(60 * SECOND)
    bench.verdict()
    assert not bench.is_ready


def test_agreement_is_looked_after_periodically(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.advance(60 * SECOND - 1)
    assert not bench.asked()
    bench.advance(1)
    assert bench.asked()


def test_later_looks_ask_for_fills_since_the_last_agreement(bench: ReconcilerBench) -> None:
    bench.verdict()
    agreed_at_ns = bench.now_ns
    bench.advance(60 * SECOND)
    (query,) = bench.take(QueryAccount)
    assert query.fills_since_ns == agreed_at_ns - 10 * SECOND


def test_the_last_agreement_survives_a_restart(bench: ReconcilerBench) -> None:
    bench.verdict()
    agreed_at_ns = bench.now_ns
    bench.advance(3_000 * SECOND)
    bench.published.clear()
    bench.restart()
    (query,) = bench.take(QueryAccount)
    assert query.fills_since_ns == agreed_at_ns - 10 * SECOND
    assert not bench.reconciler.state.agrees


def test_a_restart_puts_down_at_once_that_nothing_is_agreed_any_more(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.restart()
    bench.restart(start=False)  # dies before the first answer
    assert not bench.reconciler.state.agrees


def test_a_disagreement_moves_no_mark(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    bench.verdict()
    assert bench.reconciler.state.agreed_at_ns == 0


# -- what counts


def test_a_passing_difference_does_not_count(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    bench.look()
    assert bench.verdicts() == []
    bench.positions({BTC: 4}, {BTC: 4})
    bench.advance(500 * MS)
    bench.look()
    assert bench.verdict().agrees
    assert bench.alerts == []


def test_differences_that_are_always_others_do_not_count(bench: ReconcilerBench) -> None:
    for number in range(5):
        bench.venue["open_orders"] = (shown(f"quick {number}"),)
        bench.look()
        bench.advance(500 * MS)
    assert bench.verdict().agrees


def test_a_lasting_difference_pages_and_is_named(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    verdict = bench.verdict()
    assert verdict.differences == (f"phantom position: {BTC}: ours 4, theirs 0",)
    assert [(a.name, a.key, a.severity) for a in bench.alerts] == [
        ("PositionDrift", BTC, Severity.PAGE),
        ("ReconcileFailed", "main", Severity.PAGE),
    ]


def test_the_alerts_end_with_the_difference_even_across_a_restart(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    bench.verdict()
    bench.restart()
    bench.published.clear()
    bench.advance(5 * SECOND)
    bench.tell(VenueConnection("main", True, "", bench.now_ns))
    bench.published = bench.published[-1:]
    bench.positions({}, {})
    bench.verdict()
    assert [(r.name, r.key) for r in bench.resolved] == [("PositionDrift", BTC), ("ReconcileFailed", "main")]


def test_a_disagreement_is_looked_at_again_soon_and_then_less_often(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    pauses = []
    for _ in range(7):
        bench.verdict()
        ended_at_ns = bench.now_ns
        while not bench.asked():
            bench.advance(100 * MS)
        pauses.append((bench.now_ns - ended_at_ns) // SECOND)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


# -- what it does


def test_a_missed_fill_is_sent_to_the_oms_and_then_all_is_well(bench: ReconcilerBench) -> None:
    missed = fill()
    bench.venue |= {"positions": {BTC: 4}, "fills": (missed,)}
    bench.look()
    assert bench.take(OrderFilled) == []  # it may be on its way
    bench.advance(500 * MS)
    bench.look()
    assert bench.sent == [("oms/main", missed)]  # to nobody else: the venue would take it for an answer
    bench.orders |= {"positions": {BTC: 4}, "fills": (known(missed),)}
    bench.ledger |= {"positions": {BTC: 4}}
    assert bench.verdict().agrees
    assert bench.alerts == []


def test_a_fill_that_stays_missed_is_sent_once_a_round_and_then_pages(bench: ReconcilerBench) -> None:
    bench.venue |= {"positions": {BTC: 4}, "fills": (fill(),)}
    assert not bench.verdict().agrees
    assert len(bench.take(OrderFilled)) == 1
    assert [a.name for a in bench.alerts] == ["ReconcileFailed"]


def test_missed_funding_is_sent_to_the_ledger(bench: ReconcilerBench) -> None:
    bench.venue["funding"] = (funding(),)
    bench.run_round()
    assert bench.sent == [("ledger/main", funding())]


def test_an_order_the_venue_does_not_show_is_asked_about(bench: ReconcilerBench) -> None:
    bench.orders["orders"] = (order(),)
    verdict = bench.verdict()
    assert not verdict.agrees
    assert bench.take(VerifyOrders) == [VerifyOrders("main", ("o1",), "order unknown to the venue")]


def test_an_order_that_is_not_ours_pages_and_stays(bench: ReconcilerBench) -> None:
    bench.venue["open_orders"] = (shown("stranger"),)
    assert not bench.verdict().agrees
    assert bench.take(CancelOrder) == []


def test_an_order_that_is_not_ours_is_left_alone_where_policy_says_so() -> None:
    bench = ReconcilerBench(ReconcilerSettings(unknown_orders="ignore"))
    bench.venue["open_orders"] = (shown("stranger"),)
    assert bench.verdict().agrees
    assert bench.take(CancelOrder) == []


def test_an_order_that_is_not_ours_is_canceled_where_policy_says_so() -> None:
    bench = ReconcilerBench(ReconcilerSettings(unknown_orders="cancel"))
    bench.venue["open_orders"] = (shown("stranger"), shown("", venue_order_id="v9"))
    assert not bench.verdict().agrees
    assert bench.take(CancelOrder) == [CancelOrder("main", "stranger", BTC)]


def test_cash_that_drifts_pages_and_is_not_touched(bench: ReconcilerBench) -> None:
    bench.ledger["cash_usdt"] = CASH - 3
    assert not bench.verdict().agrees
    assert bench.take(AdjustCash) == []


def test_cash_that_drifts_is_adopted_where_policy_says_so() -> None:
    bench = ReconcilerBench(ReconcilerSettings(cash_drift="adopt"))
    bench.ledger["cash_usdt"] = CASH - 3
    bench.run_round()
    (adjustment,) = bench.take(AdjustCash)
    assert (adjustment.account, adjustment.amount_usdt, adjustment.actor) == ("main", 3, "reconciler/main")
    assert adjustment.evidence


def test_cash_is_adopted_at_first_and_reported_once_both_have_agreed() -> None:
    bench = ReconcilerBench(ReconcilerSettings(cash_drift="adopt_first"))
    bench.ledger["cash_usdt"] = CASH - 3
    assert not bench.verdict().agrees
    assert [one.amount_usdt for one in bench.take(AdjustCash)] == [3]
    bench.ledger["cash_usdt"] = CASH
    bench.tell(ReconcileNow("main"))
    assert bench.verdict().agrees
    bench.ledger["cash_usdt"] = CASH - 3
    bench.tell(ReconcileNow("main"))
    assert not bench.verdict().agrees
    assert bench.take(AdjustCash) == []


# -- when nobody answers


def test_a_silent_venue_is_asked_again_and_pages_in_the_end(bench: ReconcilerBench) -> None:
    questions = 0
    for _ in range(400):
        questions += len(bench.take(QueryAccount))
        bench.advance(100 * MS)
    assert questions >= 4
    assert {a.name for a in bench.alerts} == {"ReconcileFailed"}
    assert not any(verdict.agrees for verdict in bench.verdicts())
    assert not bench.is_ready


def test_one_silence_after_an_agreement_stops_nobody(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.advance(60 * SECOND)
    bench.take(QueryAccount)
    bench.advance(6 * SECOND)
    assert (bench.verdicts(), bench.alerts) == ([], [])
    assert bench.verdict().agrees


def test_silences_with_answers_between_them_stop_nobody(bench: ReconcilerBench) -> None:
    for _ in range(5):
        bench.verdict()
        while not bench.asked():
            bench.advance(SECOND)
        bench.take(QueryAccount)
        bench.advance(5 * SECOND)
    assert (bench.verdicts(), bench.alerts) == ([], [])


def test_silence_of_our_own_side_is_not_taken_for_agreement(bench: ReconcilerBench) -> None:
    for _ in range(5):
        while not bench.asked():
            bench.advance(100 * MS)
        (query,) = bench.take(QueryAccount)
        bench.tell(venue_account(request_id=query.request_id))
        bench.tell(orders_snapshot(request_id=query.request_id))  # the ledger says nothing
        bench.advance(5 * SECOND)
    assert not bench.is_ready
    assert bench.verdicts()
    assert not any(verdict.agrees for verdict in bench.verdicts())


def test_a_late_answer_to_an_old_question_is_not_used(bench: ReconcilerBench) -> None:
    (query,) = bench.take(QueryAccount)
    bench.advance(7 * SECOND)
    bench.tell(venue_account(request_id=query.request_id))
    bench.tell(orders_snapshot(request_id=query.request_id))
    bench.tell(ledger_snapshot(request_id=query.request_id))
    assert bench.take(OrdersSnapshotRequest) == []
    assert bench.verdicts() == []


# -- what else makes it look


def test_a_new_connection_is_compared_at_once(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.tell(VenueConnection("main", True, "back", bench.now_ns))
    assert bench.verdict().agrees


def test_what_was_seen_before_a_new_connection_confirms_nothing(bench: ReconcilerBench) -> None:
    bench.positions({BTC: 4}, {})
    bench.look()
    bench.tell(VenueConnection("main", True, "back", bench.now_ns))
    bench.look()
    assert bench.verdicts() == []


def test_a_lost_connection_ends_the_agreement(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.tell(VenueConnection("main", False, "half open", bench.now_ns))
    (verdict,) = bench.take(ReconcileFinished)
    assert (verdict.agrees, verdict.differences) == (False, ("the venue cannot be reached: half open",))


def test_a_person_may_ask_for_a_look_at_any_time(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.tell(ReconcileNow("hedge"))
    assert not bench.asked()
    bench.tell(ReconcileNow("main"))
    assert bench.asked()
    assert bench.replies == [Acknowledged("comparison of account main started")]


def test_a_wish_during_a_round_is_fulfilled_after_it(bench: ReconcilerBench) -> None:
    bench.tell(ReconcileNow("main"))
    bench.verdict()
    bench.advance(SECOND)
    assert bench.asked()


def test_an_unexpected_report_brings_a_look_but_not_a_storm_of_them(bench: ReconcilerBench) -> None:
    bench.verdict()
    accepted = OrderAccepted("main", "o1", "v1", NOW)
    report = UnexpectedReport("main", "o1", OrderState.OPEN, OrderEvent.ACCEPTED, accepted, NOW)
    for _ in range(10):
        bench.tell(report, sender="oms/main")
    bench.advance(SECOND - 1)
    assert not bench.asked()
    bench.advance(1)
    assert len(bench.take(QueryAccount)) == 1


def test_an_actors_wish_is_not_answered(bench: ReconcilerBench) -> None:
    bench.verdict()
    bench.tell(ReconcileNow("main"), sender="oms/main")
    assert bench.replies == []
    bench.advance(SECOND)
    assert bench.asked()


def test_the_description_says_where_it_stands(bench: ReconcilerBench) -> None:
    assert bench.reconciler.describe()["waiting_for"] == "the venue's answer"
    bench.positions({BTC: 4}, {})
    bench.verdict()
    shown_now = bench.reconciler.describe()
    assert (shown_now["account"], shown_now["agrees"]) == ("main", False)
    assert len(shown_now["differences"]) == 1
    assert bench.reconciler.gauges()["disagreements"] == 1


def test_the_margin_ratio_that_the_venue_states_is_passed_on_with_the_verdict(bench: ReconcilerBench) -> None:
    bench.venue["margin_ratio_e8"] = 12_000_000
    assert bench.verdict() == ReconcileFinished("main", True, (), bench.now_ns, 12_000_000)

"""Our side of the simulated exchange: relay, delay, loss."""

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    RequestKind,
    VenueAccount,
    VenueConnection,
    VenueOrder,
)
from actors.runtime.testing import Bench
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings

MS = 1_000_000
TIMEOUT = 5_000 * MS

PLACE = PlaceOrder("main", "a", "X", Side.BUY, 1, OrderType.MARKET, 0, TimeInForce.IOC, False)
CANCEL = CancelOrder("main", "a", "X")
QUERY = QueryOrder("main", "a", "X")
QUERY_ACCOUNT = QueryAccount("main", "q1", 0)
ACCEPTED = OrderAccepted("main", "a", "1", 1)
REJECTED = OrderRejected("main", "a", "NO", "no", 1)
FILLED = OrderFilled("main", "a", "1", "X", "1", Side.BUY, 1, 100, 1, False, False, 1)
CANCELED = OrderCanceled("main", "a", "1", "REQUESTED", 0, 1)
CANCEL_REJECTED = CancelRejected("main", "a", "NO", "no", 1)
FUNDING = FundingPaid("main", "X", "X/1", 1, 100, 1, 1, 1)
ORDER = VenueOrder("main", "a", "X", True, "1", OrderState.OPEN, Side.BUY, 1, 0, 0, False, (), 1)
ACCOUNT = VenueAccount("main", "q1", 1, (), (), (), (), 1)
REQUESTS = (PLACE, CANCEL, QUERY, QUERY_ACCOUNT)
ANSWERS = (ACCEPTED, REJECTED, FILLED, CANCELED, CANCEL_REJECTED, FUNDING, ORDER, ACCOUNT)


def make_bench(**settings) -> Bench:
    place = Place("test", "venue/main", "paper", variables={"account": "main"})
    bench = Bench(
        lambda: SimulatedVenue(SimulatedVenueSettings(**settings), place), name="venue/main", seed=3
    )
    bench.take(VenueConnection)
    return bench


def unknown(bench) -> list[tuple[str, RequestKind]]:
    return [(o.client_order_id, o.request) for o in bench.take(OutcomeUnknown)]


def test_it_says_at_the_start_that_it_is_connected() -> None:
    bench = make_bench()
    bench.restart()
    (connection,) = bench.take(VenueConnection)
    assert (connection.account, connection.up) == ("main", True)


@pytest.mark.parametrize("message", [*REQUESTS, *ANSWERS], ids=lambda message: type(message).__name__)
def test_without_latency_everything_passes_in_the_same_turn(message) -> None:
    bench = make_bench()
    bench.tell(message)
    assert bench.published == [message]


@pytest.mark.parametrize("message", [*REQUESTS, *ANSWERS], ids=lambda message: type(message).__name__)
def test_with_latency_everything_comes_later(message) -> None:
    bench = make_bench(latency=20 * MS)
    bench.tell(message)
    bench.advance(20 * MS - 1)
    assert bench.published == []
    bench.advance(1)
    assert bench.published == [message]


def test_jitter_never_changes_the_order_of_messages() -> None:
    bench = make_bench(latency=5 * MS, latency_jitter=50 * MS)
    sent = [OrderAccepted("main", str(number), "1", 1) for number in range(50)]
    for message in sent:
        bench.tell(message)
        bench.advance(MS)
    early = len(bench.published)
    bench.advance(100 * MS)
    assert 0 < early < 50
    assert bench.published == sent


def arrivals_ms(path) -> list[int]:
    bench = make_bench(latency_path=str(path))
    arrived = []
    for _ in range(20):
        bench.take(OrderAccepted)
        bench.tell(ACCEPTED)
        waited = 0
        while not bench.take(OrderAccepted):
            bench.advance(MS)
            waited += 1
        arrived.append(waited)
    return arrived


def test_recorded_delays_are_drawn_from_the_seed(tmp_path) -> None:
    path = tmp_path / "latency.csv"
    path.write_text("ms\n3\n11\n")
    arrived = arrivals_ms(path)
    assert set(arrived) == {3, 11}
    assert arrived == arrivals_ms(path)


@pytest.mark.parametrize(
    ("request_message", "answer", "kind", "name"),
    [
        (PLACE, ACCEPTED, RequestKind.PLACE, "a"),
        (PLACE, REJECTED, RequestKind.PLACE, "a"),
        (CANCEL, CANCELED, RequestKind.CANCEL, "a"),
        (CANCEL, CANCEL_REJECTED, RequestKind.CANCEL, "a"),
        (QUERY, ORDER, RequestKind.QUERY, "a"),
        (QUERY_ACCOUNT, ACCOUNT, RequestKind.QUERY, "q1"),
    ],
)
@pytest.mark.parametrize("latency", [0, MS])
def test_a_request_without_an_answer_has_an_unknown_outcome_and_an_answered_one_has_not(
    request_message, answer, kind, name, latency
) -> None:
    bench = make_bench(latency=latency)
    bench.tell(request_message)
    bench.advance(2 * TIMEOUT)
    assert unknown(bench) == [(name, kind)]

    bench.tell(request_message)
    bench.tell(answer)
    bench.advance(2 * TIMEOUT)
    assert unknown(bench) == []


def test_an_unknown_outcome_is_told_once_and_not_before_its_time() -> None:
    bench = make_bench()
    bench.tell(PLACE)
    bench.advance(TIMEOUT - 1)
    assert unknown(bench) == []
    bench.advance(1)
    assert len(unknown(bench)) == 1
    bench.advance(3 * TIMEOUT)
    assert unknown(bench) == []
    assert bench.behaviour.gauges()["unknown_count"] == 1


def test_a_fill_is_no_answer() -> None:
    bench = make_bench()
    bench.tell(PLACE)
    bench.tell(FILLED)
    bench.advance(2 * TIMEOUT)
    assert unknown(bench) == [("a", RequestKind.PLACE)]


@pytest.mark.parametrize("unanswered", [PLACE, CANCEL, QUERY], ids=lambda message: type(message).__name__)
def test_a_mute_exchange_is_a_lost_connection_until_it_speaks(unanswered) -> None:
    bench = make_bench()
    bench.tell(unanswered)
    bench.advance(2 * TIMEOUT)
    assert [c.up for c in bench.take(VenueConnection)] == [False]
    bench.advance(10 * TIMEOUT)
    assert bench.take(VenueConnection) == []
    bench.tell(FUNDING)
    bench.tell(FUNDING)
    assert [c.up for c in bench.take(VenueConnection)] == [True]


def test_one_lost_answer_is_not_a_lost_connection() -> None:
    bench = make_bench()
    bench.tell(PLACE)
    for _ in range(40):
        bench.advance(TIMEOUT // 10)
        bench.tell(FUNDING)
    assert len(unknown(bench)) == 1
    assert bench.take(VenueConnection) == []


def test_a_lost_request_never_arrives() -> None:
    bench = make_bench(lose_request_fraction=E8)
    bench.tell(PLACE)
    bench.advance(2 * TIMEOUT)
    assert bench.take(PlaceOrder) == []
    assert unknown(bench) == [("a", RequestKind.PLACE)]


def test_a_lost_answer_leaves_the_outcome_unknown_although_the_far_side_acted() -> None:
    bench = make_bench(lose_answer_fraction=E8)
    bench.tell(PLACE)
    bench.tell(ACCEPTED)
    bench.tell(FILLED)
    bench.advance(2 * TIMEOUT)
    assert bench.take(PlaceOrder) == [PLACE]
    assert bench.take(OrderAccepted) == []
    assert bench.take(OrderFilled) == [FILLED]
    assert unknown(bench) == [("a", RequestKind.PLACE)]
    assert bench.behaviour.describe()["lost_count"] == 1


def test_events_are_lost_by_their_own_setting() -> None:
    bench = make_bench(lose_event_fraction=E8)
    for message in ANSWERS:
        bench.tell(message)
    assert bench.published == [ACCEPTED, REJECTED, CANCEL_REJECTED, ORDER, ACCOUNT]


def test_a_cancel_that_was_asked_for_is_an_answer() -> None:
    bench = make_bench(lose_event_fraction=E8)
    bench.tell(CANCEL)
    bench.tell(CANCELED)
    assert bench.take(OrderCanceled) == [CANCELED]


def test_duplicates_are_delivered_twice() -> None:
    bench = make_bench(duplicate_fraction=E8)
    bench.tell(FILLED)
    assert bench.published == [FILLED, FILLED]


def test_a_fraction_is_met_roughly_and_the_same_with_the_same_seed() -> None:
    def lost() -> list[int]:
        bench = make_bench(lose_event_fraction=E8 // 4)
        kept = []
        for number in range(400):
            bench.tell(FILLED)
            if bench.take(OrderFilled):
                kept.append(number)
        return kept

    first = lost()
    assert 260 < len(first) < 340
    assert lost() == first


@pytest.mark.parametrize(
    "given",
    [{"latency": -1}, {"answer_timeout": 0}, {"lose_answer_fraction": E8 + 1}, {"duplicate_fraction": -1}],
)
def test_settings_that_make_no_sense_are_refused(given) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, SimulatedVenueSettings)


def test_an_operator_sees_what_is_unanswered() -> None:
    bench = make_bench()
    for message in REQUESTS:
        bench.tell(message)
    described = bench.behaviour.describe()
    assert described["unanswered"] == {"place": 1, "cancel": 1, "query": 2}
    assert bench.behaviour.gauges()["unanswered_count"] == 4

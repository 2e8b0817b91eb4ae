"""The parity actor asks for each day or span once, holds the answer against limits, and outlives restarts."""

import msgspec
import pytest

from actors.domain.money import E8
from actors.domain.place import Place
from actors.messages.parity import MeasureParity, ParityFailed, ParityMeasured
from actors.parity.actor import ParityActor, ParityState
from actors.parity.settings import DAY_NS, SECOND_NS, ParitySettings
from actors.runtime.messages import Severity
from actors.runtime.testing import Bench

MINUTE_NS = 60 * SECOND_NS
DAY = 20_370
NOON = DAY * DAY_NS + DAY_NS // 2


class ParityBench(Bench):
    """Begins at noon of a day."""

    def __init__(self, now_ns: int = NOON, **settings: object) -> None:
        wanted = ParitySettings(**settings)  # type: ignore[arg-type]
        super().__init__(lambda: ParityActor(wanted, Place("t", "parity", "live")), now_ns=now_ns)

    @property
    def asked(self) -> list[MeasureParity]:
        return [message for _, message in self.effects if isinstance(message, MeasureParity)]

    def run_to_due(self) -> None:
        """Move to the next instant at which a day is due, by the default setting."""
        at = 600 * SECOND_NS
        self.advance(DAY_NS - (self.now_ns - at) % DAY_NS)

    def answer(self, gap: int = 0, code: int = 0) -> None:
        request = self.asked[-1]
        parts = {"data": 0, "latency": gap - code, "queue": 0, "slippage": 0, "fees": 0, "funding": 0}
        named = {f"{name}_usdt": usdt for name, usdt in {**parts, "code": code}.items()}
        self.tell(
            ParityMeasured(
                request_id=request.request_id,
                from_ns=request.from_ns,
                to_ns=request.to_ns,
                actual_usdt=gap,
                model_usdt=0,
                gap_usdt=gap,
                **named,
                orders_both=1,
                orders_actual_only=0,
                orders_model_only=0,
                latency_ns_measured=5,
                took_ns=7,
            )
        )


def test_the_day_before_is_asked_for_after_midnight() -> None:
    bench = ParityBench(latency=3, fees={"taker": 50_000}, slippage=2, queue="touch")
    bench.advance(DAY_NS // 2 + 599 * SECOND_NS)
    assert bench.asked == []
    bench.advance(SECOND_NS)
    (request,) = bench.asked
    assert (request.from_ns, request.to_ns) == (DAY * DAY_NS, (DAY + 1) * DAY_NS)
    assert (request.latency_ns, request.taker_fee_e8, request.maker_fee_e8) == (3, 50_000, -1)
    assert (request.slippage_e8, request.queue) == (2, "touch")
    assert bench.effects[0][0] == "parity"


def test_every_day_is_asked_for_once() -> None:
    bench = ParityBench()
    for number in range(1, 4):
        bench.run_to_due()
        assert len(bench.asked) == number
        bench.answer()
    assert [request.from_ns // DAY_NS for request in bench.asked] == [DAY, DAY + 1, DAY + 2]


def test_a_gap_within_the_limits_is_no_drift() -> None:
    bench = ParityBench(gap_usdt_max=100, code_usdt_max=1)
    bench.run_to_due()
    bench.answer(100, 1)
    assert bench.alerts == []
    assert bench.behaviour.describe()["newest"]["gap_usdt"] == 100  # type: ignore[attr-defined]
    gauges = bench.behaviour.gauges()  # type: ignore[attr-defined]
    assert (gauges["parity_gap_usdt"], gauges["parity_part_usdt{part=latency}"]) == (100 / E8, 99 / E8)


@pytest.mark.parametrize(("gap", "code"), [(101, 0), (-101, 0), (2, 2), (0, -2)])
def test_a_gap_beyond_a_limit_is_a_drift_until_a_day_within(gap: int, code: int) -> None:
    bench = ParityBench(gap_usdt_max=100, code_usdt_max=1)
    bench.run_to_due()
    bench.answer(gap, code)
    assert [(alert.name, alert.severity) for alert in bench.alerts] == [("ParityDrift", Severity.TICKET)]
    bench.run_to_due()
    bench.answer()
    assert "ParityDrift" in [alert.name for alert in bench.resolved]


def test_a_failure_is_told_and_the_next_day_is_measured() -> None:
    bench = ParityBench()
    bench.run_to_due()
    bench.tell(ParityFailed(bench.asked[0].request_id, "there is no tape"))
    assert [alert.name for alert in bench.alerts] == ["ParityNotMeasured"]
    assert "there is no tape" in bench.alerts[0].summary
    bench.run_to_due()
    assert len(bench.asked) == 2
    bench.answer()
    assert "ParityNotMeasured" in [alert.name for alert in bench.resolved]


def test_a_worker_that_never_answers_is_given_up() -> None:
    bench = ParityBench(timeout=5 * MINUTE_NS)
    bench.advance(DAY_NS // 2 + 10 * MINUTE_NS)
    assert len(bench.asked) == 1
    bench.advance(6 * MINUTE_NS)
    assert [alert.name for alert in bench.alerts] == ["ParityNotMeasured"]
    late = bench.asked[0]
    bench.answer()  # too late to count
    assert late.request_id
    assert bench.behaviour.describe()["measured"] == 0  # type: ignore[attr-defined]


def test_a_restart_neither_repeats_nor_forgets_a_day() -> None:
    bench = ParityBench()
    bench.run_to_due()
    bench.answer(7)
    bench.restart()
    bench.advance(MINUTE_NS)
    assert len(bench.asked) == 1
    assert bench.behaviour.describe()["newest"]["gap_usdt"] == 7  # type: ignore[attr-defined]
    bench.now_ns += 3 * DAY_NS  # the node was down
    bench.restart()
    bench.advance(MINUTE_NS)
    assert [request.from_ns // DAY_NS for request in bench.asked] == [DAY, DAY + 3]


def test_a_restart_while_measuring_asks_again() -> None:
    bench = ParityBench()
    bench.run_to_due()
    bench.answer()
    bench.run_to_due()
    assert len(bench.asked) == 2
    bench.restart()
    bench.advance(MINUTE_NS)
    assert [request.from_ns // DAY_NS for request in bench.asked] == [DAY, DAY + 1, DAY + 1]


@pytest.mark.parametrize("fees", [{"other": 1}, {"taker": 1_000_000}])
def test_fees_that_make_no_sense_are_refused(fees: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="fees"):
        ParitySettings(fees=fees)


def test_shorter_spans_are_asked_for_one_after_the_other() -> None:
    bench = ParityBench(every=3_600 * SECOND_NS, at=5 * MINUTE_NS, gap_usdt_max=1)
    bench.advance(3_599 * SECOND_NS)
    assert bench.asked == [], "the span in which the node began is not over"
    bench.advance(SECOND_NS + 5 * MINUTE_NS)
    assert [(one.from_ns - NOON, one.to_ns - NOON) for one in bench.asked] == [(0, 3_600 * SECOND_NS)]
    bench.answer(2)
    assert "span of 3600 s" in bench.alerts[0].summary
    for _ in range(2):
        bench.advance(3_600 * SECOND_NS)
        bench.answer()
    assert [one.from_ns - NOON for one in bench.asked[1:]] == [3_600 * SECOND_NS, 7_200 * SECOND_NS]
    assert "ParityDrift" in [alert.name for alert in bench.resolved]


@pytest.mark.parametrize("fails", [False, True])
def test_a_span_is_asked_for_however_long_the_one_before_may_take(fails: bool) -> None:
    """A measurement may take longer than a span; one that does not is no reason to wait."""
    bench = ParityBench(every=20 * SECOND_NS, at=SECOND_NS, timeout=60 * SECOND_NS)
    bench.advance(21 * SECOND_NS)
    for number in range(1, 4):
        assert len(bench.asked) == number
        if fails:
            bench.tell(ParityFailed(bench.asked[-1].request_id, "no tape"))
        else:
            bench.answer()
        bench.advance(20 * SECOND_NS)


def test_other_spans_begin_where_the_ones_before_ended() -> None:
    """By a change of the deployment's file: nothing is lost, nothing is repeated."""
    bench = ParityBench()
    bench.run_to_due()
    bench.answer()
    shorter = ParitySettings(every=3_600 * SECOND_NS)
    bench._make = lambda: ParityActor(shorter, Place("t", "parity", "live"))
    bench.restart()
    bench.advance(3_600 * SECOND_NS)
    assert bench.asked[-1].from_ns == (DAY + 1) * DAY_NS
    bench.answer()
    bench._make = lambda: ParityActor(ParitySettings(), Place("t", "parity", "live"))
    bench.restart()
    bench.run_to_due()
    assert bench.asked[-1].to_ns == (DAY + 2) * DAY_NS


def test_a_saved_state_that_knew_days_alone_is_read() -> None:
    actor = ParityActor(ParitySettings(), Place("t", "parity", "live"))
    before = {"day": DAY, "newest": None, "measured_count": 3, "failed_count": 0, "last_failure": ""}
    found = msgspec.convert(actor.upgrade(before, 1), ParityState)
    assert (found.measured_to_ns, found.measured_count) == ((DAY + 1) * DAY_NS, 3)
    assert msgspec.convert(actor.upgrade({"day": -1}, 1), ParityState) == ParityState()


def test_spans_that_are_no_part_of_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="every: a day is not"):
        ParitySettings(every=7 * 3_600 * SECOND_NS)

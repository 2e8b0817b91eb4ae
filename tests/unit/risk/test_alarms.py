"""Storms of refused orders and margin that runs out are told in time, once, and are over with their cause."""

from __future__ import annotations

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.account import AccountState
from actors.messages.control import Halt, HaltLevel, ReconcileFinished
from actors.risk.alarms import RefusalWindow
from actors.runtime.messages import AlertRaised, Severity
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import SECOND, USDT, RiskBench

E8 = 100_000_000


def storms(bench: RiskBench) -> list[AlertRaised]:
    return [alert for alert in bench.alerts if alert.name == "RejectStorm"]


def refuse(bench: RiskBench, times: int, *, apart_s: int = 1) -> None:
    """Have risk deny orders that are too large."""
    for _ in range(times):
        assert bench.denied(2)[0] == "order_contracts"
        bench.advance(apart_s * SECOND)
        bench.hear()


def reject(bench: RiskBench, times: int) -> None:
    """Have the venue reject orders that risk allowed."""
    for _ in range(times):
        bench.update(bench.allowed(), OrderState.REJECTED)
        bench.advance(SECOND)


@pytest.fixture
def bench(risk: Benches) -> RiskBench:
    return risk(max_order_contracts=1, refusals_max=5, refusals_window=60 * SECOND, refusals_fraction=E8 // 2)


def test_so_many_denials_are_a_storm_and_one_less_is_none(bench: RiskBench) -> None:
    refuse(bench, 4)
    assert storms(bench) == []
    refuse(bench, 1)
    (storm,) = storms(bench)
    assert (storm.severity, storm.key, storm.ends_after_ns) == (Severity.PAGE, "main", 60 * SECOND)
    assert storm.summary.startswith(
        "main: 5 orders were refused and 0 taken lately; the last: order_contracts: "
    )


def test_rejections_by_the_venue_are_a_storm_too(bench: RiskBench) -> None:
    reject(bench, 5)
    assert "the last: BTC_USDT_PERP by the venue" in storms(bench)[0].summary


def test_denials_and_rejections_add_up(bench: RiskBench) -> None:
    refuse(bench, 3)
    reject(bench, 2)
    assert len(storms(bench)) == 1


def test_refusals_that_are_far_apart_are_no_storm(bench: RiskBench) -> None:
    refuse(bench, 20, apart_s=16)
    assert storms(bench) == []


@pytest.mark.parametrize(("well", "is_storm"), [(4, True), (5, True), (6, False)])
def test_refusals_among_many_orders_that_go_well_are_no_storm(
    bench: RiskBench, well: int, is_storm: bool
) -> None:
    refuse(bench, 1)
    for number in range(well):
        bench.update(bench.allowed(), OrderState.FILLED, 1)
        if number == 0:
            refuse(bench, 3)
    refuse(bench, 1)
    assert bool(storms(bench)) is is_storm


def test_a_storm_is_refreshed_while_it_lasts_and_not_with_every_order(bench: RiskBench) -> None:
    refuse(bench, 20)
    assert len(storms(bench)) == 2, "after 5 s, and a quarter of the window later"


def test_what_a_halt_denies_is_no_storm(bench: RiskBench) -> None:
    bench.tell(Halt("all", HaltLevel.NO_NEW_RISK, "ann", "lunch"))
    bench.replies.clear()
    for _ in range(20):
        assert bench.denied()[0] == "halted"
    assert storms(bench) == []


def test_storms_can_be_turned_off(risk: Benches) -> None:
    bench = risk(max_order_contracts=1, refusals_max=0)
    refuse(bench, 50)
    assert storms(bench) == []


def test_the_window_forgets_what_is_old_and_never_holds_more_than_it_needs() -> None:
    window = RefusalWindow(3)
    assert [window.refused(at, 0, 10) for at in (0, 1, 11)] == [None, None, None], "the first is 11 old"
    assert window.refused(11, 7, 10) == (3, 7)


# -- margin -----------------------------------------------------------------------------------------


def money(bench: RiskBench, equity: int, maintenance: int) -> None:
    state = AccountState("main", equity, equity, 0, 0, 0, 0, 0, equity, equity, bench.now_ns)
    bench.tell(msgspec.structs.replace(state, margin_usdt_maintenance=maintenance))


def told(bench: RiskBench) -> list[str]:
    """Return and forget what was said of the margin."""
    raised = [alert.summary for alert in bench.alerts if alert.name == "MarginNear"]
    over = ["over" for alert in bench.resolved if alert.name == "MarginNear"]
    bench.alerts.clear()
    bench.resolved.clear()
    return raised + over


def test_margin_is_told_at_its_limit_once_and_is_over_a_tenth_below_it(risk: Benches) -> None:
    bench = risk(margin_near=E8 // 2)
    told(bench)
    said = []
    for maintenance in (4_999, 5_000, 8_000, 4_501, 4_499, 4_999):
        money(bench, 10_000 * USDT, maintenance * USDT)
        said.append(told(bench))
    assert [len(one) for one in said] == [0, 1, 0, 0, 1, 0]
    assert said[1] == [
        "main: maintenance margin takes 50% of equity; at 100% the venue closes positions by force"
    ]
    assert said[4] == ["over"]


def test_an_account_without_equity_and_with_positions_is_near(risk: Benches) -> None:
    bench = risk()
    told(bench)
    money(bench, 0, 1)
    assert "100%" in told(bench)[0]


def test_what_the_venue_says_counts_when_it_is_worse(risk: Benches) -> None:
    bench = risk(margin_near=E8 // 2)
    told(bench)
    bench.tell(ReconcileFinished("main", True, (), bench.now_ns, E8 * 6 // 10))
    assert "60%" in told(bench)[0]
    money(bench, 10_000 * USDT, 10 * USDT)
    assert told(bench) == [], "our figures say nothing is near, the venue's still do"
    bench.tell(ReconcileFinished("main", True, (), bench.now_ns, E8 // 10))
    money(bench, 10_000 * USDT, 10 * USDT)
    assert told(bench) == ["over"]


def test_a_restarted_actor_ends_what_it_left_behind_or_says_it_again(risk: Benches) -> None:
    bench = risk(margin_near=E8 // 2)
    money(bench, 10_000 * USDT, 6_000 * USDT)
    told(bench)
    bench.restart()
    money(bench, 10_000 * USDT, 6_000 * USDT)
    assert len(told(bench)) == 1
    bench.restart()
    money(bench, 10_000 * USDT, 0)
    assert told(bench) == ["over"]


def test_the_margin_can_be_left_to_others(risk: Benches) -> None:
    bench = risk(margin_near=0)
    told(bench)
    money(bench, 10_000 * USDT, 9_999 * USDT)
    assert told(bench) == []

"""Halts: latched, enforced, told, and released by a person alone."""

import pytest

from actors.messages.control import (
    Acknowledged,
    FlattenPositions,
    Halt,
    HaltLevel,
    HaltState,
    Rejected,
    Resume,
)
from actors.messages.trading import CancelOrders
from actors.risk.events import HaltLatched, HaltReleased, LossDayNoted
from actors.runtime.messages import Severity, SupervisorExhausted
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, DAY, ETH, NAME, TREND, USDT, RiskBench

LEVELS = list(HaltLevel)
NO_NEW_RISK, CANCEL_ALL, FLATTEN = LEVELS


def halt(bench: RiskBench, scope: str = "all", level: HaltLevel = NO_NEW_RISK) -> object:
    bench.tell(Halt(scope, level, "ann", "drill"))
    return bench.replies.pop()


def resume(bench: RiskBench, scope: str = "all", actor: str = "ann", reason: str = "fine again") -> object:
    bench.tell(Resume(scope, actor, reason))
    return bench.replies.pop()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scope", ["all", "account/main", f"symbol/{BTC}"])
def test_a_halt_denies_new_risk_and_lets_reductions_pass(risk: Benches, scope: str, level: HaltLevel) -> None:
    bench = risk()
    bench.filled(5)
    assert isinstance(halt(bench, scope, level), Acknowledged)
    assert bench.denied(1) == ("halted", int(level), 0)
    bench.allowed(-5)


def test_under_a_halt_a_close_of_nothing_is_told_what_there_is_to_close(risk: Benches) -> None:
    bench = risk()
    halt(bench)
    assert bench.denied(-5, reduce_only=True) == ("reduce_only", 5, 0)


def test_a_halt_of_a_symbol_leaves_others_alone(risk: Benches) -> None:
    bench = risk()
    halt(bench, f"symbol/{BTC}")
    bench.denied(1)
    bench.allowed(1, symbol=ETH)


def test_a_halt_of_a_strategy_leaves_others_alone(risk: Benches) -> None:
    bench = risk()
    halt(bench, f"strategy/{TREND}")
    assert bench.denied(1)[0] == "halted"
    bench.allowed(1, strategy="reversion/x", intent_id="reversion/x#1.1")


@pytest.mark.parametrize(
    ("scope", "symbol", "strategy"),
    [("all", "", ""), ("account/main", "", ""), (f"symbol/{BTC}", BTC, ""), (f"strategy/{TREND}", "", TREND)],
)
def test_cancel_all_cancels_in_its_scope(risk: Benches, scope: str, symbol: str, strategy: str) -> None:
    bench = risk()
    halt(bench, scope, CANCEL_ALL)
    found = bench.take(CancelOrders)
    assert found == [CancelOrders("main", symbol, strategy, "", "drill", at_venue=not strategy)]
    assert bench.take(FlattenPositions) == []


@pytest.mark.parametrize(("scope", "symbol"), [("all", ""), (f"symbol/{BTC}", BTC)])
def test_flatten_cancels_and_then_closes(risk: Benches, scope: str, symbol: str) -> None:
    bench = risk()
    halt(bench, scope, FLATTEN)
    sent = [m for m in bench.published if not isinstance(m, HaltState)]
    assert sent == [
        CancelOrders("main", symbol, "", "", "drill", at_venue=True),
        FlattenPositions("main", symbol, "drill"),
    ]


def test_no_new_risk_alone_touches_no_order(risk: Benches) -> None:
    bench = risk()
    halt(bench)
    assert [type(m) for m in bench.published] == [HaltState]


@pytest.mark.parametrize(
    ("scope", "level", "part"),
    [
        ("account/other", NO_NEW_RISK, "not of 'other'"),
        ("symbol/LUNA_USDT_PERP", NO_NEW_RISK, "not among this deployment's symbols"),
        ("strategy/", NO_NEW_RISK, "is no scope"),
        ("everything", NO_NEW_RISK, "is no scope"),
        ("", NO_NEW_RISK, "is no scope"),
        (f"strategy/{TREND}", FLATTEN, "cannot be told from the account's"),
    ],
)
def test_a_halt_that_cannot_be_is_rejected(risk: Benches, scope: str, level: HaltLevel, part: str) -> None:
    bench = risk()
    answer = halt(bench, scope, level)
    assert isinstance(answer, Rejected)
    assert part in answer.text
    assert bench.actor.state.halts == {}


def test_who_and_why_must_be_said(risk: Benches) -> None:
    bench = risk()
    bench.tell(Halt("all", NO_NEW_RISK, "", "x"))
    bench.tell(Halt("all", NO_NEW_RISK, "ann", ""))
    assert all(isinstance(answer, Rejected) for answer in bench.replies)
    bench.replies.clear()
    halt(bench)
    assert isinstance(resume(bench, actor=""), Rejected)
    assert isinstance(resume(bench, reason=""), Rejected)
    assert bench.denied()[0] == "halted"


def test_a_halt_is_latched_over_restarts_until_a_person_resumes(risk: Benches) -> None:
    bench = risk()
    halt(bench)
    bench.restart()
    bench.hear()
    assert bench.denied()[0] == "halted"
    assert isinstance(resume(bench), Acknowledged)
    bench.allowed()
    bench.restart()
    bench.hear()
    bench.allowed()
    assert [type(e) for e in bench.events if isinstance(e, HaltLatched | HaltReleased)] == [
        *(HaltLatched, HaltReleased)
    ]


def test_a_halt_only_goes_up(risk: Benches) -> None:
    bench = risk()
    halt(bench, level=CANCEL_ALL)
    answer = halt(bench, level=NO_NEW_RISK)
    assert answer == Acknowledged("all is halted at CANCEL_ALL")
    assert bench.denied() == ("halted", 2, 0)
    halt(bench, level=FLATTEN)
    assert bench.denied() == ("halted", 3, 0)


def test_each_scope_is_resumed_by_itself(risk: Benches) -> None:
    bench = risk()
    halt(bench, "all")
    halt(bench, f"symbol/{BTC}")
    resume(bench, "all")
    assert bench.denied()[0] == "halted"
    bench.allowed(symbol=ETH)
    resume(bench, f"symbol/{BTC}")
    bench.allowed()


def test_a_resume_of_nothing_is_rejected_and_says_what_is_in_force(risk: Benches) -> None:
    bench = risk()
    answer = resume(bench)
    assert isinstance(answer, Rejected)
    assert "in force: none" in answer.text
    halt(bench, f"symbol/{BTC}")
    answer = resume(bench)
    assert isinstance(answer, Rejected)
    assert f"in force: symbol/{BTC}" in answer.text


def test_everybody_hears_of_the_halts_in_force(risk: Benches) -> None:
    bench = risk()
    halt(bench, "all", CANCEL_ALL)
    halt(bench, f"symbol/{BTC}")
    resume(bench, "all")
    told = [state.halts for state in bench.take(HaltState)]
    first, second = ("all", CANCEL_ALL, "drill"), (f"symbol/{BTC}", NO_NEW_RISK, "drill")
    assert told == [(first,), (first, second), (second,)]
    bench.restart()
    assert [state.halts for state in bench.take(HaltState)] == [(second,)]


def test_a_halt_is_an_alert_until_it_is_resumed(risk: Benches) -> None:
    bench = risk()
    halt(bench)
    halt(bench, f"symbol/{BTC}", FLATTEN)
    assert [(a.name, a.key, a.severity) for a in bench.alerts] == [
        ("TradingHalted", "main:all", Severity.TICKET),
        ("TradingHalted", f"main:symbol/{BTC}", Severity.PAGE),
    ]
    resume(bench)
    assert [(r.name, r.key) for r in bench.resolved if r.name != "MarginNear"] == [
        ("TradingHalted", "main:all")
    ]


def test_after_a_restart_a_halt_is_enforced_again_once_the_books_agree(risk: Benches) -> None:
    bench = risk()
    halt(bench, "all", FLATTEN)
    bench.published.clear()
    bench.epoch = 2
    bench.restart()
    assert bench.take(CancelOrders) == []
    bench.reconciled()
    assert len(bench.take(CancelOrders)) == len(bench.take(FlattenPositions)) == 1
    bench.reconciled()
    assert bench.take(CancelOrders) == []


# -- who halts besides people ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("continue", None),
        ("reduce_only", NO_NEW_RISK),
        ("cancel_all", CANCEL_ALL),
        ("flatten", FLATTEN),
        ("stop", CANCEL_ALL),
        ("something new", CANCEL_ALL),
    ],
)
def test_an_exhausted_supervisor_halts_as_its_settings_say(
    risk: Benches, action: str, level: HaltLevel | None
) -> None:
    bench = risk()
    bench.tell(SupervisorExhausted("trading", "oms/main", action, "five in a minute", bench.now_ns))
    halts = bench.actor.state.halts
    assert [h.level for h in halts.values()] == ([] if level is None else [level])
    assert bench.replies == []
    if level is not None:
        assert halts["all"].actor == "supervisor/trading"
        assert bench.denied()[0] == "halted"


def test_the_daily_loss_latches_a_halt_and_wakes_somebody(risk: Benches) -> None:
    bench = risk(daily_loss_usdt=500 * USDT)
    bench.filled(5)
    for _ in range(3):
        bench.money(9_500 * USDT, day_start_usdt=10_000 * USDT)
    assert bench.denied(1)[0] == "halted"
    bench.allowed(-5)
    pages = [alert for alert in bench.alerts if alert.name == "LossLimitHit"]
    assert [(page.key, page.severity) for page in pages] == [("main", Severity.PAGE)]
    (noted,) = [event for event in bench.events if isinstance(event, LossDayNoted)]
    assert (noted.loss_usdt, noted.limit_usdt) == (500 * USDT, 500 * USDT)
    (latched,) = [event for event in bench.events if isinstance(event, HaltLatched)]
    assert (latched.scope, latched.level, latched.actor) == ("account/main", NO_NEW_RISK, "rule/daily_loss")


def test_a_profit_the_next_day_does_not_release_it(risk: Benches) -> None:
    bench = risk(daily_loss_usdt=500 * USDT)
    bench.money(9_500 * USDT, day_start_usdt=10_000 * USDT)
    bench.advance(DAY)
    bench.hear()
    bench.money(9_900 * USDT, day_start_usdt=9_500 * USDT)
    assert bench.denied()[0] == "halted"


def test_the_loss_limit_latches_once_a_day_and_again_the_next(risk: Benches) -> None:
    bench = risk(daily_loss_usdt=500 * USDT)
    bench.money(9_500 * USDT, day_start_usdt=10_000 * USDT)
    resume(bench, "account/main")
    assert [r.name for r in bench.resolved if r.name != "MarginNear"] == ["TradingHalted", "LossLimitHit"]
    bench.money(9_400 * USDT, day_start_usdt=10_000 * USDT)
    assert bench.actor.state.halts == {}
    bench.restart()
    bench.money(9_400 * USDT, day_start_usdt=10_000 * USDT)
    assert bench.actor.state.halts == {}
    bench.advance(DAY)
    bench.money(8_800 * USDT, day_start_usdt=9_400 * USDT)
    assert list(bench.actor.state.halts) == ["account/main"]


def test_a_loss_limit_of_zero_is_off(risk: Benches) -> None:
    bench = risk()
    bench.money(1 * USDT, day_start_usdt=10_000 * USDT)
    assert bench.actor.state.halts == {}
    assert bench.name == NAME


def test_a_deployment_may_begin_halted_and_is_released_once_for_all(risk: Benches) -> None:
    bench = risk(begins_halted=True)
    assert bench.denied(1) == ("halted", int(NO_NEW_RISK), 0)
    assert [alert.name for alert in bench.alerts] == ["TradingHalted"]
    bench.restart()
    bench.hear()
    bench.reconciled()
    assert bench.denied(1)[0] == "halted", "a restart releases nothing"
    assert isinstance(resume(bench, reason="looked at it"), Acknowledged)
    bench.allowed(1)
    bench.restart()
    bench.hear()
    bench.reconciled()
    bench.allowed(1)


def test_a_node_that_lacks_room_is_halted_in_its_own_words(risk: Benches) -> None:
    bench = risk()
    text = "only 9 MiB are free at /var/x, less than 256 MiB"
    bench.tell(SupervisorExhausted("journal", "node", "reduce_only", text, bench.now_ns))
    assert [one.reason for one in bench.actor.state.halts.values()] == [text]

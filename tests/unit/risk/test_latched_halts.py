"""Halts outlive a restart in every scope and at every level; those ordered from outside are taken once."""

import pytest

from actors.messages.control import FlattenPositions, Halt, HaltLevel, LatchFound, Resume
from actors.messages.trading import CancelOrders
from actors.risk.events import HaltLatched, LatchTaken
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, ETH, TREND, RiskBench

SCOPES = ("all", "account/main", f"symbol/{BTC}", f"strategy/{TREND}")
COMBINATIONS = [
    (scope, level)
    for scope in SCOPES
    for level in HaltLevel
    if not (scope.startswith("strategy/") and level is HaltLevel.FLATTEN)
]
CANCEL_ALL, FLATTEN = HaltLevel.CANCEL_ALL, HaltLevel.FLATTEN


def found(number: int = 1, scope: str = "all", level: HaltLevel = CANCEL_ALL, text: str = "") -> LatchFound:
    return LatchFound(number, f"digest{number}", scope, level, "ann", "the node hung", text)


def halts(bench: RiskBench) -> dict[str, HaltLevel]:
    return {scope: halt.level for scope, halt in bench.actor.state.halts.items()}


@pytest.mark.parametrize("from_outside", [False, True])
@pytest.mark.parametrize(("scope", "level"), COMBINATIONS)
def test_every_halt_is_in_force_after_a_restart_and_enforced_again(
    risk: Benches, scope: str, level: HaltLevel, from_outside: bool
) -> None:
    bench = risk()
    bench.tell(found(1, scope, level) if from_outside else Halt(scope, level, "ann", "drill"))
    bench.epoch += 1
    bench.restart()
    assert halts(bench) == {scope: level}
    bench.hear()
    bench.published.clear()
    bench.reconciled()
    assert bool([m for m in bench.published if type(m) is CancelOrders]) is (level >= CANCEL_ALL)
    assert bool([m for m in bench.published if type(m) is FlattenPositions]) is (level is FLATTEN)
    bench.replies.clear()
    assert bench.denied(1)[0] == "halted"
    bench.tell(Resume(scope, "ann", ""))
    assert halts(bench) == {scope: level}, "nobody said why"
    bench.tell(Resume(scope, "", "fine"))
    assert halts(bench) == {scope: level}, "nobody said who"
    bench.tell(Resume(scope, "ann", "fine"))
    bench.restart()
    assert halts(bench) == {}


def test_a_halt_from_outside_is_taken_once_and_a_resume_is_not_undone_by_finding_it_again(
    risk: Benches,
) -> None:
    bench = risk()
    bench.tell(found())
    bench.tell(found())
    assert [e.number for e in bench.events if type(e) is LatchTaken] == [1]
    bench.tell(Resume("all", "ann", "looked at the account"))
    bench.restart()
    bench.tell(found())
    assert halts(bench) == {}
    bench.tell(found(2))
    assert halts(bench) == {"all": CANCEL_ALL}


def test_the_journal_says_where_a_halt_from_outside_came_from(risk: Benches) -> None:
    bench = risk()
    bench.tell(found(3))
    latched = [e for e in bench.events if type(e) is HaltLatched][-1]
    assert latched.evidence == "line 3 of the latch, sha256 digest3"
    assert bench.actor.state.halts["all"].evidence == latched.evidence


def test_a_proof_is_put_on_the_record_and_halts_nothing(risk: Benches) -> None:
    bench = risk()
    bench.tell(found(1, scope="", text="main: orders 0; positions 0"))
    assert halts(bench) == {}
    assert [e.text for e in bench.events if type(e) is LatchTaken] == ["main: orders 0; positions 0"]


def test_what_concerns_another_account_is_taken_and_halts_nothing_here(risk: Benches) -> None:
    bench = risk()
    bench.tell(found(1, scope="account/other"))
    assert halts(bench) == {}
    bench.tell(found(2, scope=f"symbol/{ETH}"))
    assert halts(bench) == {f"symbol/{ETH}": CANCEL_ALL}


def test_a_halt_from_outside_never_lowers_one_in_force(risk: Benches) -> None:
    bench = risk()
    bench.tell(Halt("all", FLATTEN, "ann", "out"))
    bench.tell(found(1, level=CANCEL_ALL))
    assert halts(bench) == {"all": FLATTEN}

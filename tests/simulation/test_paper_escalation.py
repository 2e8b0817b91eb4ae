"""Failures beyond a limit: trading halts as the YAML says, the parent starts over, and the halt stays."""

from __future__ import annotations

import pytest

from actors.messages.control import Acknowledged, HaltLevel, Resume
from actors.messages.market import Trade
from actors.oms.events import OrderSubmitted
from actors.risk.events import HaltLatched, HaltReleased, IntentDenied
from actors.runtime.messages import ActorFailed, ActorRestarted, SupervisorExhausted
from actors.runtime.node import NodeStopping
from tests.simulation.paper import (
    MINUTE,
    SECOND,
    Paper,
    Poison,
    orders_that_add_risk,
    paper_addresses,
    positions,
    quarrels,
)

# As config/paper.yaml has them: who is under whom, restarts allowed in a minute, and what follows.
TRADING = ["venue/main", "oms/main", "ledger/main", "reconciler/main", "risk/main"]
STRATEGIES = [address for address in paper_addresses() if address.startswith(("trend/", "reversion/"))]
SUPERVISORS = {"trading": (TRADING, 5), "strategies": (STRATEGIES, 10)}


def paper_with_positions() -> Paper:
    """Return a deployment that holds something, so that there is something to reduce."""
    paper = Paper()
    paper.sim.run_until(lambda: len(positions(paper.node)) >= 3, 15 * MINUTE)
    return paper


def halts(paper: Paper) -> dict[str, HaltLevel]:
    return {scope: halt.level for scope, halt in paper.cell("risk/main").behaviour.state.halts.items()}


def check_only_reductions_leave(paper: Paper, halted_at_ns: int) -> None:
    """Run until strategies were denied new risk and reductions went through."""

    def both() -> bool:
        return bool(denials(paper, halted_at_ns) and submits(paper, halted_at_ns))

    for _ in range(10):
        paper.sim.run_for(MINUTE)
        if both():
            break
    assert both(), "nobody wished for anything: the test shows nothing"
    assert orders_that_add_risk(paper.store, halted_at_ns) == []


def denials(paper: Paper, after_ns: int) -> list[IntentDenied]:
    return [e for e in paper.recorded(IntentDenied) if e.rule == "halted" and e.at_ns > after_ns]


def submits(paper: Paper, after_ns: int) -> list[OrderSubmitted]:
    return [event for event in paper.recorded(OrderSubmitted) if event.at_ns > after_ns]


def check_halt_survives_until_resumed(paper: Paper, level: HaltLevel) -> None:
    """The halt holds in the next lives of the node too, until a person resumes."""
    reopened_at_ns = paper.sim.now_ns
    before = len(denials(paper, 0))
    for _ in range(10):
        paper.sim.run_for(MINUTE)
        if len(denials(paper, 0)) > before:
            break
    assert len(denials(paper, 0)) > before, "nobody wished for anything: the test shows nothing"
    assert halts(paper) == {"all": level}
    assert orders_that_add_risk(paper.store, reopened_at_ns) == []
    resumed_at_ns = paper.sim.now_ns
    answer = paper.sim.ask("risk/main", Resume("all", "operator", "looked into it"))
    assert isinstance(answer, Acknowledged)
    paper.trade_on(6)
    assert orders_that_add_risk(paper.store, resumed_at_ns)
    paper.sim.crash()
    assert halts(paper) == {}
    assert [event.actor for event in paper.recorded(HaltReleased)] == ["operator"]
    paper.trade_on(6)
    assert quarrels(paper.node) == []


@pytest.mark.parametrize(
    ("supervisor", "victim"),
    [
        *(("trading", address) for address in TRADING),
        ("strategies", STRATEGIES[0]),
        ("strategies", STRATEGIES[-1]),
    ],
)
def test_too_many_failures_end_new_risk_and_start_the_subtree_over(supervisor: str, victim: str) -> None:
    paper = paper_with_positions()
    children, intensity = SUPERVISORS[supervisor]
    paper.kill_until(victim, lambda: bool(halts(paper)))
    halted_at_ns = paper.sim.now_ns
    failed = paper.recorded(ActorFailed)
    assert [event.actor for event in failed] == [victim] * (intensity + 1)
    (exhausted,) = paper.recorded(SupervisorExhausted)
    assert (exhausted.supervisor, exhausted.actor, exhausted.action) == (supervisor, victim, "reduce_only")
    (latched,) = paper.recorded(HaltLatched)
    assert (latched.scope, latched.level) == ("all", HaltLevel.NO_NEW_RISK)
    assert latched.actor == f"supervisor/{supervisor}"
    paper.sim.run_until(lambda: all(paper.cell(address).is_running for address in children), MINUTE)
    back = [event.actor for event in paper.recorded(ActorRestarted) if event.at_ns > exhausted.at_ns]
    assert back == children, "the parent starts all of the subtree, in order"
    check_only_reductions_leave(paper, halted_at_ns)
    assert quarrels(paper.node) == []
    paper.sim.crash()
    check_halt_survives_until_resumed(paper, HaltLevel.NO_NEW_RISK)


def test_a_strategy_that_fails_on_every_trade_takes_no_one_with_it() -> None:
    paper = paper_with_positions()
    victim = "trend/BTC_USDT_PERP"
    paper.watched[victim].poison = Poison(Trade, 0, is_bug=True)
    paper.sim.run_until(lambda: bool(halts(paper)), 5 * MINUTE)
    halted_at_ns = paper.sim.now_ns
    assert {event.actor for event in paper.recorded(ActorFailed)} == {victim}
    check_only_reductions_leave(paper, halted_at_ns)
    assert paper.sim.ended == ""
    paper.watched[victim].poison = None  # as a release that repairs it does
    paper.sim.crash()
    check_halt_survives_until_resumed(paper, HaltLevel.NO_NEW_RISK)


@pytest.mark.parametrize("victim", ["feed/BTC_USDT_PERP", "exchange", "alerter"])
def test_an_exhausted_root_flattens_and_ends_the_node(victim: str) -> None:
    paper = paper_with_positions()
    paper.kill_until(victim, lambda: bool(halts(paper)))
    halted_at_ns = paper.sim.now_ns
    assert paper.sim.ended == ""
    paper.sim.run_for(3 * SECOND)
    assert paper.sim.ended.startswith("supervisor root is exhausted")
    (exhausted,) = paper.recorded(SupervisorExhausted)
    assert (exhausted.supervisor, exhausted.actor, exhausted.action) == ("root", victim, "flatten")
    assert [event.reason for event in paper.recorded(NodeStopping)] == [paper.sim.ended]
    assert len(paper.recorded(ActorFailed)) == 6
    assert [event.level for event in paper.recorded(HaltLatched)] == [HaltLevel.FLATTEN]
    if victim != "exchange":
        assert positions(paper.node) == {}
    paper.sim.open()
    paper.sim.run_for(MINUTE)
    assert positions(paper.node) == {}, (
        "what the far side could not do before its end is done in the next life"
    )
    assert orders_that_add_risk(paper.store, halted_at_ns - 1) == []
    check_halt_survives_until_resumed(paper, HaltLevel.FLATTEN)

"""The day of the crash under live-like limits: none is broken, halts as configured, books exact."""

from __future__ import annotations

import pytest

from actors.deployment.loader import load
from actors.messages.control import HaltLevel
from actors.risk.events import HaltLatched, LossDayNoted
from actors.risk.guard_events import ExitOrdered, IntentShrunk
from actors.risk.settings import RiskSettings
from tests.replay.real_data import DATA, FOLDER, RealRun
from tests.simulation.limit_auditor import LimitAuditor
from tests.simulation.paper import positions, recorded

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no market data beside the repository")
pytest.importorskip("duckdb")

STEP_S, HOUR_S, SECOND_NS, USDT = 30, 3_600, 1_000_000_000, 100_000_000


def test_the_crash_breaks_no_limit_and_halts_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = load(FOLDER / "real_limits.yaml", environment={"POLYTRADE_STATE": "never-written"})
    limits = next(plan.settings for plan in topology.actors if plan.kind == "risk")
    assert isinstance(limits, RiskSettings)
    audit = LimitAuditor(lambda: run.sim.node, {"main": limits})
    audit.install(monkeypatch)  # before a node is made: cells take their handlers then
    run = RealRun("real_limits.yaml")
    for _ in range(3 * HOUR_S // STEP_S):
        run.sim.run_for(STEP_S * SECOND_NS)
        audit.sample(run.sim.node.loop.clock.now_ns())

    assert audit.faults == []
    assert audit.orders["opening"] >= 4
    store = run.sim.store
    (lost,) = recorded(store, LossDayNoted)
    assert lost.loss_usdt >= lost.limit_usdt == 300 * USDT
    halted = [event for event in recorded(store, HaltLatched) if event.actor == "rule/daily_loss"]
    assert [(event.scope, event.level) for event in halted] == [("account/main", HaltLevel.FLATTEN)]
    assert positions(run.sim.node) == {}  # it was flattened, and stayed flat
    assert {event.rule for event in recorded(store, ExitOrdered)} <= {"stop_loss", "max_holding"}
    assert recorded(store, IntentShrunk) != []
    run.check()

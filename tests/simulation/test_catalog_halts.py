"""The venue closes a market while a deployment trades it: new risk ends there, and goes on elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from actors.deployment.topology import Topology
from actors.exchange.server.faults import Fault
from actors.messages.control import Halt, HaltLevel
from actors.simulation.bundle import Recipe
from actors.simulation.run import SeedRun

REPOSITORY = Path(__file__).resolve().parents[2]
BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"
SECOND_NS = 1_000_000_000
CLOSES_NS, OPENS_NS, ALL_NS = 20 * SECOND_NS, 32 * SECOND_NS, 50 * SECOND_NS


def topology(every_ns: int) -> Topology:
    found = Recipe((str(REPOSITORY / "config" / "local.yaml"),)).topology()
    plans = [
        replace(plan, settings=structs.replace(plan.settings, check_every=every_ns))
        if plan.kind == "catalog"
        else plan
        for plan in found.actors
    ]
    return replace(found, actors=tuple(plans))


def test_a_market_that_closes_is_halted_and_stays_so_until_a_person_resumes() -> None:
    run = SeedRun(topology(5 * SECOND_NS), 11, (), ALL_NS)
    world, far = run.world, run.far
    assert far is not None
    fault = Fault(kind="symbol_status", symbol=BTC, status_word="CANCEL_CLOSE_ONLY")
    world.after(CLOSES_NS, lambda: far.core.faults.add(fault) and None)
    world.after(OPENS_NS, lambda: far.core.faults.remove() and None)
    outcome = run.run()
    assert [f"{one.invariant}: {one.detail}" for one in outcome.violations] == []
    risk = world.node.cell("risk/main").behaviour
    assert {scope: halt.level for scope, halt in risk.state.halts.items()} == {
        f"symbol/{BTC}": HaltLevel.NO_NEW_RISK,
        "all": HaltLevel.FLATTEN,  # with which every run comes to rest
    }
    assert risk.state.halts[f"symbol/{BTC}"].actor == "catalog"
    catalog = world.node.cell("catalog").behaviour
    assert (catalog.state.halted, catalog.state.changed) == ({}, {})  # it is open again, and nothing is due
    submitted = list(run.watchers.submitted.values())
    late = [one for one in submitted if one.at_ns > run.world.now_ns - 15 * SECOND_NS]
    assert {one.symbol for one in late if not one.reduce_only} == {ETH}


def test_an_actor_that_halts_without_reading_risk_takes_nobody_down() -> None:
    found = topology(5 * SECOND_NS)
    deaf = [replace(plan, reads=()) if plan.kind == "catalog" else plan for plan in found.actors]
    run = SeedRun(replace(found, actors=tuple(deaf)), 11, (), 30 * SECOND_NS)
    assert run.far is not None
    fault = Fault(kind="symbol_status", symbol=BTC, status_word="PAUSED")
    run.world.after(CLOSES_NS, lambda: run.far.core.faults.add(fault) and None)
    run.run()
    risk = run.world.node.cell("risk/main")
    # `all`: with that every run comes to rest.
    assert (list(risk.behaviour.state.halts), risk.failures_count) == ([f"symbol/{BTC}", "all"], 0)
    assert Halt.__name__ in {kind.__name__ for kind in run.world.node.cell("catalog").behaviour.EMITS}


def test_a_simulated_exchange_lists_all_that_is_watched_and_trades_what_is_traded() -> None:
    """The shipped example watches both markets files as a whole, and trades a few symbols of each."""
    found = Recipe((str(REPOSITORY / "config" / "examples" / "local-with-spot.yaml"),)).topology()
    run = SeedRun(found, 0, (), 0)
    run.world.run_for(75 * SECOND_NS)  # two readings: two in a row without a symbol are believed
    catalog, far = run.world.node.cell("catalog").behaviour, run.far
    assert far is not None
    assert catalog.readings_count >= 2
    assert (catalog.state.changed, catalog.state.halted) == ({}, {})
    views = [*far.core.views.values(), *far.core.spot.views.values()]
    traded = {one.symbol for one in views if not one.is_quiet}
    assert traded == {BTC, ETH, "BTC_USDT", "ETH_USDT"}
    assert {one.symbol for one in views if one.market.book.bids.best()} == traded
    assert {*catalog.watched} <= {one.symbol for one in views}

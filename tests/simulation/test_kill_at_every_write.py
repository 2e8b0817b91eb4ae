"""A recorded run again and again, each time with the node killed at another of its durable writes.

Killed between a write and what follows from it, the node goes on as if nothing had been; so every final state
is the uninterrupted one, but for what carries the number of the node's life (`LIFE`). Killed before a write,
the turn is done again; what the books say at the end is the exchange's to the last unit either way.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest

from actors.simulation.faults import Fault
from actors.simulation.run import SeedRun
from tests.simulation.test_hunt import PAPER, topology

TEN_MINUTES_NS = 600_000_000_000
AFTER_NS = 30_000_000_000  # a node that was killed has caught up by then
SAMPLES = 4  # of the writes, in the default tests
PARTS = 12  # so that the cores share the work
# Fields that carry the number of a life, or count what one life saw.
LIFE = ("epoch", "gate_epoch", "reserved", "closed", "closed_before", "intents", "live", "by_intent")
# A strategy that lost a bar reads the past again: its averages then begin at another bar, and differ by 1e-7.
WARMED = ("memory", "goal_reasons")
ACTORS = ("oms/main", "ledger/main", "risk/main", "exchange", "trend/", "reversion/")


def states(run: SeedRun) -> dict[str, Any]:
    """Return what each actor knows in the end, without what carries the number of a life."""
    found = {}
    for name, cell in run.world.node.loop.cells.items():
        if name.startswith(ACTORS):
            state = msgspec.to_builtins(cell.behaviour.state, str_keys=True)
            found[name] = _without_life(state)
    return found


def _without_life(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    kept = {}
    for name, value in state.items():
        if name in LIFE or name.endswith("_id"):
            continue
        kept[name] = _without_life(value)
    return kept


def killed_at(number: int, written: bool) -> SeedRun:
    """Run ten minutes, with a kill at one of the writes; 0 for none."""
    kind = "kill_after_write" if written else "kill_before_write"
    faults = [Fault(number=0, kind=kind, at_ms=0, value=number)] if number else []
    run = SeedRun(topology(PAPER), 0, faults, TEN_MINUTES_NS)
    run.world.run_for(TEN_MINUTES_NS + AFTER_NS)
    assert run.world.crashes_count == bool(number)
    assert run.quarrels() == []
    return run


@cache
def uninterrupted() -> tuple[dict[str, Any], int]:
    """Return the final states, and how many writes there were."""
    run = SeedRun(topology(PAPER), 0, (), TEN_MINUTES_NS)
    run.world.run_for(TEN_MINUTES_NS)
    count = run.world.store.commits_count - 1  # the first opens the journal, before any fault
    return states(killed_at(0, True)), count


def check(numbers: range, written: bool) -> None:
    wanted, _ = uninterrupted()
    for number in numbers:
        found = states(killed_at(number, written))
        wrong = [name for name in wanted if _told(found[name], written) != _told(wanted[name], written)]
        assert wrong == [], f"write {number}"


def _told(state: dict[str, Any], written: bool) -> dict[str, Any]:
    """Leave out what a strategy warms up again when the turn that closed a bar was lost with it."""
    return state if written else {name: state[name] for name in state if name not in WARMED}


@pytest.mark.parametrize("written", [True, False])
def test_a_kill_at_some_writes_changes_no_final_state(written: bool) -> None:
    _, count = uninterrupted()
    assert count > 2_000
    assert sum(1 for state in uninterrupted()[0].values() if state) >= 6
    check(range(1 + written, count, count // SAMPLES), written)


@pytest.mark.long
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_every_write_changes_no_final_state(part: int, written: bool) -> None:
    check(range(1 + part, uninterrupted()[1] + 1, PARTS), written)

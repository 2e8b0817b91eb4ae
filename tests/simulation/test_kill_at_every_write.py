"""A recorded run again and again, each time with the node killed at another of its durable writes.

Killed between a write and what follows from it, the node goes on as if nothing had been; so every final state
is the uninterrupted one, but for what carries the number of the node's life (`LIFE`). Killed before a write,
the turn is done again; what the books say at the end is the exchange's to the last unit either way.
"""

from __future__ import annotations

import math
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
# A strategy that lost a bar reads the past again: its averages then begin at another bar, and are near.
# Sides, sizes, counts and reasons are the same all the same.
WARMED = ("memory", "goal_reasons")
# What a feed tells of a bar that was lost is made of its prices, the bar itself of its trades.
NEAR_FRACTION, NEAR = 0.01, 0.01
PRICE_MIN = 1_000  # sides, counts and most sizes are below; sizes are held exactly by ledger and OMS
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
        wrong = [name for name in wanted if not _agree(found[name], wanted[name], written)]
        assert wrong == [], f"write {number}"


def _agree(found: dict[str, Any], wanted: dict[str, Any], written: bool) -> bool:
    """Tell whether two states are the same, but for what warmed up again after a turn that was lost."""
    exact = [name for name in wanted if written or name not in WARMED]
    warmed = [name for name in wanted if name not in exact]
    return (
        found.keys() == wanted.keys()
        and all(found[name] == wanted[name] for name in exact)
        and all(near(found[name], wanted[name]) for name in warmed)
    )


def near(found: Any, wanted: Any) -> bool:
    """Tell whether prices, sums and whatever has a fraction are near each other, and all else is the same."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(near(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(near, found, wanted))
    if isinstance(wanted, int) and abs(wanted) >= PRICE_MIN:
        return math.isclose(found, wanted, rel_tol=NEAR_FRACTION)
    if isinstance(wanted, float) or (isinstance(wanted, str) and "." in wanted):
        try:
            return math.isclose(float(found), float(wanted), rel_tol=NEAR_FRACTION, abs_tol=NEAR)
        except ValueError:
            return bool(found == wanted)
    return bool(found == wanted)


def test_a_memory_with_another_side_or_an_average_far_off_would_be_noticed() -> None:
    memory = {"now": (198, 8830658.5, -1, 11), "closes": [1, 2]}
    assert near({**memory, "now": (198, 8830659.6, -1, 11)}, memory)
    assert near((6_520,), (6_523,))
    assert not near((6_520,), (6_623,))
    for now in ((198, 8830658.5, 1, 11), (198, 8950658.5, -1, 11), (197, 8830658.5, -1, 11)):
        assert not near({**memory, "now": now}, memory)
    assert not near((["Reason", "why", "fast above slow"],), (["Reason", "why", "fast below slow"],))
    assert not near((["Reason", "slow", "9900"],), (["Reason", "slow", "8851.4"],))


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

"""OCO, brackets, trailing stops, slices and a halt in one run; the node killed at another write each time.

Whatever was lost with the turn is done again: every promise that is watched must hold, at rest books and
venue must agree, and no parent may be left on its way for ever.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from actors.simulation.faults import Fault
from actors.simulation.run import SeedRun
from tests.simulation.test_hunt import MINUTE_NS, told, topology
from tests.simulation.test_parents_under_fire import PARENTS

SEED = 3
HALT = Fault(number=1, kind="halt", at_ms=40_000, for_ms=6_000, value=0)
SAMPLES = 5  # of the writes, in the default tests
PARTS = 8  # so that the cores share the work


def killed_at(number: int, written: bool) -> SeedRun:
    """Run a minute with a halt, and a kill at one of the writes; 0 for none."""
    kind = "kill_after_write" if written else "kill_before_write"
    kill = [Fault(number=0, kind=kind, at_ms=0, value=number)] if number else []
    run = SeedRun(topology(PARENTS), SEED, [*kill, HALT], MINUTE_NS)
    assert told(run.run()) == [], f"{kind} {number}"
    return run


@cache
def writes() -> int:
    """Return how many writes a run without a kill has; and see that it has everything in it."""
    run = killed_at(0, True)
    state = run.world.node.cell("oms/main").behaviour.state
    seen = Counter(
        type(parent.plan).__name__ for parent in [*state.parents_ended.values(), *state.parents.values()]
    )
    assert {"OneCancelsOther", "Bracket", "TrailingStop", "Twap"} <= set(seen), seen
    return run.world.store.commits_count


@pytest.mark.parametrize("written", [True, False])
def test_a_kill_at_some_writes_breaks_no_promise(written: bool) -> None:
    count = writes()
    assert count > 100
    for number in range(7 + written, count, count // SAMPLES):
        killed_at(number, written)


@pytest.mark.long
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_every_write_breaks_no_promise(part: int, written: bool) -> None:
    for number in range(1 + part, writes() + 1, PARTS):
        killed_at(number, written)

"""Amendments over bytes, and a halt; the node killed at another write each time.

An amendment is two steps at the venue. Killed between them, the node may neither leave two orders of one wish
at rest nor forget what is reserved, and books and venue must agree in the end.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from actors.oms.events import AmendMoved
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import read_turns
from actors.simulation.faults import Fault
from actors.simulation.run import SeedRun
from tests.simulation.test_hunt import LOCAL, told, topology

SEED = 3
RUN_NS = 30_000_000_000
HALT = Fault(number=1, kind="halt", at_ms=20_000, for_ms=4_000, value=0)
LAST_WRITES = 2  # after the run, when faults have ended: nobody is killed at these
SAMPLES = 8  # of the writes, in the default tests
PARTS = 4  # so that the cores share the work


def killed_at(number: int, written: bool) -> SeedRun:
    """Run half a minute with a halt, and a kill at one of the writes; 0 for none."""
    kind = "kill_after_write" if written else "kill_before_write"
    kill = [Fault(number=0, kind=kind, at_ms=0, value=number)] if number else []
    run = SeedRun(topology(LOCAL), SEED, [*kill, HALT], RUN_NS)
    assert told(run.run()) == [], f"{kind} {number}"
    assert run.world.crashes_count == bool(number)
    return run


@cache
def writes() -> int:
    """Return at how many writes a run can be killed; and see that amendments end in more than one way."""
    run = killed_at(0, True)
    decode, tag = decoder_for((AmendMoved,)).decode, message_name(AmendMoved).encode()
    events = [entry.event for turn in read_turns(run.world.store) for entry in turn.entries]
    seen = Counter(decode(event).event.value for event in events if tag in bytes(event)[:30])
    assert seen["taken"] >= 3, seen
    assert seen["cancel_sent"] >= seen["taken"], seen
    assert not run.world.node.cell("oms/main").behaviour.state.amends
    return run.world.store.commits_count - LAST_WRITES


@pytest.mark.parametrize("written", [True, False])
def test_a_kill_at_some_writes_of_amendments_breaks_no_promise(written: bool) -> None:
    count = writes()
    assert count > 100
    for number in range(3 + written, count, count // SAMPLES):
        killed_at(number, written)


@pytest.mark.long
@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_every_write_of_amendments_breaks_no_promise(part: int, written: bool) -> None:
    for number in range(1 + part, writes() + 1, PARTS):
        killed_at(number, written)

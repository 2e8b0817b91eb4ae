"""A node whose past is not kept does the same, and says so when somebody needs that past."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.behaviour import Context
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_memory import MemoryStore
from actors.runtime.store_passing import PassingStore, Recorded
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.turn import LoopLimits
from actors.runtime.virtual_time import pass_time
from tests.unit.runtime.toys import MS, SECOND, Do, Puppet, Said, Saved, Sourced, events, spec

START_NS = 1_760_000_000_000_000_000


def talk(puppet: Puppet, context: Context) -> None:
    puppet.note(context, f"once {context.once(str(len(puppet.state.texts) // 2))}")
    context.publish(Said(f"heard at {context.now_ns}"))
    context.schedule(100 * MS, Do("talk"), key="durable", durable=True)


def node_on(store: Store) -> Node:
    cells = [spec("a", Sourced, {"talk": talk}), spec("b", Saved, reads=("a",))]
    limits = LoopLimits(dedupe_ids_kept=3)
    node = Node(cells, (SupervisorSpec("root"),), store, VirtualClock(START_NS), limits=limits)
    node.start()
    node.tell("a", Do("talk"))
    return node


def run_on(store: Store) -> Node:
    node = node_on(store)
    clock: Any = node.loop.clock
    pass_time(node, clock, START_NS + SECOND)
    return node


def test_the_events_that_pass_are_those_that_would_be_kept() -> None:
    passed: list[tuple[str, int, int, list[Any]]] = []
    kept = MemoryStore()

    def listen(at_ns: int, records: list[Recorded]) -> None:
        for cell, cause, _, event in records:
            passed.append((cell, cause, at_ns, [type(event).__name__, *event.__struct_fields__]))

    node, other = run_on(PassingStore(listen)), run_on(kept)
    assert [cell for cell, *_ in passed] == [cell for cell, _ in events(kept)]
    assert node.cell("b").behaviour.state == other.cell("b").behaviour.state
    assert node.cell("a").behaviour.state.texts == other.cell("a").behaviour.state.texts
    assert node.journal.sequence == other.journal.sequence > 10
    assert node.journal.turn == other.journal.turn
    assert node.loop.counters.events == other.loop.counters.events


def test_an_actor_of_a_run_without_a_past_cannot_come_back() -> None:
    node = run_on(PassingStore(lambda at_ns, records: None))
    node.restart("a")
    node.turn()
    cell = node.cell("a")
    assert "keeps no past" in cell.last_error
    assert not cell.is_running


def test_a_state_cannot_be_read_back_once_something_has_happened() -> None:
    store = PassingStore(lambda at_ns, records: None)
    assert store.get("snapshots", b"a") is None
    node_on(store).turn()
    with pytest.raises(JournalError, match="keeps no past"):
        store.get("snapshots", b"a")


def test_external_ids_are_forgotten_by_age() -> None:
    store = PassingStore(lambda at_ns, records: None)
    for number in range(10):
        store.remember([b"%d" % number], 3)
    assert [number for number in range(10) if store.seen(b"%d" % number)] == [6, 7, 8, 9]

"""A node on the machine's clock, in a thread of its own, as a process runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock, VirtualClock
from actors.runtime.errors import JournalError, NodeStopped
from actors.runtime.journal import verify_chain
from actors.runtime.node import Node
from actors.runtime.store import Store
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.runtime.toys import MS, SECOND, Do, Puppet, Said, Saved, Sourced, boom, events, spec

QUICK = (SupervisorSpec("root", intensity=1_000, backoff_ns_min=MS, backoff_ns_max=2 * MS),)


def note(puppet: Puppet, context: Context) -> None:
    puppet.note(context, f"{context.now_ns}")


@contextmanager
def running(*cells: CellSpec, store: Store | None = None) -> Iterator[Node]:
    node = Node(cells, QUICK, store or MemoryStore(), SystemClock())
    failures: list[BaseException] = []

    def run() -> None:
        try:
            node.run(longest_wait_ns=60 * SECOND)  # nothing may depend on waking up by itself
        except BaseException as error:
            failures.append(error)

    node.start()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield node
    finally:
        node.request_stop()
        thread.join(20)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def eventually(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.001)


def texts(node: Node, name: str = "a") -> list[str]:
    return list(node.cell(name).behaviour.state.texts)


def test_a_message_from_another_thread_wakes_a_waiting_node() -> None:
    with running(spec("a", Saved)) as node:
        time.sleep(0.05)
        node.tell("a", Said("x"))
        eventually(lambda: texts(node) == ["x"])


def test_a_timer_wakes_a_waiting_node_at_its_instant() -> None:
    def plan(puppet: Puppet, context: Context) -> None:
        puppet.note(context, f"{context.now_ns}")
        context.schedule(30 * MS, Do("note"))

    with running(spec("a", Saved, {"plan": plan, "note": note})) as node:
        node.tell("a", Do("plan"))
        eventually(lambda: len(texts(node)) == 2)
        planned, fired = map(int, texts(node))
        assert 30 * MS <= fired - planned < 5 * SECOND


def test_an_order_from_another_thread_is_carried_out_by_the_loop() -> None:
    with running(spec("a", Saved)) as node:
        node.tell("a", Said("kept"))
        eventually(lambda: texts(node) == ["kept"])
        node.restart("a")
        eventually(lambda: node.cell("a").restarts_count == 1)
        node.suspend("a")
        node.tell("a", Said("later"))
        eventually(lambda: node.cell("a").waiting_count == 1)
        node.resume("a")
        eventually(lambda: texts(node) == ["kept", "later"])


def test_a_failing_actor_is_back_soon_with_its_state() -> None:
    with running(spec("a", Sourced, {"boom": boom})) as node:
        node.tell("a", Said("kept"))
        node.tell("a", Do("boom"))
        node.tell("a", Said("behind"))
        eventually(lambda: texts(node) == ["kept", "behind"])
        assert node.cell("a").restarts_count == 2


def test_a_stop_is_orderly_and_nothing_is_taken_after_it() -> None:
    store = MemoryStore()
    with running(spec("a", Sourced, {"stopping": note}), store=store) as node:
        node.tell("a", Said("x"))
    assert len(events(store, "a")) == 2
    assert [fields[0] for _, fields in events(store, "node")] == ["NodeStarted", "NodeStopping"]
    with pytest.raises(NodeStopped):
        node.tell("a", Said("y"))
    with pytest.raises(NodeStopped):
        node.ask("a", Said("y"))


def test_a_node_without_a_heart_stops_in_order() -> None:
    store = MemoryStore()
    node = Node([spec("a")], QUICK, store, SystemClock())
    node.start()
    node.run(longest_wait_ns=MS, beat=lambda: False)
    assert events(store, "node")[-1][1] == ["NodeStopping", "its heart is gone"]


def test_a_node_on_a_virtual_clock_runs_to_the_last_timer_and_stops() -> None:
    def tick(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "tick")
        if len(puppet.state.texts) < 5:
            context.schedule(3_600 * SECOND, Do("tick"))

    clock = VirtualClock(SECOND)
    node = Node([spec("a", Saved, {"started": tick, "tick": tick})], QUICK, MemoryStore(), clock)
    node.start()
    node.run()
    assert texts(node) == ["tick"] * 5
    assert clock.now_ns() == SECOND + 4 * 3_600 * SECOND


def test_a_node_whose_disk_fails_ends_with_the_reason() -> None:
    store = MemoryStore()
    node = Node([spec("a")], QUICK, store, SystemClock())
    node.start()
    store.fail_commits = 1
    with pytest.raises(JournalError, match="refused the write"):
        node.run()
    node.abandon()


@pytest.mark.parametrize("durability", Durability)
def test_a_node_goes_on_where_it_stopped_on_a_real_disk(tmp_path: Path, durability: Durability) -> None:
    said: list[str] = []
    for life in range(3):
        with running(
            spec("a", Sourced), spec("b", Saved), store=LmdbStore(tmp_path / "journal", durability)
        ) as node:
            assert texts(node) == texts(node, "b") == said
            for number in range(50):
                said.append(f"{life}/{number}")
                for name in "ab":
                    node.tell(name, Said(said[-1]))
            eventually(lambda node=node: len(texts(node, "b")) == len(said))  # type: ignore[misc]
        assert texts(node) == texts(node, "b") == said
    reader = LmdbStore(tmp_path / "journal", readonly=True)
    assert verify_chain(reader)[1] is None
    reader.close()


def test_time_never_goes_back_for_a_node_although_the_machines_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from actors.runtime import clock as module

    readings = iter([100, 200, 150, 199, 201])
    monkeypatch.setattr(module.time, "time_ns", lambda: next(readings))
    clock = SystemClock()
    assert [clock.now_ns() for _ in range(5)] == [100, 200, 200, 200, 201]

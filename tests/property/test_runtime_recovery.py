"""Whatever happened, and at whichever commit the process dies: what is recovered is what was alive."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellState
from actors.runtime.clock import VirtualClock
from actors.runtime.journal import verify_chain
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import Strategy, SupervisorSpec
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import SECOND, Pump, Puppet, Said, Saved, Sourced, spec

NAMES = ("a", "b", "c", "d")

# A message's text is what its reader does about it: a word a move.
MOVES = ("note", "say", "send", "later", "durable", "cancel", "wire", "wired", "once", "fail", "alert")
MESSAGES = st.lists(st.sampled_from(MOVES), min_size=1, max_size=4).map(" ".join)

STEPS = st.one_of(
    st.tuples(st.just("tell"), st.sampled_from(NAMES), MESSAGES),
    st.tuples(st.just("tell"), st.sampled_from(NAMES), MESSAGES),
    st.tuples(st.sampled_from(["suspend", "resume", "restart", "kill"]), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from(["1", "100000000", "20000000000"])),
    st.tuples(st.just("turn"), st.just(""), st.just("")),
    st.tuples(st.sampled_from(["crash", "stop"]), st.just(""), st.just("")),
)
HISTORIES = st.lists(STEPS, min_size=1, max_size=25)


class Obedient:
    """Does what a message says, and tells the others something of it."""

    state: Any

    def on_said(self, said: Said, context: Context) -> None:
        for word in said.text.split():
            getattr(self, f"_{word}")(context)

    def _note(self, context: Context) -> None:
        self.note(context, f"{len(self.state.texts)} {context.sender} {context.random.randrange(10)}")  # type: ignore[attr-defined]

    def _say(self, context: Context) -> None:
        if not context.sender:
            context.publish(Said("note"))

    def _send(self, context: Context) -> None:
        context.send(context.name, Said("note"))

    def _later(self, context: Context) -> None:
        context.schedule(SECOND, Said("note"))

    def _durable(self, context: Context) -> None:
        context.schedule(SECOND, Said("note once"), key="k", durable=True)

    def _cancel(self, context: Context) -> None:
        context.cancel_timer("k")

    def _wire(self, context: Context) -> None:
        context.effect("world", Said("wire"), key=f"{len(self.state.texts) % 3}")

    def _wired(self, context: Context) -> None:
        context.effect_done(f"{len(self.state.texts) % 3}")

    def _once(self, context: Context) -> None:
        self.note(context, f"{context.once('x')}")  # type: ignore[attr-defined]

    def _alert(self, context: Context) -> None:
        context.log("nothing")

    def _fail(self, context: Context) -> None:
        raise RuntimeError("as told")


class ObedientSourced(Obedient, Sourced):
    """Remembers by events."""


class ObedientSaved(Obedient, Saved):
    """Has its notes saved."""


def make(store: MemoryStore, clock: VirtualClock) -> Node:
    kinds: dict[str, type[Puppet]] = {
        "a": ObedientSourced,
        "b": ObedientSaved,
        "c": ObedientSourced,
        "d": ObedientSaved,
    }
    cells = [
        spec(name, kinds[name], reads=tuple(other for other in NAMES if other != name), supervisor=supervisor)
        for name, supervisor in zip(NAMES, ("pair", "pair", "root", "root"), strict=True)
    ]
    supervisors = (
        SupervisorSpec("root", intensity=1_000_000),
        SupervisorSpec("pair", parent="root", strategy=Strategy.ONE_FOR_ALL, intensity=1_000_000),
    )
    return Node(cells, supervisors, store, clock, limits=LoopLimits(snapshot_events=7, dedupe_ids_kept=3))


def state_of(node: Node, name: str) -> bytes:
    return msgspec.msgpack.encode(node.cell(name).behaviour.state)


def waiting_in(node: Node, name: str) -> list[Message]:
    return [item[0] for item in node.cell(name).data]


class Images:
    """An image of the disk at every commit, and of what was alive right after it."""

    def __init__(self) -> None:
        self.pump = Pump()
        self.simulation = Simulation(make, pumps={"world": self.pump})
        self.taken: list[tuple[MemoryStore, dict[str, bytes], dict[str, list[Message]], int]] = []
        self._commits = 0
        self._look()
        self.simulation.after_turn.append(self._look)

    def _look(self) -> None:
        simulation = self.simulation
        if simulation.ended or simulation.store.commits_count == self._commits:
            return
        self._commits = simulation.store.commits_count
        node = simulation.node
        certain = [
            name for name in NAMES if node.cell(name).state in (CellState.RUNNING, CellState.SUSPENDED)
        ]
        states = {name: state_of(node, name) for name in certain}
        waiting = {name: waiting_in(node, name) for name in NAMES}
        self.taken.append((simulation.store.clone(), states, waiting, simulation.now_ns))

    def live(self, history: list[tuple[str, str, str]]) -> None:
        simulation = self.simulation
        simulation.settle()
        for step, name, text in history:
            if step == "tell":
                simulation.tell(name, Said(text))
            elif step == "wait":
                simulation.run_for(int(text))
            elif step == "turn":
                simulation.step()
            elif step == "crash":
                simulation.crash()
            elif step == "stop":
                simulation.stop()
                simulation.open()
            else:
                getattr(simulation.node, step)(name)
        simulation.settle()


@settings(max_examples=60)
@given(HISTORIES)
def test_a_node_recovered_from_any_commit_is_the_one_that_made_it(
    history: list[tuple[str, str, str]],
) -> None:
    images = Images()
    images.live(history)
    for store, states, waiting, now_ns in images.taken:
        node = make(store, VirtualClock(now_ns))
        node.loop.pumps["world"] = Pump()
        node.start()
        assert {name: state_of(node, name) for name in states} == states
        assert {name: waiting_in(node, name) for name in NAMES} == waiting
        node.abandon()
        assert verify_chain(store)[1] is None


@settings(max_examples=40)
@given(HISTORIES, st.data())
def test_the_end_is_the_same_whether_or_not_the_process_dies_after_a_commit(
    history: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """Dying between commit and release may repeat effects; it never changes what is recorded of a message."""
    calm = [
        step
        for step in history
        if step[0] in ("tell", "wait") and "fail" not in step[2] and "later" not in step[2]
    ]
    deaths = data.draw(st.lists(st.integers(1, 6), max_size=4))

    def run(dies_at: list[int]) -> tuple[dict[str, list[str]], list[bytes], list[bytes]]:
        simulation = Simulation(make, pumps={"world": Pump()})
        simulation.settle()
        for step, name, text in calm:
            if dies_at and step == "tell":
                simulation.kill_at_commit(dies_at[0], written=True)
                dies_at = dies_at[1:]
            if step == "tell":
                simulation.tell(name, Said(text))
                simulation.settle()
            else:
                simulation.run_for(int(text))
        simulation.run_for(60 * SECOND)
        texts = {
            name: [text.rpartition(" ")[0] for text in simulation.node.cell(name).behaviour.state.texts]
            for name in NAMES
        }
        outbox = [key for key, _ in simulation.store.items("outbox")]
        timers = [key for key, _ in simulation.store.items("timers")]
        simulation.node.abandon()
        return texts, outbox, timers

    assert run([]) == run(deaths)


@settings(max_examples=60)
@given(HISTORIES)
def test_once_everything_is_quiet_nothing_waits_and_nothing_is_kept_of_it(
    history: list[tuple[str, str, str]],
) -> None:
    images = Images()
    images.live(history)
    simulation = images.simulation
    for name in NAMES:
        simulation.node.resume(name)
    simulation.run_for(600 * SECOND)
    assert all(cell.waiting_count == 0 for cell in simulation.node.loop.cells.values())
    assert list(simulation.store.items("held")) == []
    assert list(simulation.store.items("timers")) == []
    live = {name: state_of(simulation.node, name) for name in NAMES}
    simulation.crash()
    assert {name: state_of(simulation.node, name) for name in NAMES} == live
    simulation.node.abandon()


@settings(max_examples=60)
@given(HISTORIES, st.integers(0, 3))
def test_the_same_history_makes_the_same_bytes(history: list[tuple[str, str, str]], seed: int) -> None:
    def run() -> list[Any]:
        images = Images()
        images.live(history)
        images.simulation.node.abandon()
        return [
            list(images.simulation.store.items(name)) for name in ("events", "snapshots", "held", "timers")
        ]

    assert run() == run()

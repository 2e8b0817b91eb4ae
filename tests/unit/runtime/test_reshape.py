"""A node becomes another one while it runs: what changes does so between two turns, the rest goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.runtime import revival
from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec, CellState
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import InvariantError
from actors.runtime.node import Node
from actors.runtime.reshape import NodeReshaped, Reshape, ReshapeRefused
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import DATABASES, MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.tape import Tape
from actors.runtime.tape import play as play_tape
from tests.unit.runtime.toys import Do, Said, Sourced, do, events, notes, play, spec

SUPERVISORS = (SupervisorSpec("root"), SupervisorSpec("hall", parent="root"))
SAY = {"say": lambda puppet, context: context.publish(Said(f"from {context.name}"))}


class Mood(Sourced):
    """Has a setting, and notes what it is whenever it is asked."""

    def __init__(self, script: Any, mood: str = "calm") -> None:
        super().__init__(script)
        self.settings = mood

    def on_do(self, do: Do, context: Context) -> None:
        self.note(context, self.settings)


def moody(name: str, mood: str, **options: Any) -> CellSpec:
    return CellSpec(name, lambda: Mood({}, mood), **options)


def begin() -> Simulation:
    return play(
        spec("a", Sourced, SAY),
        spec("b", Sourced, reads=("a",)),
        moody("m", "calm"),
        supervisors=SUPERVISORS,
    )


def shape(simulation: Simulation, *specs: CellSpec, **more: Any) -> Reshape:
    """Return the shape with these specs in place of those of their names."""
    found = {name: cell.spec for name, cell in simulation.node.loop.cells.items()}
    found |= {one.name: one for one in specs}
    for name in more.get("remove", ()):
        found.pop(name)
    return Reshape(2, found, **more)


def become(simulation: Simulation, change: Reshape) -> None:
    node = simulation.node
    node.shape_of = lambda generation: change
    node.reshaper.check(change)
    node.loop.call(lambda: node.command("reshape", change.generation))
    simulation.settle()


def restarts(simulation: Simulation) -> dict[str, int]:
    return {name: cell.restarts_count for name, cell in simulation.node.loop.cells.items()}


def test_an_actor_that_is_created_hears_and_is_heard_at_once() -> None:
    simulation = begin()
    new = spec("c", Sourced, SAY, reads=("a",))
    become(simulation, shape(simulation, new, spec("b", Sourced, reads=("a", "c")), create=("c",)))
    do(simulation, "a", "say")
    do(simulation, "c", "say")
    assert notes(simulation, "c") == ["from a"]
    assert notes(simulation, "b") == ["from a", "from c"]
    assert restarts(simulation) == {"a": 0, "b": 0, "m": 0, "c": 0}


def test_one_that_is_removed_says_goodbye_and_is_gone_and_one_that_comes_back_knows_what_it_knew() -> None:
    simulation = begin()
    goodbye = {"stopping": lambda puppet, context: context.publish(Said("bye"))}
    new = spec("c", Sourced, goodbye, reads=("a",))
    become(simulation, shape(simulation, new, spec("b", Sourced, reads=("a", "c")), create=("c",)))
    do(simulation, "a", "say")
    become(simulation, shape(simulation, spec("b", Sourced, reads=("a",)), remove=("c",)))
    assert notes(simulation, "b") == ["from a", "bye"]
    assert "c" not in simulation.node.loop.cells
    assert len(simulation.node.tree.root.children) == 4
    for _ in range(3):
        do(simulation, "a", "say")
    become(simulation, shape(simulation, new, create=("c",)))
    assert notes(simulation, "c") == ["from a"]


def test_only_those_named_restart_with_their_state_and_what_waits_for_them() -> None:
    simulation = begin()
    do(simulation, "a", "say")
    do(simulation, "m", "?")
    become(simulation, shape(simulation, moody("m", "angry"), restart=("m",)))
    simulation.tell("m", Do("?"))
    simulation.settle()
    assert notes(simulation, "m") == ["calm", "angry"]
    assert restarts(simulation) == {"a": 0, "b": 0, "m": 1}


def test_settings_are_told_without_a_restart_and_kept_by_one() -> None:
    simulation = begin()
    become(simulation, shape(simulation, moody("m", "glad"), settings={"m": "glad"}))
    do(simulation, "m", "?")
    assert restarts(simulation)["m"] == 0
    simulation.node.restart("m")
    simulation.settle()
    do(simulation, "m", "?")
    assert notes(simulation, "m") == ["glad", "glad"]


def test_another_supervisor_and_another_capacity_take_no_restart() -> None:
    simulation = begin()
    become(simulation, shape(simulation, spec("b", Sourced, supervisor="hall", mailbox_capacity=7)))
    cell = simulation.node.cell("b")
    assert simulation.node.tree.supervisor_of(cell).spec.name == "hall"
    assert (cell.capacity, cell.restarts_count) == (7, 0)
    do(simulation, "a", "say")
    assert notes(simulation, "b") == []


def _broken(settings: Any) -> Any:
    raise ValueError("no such mood")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: shape(s, CellSpec("m", lambda: _broken("x")), restart=("m",)),
        lambda s: shape(s, CellSpec("n", lambda: _broken("x")), create=("n",)),
        lambda s: shape(s, CellSpec("m", lambda: _broken("x")), settings={"m": 1}),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_touched(change: Any) -> None:
    simulation = begin()
    before = dict(simulation.node.loop.cells), restarts(simulation)
    with pytest.raises(ReshapeRefused, match="no such mood"):
        simulation.node.reshaper.check(change(simulation))
    assert (dict(simulation.node.loop.cells), restarts(simulation)) == before
    assert simulation.node.cell("m").state is CellState.RUNNING


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: shape(s, spec("a", Sourced), create=("a",)), "is there already"),
        (lambda s: shape(s, restart=("z",)), "no actor has this address"),
        (lambda s: shape(s, spec("b", Sourced, reads=("z",))), "reads z, which is not there"),
        (lambda s: shape(s, remove=("a",)), "reads a, which is not there"),
        (lambda s: shape(s, spec("z", Sourced)), "names each of its actors"),
        (lambda s: shape(s, spec("b", Sourced, supervisor="z")), "no supervisor"),
    ],
)
def test_a_shape_that_does_not_hang_together_is_refused(change: Any, said: str) -> None:
    simulation = begin()
    with pytest.raises(InvariantError, match=said):
        simulation.node.reshaper.check(change(simulation))


def test_the_change_is_journaled_and_survives_the_death_of_the_process_in_the_journal_alone() -> None:
    simulation = begin()
    become(simulation, shape(simulation, moody("m", "glad"), restart=("m",)))
    found = [event for cell, event in events(simulation.store, "node") if event[0] == NodeReshaped.__name__]
    assert found == [["NodeReshaped", 2, [], ["m"], [], []]]


def test_a_tape_with_a_change_on_it_makes_the_same_journal(tmp_path: Path) -> None:
    def make(store: MemoryStore, clock: VirtualClock, tape: Tape | None = None) -> Node:
        node = Node([spec("a", Sourced, SAY), moody("m", "calm")], SUPERVISORS, store, clock, seed=3)
        specs = {name: cell.spec for name, cell in node.loop.cells.items()}
        specs["m"] = replace(moody("m", "glad"), reads=("a",))
        specs["n"] = spec("n", Sourced, reads=("a",))
        node.shape_of = lambda generation: Reshape(generation, specs, create=("n",), restart=("m",))
        node.loop.tape = tape
        return node

    tape = Tape(tmp_path)
    simulation = Simulation(lambda store, clock: make(store, clock, tape))
    simulation.settle()
    do(simulation, "a", "say")
    node = simulation.node
    node.loop.call(lambda: node.command("reshape", 5))
    simulation.settle()
    do(simulation, "a", "say")
    do(simulation, "m", "?")
    node.stop("done")
    tape.close()
    store, played = play_tape(tmp_path, make)
    assert {name: list(store.items(name)) for name in DATABASES} == {
        name: list(simulation.store.items(name)) for name in DATABASES
    }
    assert played.cell("n").behaviour.state.texts == ["from a"]
    assert played.cell("m").behaviour.state.texts == ["from a", "glad"]


def test_a_prepared_restart_folds_only_what_happened_since(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = begin()
    for _ in range(40):
        do(simulation, "m", "any")
    node = simulation.node
    change = shape(simulation, moody("m", "wild"), restart=("m",))
    node.shape_of = lambda generation: change
    preparation = node.reshaper.prepare(change)
    slices = 1
    while preparation.advance(10):
        slices += 1
    assert slices >= 4, "the journal was read at once"
    do(simulation, "m", "any")  # between the preparation and the switch
    folded: list[int] = []
    recover = revival.recover
    monkeypatch.setattr(revival, "recover", lambda *words: folded.append(recover(*words)))
    node.loop.call(lambda: node.command("reshape", change.generation))
    simulation.settle()
    assert folded == [1]
    do(simulation, "m", "any")
    assert notes(simulation, "m") == [*["calm"] * 41, "wild"]
    simulation.crash()
    assert notes(simulation, "m") == [*["calm"] * 41, "wild"]


def test_a_snapshot_taken_meanwhile_makes_a_preparation_worthless() -> None:
    simulation = begin()
    for _ in range(5):
        do(simulation, "m", "any")
    node = simulation.node
    change = shape(simulation, moody("m", "wild"), restart=("m",))
    node.shape_of = lambda generation: change
    preparation = node.reshaper.prepare(change)
    while preparation.advance():
        pass
    assert set(preparation.ready()) == {"m"}
    do(simulation, "m", "any")
    node.snapshot_all()
    assert set(preparation.ready()) == set()
    node.loop.call(lambda: node.command("reshape", change.generation))
    simulation.settle()
    assert notes(simulation, "m") == ["calm"] * 6


def test_who_hears_whom_is_made_anew_only_where_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = begin()
    node, wired = simulation.node, []
    wire = node.wire
    monkeypatch.setattr(node, "wire", lambda: wired.append(wire()))
    become(simulation, shape(simulation, spec("b", Sourced, reads=("a",)), restart=("b",)))
    do(simulation, "a", "say")
    assert (len(wired), notes(simulation, "b")) == (0, ["from a"])
    become(simulation, shape(simulation, spec("b", Sourced)))
    do(simulation, "a", "say")
    assert (len(wired), notes(simulation, "b")) == (1, ["from a"])
    become(simulation, shape(simulation, spec("b", Sourced, reads=("a",))))
    do(simulation, "a", "say")
    assert (len(wired), notes(simulation, "b")) == (2, ["from a", "from a"])

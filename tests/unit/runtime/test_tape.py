"""The tape: played into a new node it makes the same journal, byte for byte."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import msgpack
import pytest

from actors.runtime.behaviour import Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import SystemClock, VirtualClock
from actors.runtime.errors import JournalError
from actors.runtime.messages import AlertRaised, Severity
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import DATABASES, MemoryStore
from actors.runtime.supervision import Strategy, SupervisorSpec
from actors.runtime.tape import Tape, play, read_inputs, read_tape
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import MS, SECOND, Do, Listener, Pump, Puppet, Said, Saved, Sourced, boom, spec


def content(store: MemoryStore) -> dict[str, list[tuple[bytes, bytes]]]:
    return {name: list(store.items(name)) for name in DATABASES}


def wander(puppet: Puppet, context: Context) -> None:
    """Do many things that depend on chance, time and history."""
    puppet.note(context, f"{context.now_ns} {context.random.random()} {context.sender} {context.epoch}")
    for _ in range(context.random.randrange(3)):
        context.publish(Said(f"{context.name} {context.random.randrange(1000)}"))
    context.schedule(context.random.randrange(50 * MS), Do("tick"), key=f"{context.random.randrange(3)}")
    context.schedule(context.random.randrange(SECOND), Do("tick"), key="durable", durable=True)
    if context.random.random() < 0.1:
        raise RuntimeError("one in ten")
    context.reply(Said("done"))


SCRIPT = {
    "go": wander,
    "tick": lambda puppet, context: puppet.note(context, f"tick {context.now_ns}"),
    "boom": boom,
    "alert": lambda puppet, context: context.alert("Alert", Severity.PAGE, "an alert"),
    "effect": lambda puppet, context: context.effect("world", Said("out"), key="1"),
    "stopping": lambda puppet, context: (
        puppet.note(context, f"stopping {context.now_ns}"),
        context.publish(Said("bye")),
    ),
    "started": lambda puppet, context: puppet.note(
        context, f"started {context.now_ns} {context.random.random()}"
    ),
}


class Late(Saved):
    PHASE = Phase.DECIDE


def make(store: MemoryStore, clock: VirtualClock | SystemClock, tape: Tape | None = None) -> Node:
    cells = [
        spec("a", Sourced, SCRIPT, reads=("b",)),
        spec("b", Sourced, SCRIPT, reads=("a",), supervisor="pair"),
        spec("c", Saved, SCRIPT, reads=("a", "b"), supervisor="pair"),
        spec("late", Late, SCRIPT, reads=("a",)),
        CellSpec("bell", lambda: Listener([])),
    ]
    supervisors = (
        SupervisorSpec("root", intensity=1_000),
        SupervisorSpec("pair", parent="root", strategy=Strategy.ONE_FOR_ALL, intensity=1_000),
    )
    node = Node(cells, supervisors, store, clock, seed=3, limits=LoopLimits(snapshot_events=50))
    node.loop.pumps["world"] = Pump()
    node.loop.tape = tape
    return node


def taped(folder: Path, **options: int) -> Simulation:
    tapes: list[Tape] = []

    def make_taped(store: MemoryStore, clock: VirtualClock) -> Node:
        for tape in tapes:  # as the death of a process closes its files
            tape.close()
        tapes[:] = [Tape(folder, **options)]
        return make(store, clock, tapes[0])

    return Simulation(make_taped)


def busy_life(simulation: Simulation, seed: int, steps: int = 60) -> None:
    """Do what may be done to a node from outside, in an order that a seed decides."""
    chance = random.Random(seed)
    for _ in range(steps):
        name = chance.choice(["a", "b", "c", "late"])
        node = simulation.node
        choice = chance.random()
        if choice < 0.6:
            for _ in range(chance.randrange(1, 60)):
                simulation.tell(name, Do(chance.choice(["go", "go", "tick", "alert", "effect"])))
        elif choice < 0.7:
            node.cell(name).actor.actor_ref.ask(Do("go"), block=False)
        elif choice < 0.75:
            node.restart(name)
        elif choice < 0.8:
            node.suspend(name)
        elif choice < 0.85:
            node.resume(name)
        elif choice < 0.88:
            node.kill(name)
        elif choice < 0.9:
            node.cell(name).actor.actor_ref.stop(block=False)
        elif choice < 0.93:
            node.note(AlertRaised("FromOutside", "", Severity.INFO, "x", "host", 0))
        elif choice < 0.95:
            node.act_later(chance.randrange(20 * MS), partial(node.note, Said("from the host's timer")))
        elif choice < 0.98:
            simulation.crash()
        else:
            simulation.stop()
            simulation.open()
        simulation.run_for(chance.randrange(100 * MS))


@pytest.mark.parametrize("seed", range(12))
def test_a_played_tape_makes_the_same_journal_to_the_byte(tmp_path: Path, seed: int) -> None:
    simulation = taped(tmp_path)
    busy_life(simulation, seed)
    simulation.stop()
    store, node = play(tmp_path, make)
    assert len(content(store)["events"]) > 30
    assert content(store) == content(simulation.store)
    assert node.journal.chain == simulation.node.journal.chain
    for name in ("a", "b", "c"):
        assert node.cell(name).behaviour.state == simulation.node.cell(name).behaviour.state


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_tape_with_lives_that_ended_in_a_commit_plays_to_the_same_journal(
    tmp_path: Path, seed: int, written: bool
) -> None:
    simulation = taped(tmp_path)
    chance = random.Random(seed)
    for _ in range(8):
        simulation.kill_at_commit(chance.randrange(1, 12), written=written)
        busy_life(simulation, chance.randrange(1_000), steps=8)
    simulation.stop()
    assert simulation.crashes_count >= 8
    store, _ = play(tmp_path, make)
    assert content(store) == content(simulation.store)


def test_a_run_on_the_machines_clock_plays_to_the_same_journal_too(tmp_path: Path) -> None:
    store = MemoryStore()
    node = make(store, SystemClock(), Tape(tmp_path))
    node.start()
    for number in range(400):
        for name in "abc":
            node.tell(name, Do("go"))
        if number % 50 == 0:
            node.kill("a")
        node.turn()
        if number % 7 == 0:
            node.turn()
    while node.turn():
        pass
    node.stop("done")
    played, _ = play(tmp_path, make)
    assert content(played) == content(store)


def test_a_tape_can_go_on_from_a_copy_of_the_journal(tmp_path: Path) -> None:
    simulation = taped(tmp_path / "first")
    busy_life(simulation, 1, steps=10)
    simulation.stop()
    backup = simulation.store.clone()
    second = Simulation(
        lambda store, clock: make(store, clock, Tape(tmp_path / "second")), store=simulation.store
    )
    busy_life(second, 2, steps=10)
    second.stop()
    store, _ = play(tmp_path / "second", make, backup)
    assert content(store) == content(second.store)


def test_a_tape_that_does_not_fit_the_journal_is_refused(tmp_path: Path) -> None:
    simulation = taped(tmp_path)
    simulation.tell("a", Do("tick"))
    simulation.settle()
    simulation.stop()
    with pytest.raises(JournalError, match="goes on from event 0, the journal ends at"):
        play(tmp_path, make, simulation.store)
    (tmp_path / "empty").mkdir()
    with pytest.raises(JournalError, match="no start of a node"):
        play(tmp_path / "empty", make)


# -- the files --------------------------------------------------------------------------------------------


def test_inputs_come_back_in_order_with_their_instant_and_address(tmp_path: Path) -> None:
    simulation = taped(tmp_path)
    simulation.tell("a", Do("tick"))
    simulation.run_for(SECOND)
    simulation.tell("b", Do("alert"))
    simulation.tell("a", Said("x"))
    simulation.settle()
    began = simulation.now_ns - SECOND
    assert list(read_inputs(tmp_path)) == [
        (began, "a", Do("tick")),
        (began + SECOND, "b", Do("alert")),
        (began + SECOND, "a", Said("x")),
    ]


def test_a_tape_can_be_read_by_msgpack_alone(tmp_path: Path) -> None:
    simulation = taped(tmp_path)
    simulation.tell("a", Do("tick"))
    simulation.settle()
    simulation.stop()
    (path,) = tmp_path.glob("*.tape")
    entries = list(msgpack.Unpacker(path.open("rb")))
    assert [entry[0] for entry in entries][:3] == ["start", "turn", "stop"]
    assert entries[0][2:] == [0, 0]
    assert entries[1][6] == [[0, [["a", False, "", ["Do", "tick"]]]]]


def test_files_are_rotated_and_only_so_many_are_kept(tmp_path: Path) -> None:
    simulation = taped(tmp_path, segment_bytes_max=2_000, segments_kept=3)
    for number in range(300):
        simulation.tell("a", Said(f"{number}"))
        simulation.settle()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert int(names[0].split(".")[0]) > 3
    assert all(path.stat().st_size < 3_000 for path in tmp_path.iterdir())
    newest = [message for _, _, message in read_inputs(tmp_path)]
    assert newest[-1] == Said("299")
    assert newest == [Said(f"{number}") for number in range(300 - len(newest), 300)]


def test_a_new_life_begins_a_new_file_and_half_an_entry_is_left_out(tmp_path: Path) -> None:
    simulation = taped(tmp_path)
    simulation.tell("a", Said("one"))
    simulation.settle()
    simulation.tell("a", Said("torn"))
    simulation.settle()
    first = tmp_path / "00000001.tape"
    first.write_bytes(first.read_bytes()[:-7])
    simulation.crash()
    simulation.tell("a", Said("two"))
    simulation.settle()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["00000001.tape", "00000002.tape"]
    texts = [message for _, _, message in read_inputs(tmp_path) if isinstance(message, Said)]
    assert texts == [Said("one"), Said("two")]


def test_turns_without_anything_to_do_are_not_taped(tmp_path: Path) -> None:
    simulation = taped(tmp_path)
    simulation.settle()
    before = len(list(read_tape(tmp_path)))
    for _ in range(10):
        simulation.step()
    assert len(list(read_tape(tmp_path))) == before


def test_only_the_owner_can_read_a_tape(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape")
    tape.close()
    assert (tmp_path / "tape").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "tape").iterdir())

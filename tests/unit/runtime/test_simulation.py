"""The simulation: virtual time, a world that survives the node, and deaths wherever one wants them."""

from __future__ import annotations

import pytest

from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError, JournalError
from actors.runtime.store_memory import MemoryStore
from tests.unit.runtime.toys import SECOND, Do, Pump, Puppet, Said, boom, do, events, notes, play, spec


def note(puppet: Puppet, context: Context) -> None:
    puppet.note(context, f"{context.now_ns}")


def test_time_jumps_to_the_next_timer_and_stands_still_meanwhile() -> None:
    def wait(puppet: Puppet, context: Context) -> None:
        context.schedule(3_600 * SECOND, Do("note"))

    simulation = play(spec("a", script={"wait": wait, "note": note}))
    began = simulation.now_ns
    do(simulation, "a", "wait")
    turns = simulation.node.loop.counters.turns
    simulation.run_for(7_200 * SECOND)
    assert notes(simulation, "a") == [f"{began + 3_600 * SECOND}"]
    assert simulation.now_ns == began + 7_200 * SECOND
    assert simulation.node.loop.counters.turns == turns + 1


def test_time_does_not_pass_the_end_that_was_asked_for() -> None:
    simulation = play(spec("a", script={"wait": lambda p, c: c.schedule(10, Do("note")), "note": note}))
    do(simulation, "a", "wait")
    simulation.run_for(9)
    assert notes(simulation, "a") == []
    simulation.run_for(1)
    assert len(notes(simulation, "a")) == 1


def test_running_until_a_condition_stops_at_the_turn_that_makes_it_true() -> None:
    def tick(puppet: Puppet, context: Context) -> None:
        note(puppet, context)
        context.schedule(SECOND, Do("tick"))

    simulation = play(spec("a", script={"tick": tick}))
    began = simulation.now_ns
    simulation.tell("a", Do("tick"))
    simulation.run_until(lambda: len(notes(simulation, "a")) == 4)
    assert simulation.now_ns == began + 3 * SECOND
    with pytest.raises(InvariantError, match="did not come true in time"):
        simulation.run_until(lambda: False, timeout_ns=10 * SECOND)
    assert simulation.now_ns == began + 13 * SECOND


def test_an_instant_that_never_ends_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from actors.runtime import simulation as module

    def again(puppet: Puppet, context: Context) -> None:
        context.schedule(0, Do("again"))

    monkeypatch.setattr(module, "TURNS_AT_ONCE_MAX", 1_000)
    simulation = play(spec("a", script={"again": again}))
    simulation.tell("a", Do("again"))
    with pytest.raises(InvariantError, match="1000 turns"):
        simulation.settle()


def test_the_world_keeps_its_appointments_although_the_node_dies() -> None:
    simulation = play(spec("a"))
    simulation.after(2 * SECOND, lambda: simulation.node.deliver_from_outside("a", Said("late answer")))
    simulation.after(SECOND, simulation.crash)
    simulation.run_for(3 * SECOND)
    assert simulation.crashes_count == 1
    assert notes(simulation, "a") == ["late answer"]


def test_a_question_is_answered_in_virtual_time() -> None:
    def ask_the_world(puppet: Puppet, context: Context) -> None:
        context.reply(Said(f"it is {context.now_ns}"))

    simulation = play(spec("a", script={"ask": ask_the_world, "boom": boom}))
    assert simulation.ask("a", Do("ask")) == Said(f"it is {simulation.now_ns}")
    with pytest.raises(RuntimeError, match="boom"):
        simulation.ask("a", Do("boom"))


def test_a_killed_commit_was_either_made_or_not() -> None:
    for written, expected in ((False, 0), (True, 1)):
        pump = Pump()

        def both(puppet: Puppet, context: Context) -> None:
            note(puppet, context)
            context.effect("world", Said("effect"))

        simulation = play(spec("a", script={"both": both}), pump=pump)
        simulation.kill_at_commit(1, written=written)
        do(simulation, "a", "both")
        assert simulation.crashes_count == 1
        assert len(notes(simulation, "a")) == expected
        assert pump.taken == []


def test_the_nth_commit_is_counted_from_now_and_kills_once() -> None:
    simulation = play(spec("a", script={"note": note}))
    simulation.kill_at_commit(3)
    for _ in range(6):
        do(simulation, "a", "note")
    assert simulation.crashes_count == 1
    assert len(notes(simulation, "a")) == 5
    with pytest.raises(InvariantError):
        simulation.kill_at_commit(0)


@pytest.mark.parametrize("number", [1, 2])
def test_a_node_may_be_killed_while_it_starts(number: int) -> None:
    simulation = play(spec("a", script={"note": note}))
    do(simulation, "a", "note")
    simulation.kill_at_commit(number)
    simulation.crash()  # forgets the order: it was for the life that ended
    assert simulation.crashes_count == 1
    simulation.stop()
    simulation.kill_at_commit(number)
    simulation.open()
    simulation.settle()
    assert simulation.crashes_count == 2
    assert len(notes(simulation, "a")) == 1


def test_a_node_may_be_killed_while_it_stops() -> None:
    simulation = play(spec("a", script={"note": note, "stopping": note}))
    do(simulation, "a", "note")
    simulation.kill_at_commit(1)
    simulation.stop()
    assert simulation.crashes_count == 1
    simulation.open()
    simulation.settle()
    assert len(notes(simulation, "a")) == 1


def test_a_power_cut_takes_back_what_was_not_synced() -> None:
    store = MemoryStore(syncs_commits=False)
    simulation = play(spec("a", script={"note": note}), store=store)
    do(simulation, "a", "note")
    store.sync()
    do(simulation, "a", "note")
    simulation.crash()
    assert len(notes(simulation, "a")) == 2
    simulation.crash(power_cut=True)
    simulation.settle()
    assert len(notes(simulation, "a")) == 1
    do(simulation, "a", "note")
    simulation.stop()
    store.lose_unsynced()  # an orderly stop syncs
    simulation.open()
    assert len(notes(simulation, "a")) == 2


def test_a_power_cut_takes_nothing_from_a_disk_that_syncs_each_commit() -> None:
    simulation = play(spec("a", script={"note": note}))
    do(simulation, "a", "note")
    simulation.crash(power_cut=True)
    assert len(notes(simulation, "a")) == 1


def test_a_full_disk_ends_the_node_and_a_larger_one_lets_it_start_again() -> None:
    store = MemoryStore(capacity_bytes=10_000)
    simulation = play(spec("a", script={"note": note}), store=store)
    for _ in range(1_000):
        simulation.tell("a", Do("note"))
        simulation.tell("a", Said("x" * 10))
    with pytest.raises(JournalError, match="disk is full"):
        simulation.settle()
    store.capacity_bytes = 1_000_000
    simulation.crash()
    before = len(notes(simulation, "a"))
    do(simulation, "a", "note")
    assert len(notes(simulation, "a")) == before + 1


def test_watchers_look_after_every_turn_that_did_something() -> None:
    simulation = play(spec("a", script={"note": note}))
    seen: list[int] = []
    simulation.after_turn.append(lambda: seen.append(len(notes(simulation, "a"))))
    do(simulation, "a", "note")
    do(simulation, "a", "note")
    simulation.run_for(SECOND)
    assert seen == [1, 2]


def test_a_clone_of_the_disk_is_an_image_that_lives_on_by_itself() -> None:
    simulation = play(spec("a", script={"note": note}))
    do(simulation, "a", "note")
    image = simulation.store.clone()
    do(simulation, "a", "note")
    other = play(spec("a"), store=image)
    assert len(notes(other, "a")) == 1
    assert len(notes(simulation, "a")) == 2
    assert len(events(simulation.store, "a")) == 2


def test_a_node_that_ends_by_itself_is_stopped_in_order() -> None:
    from actors.runtime.supervision import SupervisorSpec

    simulation = play(
        spec("a", script={"boom": boom, "stopping": note}),
        spec("b", script={"stopping": note}),
        supervisors=(SupervisorSpec("root", intensity=0),),
    )
    do(simulation, "a", "boom")
    simulation.run_for(60 * SECOND)
    assert "root is exhausted" in simulation.ended
    assert len(events(simulation.store, "b")) == 1
    assert not simulation.step()


def test_thousands_of_lives_leave_no_nodes_behind() -> None:
    import gc

    from actors.runtime.node import Node

    def nodes() -> int:
        gc.collect()
        return sum(type(thing) is Node for thing in gc.get_objects())

    before = nodes()  # of other tests
    simulation = play(spec("a"))
    for _ in range(300):
        simulation.crash()
    assert nodes() - before < 50

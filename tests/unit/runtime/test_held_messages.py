"""Messages that an actor could not handle yet survive the process; so do effects not known to be done."""

from __future__ import annotations

import msgspec
import pytest

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellState
from actors.runtime.messages import AlertRaised, Message, Severity
from actors.runtime.simulation import Simulation
from actors.runtime.store import TurnWrite
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import (
    SECOND,
    Do,
    Listener,
    Pump,
    Puppet,
    Said,
    Seen,
    Sourced,
    boom,
    do,
    notes,
    play,
    spec,
)


def say(*texts: str):
    def move(puppet: Puppet, context: Context) -> None:
        for text in texts:
            context.publish(Said(text))

    return move


def failing_reader() -> Simulation:
    """Return a node in which b has failed and backs off."""
    script = {f"say {n}": say(f"{n}") for n in range(6)}
    simulation = play(spec("a", script=script), spec("b", script={"boom": boom}, reads=("a",)))
    do(simulation, "b", "boom")
    assert simulation.node.cell("b").state is CellState.BACKING_OFF
    return simulation


def held(simulation: Simulation) -> list[bytes]:
    return [key for key, _ in simulation.store.items("held")]


def test_messages_for_a_failed_actor_wait_and_are_handled_in_order_after_its_restart() -> None:
    simulation = failing_reader()
    for n in range(3):
        do(simulation, "a", f"say {n}")
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["0", "1", "2"]
    assert held(simulation) == []


@pytest.mark.parametrize("crashes", [1, 3])
def test_messages_that_wait_for_a_failed_actor_survive_a_crash_of_the_process(crashes: int) -> None:
    simulation = failing_reader()
    for n in range(3):
        do(simulation, "a", f"say {n}")
    for _ in range(crashes):
        simulation.crash()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["0", "1", "2"]
    simulation.crash()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["0", "1", "2"]
    assert held(simulation) == []


def test_messages_that_come_in_from_outside_for_a_failed_actor_survive_too() -> None:
    simulation = failing_reader()
    simulation.tell("b", Said("from outside"))
    simulation.settle()
    simulation.crash()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["from outside"]


def test_only_what_is_new_is_written_while_a_backlog_grows() -> None:
    simulation = failing_reader()
    sizes: list[int] = []
    commit = simulation.store.commit

    def measure(write: TurnWrite) -> None:
        sizes.append(sum(len(value or b"") for _, value in write.held))
        commit(write)

    simulation.store.commit = measure  # type: ignore[method-assign]
    for _ in range(200):
        do(simulation, "a", "say 1")
    assert max(sizes) < 100
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["1"] * 200
    assert held(simulation) == []


def test_a_backlog_that_was_conflated_is_restored_as_it_was_then() -> None:
    def see(n: int):
        return lambda puppet, context: context.publish(Seen("x", n))

    script = {f"see {n}": see(n) for n in range(10)}
    simulation = play(
        spec("a", script=script), spec("b", script={"boom": boom}, reads=("a",), mailbox_capacity=3)
    )
    do(simulation, "b", "boom")
    for n in range(10):
        do(simulation, "a", f"see {n}")
    waiting = [item[0] for item in simulation.node.cell("b").data]
    simulation.crash()
    assert waiting[-1] == Seen("x", 9)
    simulation.settle()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b")[-len(waiting) + 1 :] == [f"x{m.number}" for m in waiting[1:]]  # type: ignore[attr-defined]


def test_a_backlog_that_was_conflated_and_has_grown_again_is_restored_as_it_was_then() -> None:
    simulation = play(spec("b", script={"boom": boom}, mailbox_capacity=4))
    simulation.node.suspend("b")
    for sight in (Seen("x", 0), Seen("y", 0), Seen("x", 1), Seen("y", 1)):
        simulation.tell("b", sight)
        simulation.settle()
    for sight in (Seen("z", 0), Seen("z", 1)):
        simulation.tell("b", sight)
    simulation.settle()
    waiting = [item[0] for item in simulation.node.cell("b").data]
    assert waiting == [Seen("x", 1), Seen("y", 1), Seen("z", 0), Seen("z", 1)], "as long as before"
    simulation.crash()
    assert [item[0] for item in simulation.node.cell("b").data] == waiting


def test_a_message_that_is_to_be_tried_again_survives_a_crash_in_front_of_the_others() -> None:
    failed: list[bool] = []

    def fail_once(puppet: Puppet, context: Context) -> None:
        if not failed:
            failed.append(True)
            boom(puppet, context)
        puppet.note(context, "second try")

    simulation = play(spec("a", script={"fail once": fail_once}))
    for message in (Said("before"), Do("fail once"), Said("behind")):
        simulation.tell("a", message)
    simulation.step()
    simulation.crash()
    simulation.settle()
    assert notes(simulation, "a") == ["before", "second try", "behind"]


def test_a_message_that_comes_when_another_is_buried_takes_its_place_on_the_disk() -> None:
    simulation = failing_reader()
    simulation.node.restart("b")  # the second try of what it failed over
    simulation.tell("a", Do("say 1"))
    simulation.step()
    assert [item[0] for item in simulation.node.cell("b").data] == [Said("1")]
    simulation.crash()
    simulation.settle()
    assert notes(simulation, "b") == ["1"]
    assert simulation.node.cell("b").failures_count == 0


def test_an_alert_for_a_failed_listener_survives_a_crash() -> None:
    heard: list[Message] = []

    class Fragile(Listener):
        def on_alert_raised(self, raised: AlertRaised, context: Context) -> None:
            if raised.name == "Poison" and not heard:
                raise RuntimeError("poison")
            heard.append(raised)

    from actors.runtime.cell import CellSpec

    def raise_both(puppet: Puppet, context: Context) -> None:
        context.alert("Poison", Severity.PAGE, "fails once")
        context.alert("Second", Severity.PAGE, "must be heard")

    simulation = play(
        spec("a", script={"alert": raise_both}), CellSpec("bell", lambda: Fragile(heard), supervisor="root")
    )
    simulation.tell("a", Do("alert"))
    simulation.step()
    simulation.crash()
    heard.append(AlertRaised("marker", "", Severity.INFO, "", "", 0))
    simulation.run_for(60 * SECOND)
    assert [message.name for message in heard[1:]] == ["Poison", "Second"]  # type: ignore[attr-defined]


def test_a_question_to_a_failed_actor_is_not_asked_again_after_a_crash() -> None:
    simulation = failing_reader()
    simulation.node.cell("b").actor.actor_ref.ask(Said("a question"), block=False)
    simulation.tell("b", Said("a message"))
    simulation.settle()
    simulation.crash()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "b") == ["a message"]


def test_messages_for_an_actor_whose_phase_has_not_begun_survive_a_crash() -> None:
    from actors.runtime.behaviour import Phase

    class Late(Sourced):
        PHASE = Phase.DECIDE

    class Slow(Sourced):
        EXPLICIT_READY = True

    simulation = play(
        spec("slow", Slow, {"ready": lambda puppet, context: context.ready()}), spec("late", Late)
    )
    simulation.tell("late", Said("early bird"))
    simulation.settle()
    assert notes(simulation, "late") == []
    simulation.crash()
    do(simulation, "slow", "ready")
    assert notes(simulation, "late") == ["early bird"]


# -- the outbox ------------------------------------------------------------------------------------------


def test_an_effect_leaves_after_the_commit_of_its_turn_and_not_before() -> None:
    pump = Pump()

    def wire(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "wired")
        context.effect("world", Said("wire"), key="1")

    simulation = play(spec("a", script={"wire": wire}), pump=pump)
    simulation.kill_at_commit(1)
    simulation.tell("a", Do("wire"))
    simulation.settle()
    assert (simulation.crashes_count, pump.taken, notes(simulation, "a")) == (1, [], [])
    simulation.kill_at_commit(1, written=True)
    simulation.tell("a", Do("wire"))
    simulation.settle()
    assert (simulation.crashes_count, pump.taken) == (2, [("a", Said("wire"))])
    assert notes(simulation, "a") == ["wired"]


def test_an_effect_with_a_key_is_handed_over_at_every_start_until_it_is_done() -> None:
    pump = Pump()
    script = {
        "wire": lambda puppet, context: context.effect("world", Said("wire"), key="1"),
        "done": lambda puppet, context: context.effect_done("1"),
    }
    simulation = play(spec("a", script=script), pump=pump)
    do(simulation, "a", "wire")
    simulation.crash()
    simulation.stop()
    simulation.open()
    assert pump.taken == [("a", Said("wire"))] * 3
    do(simulation, "a", "done")
    simulation.crash()
    assert len(pump.taken) == 3


def test_an_effect_without_a_key_is_not_handed_over_again() -> None:
    pump = Pump()
    simulation = play(
        spec("a", script={"wire": lambda puppet, context: context.effect("world", Said("wire"))}), pump=pump
    )
    do(simulation, "a", "wire")
    simulation.crash()
    assert len(pump.taken) == 1


def test_effects_are_handed_over_again_in_the_order_in_which_they_were_wanted() -> None:
    pump = Pump()
    names = ["place 10", "cancel 9", "place 9", "place 100"]
    script = {
        name: lambda puppet, context, name=name: context.effect("world", Said(name), key=name)
        for name in names
    }
    simulation = play(spec("z", script=script), spec("a", script=script), pump=pump)
    do(simulation, "z", names[0])
    do(simulation, "a", names[1])
    simulation.crash()
    simulation.settle()
    do(simulation, "z", names[2])
    do(simulation, "a", names[3])
    pump.taken.clear()
    simulation.crash()
    assert pump.taken == [(who, Said(name)) for who, name in zip("zaza", names, strict=True)]


def test_the_same_key_of_two_actors_means_two_effects() -> None:
    pump = Pump()
    script = {
        "wire": lambda puppet, context: context.effect("world", Said(context.name), key="1"),
        "done": lambda puppet, context: context.effect_done("1"),
    }
    simulation = play(spec("a", script=script), spec("b", script=script), pump=pump)
    do(simulation, "a", "wire")
    do(simulation, "b", "wire")
    do(simulation, "a", "done")
    pump.taken.clear()
    simulation.crash()
    assert pump.taken == [("b", Said("b"))]


# -- once ---------------------------------------------------------------------------------------------------


def once(*ids: str):
    def move(puppet: Puppet, context: Context) -> None:
        for external_id in ids:
            puppet.note(context, f"{external_id} {context.once(external_id)}")

    return move


def test_an_id_is_new_once_within_a_message_a_turn_and_a_journal() -> None:
    simulation = play(spec("a", script={"x": once("x"), "xx": once("x", "x")}))
    simulation.tell("a", Do("xx"))
    simulation.tell("a", Do("x"))
    simulation.settle()
    do(simulation, "a", "x")
    simulation.crash()
    simulation.settle()
    do(simulation, "a", "x")
    assert notes(simulation, "a") == ["x True"] + ["x False"] * 4


def test_an_id_that_one_actor_has_seen_is_new_to_another() -> None:
    simulation = play(spec("a", script={"x": once("x")}), spec("b", script={"x": once("x")}))
    do(simulation, "a", "x")
    do(simulation, "b", "x")
    assert notes(simulation, "b") == ["x True"]


@pytest.mark.parametrize("crashes", [False, True])
def test_as_many_ids_are_remembered_as_the_limit_says_and_at_most_twice_as_many(crashes: bool) -> None:
    kept = 10
    script = {f"{n}": once(f"{n}") for n in range(60)}
    simulation = play(spec("a", script=script), limits=LoopLimits(dedupe_ids_kept=kept))
    for n in range(60):
        do(simulation, "a", f"{n}")
        if crashes and n % 7 == 0:
            simulation.crash()
            simulation.settle()
        known = sum(simulation.store.seen(f"a\0{m}".encode()) for m in range(60))
        assert min(n + 1, kept) <= known <= 2 * kept
        assert simulation.store.seen(f"a\0{n}".encode())


def test_the_age_of_ids_is_told_by_their_order() -> None:
    script = {f"{n}": once(f"{n}") for n in range(25)}
    simulation = play(spec("a", script=script), limits=LoopLimits(dedupe_ids_kept=10))
    for n in range(25):
        do(simulation, "a", f"{n}")
    assert not simulation.store.seen(b"a\x000")
    assert all(simulation.store.seen(f"a\0{n}".encode()) for n in range(15, 25))


def test_what_is_held_can_be_read_without_our_classes() -> None:
    simulation = failing_reader()
    do(simulation, "a", "say 1")
    values = [msgspec.msgpack.decode(value) for _, value in simulation.store.items("held")]
    assert [msgspec.msgpack.decode(item[1]) for items in values for item in items] == [
        ["Do", "boom"],
        ["Said", "1"],
    ]

"""Phases: sources first, those who act last; each phase waits until the one before is ready."""

from __future__ import annotations

import pytest

from actors.runtime.behaviour import Context, Phase
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from tests.unit.runtime.toys import (
    SECOND,
    Do,
    Puppet,
    Restart,
    Said,
    Saved,
    boom,
    do,
    notes,
    play,
    spec,
)


class Source(Saved):
    PHASE = Phase.SOURCE


class State(Saved):
    PHASE = Phase.STATE


class SlowCheck(Saved):
    PHASE = Phase.CHECK
    EXPLICIT_READY = True


class Decider(Saved):
    PHASE = Phase.DECIDE


def starts(log: list[str]):
    def move(puppet: Puppet, context: Context) -> None:
        log.append(context.name)

    return {"started": move, "ready": lambda puppet, context: context.ready(), "boom": boom}


def house(log: list[str], **options: object) -> Simulation:
    script = starts(log)
    return play(
        spec("decider", Decider, script),
        spec("check", SlowCheck, script, **options),  # type: ignore[arg-type]
        spec("state", State, script),
        spec("source", Source, script),
    )


def test_actors_start_in_the_order_of_their_phases_whatever_the_order_they_are_named_in() -> None:
    log: list[str] = []
    simulation = house(log)
    assert log == ["source", "state", "check"]
    assert not simulation.node.is_ready
    do(simulation, "check", "ready")
    assert log == ["source", "state", "check", "decider"]
    assert simulation.node.is_ready


def test_messages_for_a_later_phase_wait_for_it() -> None:
    simulation = house([])
    simulation.tell("decider", Said("early"))
    simulation.settle()
    assert notes(simulation, "decider") == []
    do(simulation, "check", "ready")
    assert notes(simulation, "decider") == ["early"]


def test_an_actor_that_fails_before_it_is_ready_holds_the_later_phases_up_until_it_is() -> None:
    log: list[str] = []
    simulation = house(log)
    do(simulation, "check", "boom")
    simulation.run_for(60 * SECOND)
    assert "decider" not in log
    do(simulation, "check", "ready")
    assert log[-1] == "decider"


def test_an_actor_that_fails_in_the_turn_in_which_it_got_ready_holds_the_later_phases_up() -> None:
    log: list[str] = []
    simulation = house(log)
    simulation.tell("check", Do("ready"))
    simulation.tell("check", Do("boom"))
    simulation.settle()
    assert "decider" not in log


def test_an_actor_that_will_not_come_back_holds_nobody_up() -> None:
    log: list[str] = []
    simulation = house(log, restart=Restart.TEMPORARY)
    do(simulation, "check", "boom")
    assert log[-1] == "decider"
    assert simulation.node.is_ready


def test_a_restart_in_an_early_phase_does_not_start_later_phases_again() -> None:
    log: list[str] = []
    simulation = house(log)
    do(simulation, "check", "ready")
    log.clear()
    do(simulation, "source", "boom")
    simulation.run_for(60 * SECOND)
    assert set(log) == {"source"}


def test_an_actor_of_a_later_phase_that_is_restarted_before_its_phase_still_waits_for_it() -> None:
    log: list[str] = []
    simulation = house(log)
    simulation.node.restart("decider")
    simulation.settle()
    assert "decider" not in log
    do(simulation, "check", "ready")
    assert log.count("decider") == 1


def test_a_node_with_a_failed_actor_is_not_ready_until_it_is_back() -> None:
    simulation = house([])
    do(simulation, "check", "ready")
    do(simulation, "state", "boom")
    assert not simulation.node.is_ready
    simulation.run_for(60 * SECOND)
    assert simulation.node.is_ready


def test_what_a_starting_actor_sends_and_records_reaches_the_journal_and_the_others() -> None:
    def hello(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "started")
        context.publish(Said("hello"))

    simulation = play(spec("a", Source, {"started": hello}), spec("b", Decider, reads=("a",)))
    assert notes(simulation, "b") == ["hello"]
    simulation.crash()
    simulation.settle()
    assert notes(simulation, "a") == ["started", "started"]
    assert notes(simulation, "b") == ["hello", "hello"]


def test_actors_stop_in_reverse_and_hear_each_others_last_words() -> None:
    log: list[str] = []

    def bye(puppet: Puppet, context: Context) -> None:
        log.append(context.name)
        context.publish(Said(f"bye from {context.name}"))

    script = {"stopping": bye}
    simulation = play(
        spec("one", Source, script, reads=("two", "three")),
        spec("two", State, script, reads=("three",)),
        spec("three", Decider, script),
    )
    simulation.stop()
    assert log == ["three", "two", "one"]
    simulation.open()
    assert notes(simulation, "one") == ["bye from three", "bye from two"]
    assert notes(simulation, "two") == ["bye from three"]


def test_an_actor_that_fails_while_it_stops_keeps_nobody_from_stopping() -> None:
    log: list[str] = []
    simulation = play(
        spec("one", Source, {"stopping": lambda puppet, context: log.append("one")}),
        spec("two", State, {"stopping": boom}),
    )
    simulation.stop()
    assert log == ["one"]


def test_time_stands_where_the_clock_does_when_actors_start() -> None:
    at: list[int] = []
    heard: list[Message] = []
    script = {"started": lambda puppet, context: at.append(context.now_ns)}
    simulation = play(spec("a", Saved, script), heard=heard)
    simulation.stop()
    simulation.clock.advance_to(simulation.now_ns + 5 * SECOND)
    simulation.open()
    assert at[1] == at[0] + 5 * SECOND


def test_the_node_does_not_go_back_in_time_when_the_machine_does() -> None:
    from actors.runtime.clock import VirtualClock
    from actors.runtime.supervision import SupervisorSpec

    simulation = play(spec("a", Saved))
    simulation.run_for(5 * SECOND)
    do_nothing = {"x": lambda puppet, context: puppet.note(context, f"{context.now_ns}")}
    simulation.tell("a", Said("moves the journal on"))
    simulation.settle()
    simulation.node.record(Said("an event at this instant"))
    simulation.settle()
    latest = simulation.now_ns
    simulation.node.abandon()
    node = Node(
        [spec("a", Saved, do_nothing)],
        (SupervisorSpec("root"),),
        simulation.store,
        VirtualClock(latest - 3 * SECOND),
    )
    node.start()
    node.tell("a", Do("x"))
    while node.turn():
        pass
    node.abandon()
    assert node.cell("a").behaviour.state.texts[-1] == f"{latest}"


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_phase_without_actors_takes_no_turn(name: str) -> None:
    simulation = play(spec(name, Decider))
    assert simulation.node.is_ready
    assert simulation.node.journal.turn == 1

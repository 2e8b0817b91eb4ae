"""Timers: fleeting ones end with the behaviour that made them, durable ones when they have been handled."""

from __future__ import annotations

import msgspec
import pytest

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellState
from actors.runtime.messages import Message
from actors.runtime.simulation import Simulation
from actors.runtime.timers import Timer, Timers
from tests.unit.runtime.toys import (
    MS,
    SECOND,
    Puppet,
    Said,
    Saved,
    Sourced,
    boom,
    do,
    notes,
    play,
    spec,
)


def plan(delay_ns: int, text: str, **options: object):
    def move(puppet: Puppet, context: Context) -> None:
        context.schedule(delay_ns, Said(text), **options)  # type: ignore[arg-type]

    return move


def stored(simulation: Simulation) -> list[bytes]:
    return [key for key, _ in simulation.store.items("timers")]


def test_timers_fire_in_the_order_of_their_instants_and_then_of_their_making() -> None:
    script = {
        "go": lambda puppet, context: [
            context.schedule(delay, Said(text)) for delay, text in ((3, "c"), (1, "a"), (3, "d"), (2, "b"))
        ]
    }
    simulation = play(spec("a", script=script))
    do(simulation, "a", "go")
    simulation.run_for(1)
    assert notes(simulation, "a") == ["a"]
    simulation.run_for(10)
    assert notes(simulation, "a") == ["a", "b", "c", "d"]


def test_a_timer_under_the_same_key_replaces_the_one_before() -> None:
    script = {"one": plan(5 * MS, "one", key="k"), "two": plan(9 * MS, "two", key="k")}
    simulation = play(spec("a", script=script))
    do(simulation, "a", "one")
    do(simulation, "a", "two")
    simulation.run_for(SECOND)
    assert notes(simulation, "a") == ["two"]


def test_keys_of_two_actors_have_nothing_to_do_with_each_other() -> None:
    script = {"go": plan(5, "x", key="k"), "cancel": lambda puppet, context: context.cancel_timer("k")}
    simulation = play(spec("a", script=script), spec("b", script=script))
    do(simulation, "a", "go")
    do(simulation, "b", "go")
    do(simulation, "b", "cancel")
    simulation.run_for(SECOND)
    assert (notes(simulation, "a"), notes(simulation, "b")) == (["x"], [])


@pytest.mark.parametrize("durable", [False, True])
def test_a_canceled_timer_does_not_fire_and_is_not_kept(durable: bool) -> None:
    script = {
        "go": plan(5, "x", key="k", durable=durable),
        "cancel": lambda puppet, context: context.cancel_timer("k"),
    }
    simulation = play(spec("a", script=script))
    do(simulation, "a", "go")
    do(simulation, "a", "cancel")
    assert stored(simulation) == []
    simulation.crash()
    simulation.run_for(SECOND)
    assert notes(simulation, "a") == []


def test_a_durable_timer_fires_after_the_crash_of_the_process_at_the_instant_it_was_set_for() -> None:
    fired: list[int] = []

    class Watchful(Sourced):
        def on_said(self, said: Said, context: Context) -> None:
            fired.append(context.now_ns)

    script = {"go": plan(10 * SECOND, "x", key="k", durable=True), "fleeting": plan(10 * SECOND, "y")}
    simulation = play(spec("a", Watchful, script))
    do(simulation, "a", "go")
    do(simulation, "a", "fleeting")
    due = simulation.now_ns + 10 * SECOND
    simulation.run_for(4 * SECOND)
    simulation.crash()
    simulation.run_for(20 * SECOND)
    assert fired == [due]
    assert stored(simulation) == []


def test_a_durable_timer_that_came_due_while_the_node_was_down_fires_at_once_and_only_once() -> None:
    simulation = play(spec("a", script={"go": plan(SECOND, "x", key="k", durable=True)}))
    do(simulation, "a", "go")
    simulation.stop()
    simulation.clock.advance_to(simulation.now_ns + 100 * SECOND)
    simulation.open()
    simulation.settle()
    assert notes(simulation, "a") == ["x"]
    simulation.crash()
    simulation.run_for(100 * SECOND)
    assert notes(simulation, "a") == ["x"]


def test_a_durable_timer_keeps_its_cause_over_a_crash() -> None:
    from actors.runtime.journal import read_turns

    def go(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "cause")
        context.schedule(SECOND, Said("effect"), key="k", durable=True)

    simulation = play(spec("a", script={"go": go}))
    do(simulation, "a", "go")
    simulation.crash()
    simulation.run_for(2 * SECOND)
    entries = [
        (record.first_sequence + index, entry.cause)
        for record in read_turns(simulation.store)
        for index, entry in enumerate(record.entries)
        if entry.cell == "a"
    ]
    assert entries[1][1] == entries[0][0]


def test_the_restart_of_an_actor_ends_its_fleeting_timers_and_keeps_its_durable_ones() -> None:
    script = {
        "go": lambda puppet, context: (
            context.schedule(60 * SECOND, Said("fleeting")),
            context.schedule(60 * SECOND, Said("keyed"), key="keyed"),
            context.schedule(60 * SECOND, Said("durable"), key="durable", durable=True),
        ),
    }
    simulation = play(spec("a", script=script))
    do(simulation, "a", "go")
    simulation.node.restart("a")
    simulation.run_for(100 * SECOND)
    assert notes(simulation, "a") == ["durable"]


def test_a_timer_that_starts_with_the_behaviour_ticks_once_after_a_failure_too() -> None:
    class Clockwork(Saved):
        def started(self, context: Context) -> None:
            context.schedule(SECOND, Said("tick"))

        def on_said(self, said: Said, context: Context) -> None:
            self.note(context, said.text)
            context.schedule(SECOND, Said("tick"))

    simulation = play(spec("a", Clockwork))
    simulation.run_for(3 * SECOND - 1)
    simulation.node.kill("a")  # the third tick comes due while nobody is there
    simulation.run_for(SECOND // 2)
    assert len(notes(simulation, "a")) == 2
    simulation.run_for(20 * SECOND)
    assert len(notes(simulation, "a")) == 22


def test_a_tick_that_fails_is_not_tried_again_because_the_next_behaviour_sets_its_own() -> None:
    tries: list[int] = []

    class Clockwork(Saved):
        def started(self, context: Context) -> None:
            context.schedule(SECOND, Said("tick"))

        def on_said(self, said: Said, context: Context) -> None:
            tries.append(context.now_ns)
            context.schedule(SECOND, Said("tick"))
            if len(tries) == 1:
                boom(self, context)

    simulation = play(spec("a", Clockwork))
    began = simulation.now_ns
    simulation.run_for(4 * SECOND)
    assert tries[0] == began + SECOND
    assert len(tries) == 3
    assert tries[1] > began + 2 * SECOND
    assert tries[2] == tries[1] + SECOND
    (letter,) = [msgspec.msgpack.decode(raw) for _, raw in simulation.store.items("dead_letters")]
    assert letter[4] is False, "the letter does not say that it will be tried again"


def test_a_durable_timer_whose_handling_fails_is_tried_again_after_the_restart() -> None:
    failed: list[bool] = []

    class Flaky(Sourced):
        def on_said(self, said: Said, context: Context) -> None:
            if not failed:
                failed.append(True)
                boom(self, context)
            self.note(context, said.text)

    simulation = play(spec("a", Flaky, {"go": plan(SECOND, "x", key="k", durable=True)}))
    do(simulation, "a", "go")
    simulation.run_for(10 * SECOND)
    assert notes(simulation, "a") == ["x"]


def test_a_durable_timer_that_came_due_in_a_failed_actor_survives_a_crash_of_the_process() -> None:
    script = {"go": plan(5 * MS, "x", key="k", durable=True), "boom": boom}
    simulation = play(spec("a", script=script))
    do(simulation, "a", "go")
    do(simulation, "a", "boom")
    simulation.run_for(10 * MS)
    assert simulation.node.cell("a").state is CellState.BACKING_OFF
    simulation.crash()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "a") == ["x"]


def test_a_suspended_actor_gets_its_timers_when_it_goes_on() -> None:
    simulation = play(
        spec("a", script={"go": plan(SECOND, "x"), "durable": plan(1, "y", key="k", durable=True)})
    )
    do(simulation, "a", "go")
    do(simulation, "a", "durable")
    simulation.node.suspend("a")
    simulation.run_for(5 * SECOND)
    assert notes(simulation, "a") == []
    simulation.node.resume("a")
    simulation.settle()
    assert notes(simulation, "a") == ["y", "x"]


def test_a_fleeting_timer_that_came_due_in_a_suspended_actor_ends_with_the_process() -> None:
    simulation = play(
        spec("a", script={"go": plan(SECOND, "x"), "y": plan(SECOND, "y", key="k", durable=True)})
    )
    do(simulation, "a", "go")
    do(simulation, "a", "y")
    simulation.node.suspend("a")
    simulation.run_for(2 * SECOND)
    simulation.crash()
    simulation.run_for(2 * SECOND)
    assert notes(simulation, "a") == ["y"]


def test_timers_of_an_actor_that_has_left_the_deployment_wait_for_it() -> None:
    script = {"go": plan(SECOND, "x", key="k", durable=True)}
    simulation = play(spec("a", script=script))
    do(simulation, "a", "go")
    simulation.node.abandon()
    without = play(spec("b"), store=simulation.store)
    without.run_for(10 * SECOND)
    without.node.abandon()
    back = play(spec("a"), store=simulation.store)
    back.run_for(2 * SECOND)
    assert notes(back, "a") == ["x"]


def test_replaced_timers_do_not_pile_up() -> None:
    timers = Timers()
    cell = play(spec("a")).node.cell("a")
    for number in range(50_000):
        timers.schedule(Timer(10 * SECOND + number, cell, Said("x"), "deadline", False, 0))
    assert len(timers) < 5_000
    assert timers.next_due_ns() == 10 * SECOND + 49_999
    assert [timer.due_ns for timer in timers.take_due(60 * SECOND, 10)] == [10 * SECOND + 49_999]
    assert timers.take_due(60 * SECOND, 10) == []


def test_a_heap_that_was_tidied_still_fires_everything_that_was_not_canceled() -> None:
    timers = Timers()
    cell = play(spec("a")).node.cell("a")
    for number in range(5_000):
        timers.schedule(Timer(number, cell, Said(str(number)), f"key {number % 100}", False, 0))
        timers.schedule(Timer(number, cell, Said(f"kept {number}"), "", False, 0))
    fired: list[Message] = []
    while due := timers.take_due(10_000, 7):
        fired.extend(timer.message for timer in due)
    assert fired.count(Said("4999")) == 1
    assert [m for m in fired if "kept" in m.text] == [Said(f"kept {n}") for n in range(5_000)]  # type: ignore[attr-defined]
    assert len(fired) == 5_100

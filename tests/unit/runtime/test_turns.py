"""One turn is one commit: all of a message, or nothing of it; and what came before it, in any case."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from actors.runtime import loop as loop_module
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError, JournalError
from actors.runtime.journal import read_turns
from actors.runtime.messages import Message, Severity
from actors.runtime.pykka_port import is_answered
from actors.runtime.simulation import Simulation
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import (
    Do,
    Fleeting,
    Noted,
    Pump,
    Puppet,
    Said,
    Saved,
    Sourced,
    boom,
    do,
    events,
    notes,
    play,
    spec,
)

Move = Callable[[Puppet, Context], None]


def note(*texts: str) -> Move:
    def move(puppet: Puppet, context: Context) -> None:
        for text in texts:
            puppet.note(context, text)

    return move


def say(*texts: str) -> Move:
    def move(puppet: Puppet, context: Context) -> None:
        for text in texts:
            context.publish(Said(text))

    return move


def test_a_turn_is_one_commit_however_many_messages_it_handles() -> None:
    simulation = play(spec("a", script={"note": note("x", "y")}))
    before = simulation.store.commits_count
    for _ in range(20):
        simulation.tell("a", Do("note"))
    simulation.settle()
    assert simulation.store.commits_count == before + 1
    assert notes(simulation, "a") == ["x", "y"] * 20


def test_a_chain_of_messages_is_handled_in_the_turn_that_began_it() -> None:
    hop = {"go": say("hop")}

    class Relay(Sourced):
        def on_said(self, said: Said, context: Context) -> None:
            self.note(context, said.text)
            context.publish(Said(said.text + "."))

    simulation = play(
        spec("first", script=hop),
        spec("second", Relay, reads=("first",)),
        spec("third", Relay, reads=("second",)),
        spec("last", reads=("third",)),
    )
    before = simulation.node.loop.counters.turns
    do(simulation, "first", "go")
    assert notes(simulation, "last") == ["hop.."]
    assert simulation.node.loop.counters.turns == before + 1
    assert simulation.node.journal.turn == 2  # the start of the node, and this


def test_a_turn_that_changes_nothing_durable_is_not_written() -> None:
    simulation = play(spec("a", Fleeting, {"note": note("x")}))
    before = simulation.store.commits_count
    do(simulation, "a", "note")
    assert simulation.store.commits_count == before


def test_messages_of_one_sender_arrive_in_the_order_they_were_sent() -> None:
    texts = [str(number) for number in range(100)]
    simulation = play(spec("a", script={"go": say(*texts)}), spec("b", reads=("a",)))
    for _ in range(3):
        simulation.tell("a", Do("go"))
    simulation.settle()
    assert notes(simulation, "b") == texts * 3


def test_a_turn_takes_no_more_inputs_than_its_limit() -> None:
    simulation = play(spec("a", script={"note": note("x")}), limits=LoopLimits(inputs_max=10))
    for _ in range(25):
        simulation.tell("a", Do("note"))
    before = simulation.node.loop.counters.turns
    simulation.settle()
    assert simulation.node.loop.counters.turns == before + 3
    assert len(notes(simulation, "a")) == 25


def everything_then_boom(puppet: Puppet, context: Context) -> None:
    puppet.note(context, "half")
    context.publish(Said("half"))
    context.send("b", Said("half"))
    context.send("a", Said("half to itself"))
    context.schedule(1, Do("note"), key="half")
    context.schedule(1, Do("note"), key="durable half", durable=True)
    context.cancel_timer("kept")
    context.effect("world", Said("half"))
    context.effect("world", Said("half"), key="half")
    context.effect_done("kept")
    context.alert("Half", Severity.PAGE, "never true")
    context.once("half")
    context.log("half")
    context.ready()
    raise RuntimeError("boom")


@pytest.mark.parametrize("kind", [Sourced, Saved])
def test_nothing_of_a_failing_message_remains(kind: type[Puppet]) -> None:
    pump, heard, logged = Pump(), list[Message](), list[object]()

    def prepare(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "whole")
        context.schedule(3_600 * 10**9, Do("note"), key="kept", durable=True)
        context.effect("world", Said("whole"), key="kept")

    def check(puppet: Puppet, context: Context) -> None:
        puppet.note(context, f"once {context.once('half')}")

    script = {"prepare": prepare, "everything": everything_then_boom, "check": check, "note": note("timer")}
    simulation = play(spec("a", kind, script), spec("b", reads=("a",)), pump=pump, heard=heard)
    simulation.node.loop.log_sink = lambda *line: logged.append(line)
    simulation.tell("a", Do("prepare"))
    simulation.tell("a", Do("everything"))
    simulation.settle()
    taken = list(pump.taken)
    timers = [key for key, _ in simulation.store.items("timers")]
    outbox = [key for key, _ in simulation.store.items("outbox")]
    simulation.run_for(10 * 10**9)  # the second try fails too; then the message is buried
    simulation.tell("a", Do("check"))
    simulation.settle()

    assert notes(simulation, "a") == ["whole", "once True"]
    assert notes(simulation, "b") == []
    assert taken == pump.taken == [("a", Said("whole"))]
    assert timers == [b"a\0kept"]
    assert outbox == [b"a\0kept"]
    assert logged == []
    assert not any(type(message).__name__ == "AlertRaised" for message in heard)


def test_what_was_done_before_the_failing_message_is_committed_with_the_turn() -> None:
    script = {"note": note("kept"), "say": say("kept"), "boom": boom}
    simulation = play(spec("a", script=script), spec("b", reads=("a",)))
    before = simulation.store.commits_count
    for move in ("note", "say", "boom"):
        simulation.tell("a", Do(move))
    simulation.step()
    assert simulation.store.commits_count == before + 1
    assert events(simulation.store, "a") == [("a", ["Noted", "kept"])]
    assert notes(simulation, "b") == ["kept"]
    simulation.crash()
    simulation.settle()
    assert notes(simulation, "a") == ["kept"]


def test_a_state_that_a_failing_message_had_changed_already_is_rebuilt() -> None:
    def spoil(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "spoiled")
        boom(puppet, context)

    simulation = play(spec("a", Saved, {"note": note("good"), "spoil": spoil}))
    do(simulation, "a", "note")
    do(simulation, "a", "spoil")
    simulation.run_for(10 * 10**9)
    assert notes(simulation, "a") == ["good"]


def test_an_earlier_save_of_the_turn_holds_although_a_later_message_of_it_fails() -> None:
    def spoil(puppet: Puppet, context: Context) -> None:
        puppet.state.texts.append("spoiled")
        boom(puppet, context)

    simulation = play(spec("a", Saved, {"note": note("good"), "spoil": spoil}))
    for move in ("note", "spoil"):
        simulation.tell("a", Do(move))
    simulation.settle()
    simulation.run_for(10 * 10**9)
    assert notes(simulation, "a") == ["good"]


def test_messages_behind_the_failing_one_are_kept_and_handled_after_the_restart() -> None:
    failed: list[bool] = []

    def fail_once(puppet: Puppet, context: Context) -> None:
        if not failed:
            failed.append(True)
            boom(puppet, context)
        puppet.note(context, "second try")

    simulation = play(spec("a", script={"fail once": fail_once, "note": note("behind")}))
    for move in ("fail once", "note", "note"):
        simulation.tell("a", Do(move))
    simulation.settle()
    assert simulation.node.cell("a").waiting_count == 3
    simulation.run_for(10**9)
    assert notes(simulation, "a") == ["second try", "behind", "behind"]
    assert simulation.node.cell("a").restarts_count == 1


def letters(simulation: Simulation) -> list[tuple[str, str, bool]]:
    found = [msgspec.msgpack.decode(raw) for _, raw in simulation.store.items("dead_letters")]
    return [(letter[1], letter[3], letter[4]) for letter in found]


def test_a_message_that_fails_twice_is_buried_and_not_tried_again() -> None:
    simulation = play(spec("a", script={"boom": boom, "note": note("after")}))
    simulation.tell("a", Do("boom"))
    simulation.tell("a", Do("note"))
    simulation.run_for(60 * 10**9)
    cell = simulation.node.cell("a")
    assert (cell.failures_count, cell.restarts_count) == (2, 2)
    assert notes(simulation, "a") == ["after"]
    assert letters(simulation) == [("a", "RuntimeError: boom", True), ("a", "RuntimeError: boom", False)]


def test_dead_letters_are_numbered_on_over_restarts_and_only_the_newest_are_kept() -> None:
    moves = {f"boom {number}": boom for number in range(4)}
    simulation = play(spec("a", script=moves), limits=LoopLimits(dead_letters_kept=3))
    for move in moves:
        simulation.tell("a", Do(move))
        simulation.run_for(60 * 10**9)
        simulation.crash()
    found = [
        (key, msgspec.msgpack.decode(msgspec.msgpack.decode(raw)[6]))
        for key, raw in simulation.store.items("dead_letters")
    ]
    assert [key for key, _ in found] == [b"%012d" % number for number in (5, 6, 7)]
    assert [message[1] for _, message in found] == ["boom 2", "boom 3", "boom 3"]


def test_a_save_that_cannot_be_encoded_fails_the_message_not_the_node() -> None:
    def spoil(puppet: Puppet, context: Context) -> None:
        context.publish(Said("never"))
        context.send("a", Said("never"))
        context.schedule(1, Said("never"), key="never", durable=True)
        context.effect("world", Said("never"))
        puppet.state.texts.append(object())
        context.save()

    pump = Pump()
    simulation = play(
        spec("a", Saved, {"spoil": spoil, "note": note("fine")}), spec("b", reads=("a",)), pump=pump
    )
    do(simulation, "a", "spoil")
    simulation.run_for(60 * 10**9)
    do(simulation, "a", "note")
    assert notes(simulation, "a") == ["fine"]
    assert notes(simulation, "b") == []
    assert pump.taken == []
    assert simulation.node.cell("a").failures_count == 2


def test_an_effect_on_a_pump_that_is_not_there_fails_the_message_not_the_node() -> None:
    def wish(puppet: Puppet, context: Context) -> None:
        context.effect("nowhere", Said("x"))

    simulation = play(spec("a", script={"wish": wish}))
    do(simulation, "a", "wish")
    assert "no" in simulation.node.cell("a").last_error
    assert simulation.node.cell("a").failures_count == 1


def test_a_durable_timer_whose_message_cannot_be_encoded_fails_the_message_not_the_node() -> None:
    def plan(puppet: Puppet, context: Context) -> None:
        context.schedule(1, Said(object()), key="plan", durable=True)  # type: ignore[arg-type]

    simulation = play(spec("a", script={"plan": plan}))
    do(simulation, "a", "plan")
    assert simulation.node.cell("a").failures_count == 1
    assert list(simulation.store.items("timers")) == []


def test_an_event_that_cannot_be_written_ends_the_node_and_names_the_actor() -> None:
    simulation = play(spec("a", script={"bad": note(object())}))  # type: ignore[arg-type]
    simulation.tell("a", Do("bad"))
    with pytest.raises(InvariantError, match="a recorded Noted, which cannot be written"):
        simulation.settle()


def test_a_commit_that_fails_releases_nothing_and_ends_the_node() -> None:
    def tell(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "lost")
        context.effect("world", Said("never"))
        context.reply(Said("never"))

    pump = Pump()
    simulation = play(spec("a", script={"tell": tell, "note": note("x")}), pump=pump)
    future = simulation.node.cell("a").actor.actor_ref.ask(Do("tell"), block=False)
    simulation.store.fail_commits = 1
    with pytest.raises(JournalError, match="refused the write"):
        simulation.settle()
    with pytest.raises(JournalError, match="did not come to its end"):
        simulation.settle()
    assert pump.taken == []
    assert not is_answered(future)
    simulation.crash()
    assert notes(simulation, "a") == []


def test_two_actors_that_feed_each_other_without_end_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Echo(Fleeting):
        def on_said(self, said: Said, context: Context) -> None:
            context.publish(said)

    monkeypatch.setattr(loop_module, "CASCADE_MESSAGES_MAX", 10_000)
    simulation = play(
        spec("a", Echo, {"go": say("x")}, reads=("b",)),
        spec("b", Echo, reads=("a",)),
    )
    simulation.tell("a", Do("go"))
    with pytest.raises(InvariantError, match="part of a circle"):
        simulation.settle()


def test_an_actor_may_send_to_itself_behind_what_waits_already() -> None:
    def go(puppet: Puppet, context: Context) -> None:
        context.send("a", Said("later"))
        puppet.note(context, "now")

    simulation = play(spec("a", script={"go": go, "note": note("between")}))
    simulation.tell("a", Do("go"))
    simulation.tell("a", Do("note"))
    simulation.settle()
    assert notes(simulation, "a") == ["now", "between", "later"]


@pytest.mark.parametrize(
    ("move", "text"),
    [
        (lambda puppet, context: context.send("b", Said("x")), "does not read it"),
        (lambda puppet, context: context.publish(Noted("x")), "not among its EMITS"),
        (lambda puppet, context: context.schedule(1, Do("x"), durable=True), "needs a key"),
        (lambda puppet, context: context.schedule(1, Do("x"), key="€" * 101, durable=True), "101 characters"),
        (lambda puppet, context: context.effect("world", Do("x"), key="€" * 101), "101 characters"),
        (lambda puppet, context: context.once("€" * 101), "101 characters"),
    ],
)
def test_a_move_that_the_wiring_does_not_allow_fails_the_message(move: Move, text: str) -> None:
    simulation = play(spec("a", script={"move": move}), spec("b"))
    do(simulation, "a", "move")
    assert text in simulation.node.cell("a").last_error


def test_a_cause_leads_from_an_event_to_the_one_before_it() -> None:
    def go(puppet: Puppet, context: Context) -> None:
        puppet.note(context, "first")
        context.publish(Said("second"))

    simulation = play(
        spec("a", script={"go": go}),
        spec("b", reads=("a",)),
    )
    do(simulation, "a", "go")
    record = list(read_turns(simulation.store))[-1]
    first, second = record.entries
    assert (first.cell, first.cause) == ("a", 0)
    assert (second.cell, second.cause) == ("b", record.first_sequence)


def test_an_actor_that_is_read_twice_by_the_same_reader_is_heard_once() -> None:
    simulation = play(spec("a", script={"go": say("x")}), spec("b", reads=("a", "a")))
    do(simulation, "a", "go")
    assert notes(simulation, "b") == ["x"]


def test_the_longest_names_that_are_allowed_fit_the_disk() -> None:
    def go(puppet: Puppet, context: Context) -> None:
        longest = "😀" * 100
        context.schedule(1, Do("x"), key=longest, durable=True)
        context.effect("world", Do("x"), key=longest)
        context.once(longest)

    simulation = play(spec("a" * 100, script={"go": go}))
    do(simulation, "a" * 100, "go")
    assert simulation.node.cell("a" * 100).failures_count == 0
    assert len(list(simulation.store.items("outbox"))) == 1
    with pytest.raises(InvariantError, match="an address is too long"):
        play(spec("a" * 101))

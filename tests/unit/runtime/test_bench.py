"""The bench: a behaviour on it does what the same behaviour does in a node."""

from __future__ import annotations

import pytest

from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.testing import Bench
from tests.unit.runtime.toys import (
    SECOND,
    Do,
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


def wander(puppet: Puppet, context: Context) -> None:
    puppet.note(context, f"first {context.once('id')}")
    context.publish(Said("published"))
    context.schedule(2 * SECOND, Do("note"), key="k", durable=True)
    context.schedule(3 * SECOND, Do("note"))
    context.effect("world", Said("effect"), key="e")
    context.alert("Alert", Severity.TICKET, "alert", key="x", detail=7)
    context.resolve("Alert", key="x")
    puppet.note(context, f"second {context.once('id')}")


SCRIPT = {"wander": wander, "note": lambda puppet, context: puppet.note(context, "timer"), "boom": boom}


@pytest.mark.parametrize("kind", [Sourced, Saved])
def test_a_behaviour_does_the_same_on_the_bench_and_in_a_node(kind: type[Puppet]) -> None:
    pump, heard = Pump(), list[Message]()
    simulation = play(spec("a", kind, SCRIPT), spec("b", reads=("a",)), pump=pump, heard=heard)
    bench = Bench(lambda: kind(SCRIPT), name="a", now_ns=simulation.now_ns)
    do(simulation, "a", "wander")
    bench.tell(Do("wander"))
    simulation.run_for(SECOND)
    bench.advance(SECOND)
    simulation.crash()
    bench.restart()
    simulation.run_for(9 * SECOND)
    bench.advance(9 * SECOND)
    assert bench.behaviour.state == simulation.node.cell("a").behaviour.state
    assert [event.text for event in bench.events] == [
        fields[1] for _, fields in events(simulation.store, "a")
    ]  # type: ignore[attr-defined]
    assert [m.text for m in bench.take(Said)] == notes(simulation, "b")
    assert bench.effects == [("world", message) for _, message in pump.taken[:1]]
    assert bench.alerts == [m for m in heard if isinstance(m, AlertRaised)]
    assert bench.resolved == [m for m in heard if isinstance(m, AlertResolved)]
    assert list(bench.outbox) == ["e"]


def test_a_save_on_the_bench_takes_in_what_the_message_changes_after_asking_for_it() -> None:
    def late(puppet: Puppet, context: Context) -> None:
        context.save()
        puppet.state.texts.append("late")

    bench = Bench(lambda: Saved({"late": late, "started": late}))
    bench.tell(Do("late"))
    bench.restart(start=False)
    assert bench.behaviour.state.texts == ["late", "late"]


def test_an_event_with_a_field_of_a_wrong_type_is_found_on_the_bench() -> None:
    bench = Bench(lambda: Sourced({"bad": lambda puppet, context: context.record(Noted(7))}))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="Expected `str`, got `int`"):
        bench.tell(Do("bad"))


@pytest.mark.parametrize(
    "move",
    [
        lambda puppet, context: context.publish(Noted("x")),
        lambda puppet, context: context.send("b", Do("x")),
        lambda puppet, context: context.record(Said("x")),
        lambda puppet, context: context.schedule(1, Noted("x")),
        lambda puppet, context: context.schedule(1, Do("x"), durable=True),
    ],
)
def test_what_a_behaviour_has_not_declared_fails_on_the_bench(move: object) -> None:
    bench = Bench(lambda: Sourced({"move": move}))  # type: ignore[dict-item]
    with pytest.raises(InvariantError):
        bench.tell(Do("move"))

"""What becomes of a message that finds its reader's mailbox full, and of the order of the others."""

from __future__ import annotations

import pytest

from actors.runtime.behaviour import Context
from actors.runtime.cell import Cell
from actors.runtime.errors import MailboxFull, NodeStopped, NotAccepted
from actors.runtime.mailbox import conflate
from actors.runtime.messages import Message, SupervisorExhausted
from actors.runtime.simulation import Simulation
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import (
    Do,
    Noted,
    Puppet,
    Said,
    Seen,
    Sourced,
    Wished,
    boom,
    do,
    notes,
    play,
    spec,
)


def show(*sights: Message):
    def move(puppet: Puppet, context: Context) -> None:
        for sight in sights:
            context.publish(sight)

    return move


def waiting(simulation: Simulation, name: str) -> list[Message]:
    return [item[0] for item in simulation.node.cell(name).data]


def quiet_reader(simulation: Simulation) -> Cell:
    """Suspend b, so that what it gets has to wait."""
    simulation.node.suspend("b")
    simulation.settle()
    return simulation.node.cell("b")


def test_only_the_newest_of_each_key_waits_in_a_full_mailbox_in_the_order_of_arrival() -> None:
    script = {f"show {n}": show(Seen("x", n), Seen("y", n)) for n in range(10)}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=4))
    quiet_reader(simulation)
    for n in range(10):
        do(simulation, "a", f"show {n}")
    assert waiting(simulation, "b")[-2:] == [Seen("x", 9), Seen("y", 9)]
    assert len(waiting(simulation, "b")) <= 4 + 1
    simulation.node.resume("b")
    simulation.settle()
    heard = notes(simulation, "b")
    assert heard[-2:] == ["x9", "y9"]
    assert heard == sorted(heard, key=lambda text: (int(text[1:]), text[0]))
    assert simulation.node.loop.counters.conflated == 20 - len(heard)


def test_conflation_never_takes_a_message_that_may_not_be_dropped() -> None:
    script = {f"show {n}": show(Seen("x", n), Said(f"said {n}")) for n in range(10)}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=3))
    quiet_reader(simulation)
    for n in range(10):
        do(simulation, "a", f"show {n}")
    simulation.node.resume("b")
    simulation.settle()
    assert [text for text in notes(simulation, "b") if "said" in text] == [f"said {n}" for n in range(10)]
    assert notes(simulation, "b")[-2:] == ["x9", "said 9"]


def test_a_refusable_message_is_refused_by_a_full_mailbox_and_its_sender_told() -> None:
    script = {f"wish {n}": show(Wished(f"wish {n}")) for n in range(5)}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=2))
    cell = quiet_reader(simulation)
    for n in range(5):
        do(simulation, "a", f"wish {n}")
    assert waiting(simulation, "b") == [Wished("wish 0"), Wished("wish 1")]
    assert notes(simulation, "a") == ["b refused"] * 3
    assert cell.refused_count == simulation.node.loop.counters.refused == 3


def test_a_refused_message_comes_back_to_its_sender_whole() -> None:
    from actors.runtime.codec import decode_message
    from actors.runtime.messages import MessageRefused

    got: list[MessageRefused] = []

    class Proud(Sourced):
        def on_message_refused(self, refused: MessageRefused, context: Context) -> None:
            got.append(refused)

    script = {"wish": show(Wished("one"), Wished("two"))}
    simulation = play(spec("a", Proud, script), spec("b", reads=("a",), mailbox_capacity=1))
    quiet_reader(simulation)
    do(simulation, "a", "wish")
    assert [(refused.reader, decode_message(refused.refused)) for refused in got] == [("b", Wished("two"))]


def test_a_failing_sender_is_not_told_of_refusals_that_never_were() -> None:
    def wish_and_fail(puppet: Puppet, context: Context) -> None:
        context.publish(Wished("x"))
        boom(puppet, context)

    simulation = play(spec("a", script={"wish": wish_and_fail}), spec("b", reads=("a",), mailbox_capacity=0))
    do(simulation, "a", "wish")
    simulation.run_for(60 * 10**9)
    assert notes(simulation, "a") == []
    assert simulation.node.loop.counters.refused == 0


def test_a_failing_sender_leaves_a_full_mailbox_as_it_was() -> None:
    def flood_and_fail(puppet: Puppet, context: Context) -> None:
        for n in range(10):
            context.publish(Seen("x", 100 + n))
        boom(puppet, context)

    script = {"show": show(Seen("x", 1), Said("one"), Seen("x", 2)), "flood": flood_and_fail}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=3))
    quiet_reader(simulation)
    do(simulation, "a", "show")
    do(simulation, "a", "flood")
    simulation.run_for(60 * 10**9)
    assert waiting(simulation, "b") == [Seen("x", 1), Said("one"), Seen("x", 2)]


def test_messages_that_may_not_be_dropped_are_kept_and_the_supervisor_says_who_cannot_keep_up() -> None:
    heard: list[Message] = []
    script = {"flood": show(*(Said(str(n)) for n in range(50)))}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=10), heard=heard)
    do(simulation, "a", "flood")
    assert notes(simulation, "b") == [str(n) for n in range(50)]
    told = [message for message in heard if isinstance(message, SupervisorExhausted)]
    assert [(message.supervisor, message.actor, message.action) for message in told] == [
        ("root", "b", "stop")
    ]
    assert simulation.node.cell("b").restarts_count == 0


def test_a_backlog_that_cannot_be_shortened_is_searched_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from actors.runtime import mailbox

    searched: list[int] = []

    def counting(cell: Cell) -> int:
        searched.append(len(cell.data))
        return conflate(cell)

    monkeypatch.setattr(mailbox, "conflate", counting)
    script = {"say": show(Said("x"))}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=10))
    quiet_reader(simulation)
    for _ in range(5_000):
        simulation.tell("a", Do("say"))
    simulation.settle()
    assert len(waiting(simulation, "b")) == 5_000
    assert sum(searched) < 20_000  # searching at every message would look at 12 million


def test_a_mailbox_conflates_at_its_capacity_again_once_a_backlog_is_gone() -> None:
    script = {"flood": show(*(Said(str(n)) for n in range(50)))}
    script |= {f"show {n}": show(Seen("x", n)) for n in range(60)}
    simulation = play(spec("a", script=script), spec("b", reads=("a",), mailbox_capacity=10))
    do(simulation, "a", "flood")
    simulation.node.restart("b")
    simulation.settle()
    quiet_reader(simulation)
    for n in range(60):
        do(simulation, "a", f"show {n}")
    assert len(waiting(simulation, "b")) <= 11


def test_an_actor_over_its_capacity_may_still_send_to_itself() -> None:
    def go(puppet: Puppet, context: Context) -> None:
        for n in range(20):
            context.send("a", Seen("x", n))
            context.send("a", Wished(f"wish {n}"))

    simulation = play(spec("a", script={"go": go}, mailbox_capacity=3))
    for _ in range(5):
        simulation.tell("a", Do("go"))
    simulation.settle()
    heard = notes(simulation, "a")
    assert [text for text in heard if "wish" in text] == [f"wish {n}" for n in range(20)] * 5
    assert simulation.node.cell("a").failures_count == 0


def test_an_actor_that_reads_itself_may_flood_its_own_mailbox_while_handling_it() -> None:
    class Echo(Sourced):
        def on_do(self, do: Do, context: Context) -> None:
            for n in range(10):
                context.publish(Seen("x", n))

    simulation = play(spec("a", Echo, reads=("a",), mailbox_capacity=2))
    for _ in range(20):
        simulation.tell("a", Do("go"))
    simulation.settle()
    assert notes(simulation, "a")[-1] == "x9"
    assert simulation.node.cell("a").failures_count == 0


def test_an_actor_may_outdate_the_messages_it_is_about_to_handle() -> None:
    class Echo(Sourced):
        def on_seen(self, seen: Seen, context: Context) -> None:
            self.note(context, f"{seen.number}")
            if seen.number < 100:
                context.publish(Seen("x", seen.number + 100))

    simulation = play(spec("a", Echo, reads=("a",), mailbox_capacity=3))
    for n in range(3):
        simulation.tell("a", Seen("x", n))
    simulation.settle()
    assert notes(simulation, "a") == ["0", "1", "2", "100", "101", "102"]


def test_the_control_lane_is_never_full_and_comes_first() -> None:
    def plan(puppet: Puppet, context: Context) -> None:
        for n in range(500):
            context.schedule(1, Said(f"timer {n}"))

    simulation = play(spec("a", script={"plan": plan}, mailbox_capacity=1))
    do(simulation, "a", "plan")
    simulation.node.suspend("a")
    simulation.settle()
    simulation.run_for(10)
    simulation.tell("a", Said("data"))
    simulation.settle()
    simulation.node.resume("a")
    simulation.settle()
    assert notes(simulation, "a") == [*(f"timer {n}" for n in range(500)), "data"]


# -- the edge ------------------------------------------------------------------------------------------


def test_an_edge_gets_an_error_when_a_refusable_message_finds_the_mailbox_full() -> None:
    simulation = play(spec("b", mailbox_capacity=1))
    quiet_reader(simulation)
    simulation.tell("b", Wished("one"))
    simulation.settle()
    with pytest.raises(MailboxFull, match="b is busy"):
        simulation.tell("b", Wished("two"))
    simulation.tell("b", Said("this may not be refused"))
    simulation.settle()
    assert len(waiting(simulation, "b")) == 2


def test_an_edge_is_refused_when_the_node_as_a_whole_is_too_far_behind() -> None:
    simulation = play(spec("a"), spec("b"), limits=LoopLimits(inlet_max=10))
    for _ in range(10):
        simulation.tell("a", Said("x"))
    with pytest.raises(MailboxFull):
        simulation.tell("b", Wished("x"))
    simulation.tell("b", Said("x"))
    simulation.settle()
    simulation.tell("b", Wished("x"))


def test_an_edge_cannot_send_what_an_actor_does_not_accept() -> None:
    simulation = play(spec("a"))
    with pytest.raises(NotAccepted, match="a does not accept Noted"):
        simulation.tell("a", Noted("x"))
    assert simulation.node.cell("a").failures_count == 0


def test_an_edge_cannot_send_to_a_node_that_has_stopped() -> None:
    simulation = play(spec("a"))
    simulation.stop()
    with pytest.raises(NodeStopped):
        simulation.tell("a", Said("x"))


def test_a_message_for_an_address_that_is_not_there_is_an_error_at_the_edge() -> None:
    simulation = play(spec("a"))
    with pytest.raises(KeyError):
        simulation.tell("z", Said("x"))
    simulation.node.deliver_from_outside("z", Said("a pump's answer to an actor that is gone"))


def test_a_reader_is_sent_only_what_it_accepts() -> None:
    class Deaf(Sourced):
        ACCEPTS = (Do,)

    simulation = play(
        spec("a", script={"go": lambda puppet, context: context.send("b", Said("x"))}),
        spec("b", Deaf, reads=("a",)),
    )
    do(simulation, "a", "go")
    assert simulation.node.cell("b").last_error == ""
    assert simulation.node.cell("a").last_error == ""
    assert simulation.node.cell("b").handled_count == 0

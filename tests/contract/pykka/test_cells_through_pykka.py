"""Cells are pykka actors: their refs, the registry, questions, exceptions and stops behave as pykka says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pykka
import pytest

from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec, CellState
from actors.runtime.clock import SystemClock
from actors.runtime.errors import MailboxFull, NodeStopped, NotAccepted
from actors.runtime.messages import ActorFailed, Message
from actors.runtime.node import Node
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from tests.unit.runtime.toys import (
    Do,
    Noted,
    Puppet,
    Restart,
    Said,
    Sourced,
    Wished,
    boom,
    notes,
    play,
    spec,
)

SCRIPT = {
    "answer": lambda puppet, context: context.reply(Said("answer")),
    "answer twice": lambda puppet, context: (context.reply(Said("first")), context.reply(Said("second"))),
    "answer and note": lambda puppet, context: (context.reply(Said("yes")), puppet.note(context, "noted")),
    "answer and fail": lambda puppet, context: (context.reply(Said("never")), boom(puppet, context)),
    "be silent": lambda puppet, context: None,
    "boom": boom,
}


@pytest.fixture(autouse=True)
def _a_registry_of_ones_own() -> Iterator[None]:
    before = pykka.ActorRegistry.get_all()
    for reference in before:
        pykka.ActorRegistry.unregister(reference)
    yield
    for reference in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(reference)
    for reference in before:
        pykka.ActorRegistry.register(reference)


@pytest.fixture
def simulation() -> Simulation:
    return play(spec("a", script=SCRIPT))


@pytest.fixture
def reference(simulation: Simulation) -> pykka.ActorRef[pykka.Actor]:
    return simulation.node.cell("a").actor.actor_ref


class Running:
    """A real node with a thread of its own."""

    def __init__(self, *cells: CellSpec) -> None:
        self.node = Node(
            cells, (SupervisorSpec("root", backoff_ns_min=1, backoff_ns_max=2),), MemoryStore(), SystemClock()
        )
        self.node.start()
        self.thread = threading.Thread(target=self.node.run)
        self.thread.start()

    def __enter__(self) -> Node:
        return self.node

    def __exit__(self, *error: object) -> None:
        self.node.request_stop()
        self.thread.join(10)


def test_a_started_cell_is_in_the_registry_and_a_stopped_node_leaves_nothing_there(
    simulation: Simulation, reference: pykka.ActorRef[pykka.Actor]
) -> None:
    assert pykka.ActorRegistry.get_by_urn(reference.actor_urn) == reference
    assert reference in pykka.ActorRegistry.get_by_class_name("CellActor")
    simulation.stop()
    assert pykka.ActorRegistry.get_by_urn(reference.actor_urn) is None
    assert not reference.is_alive()


def test_a_killed_node_leaves_nothing_in_the_registry(simulation: Simulation) -> None:
    before = len(pykka.ActorRegistry.get_all())
    simulation.crash()
    simulation.crash()
    assert len(pykka.ActorRegistry.get_all()) == before


def test_tell_through_a_ref_reaches_the_behaviour(
    simulation: Simulation, reference: pykka.ActorRef[pykka.Actor]
) -> None:
    reference.tell(Said("hello"))
    simulation.settle()
    assert notes(simulation, "a") == ["hello"]


def test_a_broadcast_of_the_registry_reaches_every_cell(simulation: Simulation) -> None:
    other = play(spec("b"))
    pykka.ActorRegistry.broadcast(Said("to all"), "CellActor")
    for each, name in ((simulation, "a"), (other, "b")):
        each.settle()
        assert notes(each, name) == ["to all"]


def test_ask_is_answered_by_reply_after_the_commit(
    simulation: Simulation, reference: pykka.ActorRef[pykka.Actor]
) -> None:
    seen: list[bool] = []
    future = reference.ask(Do("answer and note"), block=False)
    simulation.store.on_commit = lambda is_written: seen.append(pykka_answered(future))
    simulation.settle()
    assert seen == [False, False]
    assert future.get(timeout=0) == Said("yes")


def pykka_answered(future: pykka.Future[object]) -> bool:
    try:
        future.get(timeout=0)
    except pykka.Timeout:
        return False
    return True


def test_ask_blocks_the_asker_and_not_the_node() -> None:
    with Running(spec("a", script=SCRIPT)) as node:
        reference = node.cell("a").actor.actor_ref
        assert reference.ask(Do("answer"), timeout=10) == Said("answer")
        assert node.ask("a", Do("answer")) == Said("answer")
        with pytest.raises(pykka.Timeout):
            reference.ask(Do("be silent"), timeout=0.05)
        assert reference.ask(Do("answer"), timeout=10) == Said("answer")


def test_an_exception_reaches_the_asker_and_the_supervisor() -> None:
    heard: list[Message] = []
    simulation = play(spec("a", script=SCRIPT), heard=heard)
    with pytest.raises(RuntimeError, match="boom"):
        simulation.ask("a", Do("boom"))
    simulation.settle()
    assert [(m.actor, m.error) for m in heard if isinstance(m, ActorFailed)] == [("a", "RuntimeError: boom")]
    assert simulation.node.cell("a").state is CellState.BACKING_OFF


def test_a_question_that_fails_is_not_tried_again_because_the_asker_decides(
    simulation: Simulation, reference: pykka.ActorRef[pykka.Actor]
) -> None:
    future = reference.ask(Do("boom"), block=False)
    simulation.run_for(60 * 10**9)
    assert simulation.node.cell("a").failures_count == 1
    with pytest.raises(RuntimeError, match="boom"):
        future.get(timeout=0)


def test_a_reply_of_a_message_that_fails_is_undone_and_the_asker_gets_the_exception(
    simulation: Simulation,
) -> None:
    with pytest.raises(RuntimeError, match="boom"):
        simulation.ask("a", Do("answer and fail"))


def test_the_first_of_two_replies_stands_and_the_node_lives_on(simulation: Simulation) -> None:
    assert simulation.ask("a", Do("answer twice")) == Said("first")
    assert simulation.ask("a", Do("answer")) == Said("answer")


def test_an_asker_of_a_full_mailbox_gets_an_error_and_does_not_wait_for_ever() -> None:
    simulation = play(spec("a", mailbox_capacity=1))
    simulation.node.suspend("a")
    simulation.settle()
    reference = simulation.node.cell("a").actor.actor_ref
    for _ in range(3):  # all three pass the edge before any of them is in the mailbox
        reference.tell(Said("fills it"))
    late = reference.ask(Wished("x"), block=False)
    simulation.settle()
    with pytest.raises(MailboxFull):
        late.get(timeout=0)
    with pytest.raises(MailboxFull):
        reference.ask(Wished("x"), timeout=0)


@pytest.mark.parametrize("nonsense", ["text", {"key": 1}, None, Noted("not accepted here")])
def test_what_an_actor_does_not_accept_is_refused_at_the_edge_and_does_it_no_harm(
    simulation: Simulation, reference: pykka.ActorRef[pykka.Actor], nonsense: object
) -> None:
    with pytest.raises(NotAccepted):
        reference.tell(nonsense)
    with pytest.raises(NotAccepted):
        reference.ask(nonsense, timeout=0)
    simulation.settle()
    assert simulation.node.cell("a").failures_count == 0


def test_a_proxy_finds_nothing_to_call_on_a_cell(reference: pykka.ActorRef[pykka.Actor]) -> None:
    proxy = reference.proxy()
    with pytest.raises(NotAccepted):
        proxy.leave().get(timeout=0)


# -- stop --------------------------------------------------------------------------------------------------


def test_messages_sent_before_a_stop_are_handled_and_those_after_it_are_not() -> None:
    simulation = play(spec("a", script=SCRIPT, restart=Restart.TRANSIENT))
    reference = simulation.node.cell("a").actor.actor_ref
    reference.tell(Said("before"))
    stopped = reference.stop(block=False)
    reference.tell(Said("after"))
    question = reference.ask(Do("answer"), block=False)
    simulation.settle()
    assert stopped.get(timeout=0) is True
    assert notes(simulation, "a") == ["before"]
    with pytest.raises(pykka.ActorDeadError):
        question.get(timeout=0)


def test_a_stopped_cell_is_dead_to_its_refs() -> None:
    simulation = play(spec("a", script=SCRIPT, restart=Restart.TRANSIENT))
    reference = simulation.node.cell("a").actor.actor_ref
    reference.stop(block=False)
    simulation.settle()
    assert not reference.is_alive()
    assert pykka.ActorRegistry.get_by_urn(reference.actor_urn) is None
    with pytest.raises(pykka.ActorDeadError):
        reference.tell(Said("x"))
    with pytest.raises(pykka.ActorDeadError):
        reference.ask(Said("x"), timeout=0)
    assert reference.stop(timeout=0) is False


def test_stop_blocks_until_the_cell_has_stopped() -> None:
    with Running(spec("a", script=SCRIPT, restart=Restart.TRANSIENT)) as node:
        reference = node.cell("a").actor.actor_ref
        assert reference.stop(timeout=10) is True
        assert not reference.is_alive()


def test_a_request_to_stop_that_nobody_carries_out_any_more_is_answered_when_the_node_ends() -> None:
    simulation = play(spec("a", restart=Restart.TRANSIENT))
    stopped = simulation.node.cell("a").actor.actor_ref.stop(block=False)
    question = simulation.node.cell("a").actor.actor_ref.ask(Do("answer"), block=False)
    simulation.node.loop.close("the last turn has been")
    assert stopped.get(timeout=0) is True
    with pytest.raises(NodeStopped):
        question.get(timeout=0)


def test_questions_that_nobody_will_answer_are_told_when_the_node_stops() -> None:
    simulation = play(spec("a", script=SCRIPT))
    reference = simulation.node.cell("a").actor.actor_ref
    simulation.node.suspend("a")
    simulation.settle()
    waiting = reference.ask(Do("answer"), block=False)
    simulation.settle()
    simulation.stop()
    with pytest.raises(NodeStopped):
        waiting.get(timeout=0)
    with pytest.raises(pykka.ActorDeadError):
        reference.ask(Do("answer"), timeout=0)


def test_a_question_asked_while_the_node_stops_is_answered_one_way_or_the_other() -> None:
    late: list[pykka.Future[object]] = []

    def ask(puppet: Puppet, context: Context) -> None:
        late.append(simulation.node.cell("a").actor.actor_ref.ask(Do("answer"), block=False))

    simulation = play(spec("a", Sourced, {**SCRIPT, "stopping": ask}))
    simulation.stop()
    with suppress(NodeStopped):
        assert late[0].get(timeout=0) == Said("answer")


def test_tells_from_many_threads_arrive_all_and_in_each_threads_order() -> None:
    with Running(spec("a")) as node:
        reference = node.cell("a").actor.actor_ref

        def feed(name: str) -> None:
            for number in range(500):
                reference.tell(Said(f"{name} {number}"))

        threads = [threading.Thread(target=feed, args=(name,)) for name in "xyz"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    texts: list[str] = node.cell("a").behaviour.state.texts
    assert len(texts) == 1_500
    for name in "xyz":
        assert [t for t in texts if t[0] == name] == [f"{name} {number}" for number in range(500)]

"""Supervision as in OTP: who is restarted with whom, how often, how soon, and what if that does not help."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from actors.runtime.cell import CellState
from actors.runtime.errors import InvariantError
from actors.runtime.messages import (
    ActorFailed,
    ActorRestarted,
    ActorStopped,
    Message,
    SupervisorExhausted,
)
from actors.runtime.simulation import Simulation
from actors.runtime.supervision import Strategy, Supervisor, SupervisorSpec
from tests.unit.runtime.toys import (
    MS,
    SECOND,
    Do,
    Puppet,
    Restart,
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


def started(log: list[str], **moves: object):
    def move(puppet: Puppet, context: object) -> None:
        log.append(context.name)  # type: ignore[attr-defined]

    return {"started": move, "boom": boom, **moves}


def family(strategy: Strategy, log: list[str], **options: object) -> Simulation:
    """Return a node with three actors under one supervisor and an aunt under the root."""
    supervisors = (SupervisorSpec("root"), SupervisorSpec("trio", parent="root", strategy=strategy))
    children = [
        spec(name, script=started(log), supervisor="trio", **options)  # type: ignore[arg-type]
        for name in ("one", "two", "three")
    ]
    simulation = play(spec("aunt", script=started(log)), *children, supervisors=supervisors)
    log.clear()
    return simulation


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (Strategy.ONE_FOR_ONE, ["two"]),
        (Strategy.ONE_FOR_ALL, ["one", "two", "three"]),
        (Strategy.REST_FOR_ONE, ["two", "three"]),
    ],
)
def test_a_strategy_says_who_is_restarted_with_whom_and_in_start_order(
    strategy: Strategy, restarted: list[str]
) -> None:
    log: list[str] = []
    simulation = family(strategy, log)
    simulation.tell("two", Do("boom"))
    simulation.step()
    backing_off = [cell.name for cell in simulation.node.loop.cells.values() if not cell.is_running]
    assert backing_off == restarted
    simulation.node.cell("two").data.clear()  # once is enough here
    simulation.run_for(60 * SECOND)
    assert log == restarted
    counts = {name: simulation.node.cell(name).restarts_count for name in ("aunt", "one", "two", "three")}
    assert counts == {name: int(name in restarted) for name in counts}


def test_everyone_that_was_restarted_has_the_state_of_the_journal() -> None:
    simulation = family(Strategy.ONE_FOR_ALL, [])
    for name in ("one", "two", "three"):
        do_say(simulation, name, f"{name} remembers")
    do(simulation, "two", "boom")
    simulation.run_for(60 * SECOND)
    assert [notes(simulation, name) for name in ("one", "two", "three")] == [
        ["one remembers"],
        ["two remembers"],
        ["three remembers"],
    ]


def do_say(simulation: Simulation, name: str, text: str) -> None:
    simulation.tell(name, Said(text))
    simulation.settle()


def test_two_that_fail_in_one_turn_count_as_one_failure_when_the_first_takes_the_second_along() -> None:
    log: list[str] = []
    simulation = family(Strategy.REST_FOR_ONE, log)
    simulation.tell("one", Do("boom"))
    simulation.tell("three", Do("boom"))
    simulation.step()
    supervisor = simulation.node.tree.supervisors["trio"]
    assert len(supervisor.restarts) == 1
    for name in ("one", "three"):
        simulation.node.cell(name).data.clear()
    simulation.run_for(60 * SECOND)
    assert log == ["one", "two", "three"]


def test_two_that_fail_in_one_turn_are_restarted_alone_when_each_stands_for_itself() -> None:
    log: list[str] = []
    simulation = family(Strategy.ONE_FOR_ONE, log)
    simulation.tell("one", Do("boom"))
    simulation.tell("three", Do("boom"))
    simulation.step()
    assert len(simulation.node.tree.supervisors["trio"].restarts) == 2


# -- permanent, transient, temporary ---------------------------------------------------------------------


def test_a_temporary_actor_is_not_restarted_after_a_failure() -> None:
    heard: list[Message] = []
    simulation = play(spec("a", script={"boom": boom}, restart=Restart.TEMPORARY), heard=heard)
    do(simulation, "a", "boom")
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("a").state is CellState.STOPPED
    assert [m.actor for m in heard if isinstance(m, ActorStopped)] == ["a"]
    assert simulation.node.cell("a").restarts_count == 0
    do_say(simulation, "a", "nobody listens")
    assert simulation.node.loop.counters.dropped == 2  # the message that failed would have been tried again


def test_a_temporary_actor_starts_again_with_the_node() -> None:
    simulation = play(spec("a", script={"boom": boom}, restart=Restart.TEMPORARY))
    do_say(simulation, "a", "kept")
    do(simulation, "a", "boom")
    simulation.crash()
    simulation.settle()
    do_say(simulation, "a", "too")
    assert notes(simulation, "a") == ["kept", "too"]


def test_a_temporary_actor_goes_down_with_its_siblings_and_stays_down() -> None:
    log: list[str] = []
    supervisors = (SupervisorSpec("root", strategy=Strategy.ONE_FOR_ALL),)
    simulation = play(
        spec("a", script=started(log)),
        spec("b", script=started(log), restart=Restart.TEMPORARY),
        spec("c", script=started(log)),
        supervisors=supervisors,
    )
    log.clear()
    simulation.tell("c", Do("boom"))
    simulation.step()
    simulation.node.cell("c").data.clear()
    simulation.run_for(60 * SECOND)
    assert log == ["a", "c"]
    assert simulation.node.cell("b").state is CellState.STOPPED


@pytest.mark.parametrize(
    ("restart", "comes_back"),
    [(Restart.PERMANENT, True), (Restart.TRANSIENT, False), (Restart.TEMPORARY, False)],
)
def test_only_a_permanent_actor_comes_back_when_it_was_asked_to_stop(
    restart: Restart, comes_back: bool
) -> None:
    heard: list[Message] = []
    simulation = play(spec("a", restart=restart), heard=heard)
    do_say(simulation, "a", "before")
    stopped = simulation.node.cell("a").actor.actor_ref.stop(block=False)
    simulation.settle()
    assert stopped.get(timeout=0) is True
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("a").is_running is comes_back
    assert simulation.node.cell("a").actor.actor_ref.is_alive() is comes_back
    assert any(isinstance(m, ActorStopped) for m in heard) is not comes_back
    if comes_back:
        do_say(simulation, "a", "after")
        assert notes(simulation, "a") == ["before", "after"]


def test_a_transient_actor_is_restarted_after_a_failure() -> None:
    simulation = play(spec("a", script={"boom": boom}, restart=Restart.TRANSIENT))
    do(simulation, "a", "boom")
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("a").is_running


def test_a_stopped_actor_is_not_woken_by_the_restart_of_its_siblings() -> None:
    log: list[str] = []
    simulation = family(Strategy.ONE_FOR_ALL, log, restart=Restart.TRANSIENT)
    simulation.node.cell("one").actor.actor_ref.stop(block=False)
    simulation.settle()
    do(simulation, "two", "boom")
    simulation.run_for(60 * SECOND)
    assert "one" not in log
    assert simulation.node.cell("one").state is CellState.STOPPED


def test_an_operator_can_bring_a_stopped_actor_back() -> None:
    simulation = play(spec("a", restart=Restart.TRANSIENT))
    do_say(simulation, "a", "kept")
    reference = simulation.node.cell("a").actor.actor_ref
    reference.stop(block=False)
    simulation.settle()
    assert not reference.is_alive()
    simulation.node.restart("a")
    simulation.settle()
    assert reference.is_alive()
    do_say(simulation, "a", "back")
    assert notes(simulation, "a") == ["kept", "back"]


# -- how often, and how soon -----------------------------------------------------------------------------


def test_back_off_doubles_up_to_its_maximum_with_jitter_of_at_most_half() -> None:
    own = SupervisorSpec("s", intensity=100, backoff_ns_min=100, backoff_ns_max=1_000)
    supervisor, chance, waits = Supervisor(own), random.Random(1), []
    for number in range(8):
        supervisor.count(number)
        waits.append([supervisor.backoff_ns(chance) for _ in range(200)])
    longest = [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]
    assert [max(row) for row in waits] == pytest.approx(longest, rel=0.02)
    assert [min(row) for row in waits] == pytest.approx([length / 2 for length in longest], rel=0.02)
    assert all(
        length / 2 <= wait <= length for row, length in zip(waits, longest, strict=True) for wait in row
    )


def test_back_off_starts_anew_after_a_quiet_period() -> None:
    own = SupervisorSpec("s", intensity=100, period_ns=1_000, backoff_ns_min=100, backoff_ns_max=10_000)
    supervisor = Supervisor(own)
    for now in (1, 2, 3, 4):
        supervisor.count(now)
    assert supervisor.failures_in_row == 4
    supervisor.count(4 + 1_000)
    assert supervisor.failures_in_row == 5
    supervisor.count(1_004 + 1_001)
    assert supervisor.failures_in_row == 1


def test_restarts_are_counted_within_a_sliding_period() -> None:
    supervisor = Supervisor(SupervisorSpec("s", intensity=2, period_ns=100))
    assert [supervisor.count(now) for now in (0, 50, 99)] == [True, True, False]
    supervisor = Supervisor(SupervisorSpec("s", intensity=2, period_ns=100))
    assert [supervisor.count(now) for now in (0, 50, 100, 149, 150)] == [True, True, True, False, False]


def test_the_wait_before_a_restart_grows_with_every_failure_in_a_row() -> None:
    class Doomed(Saved):
        def started(self, context: object) -> None:
            at.append(context.now_ns)  # type: ignore[attr-defined]
            if len(at) > 1:
                boom(self, context)  # type: ignore[arg-type]

    at: list[int] = []
    supervisors = (SupervisorSpec("root", intensity=6, backoff_ns_min=100 * MS, backoff_ns_max=SECOND),)
    simulation = play(spec("a", Doomed, {"boom": boom}), supervisors=supervisors)
    at[0] = simulation.now_ns
    do(simulation, "a", "boom")
    simulation.run_for(60 * SECOND)
    waits = [later - earlier for earlier, later in pairwise(at)]
    assert len(waits) == 6
    for wait, longest in zip(waits, (100, 200, 400, 800, 1_000, 1_000), strict=True):
        assert longest * MS / 2 <= wait <= longest * MS


def test_an_actor_that_cannot_be_rebuilt_has_failed_again_and_the_node_lives_on() -> None:
    class Fragile(Sourced):
        def apply_noted(self, noted: Message) -> None:
            if bad:
                raise RuntimeError("the state cannot be rebuilt")
            super().apply_noted(noted)  # type: ignore[arg-type]

    bad: list[bool] = []
    simulation = play(spec("a", Fragile, {"boom": boom}), spec("b"))
    do_say(simulation, "a", "kept")
    bad.append(True)
    do(simulation, "a", "boom")
    simulation.run_for(100 * MS)
    assert simulation.node.cell("a").state is CellState.BACKING_OFF
    assert "cannot be applied" in simulation.node.cell("a").last_error
    do_say(simulation, "b", "still here")
    assert notes(simulation, "b") == ["still here"]
    bad.clear()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "a") == ["kept"]


def test_one_sibling_that_cannot_be_rebuilt_does_not_keep_the_others_down() -> None:
    class Fragile(Sourced):
        def initial_state(self) -> object:
            if bad:
                raise RuntimeError("no")
            return super().initial_state()

    bad: list[bool] = []
    supervisors = (SupervisorSpec("root", strategy=Strategy.ONE_FOR_ALL, intensity=3),)
    simulation = play(spec("a"), spec("b", Fragile, {"boom": boom}), supervisors=supervisors)
    do_say(simulation, "a", "kept")
    do(simulation, "b", "boom")
    simulation.node.cell("b").data.clear()
    bad.append(True)
    simulation.run_for(60 * MS)
    assert simulation.node.cell("a").restarts_count == 1
    bad.clear()
    simulation.run_for(60 * SECOND)
    assert notes(simulation, "a") == ["kept"]
    assert simulation.node.cell("b").is_running


# -- when restarts do not help ---------------------------------------------------------------------------


def doomed(lives: list[int], after: int = 1):
    def start(puppet: Puppet, context: object) -> None:
        lives.append(context.now_ns)  # type: ignore[attr-defined]
        if len(lives) > after:
            raise RuntimeError("doomed")

    return {"started": start, "boom": boom}


def test_a_supervisor_that_has_used_up_its_restarts_says_what_must_happen_and_fails_upwards() -> None:
    heard: list[Message] = []
    lives: list[int] = []
    log: list[str] = []
    supervisors = (
        SupervisorSpec("root", intensity=3, exhausted="flatten"),
        SupervisorSpec("trading", parent="root", intensity=2, exhausted="reduce_only"),
    )
    simulation = play(
        spec("outside", script=started(log)),
        spec("sibling", script=started(log), supervisor="trading"),
        spec("a", script=doomed(lives, after=1), supervisor="trading"),
        supervisors=supervisors,
        heard=heard,
    )
    log.clear()
    do(simulation, "a", "boom")
    simulation.run_until(lambda: any(isinstance(m, SupervisorExhausted) for m in heard))
    told = [m for m in heard if isinstance(m, SupervisorExhausted)]
    assert [(m.supervisor, m.actor, m.action) for m in told] == [("trading", "a", "reduce_only")]
    assert "doomed" in told[0].reason
    assert not simulation.node.cell("sibling").is_running
    assert simulation.node.cell("outside").is_running
    simulation.run_until(lambda: "sibling" in log)
    assert "outside" not in log


def test_a_supervisor_that_was_restarted_by_its_parent_starts_to_count_anew() -> None:
    heard: list[Message] = []
    supervisors = (SupervisorSpec("root"), SupervisorSpec("low", parent="root", intensity=1))
    simulation = play(spec("a", supervisor="low"), supervisors=supervisors, heard=heard)
    for _ in range(3):
        simulation.node.kill("a")
        simulation.run_for(SECOND)
    assert sum(isinstance(m, SupervisorExhausted) for m in heard) == 1
    simulation.node.kill("a")
    simulation.run_for(SECOND)
    assert sum(isinstance(m, SupervisorExhausted) for m in heard) == 2


def test_escalation_ends_with_the_node_after_the_actions_had_time_to_go_out() -> None:
    heard: list[Message] = []
    supervisors = (
        SupervisorSpec("root", intensity=1, exhausted="flatten"),
        SupervisorSpec("middle", parent="root", intensity=1, exhausted="cancel_all"),
        SupervisorSpec("low", parent="middle", intensity=1, exhausted="reduce_only"),
    )
    simulation = play(
        spec("a", script=doomed([]), supervisor="low"), spec("b"), supervisors=supervisors, heard=heard
    )
    do(simulation, "a", "boom")
    simulation.run_until(
        lambda: any(m.supervisor == "root" for m in heard if isinstance(m, SupervisorExhausted))
    )
    exhausted_at = simulation.now_ns
    do_say(simulation, "b", "the last orders")
    simulation.run_until(lambda: bool(simulation.ended))
    assert simulation.now_ns - exhausted_at == 2 * SECOND
    assert simulation.ended.startswith("supervisor root is exhausted")
    actions = [m.action for m in heard if isinstance(m, SupervisorExhausted)]
    assert actions[-1] == "flatten"
    assert actions.index("reduce_only") < actions.index("cancel_all") < actions.index("flatten")
    assert simulation.node.tree.root.is_exhausted
    assert events(simulation.store, "b") == [("b", ["Noted", "the last orders"])]


def test_everything_supervision_does_is_announced_and_journaled() -> None:
    heard: list[Message] = []
    simulation = play(spec("a", script={"boom": boom}), heard=heard)
    do(simulation, "a", "boom")
    simulation.run_for(60 * SECOND)
    failed = [m for m in heard if isinstance(m, ActorFailed)]
    assert [(m.actor, m.error, m.message_type, m.attempt) for m in failed] == [
        ("a", "RuntimeError: boom", "Do", 1),
        ("a", "RuntimeError: boom", "Do", 2),
    ]
    assert [m.restarts_count for m in heard if isinstance(m, ActorRestarted)] == [1, 2]
    told = [event[0] for _, event in events(simulation.store, "node")]
    assert told == ["NodeStarted", *["ActorFailed", "ActorRestarted"] * 2]


def test_a_restart_whose_start_fails_is_not_announced_as_a_restart() -> None:
    heard: list[Message] = []
    simulation = play(spec("a", script=doomed([])), heard=heard)
    do(simulation, "a", "boom")
    simulation.run_until(lambda: sum(isinstance(m, ActorFailed) for m in heard) == 2)
    assert not any(isinstance(m, ActorRestarted) for m in heard)


def test_a_restart_that_waits_is_overtaken_by_a_newer_failure() -> None:
    supervisors = (
        SupervisorSpec("root", intensity=10, backoff_ns_min=10 * SECOND, backoff_ns_max=100 * SECOND),
    )
    simulation = play(spec("a", script={"boom": boom}), supervisors=supervisors)
    do(simulation, "a", "boom")  # comes back within 5 to 10 s
    simulation.node.cell("a").data.clear()
    simulation.node.restart("a")  # but an operator is faster
    simulation.settle()
    do(simulation, "a", "boom")  # and it fails again: 10 to 20 s
    simulation.node.cell("a").data.clear()
    began = simulation.now_ns
    simulation.run_until(lambda: simulation.node.cell("a").is_running)
    assert simulation.now_ns - began >= 10 * SECOND


# -- operators -------------------------------------------------------------------------------------------


def test_a_restart_by_an_operator_does_not_count_against_the_limits() -> None:
    simulation = play(spec("a", script={"boom": boom}), supervisors=(SupervisorSpec("root", intensity=1),))
    do_say(simulation, "a", "kept")
    for _ in range(5):
        simulation.node.restart("a")
        simulation.settle()
    cell = simulation.node.cell("a")
    assert (cell.restarts_count, cell.is_running, notes(simulation, "a")) == (5, True, ["kept"])
    assert not simulation.node.tree.root.restarts


def test_a_restart_by_an_operator_keeps_the_address_and_the_waiting_messages() -> None:
    simulation = play(spec("a"))
    reference = simulation.node.cell("a").actor.actor_ref
    for text in ("x", "y"):
        simulation.tell("a", Said(text))
    simulation.node.restart("a")
    simulation.settle()
    reference.tell(Said("z"))
    simulation.settle()
    assert notes(simulation, "a") == ["x", "y", "z"]


def test_a_restart_waits_until_what_the_actor_has_recorded_is_written() -> None:
    simulation = play(spec("a", script={"started": lambda puppet, context: puppet.note(context, "started")}))
    simulation.crash()  # the hook has recorded, and nothing is written yet
    simulation.node.restart("a")
    simulation.settle()
    live = list(notes(simulation, "a"))
    simulation.crash()
    assert live == ["started", "started", "started"]
    assert notes(simulation, "a")[:3] == live


def test_a_suspended_actor_keeps_its_messages_until_it_goes_on() -> None:
    simulation = play(spec("a"))
    simulation.node.suspend("a")
    simulation.settle()
    for text in ("x", "y"):
        do_say(simulation, "a", text)
    assert simulation.node.cell("a").state is CellState.SUSPENDED
    assert notes(simulation, "a") == []
    simulation.node.resume("a")
    simulation.settle()
    assert notes(simulation, "a") == ["x", "y"]


def test_a_suspended_actor_stays_suspended_through_restarts() -> None:
    log: list[str] = []
    simulation = family(Strategy.ONE_FOR_ALL, log)
    simulation.node.suspend("one")
    do(simulation, "two", "boom")
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("one").state is CellState.SUSPENDED
    assert simulation.node.cell("one").restarts_count == 2
    do_say(simulation, "one", "waits")
    assert notes(simulation, "one") == []
    simulation.node.resume("one")
    simulation.settle()
    assert notes(simulation, "one") == ["waits"]


def test_an_actor_can_be_suspended_while_it_backs_off() -> None:
    simulation = play(spec("a", script={"boom": boom}))
    do(simulation, "a", "boom")
    simulation.node.suspend("a")
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("a").state is CellState.SUSPENDED
    simulation.node.resume("a")
    simulation.run_for(60 * SECOND)
    assert simulation.node.cell("a").is_running


def test_an_actor_can_be_killed_on_request_and_is_restarted_like_one_that_raised() -> None:
    heard: list[Message] = []
    simulation = play(spec("a"), heard=heard)
    do_say(simulation, "a", "kept")
    simulation.node.kill("a")
    simulation.settle()
    assert simulation.node.cell("a").state is CellState.BACKING_OFF
    simulation.run_for(SECOND)
    assert notes(simulation, "a") == ["kept"]
    assert [type(m).__name__ for m in heard] == ["ActorFailed", "ActorRestarted"]


@pytest.mark.parametrize("order", ["restart", "suspend", "resume", "kill"])
def test_an_order_for_an_address_that_is_not_there_is_refused_at_once(order: str) -> None:
    simulation = play(spec("a"))
    with pytest.raises(InvariantError, match="no actor has this address"):
        getattr(simulation.node, order)("z")


# -- the tree --------------------------------------------------------------------------------------------


def test_a_tree_has_exactly_one_root_and_no_missing_parents() -> None:
    with pytest.raises(InvariantError, match="exactly one root"):
        play(spec("a"), supervisors=(SupervisorSpec("root"), SupervisorSpec("other")))
    with pytest.raises(InvariantError, match="parent is missing"):
        play(spec("a"), supervisors=(SupervisorSpec("root"), SupervisorSpec("other", parent="nobody")))
    with pytest.raises(InvariantError, match="no supervisor of this name"):
        play(spec("a", supervisor="nobody"))
    circle = (SupervisorSpec("root"), SupervisorSpec("x", parent="y"), SupervisorSpec("y", parent="x"))
    with pytest.raises(InvariantError, match="circle"):
        play(spec("a"), supervisors=circle)


def test_two_actors_cannot_share_an_address_nor_have_the_nodes_own() -> None:
    with pytest.raises(InvariantError, match="two actors share an address"):
        play(spec("a"), spec("a"))
    with pytest.raises(InvariantError, match="the node itself has this address"):
        play(spec("node"))


def test_supervisors_of_supervisors_are_restarted_with_their_strategy_too() -> None:
    log: list[str] = []
    supervisors = (
        SupervisorSpec("root", strategy=Strategy.ONE_FOR_ALL),
        SupervisorSpec("inner", parent="root", intensity=0),
    )
    simulation = play(
        spec("x", script=started(log), supervisor="inner"),
        spec("y", script=started(log), supervisor="inner"),
        spec("z", script=started(log)),
        supervisors=supervisors,
    )
    log.clear()
    simulation.node.kill("x")  # inner may not restart anybody: it fails itself, and root restarts all
    simulation.run_for(SECOND)
    assert log == ["x", "y", "z"]

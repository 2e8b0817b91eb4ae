"""Faults inside a node do what they say, and go when they are taken back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from actors.domain.orders import Side
from actors.drills.node_faults import KINDS, FaultRefused, NodeFaults, spelled
from actors.messages.trading import Fill
from actors.runtime.cell import CellState
from actors.runtime.clock import SystemClock
from actors.runtime.errors import JournalFull
from actors.runtime.messages import ActorFailed, ActorRestarted, Message
from actors.runtime.simulation import Simulation
from tests.unit.runtime.toys import Said, Sourced, notes, play, spec


class Stage:
    """A simulated node with one actor, and its faults."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.sim: Simulation = play(spec("one", Sourced), heard=self.heard)
        self.clock = SystemClock()
        self.faults = NodeFaults(self.sim.node, self.sim.store, self.clock)

    def add(self, kind: str, **fields: Any) -> str:
        return self.faults.add({"kind": kind, **fields})

    def say(self, *texts: str) -> None:
        for text in texts:
            self.sim.tell("one", Said(text))
        self.sim.settle()
        self.sim.run_for(60_000_000_000)

    def count(self, kind: type[Message]) -> int:
        return sum(isinstance(one, kind) for one in self.heard)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_actor_fails_as_often_as_wanted_and_the_message_is_handled_afterwards(stage: Stage) -> None:
    stage.add("crash", actor="one", times=1)
    stage.say("a")
    assert (stage.count(ActorFailed), stage.count(ActorRestarted)) == (1, 1)
    assert notes(stage.sim, "one") == ["a"]
    stage.say("b")
    assert notes(stage.sim, "one") == ["a", "b"]


def test_a_crash_outlives_restarts(stage: Stage) -> None:
    stage.add("crash", actor="one", times=3)
    stage.say("a", "b", "c")
    assert stage.count(ActorFailed) == 3
    assert stage.sim.node.cell("one").state is CellState.RUNNING


def test_poison_is_one_message_that_is_set_aside_and_no_other(stage: Stage) -> None:
    stage.add("poison", actor="one")
    stage.say("bad", "good")
    assert notes(stage.sim, "one") == ["good"]
    assert stage.count(ActorFailed) == 2
    assert stage.sim.node.loop.counters.dead_letters == 2  # one for each time it was tried


def test_an_actor_that_hangs_holds_the_loop_up(stage: Stage) -> None:
    stage.add("hang", actor="one", for_ms=30)
    began = time.monotonic()
    stage.say("a")
    assert time.monotonic() - began >= 0.03
    assert notes(stage.sim, "one") == ["a"]


def test_after_a_fault_is_taken_back_new_behaviours_are_as_before(stage: Stage) -> None:
    stage.add("crash", actor="one", times=100)
    stage.say("a")
    stage.faults.clear()
    stage.sim.node.revive([stage.sim.node.cell("one")])
    stage.say("b")
    assert notes(stage.sim, "one")[-1] == "b"
    failures = stage.count(ActorFailed)
    stage.say("c")
    assert stage.count(ActorFailed) == failures


def test_an_actor_is_told_what_somebody_else_would_say(stage: Stage) -> None:
    before = stage.sim.now_ns
    stage.add("say", actor="one", message="Said", fields={"text": "t$now"})
    stage.add("say", actor="one", message="Said", sender="one")
    stage.sim.settle()
    first, second = notes(stage.sim, "one")
    assert int(first.removeprefix("t")) >= before
    assert second == ""


def test_a_message_is_spelled_by_its_fields() -> None:
    given = {"account": "main", "symbol": "A", "side": -1, "contracts": 2, "at_ns": "$now", "trade_id": "t"}
    fill = spelled(Fill, given, 7)
    assert isinstance(fill, Fill)
    assert (fill.account, fill.side, fill.signed_contracts, fill.at_ns) == ("main", Side.SELL, -2, 7)
    assert (fill.strategy, fill.maker, fill.fee_usdt) == ("", False, 0)
    with pytest.raises(FaultRefused, match="Fill needs side"):
        spelled(Fill, {}, 7)
    with pytest.raises(FaultRefused, match="no field 'size'"):
        spelled(Fill, {"side": 1, "size": 1}, 7)
    with pytest.raises(FaultRefused, match=r"Fill: .*int"):
        spelled(Fill, {"side": 1, "contracts": "many"}, 7)


def test_a_disk_is_slow_full_or_short_of_room_until_it_is_well(stage: Stage, tmp_path: Any) -> None:
    stage.add("slow_disk", for_ms=30)
    began = time.monotonic()
    stage.say("a")
    assert time.monotonic() - began >= 0.03
    stage.add("disk_free", free_mib=7)
    assert stage.faults.free_bytes(tmp_path) == 7 << 20
    stage.faults.clear()
    assert stage.faults.free_bytes(tmp_path) != 7 << 20
    stage.add("full_disk")
    with pytest.raises(JournalFull):
        stage.say("b")


def test_the_clock_is_set_and_set_right(stage: Stage) -> None:
    stage.add("clock_step", for_ms=5_000)
    assert stage.clock.now_ns() - time.time_ns() > 4_000_000_000
    stage.faults.clear()
    assert stage.clock.offset_ns == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "crash", "actor": "nobody"}, "no actor"),
        (
            {"kind": "say", "actor": "one", "message": "Sung"},
            "it takes Do, MessageRefused, Said",
        ),
        ({"kind": "say", "actor": "one", "message": "Said", "sender": "nobody"}, "to say it"),
        ({"kind": "flood"}, "there is no fault"),
        ({"kind": "hang", "actor": "one", "for_ms": 10_000_000}, "at most"),
        ({"kind": "hang", "actress": "one"}, "actress"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(stage: Stage, fault: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultRefused, match=reason):
        stage.faults.add(fault)


def test_every_kind_has_its_handler(stage: Stage) -> None:
    assert all(hasattr(stage.faults, f"_{kind}") for kind in KINDS)

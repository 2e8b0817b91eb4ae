"""What is done once for a batch: `caught_up`, and snapshots that wait until they are worth their size."""

from __future__ import annotations

from actors.runtime.behaviour import Context
from actors.runtime.journal import Journal
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import SECOND, Do, Puppet, Said, Sourced, notes, play, spec


class Summing(Sourced):
    """Tells once behind each batch how much it has heard; fails there when it has heard "boom"."""

    def caught_up(self, context: Context) -> None:
        context.publish(Said(f"{len(self.state.texts)} so far"))
        context.record(self.EVENTS[0]("told"))
        if "boom" in self.state.texts and "healed" not in self.state.texts:
            context.record(self.EVENTS[0]("healed"))
            raise RuntimeError("boom")


def three(puppet: Puppet, context: Context) -> None:
    for text in ("one", "two", "three"):
        context.publish(Said(text))


def test_an_actor_says_once_behind_a_batch_what_it_would_say_after_each_message() -> None:
    simulation = play(
        spec("a", script={"three": three}), spec("b", Summing, reads=("a",)), spec("c", reads=("b",))
    )
    simulation.tell("a", Do("three"))
    simulation.settle()
    assert notes(simulation, "b") == ["one", "two", "three", "told"]
    assert notes(simulation, "c") == ["3 so far"]
    assert simulation.node.journal.turn == 2  # the node's start, and all of this


def test_what_fails_behind_a_batch_is_taken_back_and_the_batch_stays_done() -> None:
    simulation = play(spec("b", Summing), spec("c", reads=("b",)))
    simulation.tell("b", Said("boom"))
    simulation.run_for(SECOND)
    cell = simulation.node.cell("b")
    assert (cell.failures_count, cell.is_running) == (1, True)
    assert notes(simulation, "b") == ["boom"]
    assert notes(simulation, "c") == []
    simulation.tell("b", Said("healed"))
    simulation.settle()
    assert notes(simulation, "c") == ["2 so far"]


def test_a_large_state_is_written_less_often_than_a_small_one_and_always_at_the_end() -> None:
    simulation = play(spec("large"), spec("small"), limits=LoopLimits(snapshot_events=10))
    simulation.tell("large", Said("x" * 1_250))  # 25 bytes per event: worth writing every 50 events
    written = {"large": set(), "small": set()}
    for number in range(100):
        simulation.tell("small" if number % 10 else "large", Said(""))
        simulation.settle()
        for name, sequences in written.items():
            snapshot = Journal(simulation.store).snapshot(name)
            sequences.add(snapshot.sequence if snapshot else 0)
    assert len(written["small"]) > 8
    assert len(written["large"]) == 3
    before = notes(simulation, "large")
    simulation.crash()
    assert notes(simulation, "large") == before
    simulation.tell("large", Said("last"))
    simulation.settle()
    simulation.stop()
    snapshot = Journal(simulation.store).snapshot("large")
    assert snapshot is not None
    assert snapshot.sequence >= Journal(simulation.store).sequence - 1

"""A journal that lets go of what snapshots cover stays small, is whole, and starts like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.runtime.journal import verify_chain
from actors.runtime.store_forgetting import Forgetful, ForgettingStore
from actors.runtime.store_lmdb import Durability, LmdbStore
from actors.runtime.store_memory import MemoryStore
from actors.runtime.turn import LoopLimits
from tests.unit.runtime.toys import Said, notes, play, spec

LIMITS = LoopLimits(snapshot_events=10)


@pytest.fixture(params=["memory", "lmdb"])
def below(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Forgetful]:
    made = MemoryStore() if request.param == "memory" else LmdbStore(tmp_path / "journal", Durability.PROCESS)
    yield made
    made.close()


def live(store: Forgetful, count: int, *, first: int = 0):
    simulation = play(spec("a"), store=ForgettingStore(store), limits=LIMITS)
    for number in range(first, first + count):
        simulation.tell("a", Said(f"{number}"))
        simulation.settle()
    return simulation


def kept(store: Forgetful) -> int:
    return sum(1 for _ in store.items("events"))


def test_it_keeps_the_events_since_the_snapshots_before_the_newest(below) -> None:
    """Large states are written less often, so the growing one here keeps ever more; 60 events are few."""
    live(below, 60)
    assert 10 <= kept(below) <= 22
    live(below, 2_000, first=60)
    assert kept(below) < 1_000


def test_what_is_left_is_a_whole_chain(below) -> None:
    live(below, 105)
    records, broken = verify_chain(below)
    assert (records, broken) == (kept(below), None)


def test_a_hole_in_what_is_left_is_still_found(below) -> None:
    live(below, 105)
    store = MemoryStore()
    rows = list(below.items("events"))
    for number, (key, raw) in enumerate(rows):
        if number != 3:
            store._tables["events"].put(key, raw)
    store._tables["meta"].put(b"forgotten", below.get("meta", b"forgotten"))
    records, broken = verify_chain(store)
    assert records == 3
    assert "missing" in broken.reason


def test_after_a_kill_the_state_is_what_it_was_and_forgetting_goes_on(below) -> None:
    first = live(below, 205)
    first.node.abandon()
    second = live(below, 100, first=205)
    assert notes(second, "a") == [f"{number}" for number in range(305)]
    assert kept(below) <= 100
    assert verify_chain(below)[1] is None


def test_records_that_a_death_left_before_the_mark_are_no_fault(below) -> None:
    live(below, 55)
    rows = list(below.items("events"))
    store = MemoryStore()
    live(store, 55)
    older = MemoryStore()
    play(spec("a"), store=older, limits=LIMITS)
    before = next(iter(older.items("events")))
    assert before[0] < rows[0][0]
    store._tables["events"].put(*before)
    assert verify_chain(store)[1] is None


@pytest.mark.parametrize("count", range(400, 470, 7))
def test_events_stay_for_whoever_has_no_newer_snapshot(count) -> None:
    """A large state is written less often than the floor rises: its own floor holds the events back."""
    store = MemoryStore()
    live(store, count).node.abandon()
    again = play(spec("a"), store=ForgettingStore(store), limits=LIMITS)
    assert notes(again, "a") == [f"{number}" for number in range(count)]

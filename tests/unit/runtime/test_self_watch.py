"""What a node sees of itself: told once when a limit is met, not before, and over by itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actors.runtime.beat import Beat
from actors.runtime.clock_watch import ClockSteps
from actors.runtime.loop_watch import LOOK_NS, CommitLatency, LoopDelay, SelfWatch
from actors.runtime.memory_watch import MemoryWatch, allowed_bytes, resident_bytes
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.node_alert import NodeAlert

SECOND = 1_000_000_000
MS = 1_000_000
MIB = 1 << 20


class Told:
    """An alert of the node whose words are kept."""

    def __init__(self, *, calm_ns: int = 0, holds: bool = False) -> None:
        self.said: list[Message] = []
        self.alert = NodeAlert("X", Severity.PAGE, self.said.append, calm_ns=calm_ns, holds=holds)

    def look(self, wrong: str, at_s: int) -> str:
        self.said.clear()
        self.alert.look(wrong, at_s * SECOND)
        assert len(self.said) <= 1
        return "".join(one.summary if isinstance(one, AlertRaised) else "over" for one in self.said)


def test_an_alert_of_the_node_is_told_once_and_ends_after_a_calm() -> None:
    told = Told(calm_ns=10 * SECOND)
    said = [
        told.look(wrong, at)
        for at, wrong in ((0, ""), (1, "bad"), (2, "worse"), (11, ""), (12, ""), (13, ""))
    ]
    assert said == ["", "bad", "", "", "over", ""]
    assert told.look("bad", 14) == "bad"


def test_what_the_node_before_left_behind_ends_with_the_first_quiet_look() -> None:
    assert Told(calm_ns=10 * SECOND, holds=True).look("", 1) == "over"


def test_what_the_node_before_left_behind_and_still_is_so_is_told_with_the_new_text() -> None:
    told = Told(holds=True)
    assert [told.look("bad", 1), told.look("bad", 2), told.look("", 3)] == ["bad", "", "over"]
    assert isinstance(told.said[0], AlertResolved)


def test_a_node_looks_at_itself_once_a_second_whatever_its_turns() -> None:
    looks: list[int] = []
    readings = iter([0, 1, LOOK_NS - 1, LOOK_NS, LOOK_NS + 1, 5 * LOOK_NS])
    watch = SelfWatch(lambda: True, (looks.append,), lambda: next(readings))
    assert [watch() for _ in range(6)] == [True] * 6
    assert looks == [0, LOOK_NS, 5 * LOOK_NS]
    assert SelfWatch(lambda: False, (), lambda: 0)() is False, "its heart is gone"


@pytest.mark.parametrize(("late_ms", "is_wrong"), [(0, False), (2_999, False), (3_000, True), (9_000, True)])
def test_a_loop_that_comes_round_too_late_has_stood_still(late_ms: int, is_wrong: bool) -> None:
    delay = LoopDelay(3 * SECOND)
    assert delay.wrong(SECOND) == "", "the first look has nothing before it"
    found = delay.wrong(SECOND + LOOK_NS + late_ms * MS)
    assert bool(found) is is_wrong
    assert not is_wrong or f"{late_ms / 1000:.1f} s" in found
    assert delay.wrong(SECOND + 2 * LOOK_NS + late_ms * MS) == "", "once it is in time again"


class Commits:
    """A journal that takes as long as it is told."""

    def __init__(self) -> None:
        self.count = self.took = self.waiting = 0
        self.at = 0
        self.watch = CommitLatency(
            lambda: (self.count, self.took), lambda: self.waiting, 250 * MS, 5 * SECOND, 1_000
        )

    def second(self, commits: int = 0, each_ms: int = 0) -> str:
        self.count += commits
        self.took += commits * each_ms * MS
        self.at += SECOND
        return self.watch.wrong(self.at)


def test_commits_that_are_slow_for_long_enough_are_told_with_their_mean() -> None:
    journal = Commits()
    journal.second(1_000, 0)
    assert [bool(journal.second(2, 300)) for _ in range(5)] == [False] * 4 + [True]
    assert "takes 300 ms, more than 250 ms, for 6 s" in journal.second(2, 300)
    assert journal.second(2, 249) == "", "below the limit it is over"


def test_quick_commits_and_none_at_all_are_no_lag() -> None:
    journal = Commits()
    assert not any(journal.second(100, 249) for _ in range(10))
    assert not any(journal.second() for _ in range(10))


def test_a_slow_second_among_quick_ones_is_no_lag() -> None:
    journal = Commits()
    assert not any(journal.second(1, 300 * (number % 4 == 0)) for number in range(20))


def test_one_commit_that_holds_the_loop_up_for_long_enough_is_told_at_once() -> None:
    journal = Commits()
    journal.second(1, 1)
    journal.at += 5 * SECOND
    assert "takes 6000 ms" in journal.second(1, 6_000)


def test_half_of_the_inputs_that_may_wait_is_a_lag_too() -> None:
    journal = Commits()
    journal.second()
    journal.waiting = 499
    assert journal.second(5, 1) == ""
    journal.waiting = 500
    assert "500 messages wait" in journal.second(5, 1)


class Memory:
    """A process of a given size."""

    def __init__(self, allowed_mib: int = 1_000, growth_mib: int = 100) -> None:
        self.mib = 0
        self.at = 0
        self.watch = MemoryWatch(allowed_mib * MIB, growth_mib * MIB, 60 * SECOND, lambda: self.mib * MIB)

    def look(self, mib: int, after_s: int = 10) -> str:
        self.mib = mib
        self.at += after_s * SECOND
        return self.watch.wrong(self.at)


def test_memory_is_told_at_nine_tenths_and_over_a_tenth_below() -> None:
    memory = Memory()
    assert [bool(memory.look(mib)) for mib in (899, 900, 811, 809)] == [False, True, True, False]


def test_memory_is_told_when_it_grows_beyond_what_it_was_once_it_had_settled() -> None:
    memory = Memory()
    assert not any(memory.look(mib) for mib in (50, 400)), "it fills its caches"
    assert memory.look(300, after_s=60) == ""
    assert memory.look(399) == ""
    assert "100 MiB more than when it had settled" in memory.look(400)
    assert memory.look(391), "just below the limit is not over yet"
    assert memory.look(389) == ""


def test_memory_is_read_every_ten_seconds() -> None:
    memory = Memory()
    memory.look(10)
    assert memory.look(950, after_s=9) == ""
    assert memory.look(950, after_s=1)


def test_growth_can_be_turned_off() -> None:
    memory = Memory(growth_mib=0)
    memory.look(10)
    memory.look(10, after_s=60)
    assert memory.look(899) == ""


def test_this_process_has_a_size_and_a_limit_that_a_container_lowers(tmp_path: Path) -> None:
    assert 10 * MIB < resident_bytes() < allowed_bytes([])
    limit = tmp_path / "memory.max"
    limit.write_text(f"{64 * MIB}\n")
    assert allowed_bytes([limit, tmp_path / "none"]) == 64 * MIB
    limit.write_text("max\n")
    assert allowed_bytes([limit]) == allowed_bytes([])


class Clock:
    """A machine's two clocks, of which one can be set."""

    def __init__(self) -> None:
        self.wall = 1_760_000_000 * SECOND
        self.stopwatch = 5 * SECOND
        self.pause = 0
        self.steps = ClockSteps(500 * MS, self.read)

    def read(self) -> tuple[int, int, int]:
        return self.stopwatch, self.wall, self.stopwatch + self.pause

    def look(self, step_ms: int = 0) -> str:
        self.wall += SECOND + step_ms * MS
        self.stopwatch += SECOND
        return self.steps.wrong(self.stopwatch)


@pytest.mark.parametrize(
    ("step_ms", "said"),
    [(0, ""), (499, ""), (-499, ""), (500, "ahead by 0.500 s"), (-3_000, "back by 3.000 s")],
)
def test_a_step_of_the_wall_clock_is_told_once(step_ms: int, said: str) -> None:
    clock = Clock()
    assert clock.look() == ""
    found = clock.look(step_ms)
    assert said in found
    assert bool(found) is bool(said)
    assert clock.look() == "", "the clock goes on from there"


def test_a_pair_of_readings_with_a_pause_between_them_says_nothing_and_loses_no_step() -> None:
    clock = Clock()
    clock.look()
    clock.pause = 2 * MS
    assert clock.look(700) == ""
    clock.pause = 0
    assert "ahead by 0.700 s" in clock.look()


def test_a_beat_that_the_heart_hears_looks_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([0, 1, LOOK_NS // 5, LOOK_NS, LOOK_NS + LOOK_NS // 5])
    monkeypatch.setattr("actors.runtime.beat.monotonic_ns", lambda: next(readings))
    looks: list[int] = []
    reading, writing = os.pipe()
    beat = Beat(writing)
    beat.tick = SelfWatch(lambda: True, (looks.append,)).tick
    assert [beat() for _ in range(5)] == [True] * 5
    assert looks == [0, LOOK_NS]
    assert os.read(reading, 100) == b"....", "every 200 ms"
    os.close(reading)
    os.close(writing)

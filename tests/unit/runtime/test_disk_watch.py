"""Room that runs out is told once with what trading does then, and once when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.disk_watch import DiskWatch, lack_of_room
from actors.runtime.messages import AlertRaised, AlertResolved, Message, SupervisorExhausted
from actors.runtime.store_memory import MemoryStore

MIB = 1 << 20


class Disk:
    def __init__(self, *, was_low: bool = False) -> None:
        self.free = 1_000 * MIB
        self.said: list[Message] = []
        self.watch = DiskWatch(
            MemoryStore(),
            Path("x"),
            free_bytes_min=256 * MIB,
            action="reduce_only",
            tell=self.said.append,
            was_low=was_low,
            free_bytes=lambda _: self.free,
        )

    def look(self, free_mib: int) -> list[str]:
        self.free = free_mib * MIB
        self.said.clear()
        self.watch.look(1)
        return [
            one.name if isinstance(one, AlertRaised | AlertResolved) else type(one).__name__
            for one in self.said
        ]


def test_a_disk_that_fills_is_told_below_its_limit_and_its_end_ends_what_it_stood_for() -> None:
    disk = Disk()
    assert disk.look(256) == []
    assert disk.look(255) == ["DiskFilling", "SupervisorExhausted"]
    assert isinstance(disk.said[1], SupervisorExhausted)
    assert disk.look(10) == []
    assert disk.look(256) == ["DiskFilling", "SupervisorExhausted"]
    assert all(isinstance(one, AlertResolved) for one in disk.said)
    assert {(one.key, one.source) for one in disk.said} == {("", "node"), ("node", "node")}  # type: ignore[attr-defined]


def test_a_node_that_follows_one_on_a_full_disk_ends_the_alert_or_leaves_it() -> None:
    disk = Disk(was_low=True)
    assert disk.look(10) == [], "it is known"
    assert disk.look(300) == ["DiskFilling", "SupervisorExhausted"]


@pytest.mark.parametrize(
    ("free_kib", "is_refused"), [(0, True), (1_023, True), (1_024, False), (10_000, False)]
)
def test_a_start_is_refused_on_a_disk_that_is_full(free_kib: int, is_refused: bool) -> None:
    found = lack_of_room(Path("x"), free_bytes=lambda _: free_kib << 10)
    assert bool(found) is is_refused
    assert not is_refused or f"the disk is full ({free_kib} KiB are free)" in found


def test_a_start_is_refused_with_a_journal_that_is_at_its_limit() -> None:
    store = MemoryStore(capacity_bytes=100 * MIB)
    store.used_bytes = 99 * MIB
    assert lack_of_room(Path("x"), store, lambda _: 1 << 40) == ""
    store.used_bytes += 1
    assert "at its limit of" in lack_of_room(Path("x"), store, lambda _: 1 << 40)


def test_the_room_of_a_folder_that_is_yet_to_be_made_is_that_of_the_one_above(tmp_path: Path) -> None:
    assert lack_of_room(tmp_path / "not" / "there") == ""

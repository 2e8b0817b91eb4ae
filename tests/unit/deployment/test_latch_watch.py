"""A latch that cannot be read or believed, or lacks lines, is told once and has an end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.deployment.latches import DAY_NS, LatchWatch
from actors.direct.latch import LatchLine, append, latch_path
from actors.messages.control import HaltLevel, LatchFound
from actors.runtime.messages import AlertRaised, AlertResolved, Message


class House:
    """A node with one risk actor, of which only what the watch needs is there."""

    def __init__(self, folder: Path, *, was_damaged: bool = False, **latches: int) -> None:
        self.noted: list[Message] = []
        self.state = SimpleNamespace(latches=latches, halts={})
        self.waiting: list[LatchFound] = []
        behaviour = SimpleNamespace(HANDLERS={LatchFound: None}, state=self.state)
        cell = SimpleNamespace(name="risk/main", behaviour=behaviour)
        node: Any = SimpleNamespace(
            loop=SimpleNamespace(cells={"risk/main": cell}),
            note=self.noted.append,
            now_ns=1,
            tell=lambda _, found: self.waiting.append(found),
        )
        self.path = latch_path(folder)
        self.watch = LatchWatch(folder, node, was_damaged)

    def take_in(self) -> list[int]:
        """Do what a risk actor does with the lines it was told; return their numbers."""
        told, self.waiting = self.waiting, []
        news = [found for found in told if found.digest not in self.state.latches]
        for found in news:
            self.state.latches[found.digest] = found.number
            if found.scope:
                self.state.halts[found.scope] = found.level
        return [found.number for found in news]

    @property
    def said(self) -> list[tuple[str, int]]:
        """Return and forget what was raised, with its end, and what is over."""
        found = [
            ("raised", one.ends_after_ns) if isinstance(one, AlertRaised) else ("over", 0)
            for one in self.noted
            if isinstance(one, AlertRaised | AlertResolved)
        ]
        self.noted.clear()
        return found


def test_a_latch_that_cannot_be_read_is_told_once_and_over_when_it_can(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.path.mkdir(parents=True)  # reading a folder fails, whoever one is
    for _ in range(5):
        house.watch.look()
    assert house.said == [("raised", 0)]
    house.path.rmdir()
    house.path.write_text("")
    house.watch.look()
    house.watch.look()
    assert house.said == [("over", 0)]


def test_lines_that_are_gone_are_told_for_a_day(tmp_path: Path) -> None:
    house = House(tmp_path, abcdef=3)
    house.watch.compare()
    assert house.said == [("raised", DAY_NS)]
    house.watch.look()
    assert house.said == [], "it stays for its day"


@pytest.mark.parametrize("there", [True, False])
def test_what_the_node_before_told_is_over_when_nothing_is_wrong(tmp_path: Path, there: bool) -> None:
    house = House(tmp_path, was_damaged=True)
    if there:
        house.path.parent.mkdir(parents=True, exist_ok=True)
        house.path.write_text("")
    house.watch.compare()
    house.watch.look()
    assert house.said == [("over", 0)]


def test_what_the_node_before_told_and_still_is_so_is_not_ended(tmp_path: Path) -> None:
    house = House(tmp_path, was_damaged=True)
    house.path.mkdir(parents=True)
    house.watch.compare()
    house.watch.look()
    assert house.said == []


def ordered(scope: str = "symbol/BTC_USDT_PERP", **fields: str) -> LatchLine:
    given = {"kind": "halt", "level": "cancel_all", "actor": "ann", "reason": "a test", **fields}
    return LatchLine(deployment="t", scope=scope, at_ns=1, **given)  # type: ignore[arg-type]


def test_a_line_that_cannot_be_believed_is_told_until_somebody_resumes(tmp_path: Path) -> None:
    house = House(tmp_path)
    append(house.path, ordered())
    with house.path.open("a") as file:
        file.write("somebody was here\n")
    for _ in range(3):
        house.watch.look()
    [raised] = [one for one in house.noted if isinstance(one, AlertRaised)]
    assert "line 2 (it cannot be read" in raised.summary
    assert house.said == [("raised", 0)]
    assert house.take_in() == [1, 2]
    assert house.state.halts["all"] == HaltLevel.CANCEL_ALL
    house.watch.look()
    assert house.said == [], "it holds everything"
    del house.state.halts["all"]
    house.watch.look()
    house.watch.look()
    assert house.said == [("over", 0)]


def test_a_halt_at_a_level_that_nobody_knows_cannot_be_believed(tmp_path: Path) -> None:
    house = House(tmp_path)
    append(house.path, ordered(level="freeze"))
    house.watch.look()
    house.take_in()
    assert house.said == [("raised", 0)]
    assert house.state.halts == {"all": HaltLevel.CANCEL_ALL}


def test_an_order_that_can_be_believed_is_no_damage(tmp_path: Path) -> None:
    house = House(tmp_path)
    append(house.path, ordered("all"))
    house.watch.look()
    assert house.take_in() == [1]
    assert house.said == []


@pytest.mark.parametrize(("is_halted", "said"), [(True, []), (False, [("over", 0)])])
def test_a_damaged_line_outlives_a_restart_and_is_not_told_anew(
    tmp_path: Path, is_halted: bool, said: list[tuple[str, int]]
) -> None:
    before = House(tmp_path)
    before.path.parent.mkdir(parents=True, exist_ok=True)
    before.path.write_text("junk\n")
    before.watch.look()
    before.take_in()
    house = House(tmp_path, was_damaged=True, **before.state.latches)
    house.state.halts = dict(before.state.halts) if is_halted else {}
    house.watch.compare()
    house.watch.look()
    assert house.said == said
    late = House(tmp_path, **before.state.latches)  # long over
    late.watch.compare()
    late.watch.look()
    assert late.said == []


def test_a_line_that_is_changed_under_the_node_is_lost_and_doubtful(tmp_path: Path) -> None:
    house = House(tmp_path)
    append(house.path, ordered("all"))
    append(house.path, ordered())
    house.watch.look()
    assert house.take_in() == [1, 2]
    house.path.write_text(house.path.read_text().replace('"all"', '"ALL"', 1))
    house.watch.look()
    # Another first line has another hash, so what was taken in is gone; and the second follows nothing.
    assert house.said == [("raised", DAY_NS)]
    assert house.take_in() == [1]
    house.watch.look()
    assert house.said == []


def test_a_file_that_is_removed_under_the_node_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    append(house.path, ordered())
    house.watch.look()
    house.take_in()
    house.path.unlink()
    house.watch.look()
    house.watch.look()
    assert house.said == [("raised", DAY_NS)]

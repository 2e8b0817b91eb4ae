"""A latch that cannot be read, or lacks lines, is told once and has an end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.deployment.latches import DAY_NS, LatchWatch
from actors.direct.latch import latch_path
from actors.messages.control import LatchFound
from actors.runtime.messages import AlertRaised, AlertResolved, Message


class House:
    """A node with one risk actor, of which only what the watch needs is there."""

    def __init__(self, folder: Path, *, was_damaged: bool = False, **latches: int) -> None:
        self.noted: list[Message] = []
        behaviour = SimpleNamespace(HANDLERS={LatchFound: None}, state=SimpleNamespace(latches=latches))
        cell = SimpleNamespace(name="risk/main", behaviour=behaviour)
        node: Any = SimpleNamespace(
            loop=SimpleNamespace(cells={"risk/main": cell}),
            note=self.noted.append,
            now_ns=1,
            tell=lambda *_: None,
        )
        self.path = latch_path(folder)
        self.watch = LatchWatch(folder, node, was_damaged)

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

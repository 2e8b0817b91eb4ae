"""A deployment's files are followed: what is brought in, what is held, what is given up, and what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.cli.exit_codes import ExitCode
from actors.cli.following import BACK_OFF_S, Follower, Hands
from actors.cli.plan_follow import event_lines
from actors.cli.problems import Problem
from actors.deployment.faults import ConfigError, Fault

SETTLE_S = 2.0
GONE = Problem(ExitCode.NOT_RUNNING, "paper does not run", "start it")
WRONG = ConfigError([Fault("E102", "'fast' must be a whole number", "paper.yaml", 82, 31, help="write 9")])
DONE = {"generation": 2, "created": [], "restarted": ["trend"], "told": [], "removed": [], "taken_back": ""}


class World:
    """Files, a node and a clock that the test moves."""

    def __init__(self) -> None:
        self.content = "one"
        self.time_s = 100.0
        self.base = 1
        self.plans: dict[str, Any] = {"one": {}}
        self.node: Problem | None = None
        self.answer: Any = DONE
        self.brought: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        hands = Hands(
            lambda: self.content,
            self.plan,
            self.answers,
            self.bring_in,
            lambda event, more: self.events.append((event, more)),
            lambda: self.time_s,
        )
        self.follower = Follower(hands, SETTLE_S)

    def plan(self) -> dict[str, Any]:
        found = self.plans[self.content]
        if isinstance(found, Exception):
            raise found
        empty = {"base": self.base, "changes": [], "blocked": [], "loosened": [], "first": []}
        return {"deployment": "paper", **empty, **found}

    def answers(self, found: dict[str, Any]) -> None:
        if self.node is not None:
            raise self.node

    def bring_in(self, found: dict[str, Any]) -> dict[str, Any]:
        self.brought.append(self.content)
        if isinstance(self.answer, Problem):
            raise self.answer
        if not self.answer["taken_back"]:
            self.plans[self.content], self.base = {}, self.answer["generation"]
        found_answer: dict[str, Any] = self.answer
        return found_answer

    def write(self, content: str, plan: Any) -> None:
        self.content, self.plans[content] = content, plan

    def passes(self, seconds: float) -> list[str]:
        """Let time pass; return the names of the events."""
        self.events.clear()
        until_s = self.time_s + seconds
        while self.time_s < until_s:
            self.time_s += 0.5
            self.follower.look()
        return [name for name, _ in self.events]


CHANGE = {
    "changes": [
        {
            "action": "restart",
            "address": "trend",
            "kind": "strategy.trend_follow",
            "place": "p:1:1",
            "fields": [],
            "reason": "",
        }
    ]
}


@pytest.fixture
def world() -> World:
    found = World()
    assert found.passes(5) == ["unchanged"]
    return found


def test_a_change_is_brought_in_once_it_has_settled(world: World) -> None:
    world.write("two", CHANGE)
    assert world.passes(1.5) == []
    world.write("three", CHANGE)  # a checkout that is still under way
    assert world.passes(2) == []
    assert world.passes(2) == ["applying", "applied"]
    assert world.brought == ["three"]
    assert world.passes(3_600) == [], "nothing is told of what does not change"


def test_files_that_change_while_they_are_read_settle_anew(world: World) -> None:
    plan, reads = world.plan, []

    def torn() -> dict[str, Any]:
        found = plan()
        reads.append(world.content)
        if len(reads) == 1:
            world.write("whole", CHANGE)
        return found

    world.follower._hands = _with(world.follower._hands, plan=torn)
    world.write("half", CHANGE)
    assert world.passes(3) == []
    assert world.passes(3) == ["applying", "applied"]
    assert (reads, world.brought) == (["half", "whole"], ["whole"])


def _with(hands: Hands, **more: Any) -> Hands:
    from dataclasses import replace

    return replace(hands, **more)


def test_an_invalid_file_is_told_once_with_its_place_and_so_is_its_repair(world: World) -> None:
    world.write("broken", WRONG)
    assert world.passes(600) == ["invalid"]
    assert world.events[0][1]["faults"][0]["place"] == "paper.yaml:82:31"
    assert "paper.yaml:82:31: E102" in event_lines("invalid", world.events[0][1], "paper.yaml")[1]
    world.write("mended", CHANGE)
    assert world.passes(5) == ["valid", "applying", "applied"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"loosened": ["risk/main: max_open_orders"]}, "risk/main: max_open_orders loosens a limit"),
        ({"blocked": ["journal.path: a -> b takes a new start"]}, "journal.path"),
        ({"gone_back": ["generation 4 went back from this: it was bad"]}, "went back from this"),
        ({"approvals": {"wanted": 1, "why": ["secrets"]}}, "others must approve it (secrets)"),
    ],
)
def test_what_a_person_must_decide_is_held_and_told_once(
    world: World, more: dict[str, Any], said: str
) -> None:
    world.write("two", {**CHANGE, **more})
    assert world.passes(600) == ["held"]
    text = "\n".join(event_lines("held", world.events[0][1], "paper.yaml"))
    assert said in text
    assert world.brought == []
    world.plans["two"], world.base = {}, 2  # somebody has applied it
    assert world.passes(30) == ["unchanged"]


def test_what_was_taken_back_is_not_tried_again_until_the_files_change(world: World) -> None:
    world.answer = {**DONE, "taken_back": "trend failed: nine"}
    world.write("two", CHANGE)
    assert world.passes(7_200) == ["applying", "taken back"]
    world.answer = DONE
    world.write("three", CHANGE)
    assert world.passes(5) == ["applying", "applied"]
    assert world.brought == ["two", "three"]


def test_a_failure_is_tried_again_ever_later_and_then_given_up(world: World) -> None:
    world.answer = Problem(ExitCode.REFUSED, "no value for secret://a#b: unreachable", "unseal")
    world.write("two", CHANGE)
    names = world.passes(7_200)
    tries = len(BACK_OFF_S) + 1
    assert (names.count("failed"), names[-1]) == (tries, "given up")
    assert len(world.brought) == tries
    world.answer = DONE
    world.write("three", CHANGE)
    assert world.passes(5) == ["applying", "applied"]


def test_a_node_that_is_down_is_waited_for(world: World) -> None:
    world.node = GONE
    world.write("two", CHANGE)
    assert world.passes(600) == ["waiting"]
    assert world.brought == []
    world.node = None
    assert world.passes(10) == ["applying", "applied"]


def test_a_node_that_dies_of_a_change_is_planned_for_again_when_it_is_back(world: World) -> None:
    world.answer = GONE
    world.write("two", CHANGE)
    assert world.passes(4) == ["applying", "waiting"]
    world.plans["two"] = {**CHANGE, "gone_back": ["generation 3 went back from this: the node died"]}
    assert world.passes(600) == ["held"]
    assert world.brought == ["two"]


@pytest.mark.parametrize(
    "event", ["applied", "taken back", "failed", "waiting", "given up", "valid", "ended"]
)
def test_every_event_has_a_text(event: str) -> None:
    more = {**DONE, "text": "why", "remedy": "do", "again_s": 5.0}
    assert all(event_lines(event, more, Path("paper.yaml").name))

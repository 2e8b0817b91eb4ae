"""A running node is brought from one generation to the next, or stays what it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.deployment.applying import NotApplied, Wish
from actors.deployment.beginning import first_generation
from actors.deployment.generations import Generations
from actors.runtime.revival import Revival
from actors.strategy.actor import StrategyActor
from tests.unit.deployment.running_node import TREND, Running


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.stop()


def faster(actors: dict[str, Any]) -> None:
    actors[TREND]["settings"]["fast"] = 9


def wider(actors: dict[str, Any]) -> None:
    actors["risk/main"]["settings"]["max_open_orders"] = 21


def test_exactly_the_changed_actor_restarts(running: Running) -> None:
    applied = running.apply(faster)
    assert (applied.generation, applied.restarted, applied.taken_back) == (2, (TREND,), "")
    assert running.restarts() == {TREND: 1}
    assert running.node.cell(TREND).behaviour.settings.fast == 9  # type: ignore[attr-defined]
    kept = running.generations.current()
    assert kept is not None
    assert (kept.number, kept.actor, kept.changes) == (2, "ann", (f"restart {TREND}",))


def test_an_actor_that_fails_is_taken_back_as_a_generation_of_its_own(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = StrategyActor.started

    def fragile(self: StrategyActor, context: Any) -> None:
        if getattr(self.settings, "fast", 0) == 9:
            raise RuntimeError("cannot stand nine")
        started(self, context)

    monkeypatch.setattr(StrategyActor, "started", fragile)
    applied = running.apply(faster)
    assert "cannot stand nine" in applied.taken_back
    assert running.applier.topology.actors == running.topology.actors
    rows = [running.generations.read(number) for number in running.generations.numbers()]
    assert [(one.number, one.of, one.actor) for one in rows] == [(1, 0, "up"), (2, 0, "ann"), (3, 1, "apply")]
    assert rows[2].content_hash == rows[0].content_hash


def test_an_actor_that_cannot_be_made_changes_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = StrategyActor.__init__

    def refuses(self: StrategyActor, settings: Any, place: Any) -> None:
        if getattr(settings, "fast", 0) == 9:
            raise RuntimeError("never nine")
        made(self, settings, place)

    monkeypatch.setattr(StrategyActor, "__init__", refuses)
    with pytest.raises(NotApplied, match="never nine"):
        running.apply(faster)
    assert (running.generations.numbers(), running.restarts()) == ([1], {})


@pytest.mark.parametrize(
    ("edit", "words", "said"),
    [
        (lambda actors: None, {}, "nothing changes"),
        (faster, {"base": 7}, "generation 1 runs; the plan was made against generation 7"),
        (wider, {}, "loosens a limit"),
        (
            lambda actors: actors[TREND].update(kind="strategy.mean_reversion", settings={}),
            {},
            "another kind",
        ),
        (lambda actors: actors[TREND].update(kind="strategy.none"), {}, "there is no kind"),
        (lambda actors: actors[TREND]["settings"].update(fast=-1), {}, "fast"),
        (lambda actors: actors[TREND].update(reads=["feed/NONE"]), {}, "reads feed/NONE, which is not there"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_all_as_it_was(
    running: Running, edit: Any, words: dict[str, Any], said: str
) -> None:
    with pytest.raises(NotApplied, match=said):
        running.apply(edit, **words)
    assert (running.generations.numbers(), running.restarts()) == ([1], {})


def test_a_wider_limit_takes_a_reason_and_keeps_who_approved(running: Running) -> None:
    running.apply(wider, reason="more symbols", approver="bob")
    kept = running.generations.current()
    assert kept is not None
    assert (kept.reason, kept.approver) == ("more symbols", "bob")


def test_a_change_of_markets_or_sections_is_left_to_a_new_start(running: Running) -> None:
    document = running.document(faster)
    document["sections"]["journal"]["durability"] = "disk"
    with pytest.raises(NotApplied, match=r"journal\.durability"):
        running.applier.apply(Wish(document, 1, "ann", "", prove_s=0))
    document = running.document(faster)
    document["markets_hash"] = "0"
    with pytest.raises(NotApplied, match="markets"):
        running.applier.apply(Wish(document, 1, "ann", "", prove_s=0))


def failures(running: Running) -> list[str]:
    """Return what is said to have failed, as the alerter has it after a moment."""
    time.sleep(0.3)
    alerts = running.node.cell("alerter").behaviour.state.alerts
    return [one.summary for one in alerts.values() if one.name == "ConfigApplyFailed" and not one.over]


def test_a_change_that_is_taken_back_is_an_alert_until_the_next_one_succeeds(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(StrategyActor, "started", _fail)
        assert running.apply(faster).taken_back
    assert "was taken back: " in failures(running)[0]
    running.apply(wider, reason="room")
    assert failures(running) == []


def test_a_change_that_ends_in_nothing_to_change_ends_the_alert_too(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(StrategyActor, "started", _fail)
        running.apply(faster)
    assert failures(running)
    with pytest.raises(NotApplied, match="nothing changes"):
        running.apply(lambda actors: None)
    assert failures(running) == []


def test_a_wish_that_is_refused_is_no_alert(running: Running) -> None:
    with pytest.raises(NotApplied, match="loosens a limit"):
        running.apply(wider)
    with pytest.raises(NotApplied, match="the plan was made against"):
        running.apply(faster, base=7)
    assert failures(running) == []


def _fail(self: Any, context: Any) -> None:
    raise RuntimeError("broken by the test")


def test_a_node_that_died_while_a_change_was_watched_begins_with_the_one_before(running: Running) -> None:
    running.apply(faster)
    kept = running.generations
    assert kept.unproven() == 0, "what ran well is trusted"
    again = first_generation(running.topology, kept, "run", 5)
    assert again.actor(TREND).settings.fast == 9, "a death after the watch takes nothing back"
    kept.begin_proof(2)
    again = first_generation(running.topology, kept, "run", 7)
    assert (again.content_hash, kept.unproven()) == (running.topology.content_hash, 0)
    last = kept.current()
    assert last is not None
    assert (last.number, last.of, last.actor, last.at_ns) == (3, 1, "heart", 7)
    assert "died while generation 2 was watched" in last.reason


def test_a_proof_of_a_generation_that_was_never_written_strikes_nothing(running: Running) -> None:
    running.generations.begin_proof(2)  # killed between the two
    first_generation(running.topology, running.generations, "run", 5)
    assert (running.generations.numbers(), running.generations.unproven()) == ([1], 0)


def test_a_switch_that_breaks_in_the_middle_is_taken_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    revive, told = Revival.revive, []

    def breaks_once(self: Revival, cells: Any, *more: Any) -> None:
        if not told:
            told.append(cells)
            raise OSError("no space left")
        revive(self, cells, *more)

    monkeypatch.setattr(Revival, "revive", breaks_once)
    applied = running.apply(faster)
    assert "no space left" in applied.taken_back
    assert running.node.cell(TREND).behaviour.settings.fast == 8  # type: ignore[attr-defined]
    assert (running.generations.numbers(), running.generations.unproven()) == ([1, 2, 3], 0)


def test_a_full_disk_does_not_keep_what_failed_from_being_taken_back(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, add = StrategyActor.started, Generations.add

    def fragile(self: StrategyActor, context: Any) -> None:
        if getattr(self.settings, "fast", 0) == 9:
            raise RuntimeError("cannot stand nine")
        started(self, context)

    def full(self: Generations, generation: Any) -> None:
        if generation.number > 2:
            raise OSError(28, "No space left on device")
        add(self, generation)

    monkeypatch.setattr(StrategyActor, "started", fragile)
    monkeypatch.setattr(Generations, "add", full)
    assert "cannot stand nine" in running.apply(faster).taken_back
    assert running.node.cell(TREND).behaviour.settings.fast == 8  # type: ignore[attr-defined]
    assert running.generations.numbers() == [1], "a new start would begin with what failed"

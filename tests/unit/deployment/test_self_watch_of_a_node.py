"""What a node finds of the one before it: an end out of order, and alerts that were left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.alerter.state import AlerterState
from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.deployment.sections import WatchSection
from actors.deployment.self_watch import end_strays, held_by_node, watched_beat
from actors.runtime.beat import Death
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import AlertRaised, AlertResolved, Severity
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore

MARKETS = Path(__file__).parents[3] / "config/markets"
FILE = """
deployment: seen
mode: paper
journal: {path: journal}
actors:
  alerter: {kind: alerter}
"""
SECOND = 1_000_000_000


class Lives:
    """One journal, and node after node on it."""

    def __init__(self, folder: Path) -> None:
        (folder / "markets").symlink_to(MARKETS)
        (folder / "seen.yaml").write_text(FILE)
        self.topology = load(str(folder / "seen.yaml"))
        self.store = MemoryStore()
        self.clock = VirtualClock(1_760_000_000 * SECOND)

    def begin(self, death: Death | None = None) -> Node:
        self.node = assemble(self.topology, self.store, self.clock)
        silent_ns = self.clock.now_ns() - self.node.journal.at_ns
        self.node.start()
        self.beat = watched_beat(self.node, WatchSection(), lambda: True, death, silent_ns)
        self.turns()
        return self.node

    def turns(self) -> None:
        while self.node.turn():
            pass

    @property
    def alerts(self) -> dict[str, str]:
        state: AlerterState = self.node.cell("alerter").behaviour.state
        return {alert.name: alert.summary for alert in state.alerts.values() if not alert.over}


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    return Lives(tmp_path)


def test_a_first_node_and_one_after_an_orderly_end_find_nothing(lives: Lives, monkeypatch: Any) -> None:
    node = lives.begin()
    assert lives.alerts == {}
    monkeypatch.setattr(lives.store, "close", lambda: None)
    node.stop("asked to")
    lives.begin()
    assert lives.alerts == {}


def test_a_node_after_one_that_was_cut_off_says_so(lives: Lives) -> None:
    lives.begin()
    lives.clock.advance_to(lives.clock.now_ns() + 42 * SECOND)
    lives.begin()
    assert "did not end in order; its journal was silent for 42 s" in lives.alerts["NodeDead"]


def test_what_the_heart_knows_goes_before_what_the_journal_tells(lives: Lives) -> None:
    lives.begin()
    lives.begin(Death("it was ended by signal 9", 1.25, 3, is_stall=False))
    text = lives.alerts["NodeDead"]
    assert "was away for 1.2 s: it was ended by signal 9; its heart started it again (restart 3)" in text
    assert "LoopStalled" not in lives.alerts


def test_a_node_that_follows_a_stalled_one_says_that_too(lives: Lives) -> None:
    lives.begin(Death("it made no progress for 10 s and was killed", 10.1, 1, is_stall=True))
    assert "made no progress for 10 s" in lives.alerts["LoopStalled"]


def test_the_death_is_over_when_the_node_has_lived_long_enough(lives: Lives, monkeypatch: Any) -> None:
    lives.begin()
    reading = [0]
    monkeypatch.setattr("actors.deployment.self_watch.monotonic_ns", lambda: reading[0])
    node = lives.begin()
    lives.beat._stopwatch = lambda: reading[0]
    for second, is_over in ((1, False), (299, False), (300, True)):
        reading[0] = second * SECOND
        lives.beat()
        lives.turns()
        assert ("NodeDead" not in held_by_node(node)) is is_over


def test_alerts_of_actors_that_are_gone_are_ended(lives: Lives) -> None:
    node = lives.begin()
    for source in ("feed/GONE", "alerter", "node"):
        node.note(AlertRaised("FeedStale", "X", Severity.PAGE, source, source, node.now_ns))
    lives.turns()
    end_strays(node)
    lives.turns()
    state: AlerterState = node.cell("alerter").behaviour.state
    assert {alert.source for alert in state.alerts.values() if not alert.over} == {"alerter", "node"}


def test_what_the_node_before_raised_is_known_to_hold(lives: Lives) -> None:
    node = lives.begin()
    node.note(AlertRaised("JournalLag", "", Severity.PAGE, "slow", "node", node.now_ns))
    lives.turns()
    node = lives.begin()
    assert "JournalLag" in held_by_node(node)
    node.note(AlertResolved("JournalLag", "", "node", node.now_ns))
    lives.turns()
    assert "JournalLag" not in held_by_node(node)

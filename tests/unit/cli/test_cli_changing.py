"""Changing what runs, at the command line: what no node hears of, and what a rollback needs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.cli import plan as command
from actors.cli.targets import load_topology
from actors.deployment.generations import Generation, Generations
from actors.deployment.resolved import resolved
from actors.deployment.stored import keep_markets
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment that ran with `fast: 8` and narrow limits, then otherwise, and does not run."""
    monkeypatch.setenv("POLYTRADE_STATE", str(tmp_path / "state"))
    shutil.copytree(ROOT / "config" / "markets", tmp_path / "markets")
    file = tmp_path / "paper.yaml"
    text = (ROOT / "config" / "paper.yaml").read_text()
    changed = text.replace("fast: 8", "fast: 9").replace("max_open_orders: 20", "max_open_orders: 10")
    for number, one in ((1, text), (2, changed)):
        file.write_text(one)
        topology = load_topology([str(file)])
        kept = Generations(topology.journal_path)
        keep_markets(kept, topology)
        document, files = resolved(topology), (str(file),)
        kept.add(Generation(number, 1, "ann", "", document["content_hash"], files, document))
    return file


def words_given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the node: keep what it is told, answer that it was done."""
    told: list[dict[str, Any]] = []

    def bring_in(found: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
        told.append(words)
        return {"generation": 3, **command.NOTHING_DONE}

    monkeypatch.setattr(command, "bring_in", bring_in)
    return told


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("deployment: ["), lambda file: file.unlink()])
def test_a_rollback_needs_no_file(paper: Path, cli: Run, tmp_path: Path, spoil: Any) -> None:
    spoil(paper)
    kept = tmp_path / "back.plan"
    found = cli("rollback", str(tmp_path / "state" / "paper"), "--out", str(kept))
    assert found.exit_code == 0, found.stderr
    assert "fast: 9 -> 8" in found.stderr
    assert json.loads(kept.read_text())["of"] == 1


def test_an_applied_plan_of_a_rollback_is_one(
    paper: Path, cli: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    kept, told = tmp_path / "back.plan", words_given(monkeypatch)
    assert cli("rollback", str(paper), "--out", str(kept)).exit_code == 0
    assert cli("apply", str(kept), "--yes", "--reason", "slower").exit_code == 0
    assert told[0]["of"] == 1, "a watch would bring in again what was gone back from"


def test_a_rollback_that_widens_a_limit_makes_up_no_reason(paper: Path, cli: Run, monkeypatch: Any) -> None:
    told = words_given(monkeypatch)
    assert "LOOSENS LIMIT" in cli("rollback", str(paper), "--yes").stderr
    assert cli("rollback", str(paper), "--yes", "--reason", "as agreed").exit_code == 0
    assert [one["reason"] for one in told] == ["", "as agreed"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--for", "30m"), "--for means nothing without --canary"),
        (("--settle", "1s"), "--settle means nothing without --watch"),
    ],
)
def test_half_of_a_wish_changes_nothing(
    paper: Path, cli: Run, monkeypatch: Any, words: Any, text: str
) -> None:
    told = words_given(monkeypatch)
    paper.write_text(paper.read_text().replace("fast: 9", "fast: 7"))
    found = cli("apply", str(paper), "--yes", *words)
    assert (found.exit_code, text in found.stderr, told) == (2, True, [])


def test_without_a_terminal_nobody_is_asked(paper: Path, cli: Run, monkeypatch: Any) -> None:
    told = words_given(monkeypatch)
    paper.write_text(paper.read_text().replace("fast: 9", "fast: 7"))
    found = cli("apply", str(paper))
    assert (found.exit_code, told) == (2, [])
    assert "nobody can be asked whether to apply this; nothing was applied" in found.stderr
    assert "add --yes" in found.stderr


def test_json_is_told_when_nothing_changes(paper: Path, cli: Run) -> None:
    found = cli("apply", str(paper), "--yes", "--json")
    assert found.exit_code == 0
    answer = json.loads(found.stdout)
    assert (answer["generation"], answer["restarted"]) == (2, [])


def test_who_stops_waiting_is_told_that_the_node_does_not(paper: Path, cli: Run, monkeypatch: Any) -> None:
    def bring_in(found: Any, words: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "bring_in", bring_in)
    paper.write_text(paper.read_text().replace("fast: 9", "fast: 7"))
    found = cli("apply", str(paper), "--yes")
    assert found.exit_code == 130
    assert "may have been changed" in found.stderr
    assert "polytrade rollback" in found.stderr


@pytest.mark.parametrize("words", [(), ("--bogus",)])
def test_a_plan_called_wrongly_says_no_changes(paper: Path, cli: Run, words: Any) -> None:
    assert cli("plan", str(paper), *words).exit_code == (1 if words else 0)
    assert cli("plan").exit_code == 1


def test_real_money_does_not_begin_with_the_books_of_paper(paper: Path, cli: Run, tmp_path: Path) -> None:
    journal = tmp_path / "state" / "paper"
    newest = sorted((journal / "generations").glob("0*.json"))[-1]
    newest.write_text(newest.read_text().replace('"mode":"paper"', '"mode":"live"'))
    before = sorted(one.name for one in journal.iterdir())
    found = cli("up", str(paper), "--for", "1s", "--plain")
    assert found.exit_code == 3
    assert f"{journal}: mode: live -> paper takes a new journal" in found.stderr
    assert sorted(one.name for one in journal.iterdir()) == before


def test_a_file_that_moved_leads_to_the_same_journal(paper: Path, cli: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "checkout" / "config"
    elsewhere.mkdir(parents=True)
    shutil.copytree(tmp_path / "markets", elsewhere / "markets")
    text = paper.read_text().replace('"${POLYTRADE_STATE:-../var}/paper"', "../../state/paper")
    (elsewhere / "paper.yaml").write_text(text)
    found = cli("plan", str(elsewhere / "paper.yaml"))
    assert (found.exit_code, "nothing changes" in found.stdout) == (0, True), found.stdout

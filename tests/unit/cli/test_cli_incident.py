"""The screen at page time says what is known and since when, and never that nothing fires at a dead node."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path

import pytest

from actors.cli.failures import tell
from actors.cli.plans import keep_plan
from tests.unit.cli.conftest import Run

HOUR_NS = 3_600_000_000_000


def test_of_a_dead_node_that_left_nothing_nothing_is_known(cli: Run, tmp_path: Path) -> None:
    found = cli("incident", str(tmp_path))
    assert found.exit_code == 0
    assert "DOES NOT ANSWER" in found.stdout
    assert "it left nothing behind" in found.stdout
    assert "fires: not known" in found.stdout
    assert "open orders: not known" in found.stdout
    assert "fires: nothing" not in found.stdout, "the runbook of NodeDead would take that for its end"
    assert "runbook run NodeDead" in found.stdout


def test_what_a_dead_node_left_has_its_age(cli: Run, tmp_path: Path) -> None:
    view = {"at_ns": time.time_ns() - 21 * HOUR_NS, "mode": "paper", "alerts": [], "orders": [], "actors": []}
    (tmp_path / "last_run.json").write_text(json.dumps(view))
    shown = cli("incident", str(tmp_path)).stdout
    assert "21h00m ago" in shown
    assert "what came after that is in the journal and at the venue" in shown
    assert ("fires: not known" in shown, "open orders: none" in shown) == (True, True)


def test_a_bundle_is_no_dead_node(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "incident.json").write_text("{}")
    assert "NodeDead" not in cli("incident", str(tmp_path)).stdout


def test_a_full_disk_is_told_with_its_file_and_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(OSError(errno.ENOSPC, "No space left on device", "/x/a.plan")) == 7
    said = capsys.readouterr().err
    assert "/x/a.plan: the disk is full" in said
    assert "help: make room" in said


def test_a_plan_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.plan"
    keep_plan(path, {"a": 1})

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("actors.cli.plans.json.dump", full)
    with pytest.raises(OSError, match=r"a\.plan"):
        keep_plan(path, {"a": 2})
    left = [one.name for one in tmp_path.iterdir() if "plan" in one.name]
    assert (json.loads(path.read_text()), left) == ({"a": 1}, ["a.plan"])

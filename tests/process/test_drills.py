"""Drills on stages of their own, with real processes: three quick ones, all of them with `make drills`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from actors.drills.history import read_history
from tests.process.live_path import PROGRAM

pytest.importorskip("chaoslib")


def run(folder: Path, *names: str, timeout_s: float) -> list[dict[str, object]]:
    history = folder / "history.jsonl"
    words = ("drill", "run", *names, "--history", str(history), "--json")
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(
        [*PROGRAM, *words], capture_output=True, text=True, timeout=timeout_s, check=False, env=environment
    )
    assert done.stdout, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    assert [one.drill for one in read_history(history)] == [one["drill"] for one in found]
    return found


def left_behind(folder: Path) -> list[str]:
    """Return what still runs with something of a folder on its command line, and stages that lie in it."""
    found = [str(path) for path in folder.glob("polytrade-drill-*")]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode("utf-8", "replace")
            found += [words] if f"{folder}/polytrade-drill-" in words else []
    return found


@pytest.mark.timeout(240)
def test_three_drills_pass_on_one_stage_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    found = run(tmp_path, "quick", timeout_s=220)
    assert len(found) == 3
    assert [one["reason"] for one in found] == ["", "", ""]
    assert all(one["passed"] and one["detect_s"] >= 0 and one["recover_s"] > 0 for one in found)
    assert left_behind(tmp_path) == []


@pytest.mark.long
@pytest.mark.timeout(2_400)
def test_all_drills_pass(tmp_path: Path) -> None:
    found = run(tmp_path, "all", timeout_s=2_300)
    assert {one["drill"]: one["reason"] for one in found if not one["passed"]} == {}
    assert left_behind(tmp_path) == []

"""`polytrade up` as a whole, in a process of its own: it runs, goes on, restarts, refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from actors.cli.client import ControlClient
from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from tests.architecture.sources import ROOT

EXAMPLE = "config/paper.yaml"


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    session = tmp_path / "s"
    session.mkdir()
    return {**os.environ, "POLYTRADE_STATE": str(tmp_path), "XDG_RUNTIME_DIR": str(session), "NO_COLOR": "1"}


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "actors.cli.main", "up", EXAMPLE, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def until_answered(tmp_path: Path, path: str = "/v1/status", wanted: Any = lambda found: True) -> Any:
    client = ControlClient(tmp_path / "paper" / "control.sock")
    end = time.monotonic() + 30
    while True:
        try:
            found = client.get(path)
            if wanted(found):
                return found
        except Problem:
            pass
        assert time.monotonic() < end, "the node does not answer"
        time.sleep(0.05)


def test_a_run_reports_itself_and_the_next_one_goes_on(tmp_path, environment) -> None:
    code, out, err = finish(start(environment, "--for", "3s", "--json"))
    first = json.loads(out)
    assert (code, first["exit"], first["ledger_agrees"]) == (0, 0, True)
    assert first["journal_events"] > 0
    assert "stopped in order" in err
    assert "go on where it stopped: polytrade up config/paper.yaml" in err
    assert "Traceback" not in err

    code, out, err = finish(start(environment, "--for", "2s", "--json", "--no-heart"))
    second = json.loads(out)
    assert code == 0
    assert second["journal_sequence"] == first["journal_sequence"] + second["journal_events"]
    assert second["totals"]["orders"] == first["totals"]["orders"] + second["orders"]


def test_a_killed_node_is_brought_back_and_ctrl_c_stops_it(tmp_path, environment) -> None:
    process = start(environment, "--plain")
    try:
        first = until_answered(tmp_path)
        os.kill(first["pid"], signal.SIGKILL)
        second = until_answered(tmp_path, wanted=lambda found: found["pid"] != first["pid"])
        assert second["epoch"] == first["epoch"] + 1
        until_answered(tmp_path, "/v1/view", lambda view: view["ready"])
    finally:
        process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert (code, out) == (0, "")
    assert "the node died with code -9" in err
    assert "runs again" in err
    assert "stopped in order" in err


def test_a_second_node_on_the_same_journal_refuses(tmp_path, environment) -> None:
    process = start(environment, "--plain")
    try:
        until_answered(tmp_path)
        plan = tmp_path / "state" / "paper" / "direct.json"
        plan = plan if plan.exists() else next(tmp_path.rglob("direct.json"))
        before = plan.stat().st_ino, plan.read_bytes()
        code, out, err = finish(start(environment, "--json"))
        assert code == ExitCode.JOURNAL_IN_USE
        assert "in use by process" in err
        assert (out, "ready" in err) == ("", False), "it shows the other node as its own"
        assert (plan.stat().st_ino, plan.read_bytes()) == before, (
            "`halt --direct` would stop another deployment"
        )
        listed = subprocess.run(
            [sys.executable, "-m", "actors.cli.main", "ps", "--all", "--json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert [one["deployment"] for one in json.loads(listed.stdout)] == ["paper"]
    finally:
        process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0

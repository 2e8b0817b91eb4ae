"""A real node is changed while it trades, is killed, and goes on with what was applied."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process.node import wait_for

PROGRAM = (sys.executable, "-c", "from actors.cli.main import main; main()")
TREND = "trend/BTC_USDT_PERP"


class Desk:
    """A copy of the shipped files in a folder of the test, and the commands an operator gives."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree("config", folder / "config")
        self.file = folder / "config" / "paper.yaml"
        self.folder = folder
        self.environment = os.environ | {
            "POLYTRADE_STATE": str(folder / "var"),
            "XDG_RUNTIME_DIR": str(folder),
            "NO_COLOR": "1",
        }
        self.node: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        words = ("up", str(self.file), "--plain", "--for", "120s")
        with (self.folder / "up.log").open("ab") as log:
            self.node = subprocess.Popen([*PROGRAM, *words], stdout=log, stderr=log, env=self.environment)
        wait_for(lambda: self.status().get("ready"), 30)

    def run(self, *words: str) -> tuple[int, str]:
        found = subprocess.run(
            [*PROGRAM, *words], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return found.returncode, found.stdout + found.stderr

    def status(self) -> dict[str, Any]:
        code, text = self.run("status", str(self.file), "--json")
        return json.loads(text) if code == 0 else {}

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def restarts(self) -> dict[str, int]:
        _, text = self.run("ps", str(self.file), "--json")
        return {one["address"]: one["restarts"] for one in json.loads(text) if one["restarts"]}

    def close(self) -> None:
        if self.node is not None and self.node.poll() is None:
            self.node.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.node.wait(30)
            self.node.kill()
            self.node.wait()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    try:
        found.up()
        yield found
    finally:
        found.close()


def test_a_plan_is_applied_survives_a_kill_and_is_rolled_back(desk: Desk) -> None:
    file, plan = str(desk.file), str(desk.folder / "plan.json")
    assert desk.run("plan", file)[0] == 0
    desk.edit("fast: 8", "fast: 9")
    code, text = desk.run("plan", file, "--out", plan)
    assert (code, "fast: 8 -> 9" in text, "LOOSENS" in text) == (2, True, False)
    code, text = desk.run("apply", plan, "--yes", "--watch", "0.5", "--json")
    assert code == 0, text
    symbols = [f"trend/{one}_USDT_PERP" for one in ("BTC", "ETH", "XRP")]
    assert json.loads(text[text.index("{") :])["restarted"] == symbols
    assert desk.restarts() == dict.fromkeys(symbols, 1)
    code, text = desk.run("apply", plan, "--yes")
    assert (code, "the plan was made against generation 1" in text) == (5, True)
    pid = desk.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: desk.status().get("pid", pid) != pid and desk.status().get("ready"), 30)
    assert desk.run("plan", file)[0] == 0, "the node forgot what was applied"
    code, text = desk.run("rollback", file, "--yes", "--watch", "0.5")
    assert code == 0, text
    code, text = desk.run("plan", file)
    assert (code, "fast: 8 -> 9" in text) == (2, True)
    _, text = desk.run("generations", file, "--json")
    rows = json.loads(text)["generations"]
    assert [(one["generation"], one["of"]) for one in rows] == [(1, 0), (2, 0), (3, 1)]
    assert rows[0]["content_hash"] == rows[2]["content_hash"]
    desk.edit("fast: 9", "fast: nine")
    code, text = desk.run("plan", file)
    assert (code, "E102" in text) == (1, True)

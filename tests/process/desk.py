"""An operator's desk: a copy of the shipped files in a folder of the test, and the commands as processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.process.node import wait_for

PROGRAM = (sys.executable, "-c", "from actors.cli.main import main; main()")


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

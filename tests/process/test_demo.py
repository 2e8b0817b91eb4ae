"""`polytrade up config/local.yaml --exchange`: both ends together, and Ctrl-C ends them in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from actors.cli.problems import Problem
from actors.cli.rehearsal import exchange_beside
from actors.deployment.loader import load
from tests.process.live_path import PROGRAM, free_port
from tests.process.node import wait_for


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_ctrl_c_ends_the_node_first_and_then_its_exchange(tmp_path: Path) -> None:
    port = free_port()
    words = (
        "up",
        "config/local.yaml",
        "--exchange",
        "--plain",
        "--json",
        "--input",
        f"host=127.0.0.1:{port}",
    )
    environment = os.environ | {"POLYTRADE_STATE": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    with (tmp_path / "said").open("w+b") as said:
        process = subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=said, env=environment)
        try:
            wait_for(lambda: b" ready " in (tmp_path / "said").read_bytes(), 30.0)
            assert listens(port)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=40)
        finally:
            process.kill()
    assert process.returncode == 0, (tmp_path / "said").read_text()
    assert json.loads(out)["ledger_agrees"] is True
    assert not listens(port), "its exchange goes with it"
    assert (tmp_path / "exchange").is_dir()


@pytest.mark.parametrize("config", ["config/paper.yaml", "config/live.yaml"])
def test_an_exchange_is_only_started_where_orders_would_reach_it(config: str) -> None:
    with pytest.raises(Problem), exchange_beside(load(config)):
        raise AssertionError("it was started")

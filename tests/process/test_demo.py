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


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("POLYTRADE_")}
    environment |= {"POLYTRADE_STATE": str(folder), "XDG_RUNTIME_DIR": str(folder), **variables}
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, env=environment, timeout=60)


def test_live_trading_does_not_start_without_its_secrets_and_names_their_places(tmp_path: Path) -> None:
    variables = {"POLYTRADE_SECRET_POLYTRADE_POLONIEX_KEY": "k-value"}
    ended = run(tmp_path, "up", "config/live.yaml", **variables)
    assert ended.returncode == 3
    assert "config/live.yaml:" in ended.stderr
    assert "POLYTRADE_SECRET_POLYTRADE_POLONIEX_SECRET is not set" in ended.stderr
    assert "k-value" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "live").exists()
    shown = run(tmp_path, "doctor", "config/live.yaml", **variables)
    assert "POLONIEX_SECRET is not set" in shown.stdout
    assert "k-value" not in shown.stdout


def test_without_a_network_paper_trading_says_so_and_stands_still(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.yaml"
    nowhere.write_text(
        'actors: {feed: {settings: {rest_url: "http://127.0.0.1:1", stream_url: "ws://127.0.0.1:1"}}}',
        encoding="utf-8",
    )
    ended = run(tmp_path, "up", "config/paper-poloniex.yaml", str(nowhere), "--for", "4s", "--json")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    report = json.loads(ended.stdout)
    assert set(report["alerts"]) == {"FeedUnreachable"}
    assert "127.0.0.1:1 cannot be connected: Connection refused" in ended.stderr
    assert (report["orders"], report["failures"]) == (0, 0)

"""What probes and actions see of a node: a far side on a socket that shows what a test wants."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from actors.drills.actions.operator import run_runbook, see_to_plans
from actors.drills.probes.state import holds
from actors.drills.stage import STAGE_FILE, Stage, save_stage
from actors.drills.wire import DrillFailed

BTC, ETH = "BTC_USDT_PERP", "ETH_USDT_PERP"


class Node(socketserver.ThreadingUnixStreamServer):
    """Answers every question with what it was given."""

    shown: dict[str, Any]


class Answer(BaseHTTPRequestHandler):
    server: Node

    def do_GET(self) -> None:
        body = json.dumps(self.server.shown).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "test"

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[Node, dict[str, str]]]:
    path = tmp_path / "control.sock"
    stage = Stage(
        deployment="drill",
        mode="paper",
        file="nowhere.yaml",
        journal=str(tmp_path),
        socket=str(path),
        folder=str(tmp_path),
        is_ours=True,
    )
    save_stage(stage, tmp_path / STAGE_FILE)
    with Node(str(path), Answer) as server:
        server.shown = {"alerts": [], "positions": []}
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server, {"stage": str(tmp_path / STAGE_FILE)}
        server.shutdown()
        thread.join()


def test_a_position_is_waited_for_by_its_symbol(node: tuple[Node, dict[str, str]]) -> None:
    server, configuration = node
    server.shown["positions"] = [
        {"symbol": ETH, "net_contracts": 4},
        {"symbol": BTC, "net_contracts": 0},
    ]
    with pytest.raises(DrillFailed, match=f"a position in {BTC}"):
        holds(BTC, 0.2, configuration)
    server.shown["positions"][1]["net_contracts"] = -3
    assert holds(BTC, 0.2, configuration) == -3


def test_a_runbook_can_be_run_with_the_key_of_the_alert_that_fires(
    node: tuple[Node, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, configuration = node
    server.shown["alerts"] = [
        {"name": "StopFailed", "key": "another"},
        {"name": "ParentFailed", "key": f"parade/{BTC}#1.4"},
    ]
    asked: list[tuple[str, ...]] = []

    class Run:
        def __init__(self, _: Stage, words: tuple[str, ...]) -> None:
            asked.append(words)

        def end(self, _: float) -> tuple[int, str, str]:
            return 0, json.dumps({"outcomes": [{"step": "seen", "result": "as_expected"}]}), ""

    monkeypatch.setattr("actors.drills.actions.operator.Run", Run)
    assert run_runbook("ParentFailed", of_firing=True, configuration=configuration) == {
        "steps": {"seen": "as_expected"}
    }
    assert asked[0][4:6] == ("--key", f"parade/{BTC}#1.4")


def test_plans_that_lost_an_order_are_seen_to_each_by_its_name(
    node: tuple[Node, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, configuration = node
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        "actors.drills.actions.operator.polytrade", lambda _, *words, **__: asked.append(words)
    )
    assert see_to_plans(configuration) == "none lost an order"
    server.shown["alerts"] = [
        {"name": "ParentFailed", "key": "a#1.4"},
        {"name": "StopFailed", "key": "b#1.2"},
    ]
    assert see_to_plans(configuration) == "a#1.4"
    assert [words[:4] for words in asked] == [("orders", "cancel", "nowhere.yaml", "a#1.4")]

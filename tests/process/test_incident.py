"""The screen at page time: of a node that trades, of one that is dead; and a bundle that works elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tarfile
from pathlib import Path

from actors.cli.client import ControlClient
from actors.deployment.loader import load
from tests.process.desk import Desk
from tests.process.node import wait_for
from tests.process.planted import leaks, of_files, what_the_node_answers

HOOK_KEY = "planted-4711"  # somebody wrote the address of a webhook down as text
HOOK = f"http://127.0.0.1:1/in/{HOOK_KEY}"


def test_the_screen_and_the_bundle_of_a_node_alive_and_dead(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.edit("durability: process}", "durability: process, tape: true}")
    routes = f'[{{name: log, channel: log}}, {{name: team, channel: webhook, url: "{HOOK}"}}]'
    desk.edit("kind: alerter", f"kind: alerter\n    settings: {{routes: {routes}}}")
    try:
        desk.up()
        wait_for(lambda: desk.status()["totals"]["fills"] >= 1, 30)
        assert desk.run("halt", str(desk.file), "--reason", "a drill")[0] == 0
        code, text = desk.run("incident", str(desk.file), "TradingHalted")
        assert code == 0, text
        for said in (
            "fires: TradingHalted",
            "a drill",
            "money: equity",
            "generation 1",
            "halt",
            "--direct",
            f"why {desk.file} halt:all",
            "--key main:all",
        ):
            assert said in text, said
        bundle = tmp_path / "incident.tar.gz"
        code, text = desk.run("incident", str(desk.file), "--export", str(bundle), "--json")
        assert (code, bundle.stat().st_mode & 0o077) == (0, 0), text
        assert leaks([HOOK_KEY], of_files(tmp_path, frozenset({"config", "generations"}))) == []
        topology = load(str(desk.file), environment=desk.environment)
        answers = dict(what_the_node_answers(ControlClient(topology.socket_path, topology.deployment)))
        assert leaks([HOOK_KEY], answers.items()) == []
        syncs = re.search(rb"polytrade_journal_syncs_total (\d+)", answers["metrics"])
        assert syncs is not None
        assert int(syncs[1]) > 0  # with `durability: process` the disk is synced beside the loop
        code, text = desk.run("generations", str(desk.file), "--json")
        assert (code, HOOK_KEY in text) == (0, False), text
        heart = desk.node
        assert heart is not None
        pid = desk.status()["pid"]
        os.kill(pid, signal.SIGSTOP)
        code, text = desk.run("incident", str(desk.file))
        os.kill(pid, signal.SIGCONT)
        assert (code, "DOES NOT ANSWER" in text, "--direct" in text) == (0, True, True)
    finally:
        desk.close()
    with tarfile.open(bundle) as archive:
        archive.extractall(tmp_path / "elsewhere", filter="data")
    journal = tmp_path / "elsewhere" / "journal"
    assert json.loads((journal / "incident.json").read_text())["deployment"] == "paper"
    for name in ("config", "var"):  # a laptop has neither
        shutil.rmtree(tmp_path / name)
    fill = _works_on_a_laptop(desk, str(journal))
    code, text = desk.run("replay", str(journal), "--trade", fill)
    assert (code, "the same, byte for byte" in text) == (0, True), text
    code, text = desk.run("restore", str(journal), "--check")
    assert (code, "is no backup" in text) == (5, True), text


def _works_on_a_laptop(desk: Desk, journal: str) -> str:
    """Everything that the bundle's README names; return an order that was filled."""
    said = {}
    for words in (
        ("incident", journal),
        ("audit", "verify", journal),
        ("logs", journal),
        ("trades", journal, "--json"),
        ("state", journal, "ledger/main", "--json"),
        ("state", journal, "venue/main", "--tape"),
    ):
        code, said[words[0]] = desk.run(*words)
        assert code == 0, (words, said[words[0]])
    assert "fires: TradingHalted" in said["incident"]
    assert "money: equity" in said["incident"]
    trades = json.loads(said["trades"])
    fill = str([*trades["trades"], *trades["open"]][0]["entry_order"])
    code, text = desk.run("why", journal, fill)
    assert (code, "OrderFillApplied" in text) == (0, True), text
    return fill

"""The screen at page time: of a node that trades, of one that is dead; and a bundle that works elsewhere."""

from __future__ import annotations

import json
import os
import signal
import tarfile
from pathlib import Path

from tests.process.desk import Desk
from tests.process.node import wait_for


def test_the_screen_and_the_bundle_of_a_node_alive_and_dead(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
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
    assert (tmp_path / "elsewhere" / "log" / "node.jsonl").is_file()
    code, text = desk.run("audit", "verify", str(journal))
    assert code == 0, text

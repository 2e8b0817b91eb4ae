"""Runbooks run unattended while what they are about is really so: a mute feed, a revoked key, a halt."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.process.live_path import CONFIG, PROGRAM, LivePath, live_path
from tests.process.node import wait_for

SYMBOL = "BTC_USDT_PERP"
IMPATIENT = "actors:\n  feed: {settings: {silent_after: 3s}}\n"


class Drill:
    """One unattended run beside a deployment. `cure` ends the fault once the run has come to a step."""

    def __init__(self, path: LivePath, name: str, key: str) -> None:
        self.path, self.name = path, name
        self.journal = path.topology().journal_path
        self.before = len(self._recorded())
        words = ("runbook", "run", name, path.config[0], "--key", key, "--auto", "--json")
        self.process = subprocess.Popen(
            [*PROGRAM, *words],
            env=path.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def cure_after(self, step: str) -> None:
        wait_for(lambda: step in self.steps(), 30)
        status, _ = self.path.client.send("DELETE", "/__faults__", sign=False)
        assert status == 200

    def steps(self) -> list[str]:
        """Return the steps of this run that are on record so far."""
        return self._recorded()[self.before :]

    def _recorded(self) -> list[str]:
        """Return the steps of all runs of this runbook, oldest first."""
        files = sorted(self.journal.glob(f"runbooks/{self.name}-*.jsonl"))
        return [json.loads(line)["step"] for file in files for line in file.read_text().splitlines()]

    def end(self) -> tuple[int, dict[str, Any]]:
        out, err = self.process.communicate(timeout=120)
        assert out, err
        return self.process.returncode, json.loads(out)


def test_three_runbooks_run_unattended_and_their_alerts_end(tmp_path: Path) -> None:
    (tmp_path / "impatient.yaml").write_text(IMPATIENT)
    with live_path(tmp_path, config=(*CONFIG, str(tmp_path / "impatient.yaml"))) as path:
        path.start_exchange()
        path.start_node()
        path.await_trading()
        wait_for(lambda: path.view()["totals"]["ledger_agrees"])

        code, found = Drill(path, "VenueKeyRefused", "main").end()
        assert (code, [one["step"] for one in found["outcomes"]]) == (1, ["look"]), "nothing was wrong"

        fault(path, kind="revoke_key", account="local-key")
        wait_for(lambda: "VenueKeyRefused" in firing(path), 30)
        drill = Drill(path, "VenueKeyRefused", "main")
        drill.cure_after("look")
        is_good(drill)

        fault(path, kind="mute", symbol=SYMBOL)
        wait_for(lambda: "FeedStale" in firing(path), 30)
        drill = Drill(path, "FeedStale", SYMBOL)
        drill.cure_after("restart")
        is_good(drill)

        path.halt("all", "no_new_risk")
        wait_for(lambda: "TradingHalted" in firing(path), 30)
        is_good(Drill(path, "TradingHalted", "main:all"))
        assert path.view()["halts"] == []
        path.await_trading()
        assert_on_record(path)


def fault(path: LivePath, **rule: str) -> None:
    status, _ = path.client.send("POST", "/__faults__", body=rule, sign=False)
    assert status == 200


def firing(path: LivePath) -> set[str]:
    return {one["name"] for one in path.view()["alerts"]}


def is_good(drill: Drill) -> None:
    """All was as expected, every step of it, and nothing of that name fires any more."""
    code, found = drill.end()
    assert code == 0, found
    assert {one["result"] for one in found["outcomes"]} == {"as_expected"}
    assert drill.name not in firing(drill.path)


def assert_on_record(path: LivePath) -> None:
    """The journal has every step of all runs, the one that stopped too."""
    words = ("audit", "export", str(path.topology().journal_path), "--topic", "operator")
    done = subprocess.run(
        [*PROGRAM, *words], env=path.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in ("VenueKeyRefused", "FeedStale", "TradingHalted"):
        assert name in done.stdout

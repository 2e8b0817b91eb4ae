"""A real node is changed while it trades, is killed, and goes on with what was applied."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.desk import PROGRAM, Desk
from tests.process.node import wait_for


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    found.edit("journal: {", "journal: {tape: true, ")
    try:
        found.up()
        yield found
    finally:
        found.close()


def prove_one_that_dies(desk: Desk, file: str) -> None:
    """Kill a node in the middle of the proof of a change: the generation before runs again, as is told."""
    desk.edit("fast: 9", "fast: 7")
    words = (*PROGRAM, "apply", file, "--yes", "--prove", "60s")
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=desk.environment, stdout=pipe, stderr=pipe, text=True) as command:
        wait_for(lambda: '"generation": 3' in desk.run("generations", file, "--json")[1], 30)
        wait_for(lambda: len(desk.restarts()) == 3, 10)
        pid = desk.status()["pid"]
        os.kill(pid, signal.SIGKILL)
        _, said = command.communicate(timeout=30)
    assert (command.returncode, "went away while it applied this" in said) == (4, True), said
    wait_for(lambda: desk.status().get("pid", pid) != pid and desk.status().get("ready"), 30)
    assert "generation 3 was taken back: the node died" in desk.run("incident", file, "ConfigApplyFailed")[1]
    desk.edit("fast: 7", "fast: 9")
    assert desk.run("plan", file)[0] == 0, "it does not run what it ran before"


def test_a_plan_is_applied_survives_a_kill_and_is_rolled_back(desk: Desk) -> None:
    file, plan = str(desk.file), str(desk.folder / "night.plan")
    assert desk.run("plan", file)[0] == 0
    desk.edit("fast: 8", "fast: 9")
    code, text = desk.run("plan", file, "--out", plan)
    assert (code, "fast: 8 -> 9" in text, "LOOSENS" in text) == (2, True, False)
    code, text = desk.run("apply", plan, "--yes", "--prove", "500ms", "--json")
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
    prove_one_that_dies(desk, file)
    code, text = desk.run("rollback", file, "1", "--yes", "--prove", "500ms")
    assert code == 0, text
    code, text = desk.run("plan", file)
    assert (code, "fast: 8 -> 9" in text) == (2, True)
    _, text = desk.run("generations", file, "--json")
    rows = json.loads(text)["generations"]
    assert [(one["generation"], one["of"]) for one in rows] == [(1, 0), (2, 0), (3, 0), (4, 2), (5, 1)]
    hashes = [one["content_hash"] for one in rows]
    assert (hashes[3], hashes[4]) == (hashes[1], hashes[0])
    desk.edit("fast: 9", "fast: nine")
    code, text = desk.run("plan", file)
    assert (code, "E102" in text) == (1, True)
    desk.edit("fast: nine", "fast: 9")
    desk.close()
    by_tape, by_journal = (
        desk.run("state", file, "risk/main", "--json", *words) for words in (["--tape"], [])
    )
    assert by_tape == by_journal, "played over the changes, the tape comes to something else"
    assert by_tape[0] == 0

"""A real node: its files are followed; what a killed node had on trial is taken back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process.desk import PROGRAM, Desk
from tests.process.node import wait_for

BTC = "trend/BTC_USDT_PERP"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    try:
        found.up()
        yield found
    finally:
        found.close()


def test_files_are_followed_and_a_canary_outlives_no_kill(desk: Desk) -> None:
    file = str(desk.file)
    words = ("apply", file, "--watch", "--json", "--settle", "200ms", "--prove", "200ms")
    watch = subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, env=desk.environment, text=True)
    try:
        assert watch.stdout is not None
        events = [json.loads(watch.stdout.readline())["event"]]
        while events[-1] != "unchanged":
            events.append(json.loads(watch.stdout.readline())["event"])
        desk.edit("fast: 8", "fast: 9")
        told = [json.loads(watch.stdout.readline()) for _ in range(2)]
        assert [one["event"] for one in told] == ["applying", "applied"]
        assert BTC in told[1]["restarted"]
    finally:
        watch.send_signal(signal.SIGINT)
        assert watch.wait(10) == 0
    desk.edit("fast: 9", "fast: 7")
    code, text = desk.run(
        *("apply", file, "--canary", "BTC_USDT_PERP", "--prove", "200ms", "--yes", "--json")
    )
    assert code == 0, text
    answer = json.loads(text[text.index("{") :])
    assert (answer["restarted"], len(answer["deferred"])) == ([BTC], 2)
    assert canary(desk)["changed"] == [BTC]
    os.kill(desk.status()["pid"], signal.SIGKILL)
    wait_for(lambda: desk.run("canary", "status", file)[1].startswith("no canary"), 30)
    _, text = desk.run("generations", file, "--json")
    rows = json.loads(text)["generations"]
    assert [(one["generation"], one["of"], one["actor"]) for one in rows[2:]][1:] == [(4, 2, "heart")]
    assert desk.run("canary", "promote", file, "--yes")[0] == 5


def canary(desk: Desk) -> dict[str, Any]:
    code, text = desk.run("canary", "status", str(desk.file), "--json")
    assert code == 0, text
    found: dict[str, Any] = json.loads(text)
    return found

"""The last resort of the heart: it comes when progress does not, whatever restarts do, and before a start."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.beat import Beat
from actors.runtime.heart import EXHAUSTED, HeartHandle, HeartLimits, LastResort, launch

QUICK = {"backoff_s_min": 0.01, "backoff_s_max": 0.05, "stop_timeout_s": 2.0}


class Stage:
    """A folder in which the node and the last resort write down what they did, in order."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "said"

    def say(self, what: str) -> None:
        with self.path.open("a") as file:
            file.write(what + "\n")

    @property
    def said(self) -> list[str]:
        return self.path.read_text().split("\n")[:-1] if self.path.exists() else []

    @property
    def lives(self) -> int:
        return self.said.count("node")

    def resort(self, after_s: float = 0.6, act: Callable[[str], str] | None = None) -> LastResort:
        def stop_accounts(reason: str) -> str:
            self.say("resort: " + reason)
            return "orders 0"

        return LastResort(after_s, 5.0, act or stop_accounts)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def until(condition: Callable[[], Any], handle: HeartHandle, timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        handle.poll()
        assert time.monotonic() < end, handle.events
        time.sleep(0.01)


def freeze(handle: HeartHandle) -> None:
    """Stop a node that has beaten, as an operator's SIGSTOP or a debugger does."""
    until(lambda: handle.node_pid > 0, handle)  # 0 would be ourselves
    time.sleep(0.3)
    os.kill(handle.node_pid, signal.SIGSTOP)


def go_on(beat: Beat) -> int:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while beat():
        time.sleep(0.02)
    return 0


def finish(handle: HeartHandle) -> int | None:
    handle.stop()
    return handle.wait(10.0)


def told(handle: HeartHandle, kind: str) -> list[dict[str, Any]]:
    return [event for event in handle.events if event["event"] == kind]


def test_a_stopped_node_is_killed_and_the_resort_runs_before_the_next_start(stage: Stage) -> None:
    def run(beat: Beat) -> int:
        stage.say("node")
        return go_on(beat)

    handle = launch(run, HeartLimits(stall_after_s=60.0, **QUICK), stage.resort())
    until(lambda: stage.lives == 1, handle)
    freeze(handle)
    until(lambda: stage.lives == 2, handle)
    assert [word.split(":")[0] for word in stage.said] == ["node", "resort", "node"]
    assert finish(handle) == 0
    assert told(handle, "last_resort_ended") == [
        {"event": "last_resort_ended", "code": 0, "text": "orders 0"}
    ]


def test_restarts_that_bring_no_progress_do_not_put_it_off(stage: Stage) -> None:
    def run(beat: Beat) -> int:
        stage.say("node")
        if stage.lives == 1:
            for _ in range(10):
                beat()
                time.sleep(0.03)
        time.sleep(0.2)
        return 1  # it dies again and again before it gets anywhere

    handle = launch(run, HeartLimits(intensity=1_000, **QUICK), stage.resort(1.0))
    until(lambda: any(word.startswith("resort") for word in stage.said), handle)
    before = stage.said.index(next(word for word in stage.said if word.startswith("resort")))
    assert before > 2, "it was restarted meanwhile"
    time.sleep(1.5)
    assert sum(word.startswith("resort") for word in stage.said) == 1, "once, until there is progress again"
    finish(handle)


def test_it_runs_when_the_restarts_are_used_up(stage: Stage) -> None:
    handle = launch(lambda beat: 1, HeartLimits(intensity=2, **QUICK), stage.resort(60.0))
    assert handle.wait(10.0) == EXHAUSTED
    assert len(stage.said) == 1
    assert told(handle, "last_resort_ended")


@pytest.mark.parametrize(("code", "runs"), [(0, 0), (3, 1), (6, 0), (7, 1)])
def test_an_end_that_no_restart_mends_leaves_nothing_behind(stage: Stage, code: int, runs: int) -> None:
    def run(beat: Beat) -> int:
        beat()
        time.sleep(0.3)
        return code

    handle = launch(run, HeartLimits(**QUICK), stage.resort(60.0))
    assert handle.wait(10.0) == code
    assert len(stage.said) == runs


def test_a_node_that_makes_progress_or_is_asked_to_stop_is_left_alone(stage: Stage) -> None:
    handle = launch(go_on, HeartLimits(**QUICK), stage.resort(0.5))
    time.sleep(1.2)
    assert finish(handle) == 0
    assert stage.said == []


def test_one_that_hangs_itself_is_given_up_and_the_node_starts_again(stage: Stage) -> None:
    def hang(reason: str) -> str:
        stage.say("resort")
        time.sleep(60.0)
        return ""

    def run(beat: Beat) -> int:
        stage.say("node")
        return go_on(beat)

    resort = LastResort(0.5, -9.0, hang)  # with the grace: one second
    handle = launch(run, HeartLimits(stall_after_s=60.0, **QUICK), resort)
    until(lambda: stage.lives == 1, handle)
    freeze(handle)
    until(lambda: stage.lives == 2, handle)
    assert finish(handle) == 0
    assert told(handle, "last_resort_ended")[0]["code"] == -signal.SIGKILL

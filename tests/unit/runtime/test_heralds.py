"""What a node cannot tell itself, the heart has told: that it stands still, is gone, is back."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from actors.runtime.beat import Beat
from actors.runtime.errands import News
from actors.runtime.heart import EXHAUSTED, HeartHandle, HeartLimits, launch
from tests.unit.runtime.test_last_resort import QUICK, Stage, finish, freeze, go_on, until


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def herald(stage: Stage):  # type: ignore[no-untyped-def]
    def tell(news: News) -> None:
        stage.say(f"{'over' if news.is_over else 'told'} {news.alert}: {news.text}")

    return tell


def node(stage: Stage):  # type: ignore[no-untyped-def]
    def run(beat: Beat) -> int:
        death = beat.death
        stage.say("node" if death is None else f"node after: {death.reason}; stall {death.is_stall}")
        return go_on(beat)

    return run


def live(stage: Stage, **limits: float) -> HeartHandle:
    return launch(node(stage), HeartLimits(**QUICK, **limits), None, herald(stage))  # type: ignore[arg-type]


def test_a_node_that_stands_still_is_told_of_while_it_does_and_when_it_goes_on(stage: Stage) -> None:
    handle = live(stage, stall_after_s=60.0, tell_stall_after_s=0.5)
    freeze(handle)
    until(lambda: len(stage.said) == 2, handle)
    assert stage.said[1].startswith("told LoopStalled: the node makes no progress")
    time.sleep(0.3)
    os.kill(handle.node_pid, signal.SIGCONT)
    until(lambda: len(stage.said) == 3, handle)
    assert stage.said[2].startswith("over LoopStalled"), "told once, and once more when it is over"
    assert finish(handle) == 0


def test_a_node_that_beats_in_time_is_not_told_of(stage: Stage) -> None:
    handle = live(stage, tell_stall_after_s=1.0, tell_death_after_s=1.0)
    until(lambda: stage.lives == 1, handle)
    time.sleep(1.5)
    assert finish(handle) == 0
    assert stage.said == ["node"]


def test_a_node_that_comes_back_in_time_hears_what_became_of_the_one_before(stage: Stage) -> None:
    handle = live(stage)
    until(lambda: handle.node_pid > 0, handle)  # 0 would be ourselves
    time.sleep(0.3)
    os.kill(handle.node_pid, signal.SIGKILL)
    until(lambda: len(stage.said) == 2, handle)
    assert stage.said[1] == "node after: it was ended by signal 9; stall False"
    assert finish(handle) == 0
    assert len(stage.said) == 2, "it tells people itself"


def test_a_node_that_was_killed_for_a_stall_is_followed_by_one_that_knows_it(stage: Stage) -> None:
    handle = live(stage, stall_after_s=0.8)
    freeze(handle)
    until(lambda: len(stage.said) == 2, handle)
    assert stage.said[1] == "node after: it made no progress for 0.8 s and was killed; stall True"
    finish(handle)


def test_a_node_that_does_not_come_back_is_told_of(stage: Stage) -> None:
    def run(beat: Beat) -> int:
        stage.say("node")
        if stage.lives == 1:
            beat()
            time.sleep(0.3)
            return 1
        time.sleep(3.0 if stage.lives == 2 else 0.0)
        return go_on(beat)

    handle = launch(run, HeartLimits(tell_death_after_s=0.5, **QUICK), None, herald(stage))  # type: ignore[arg-type]
    until(lambda: any("told" in word for word in stage.said), handle)
    assert "told NodeDead: the node is not there: it ended with code 1" in stage.said[-1]
    until(lambda: any("over NodeDead" in word for word in stage.said), handle)
    finish(handle)


def test_restarts_that_are_used_up_are_told_before_the_heart_ends(stage: Stage) -> None:
    handle = launch(lambda beat: 1, HeartLimits(intensity=1, **QUICK), None, herald(stage))  # type: ignore[arg-type]
    assert handle.wait(10.0) == EXHAUSTED
    assert stage.said == ["told NodeDead: the node died more often than 1 times: nobody starts it again"]


def test_a_herald_that_hangs_holds_nothing_up(stage: Stage) -> None:
    def hang(news: News) -> None:
        stage.say("told")
        time.sleep(60.0)

    handle = launch(node(stage), HeartLimits(stall_after_s=1.5, tell_stall_after_s=0.5, **QUICK), None, hang)  # type: ignore[arg-type]
    freeze(handle)
    until(lambda: any("node after" in word for word in stage.said), handle)
    assert "told" in stage.said
    handle.kill()

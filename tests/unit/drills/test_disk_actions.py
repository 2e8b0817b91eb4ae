"""What drills do to files beside a journal, and how they take it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.direct.latch import LatchLine, append, latch_path, read_latches
from actors.drills.actions.disk import (
    ANCHORS,
    block_anchors,
    damage_latch,
    free_anchors,
    hide_tape,
    show_tape,
)
from actors.drills.stage import Stage, save_stage
from actors.runtime.anchors import Anchor, AnchorFile, read_anchors


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """The configuration of an experiment on a stage of ours, of which only the folders are there."""
    (tmp_path / "journal").mkdir()
    places = {"journal": str(tmp_path / "journal"), "folder": str(tmp_path)}
    stage = Stage(deployment="t", mode="paper", file="", socket="", is_ours=True, **places)
    save_stage(stage, tmp_path / "stage.json")
    return {"stage": str(tmp_path / "stage.json")}


def test_a_damaged_latch_has_one_line_that_cannot_be_believed(tmp_path: Path, given: dict[str, Any]) -> None:
    fields = {"kind": "halt", "scope": "all", "level": "flatten", "actor": "ann", "reason": "a test"}
    path = latch_path(tmp_path / "journal")
    append(path, LatchLine(deployment="t", at_ns=1, **fields))
    damage_latch(given)
    append(path, LatchLine(deployment="t", at_ns=2, **fields))
    assert [one.line is not None for one in read_latches(path)] == [True, False, True]


def test_anchors_are_blocked_and_go_on_afterwards(tmp_path: Path, given: dict[str, Any]) -> None:
    file = AnchorFile(tmp_path / ANCHORS)
    file.append(Anchor(1, "j", 1, 1, "00"))
    block_anchors(given)
    with pytest.raises(IsADirectoryError):
        file.append(Anchor(2, "j", 1, 2, "00"))
    free_anchors(given)
    free_anchors(given)  # nothing is left to do
    file.append(Anchor(3, "j", 1, 3, "00"))
    assert [one.at_ns for one in read_anchors(file.path)] == [1, 3]


def test_a_tape_is_hidden_while_it_is_written_and_whole_afterwards(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    tape = tmp_path / "journal" / "tape"
    tape.mkdir()
    with (tape / "1").open("w") as file:
        file.write("before ")
        hide_tape(given)
        assert not tape.exists()
        file.write("after")
    show_tape(given)
    show_tape(given)  # nothing is left to do
    assert (tape / "1").read_text() == "before after"

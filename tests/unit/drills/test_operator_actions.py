"""An operator in a drill: the file he edits says what he wanted, and is as it was afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.drills.actions import operator
from actors.drills.stage import Stage, save_stage

BEFORE = {"extends": "/stages/short.yaml", "inputs": {"host": {"default": "here"}}}


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "deployment.yaml"
    file.write_text(yaml.safe_dump(BEFORE), encoding="utf-8")
    stage = Stage(
        deployment="drill",
        mode="paper",
        file=str(file),
        journal="",
        socket="",
        folder=str(tmp_path),
        is_ours=True,
    )
    save_stage(stage, tmp_path / "stage.json")
    return {"stage": str(tmp_path / "stage.json")}


def test_another_markets_file_is_named_and_a_new_start_follows(
    configuration: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(operator, "polytrade", lambda stage, *words: done.append(words[0]))
    monkeypatch.setattr(operator, "restart_service", lambda configuration: done.append("start"))

    def written() -> Any:
        return yaml.safe_load((tmp_path / "deployment.yaml").read_text(encoding="utf-8"))

    operator.use_markets("../markets/all.json", configuration)
    assert written() == {**BEFORE, "catalog": "/markets/all.json"}
    assert done == ["stop", "start"]
    assert operator.use_markets("../markets/all.json", configuration) == "as it was"
    operator.use_markets(configuration=configuration)
    assert written() == BEFORE
    assert done == ["stop", "start"] * 2
    assert operator.use_markets(configuration=configuration) == "as it was"

"""Probes find what they are named after in what a node answers, or say what they saw instead."""

from __future__ import annotations

from typing import Any

import pytest

from actors.drills.probes import state
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed


def test_a_position_is_protected_when_a_parent_has_entered_and_watches(
    configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["entering"], ["entering", "done"], ["protecting", "entering", "protecting"]]
    asked: list[str] = []

    def control(_: Stage, method: str, path: str) -> Any:
        asked.append(f"{method} {path}")
        return {"parents": [{"state": word} for word in answers.pop(0)]}

    monkeypatch.setattr(state, "control", control)
    assert state.protects("BTC", within=5.0, configuration=configuration) == 2
    assert asked == ["GET /v1/orders?symbol=BTC&closed=0"] * 3


def test_without_one_the_probe_says_what_it_waited_for(
    configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "control", lambda *_: {"parents": []})
    with pytest.raises(DrillFailed, match="a stop of BTC protects a position"):
        state.protects("BTC", within=0.0, configuration=configuration)

"""What somebody does at the venue's web page: refused while anything is open, and tried until it is not."""

from __future__ import annotations

from typing import Any

import pytest

from actors.drills.actions import venue
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed


def test_the_mode_is_set_once_nothing_is_open(
    configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(_: Stage, method: str, path: str, *, body: Any) -> Any:
        asked.append((method, path, body))
        if len(asked) < 3:
            raise DrillFailed("400 a position or an order is open")
        return {}

    monkeypatch.setattr("actors.drills.wire.venue", answer)
    assert venue.set_position_mode("HEDGE", within=5.0, configuration=configuration) == "HEDGE"
    assert asked == [("POST", "/v3/position/mode", {"posMode": "HEDGE"})] * 3


def test_a_mode_that_stays_refused_is_told_with_the_venue_s_words(
    configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise DrillFailed("400 a position or an order is open")

    monkeypatch.setattr("actors.drills.wire.venue", refuse)
    with pytest.raises(DrillFailed, match="in mode HEDGE; 400 a position or an order is open"):
        venue.set_position_mode("HEDGE", within=0.0, configuration=configuration)

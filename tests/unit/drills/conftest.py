"""A stage on which nothing runs: what asks it is answered by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.drills.stage import Stage, save_stage


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, Any]:
    words = {"deployment": "d", "mode": "paper", "file": "f", "journal": "j", "socket": "s"}
    save_stage(Stage(**words, folder=str(tmp_path)), tmp_path / "stage.json")
    return {"stage": str(tmp_path / "stage.json")}

"""Parent orders of every type under faults from seeds, and planted bugs that the watchers have to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.planted_parent_bugs import PARENT_BUGS
from tests.simulation.test_hunt import DETECTED_WITHIN, run, told

REPOSITORY = Path(__file__).resolve().parents[2]
PARENTS = str(REPOSITORY / "config/examples/parade.yaml")
BRACKETS = str(REPOSITORY / "tests/simulation/brackets.yaml")
OVER_BYTES = str(REPOSITORY / "tests/simulation/parade_over_bytes.yaml")


@pytest.mark.parametrize("name", [PARENTS, BRACKETS], ids=["parents", "brackets"])
def test_ten_seeds_break_no_promise(name: str) -> None:
    for seed in range(10):
        assert told(run(name, seed, 2)) == [], f"seed {seed}"


def test_six_seeds_over_bytes_break_no_promise() -> None:
    for seed in range(6):
        assert told(run(OVER_BYTES, seed, 2)) == [], f"seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("name", [PARENTS, BRACKETS, OVER_BYTES], ids=["parents", "brackets", "over_bytes"])
@pytest.mark.parametrize("part", range(10))
def test_five_hundred_seeds_break_no_promise(name: str, part: int) -> None:
    for seed in range(1000 + part * 50, 1000 + part * 50 + 50):
        assert told(run(name, seed, 4)) == [], f"seed {seed}"


@pytest.mark.parametrize("bug", PARENT_BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PARENT_BUGS[bug](monkeypatch)
    names = (BRACKETS, PARENTS)
    assert any(run(name, seed, 2).violations for seed in range(DETECTED_WITHIN) for name in names)

"""The page of the fault matrix is what runs of today would write."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from actors.deployment.topology import Topology
from actors.simulation.bundle import Recipe
from actors.simulation.fault_matrix import HEAD, matrix_page, matrix_row
from actors.simulation.faults import KINDS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "fault-matrix.md"
QUICK = ("lose_answer", "venue_lag", "hand_trade", "odd_funding")


@cache
def topology() -> Topology:
    return Recipe((str(REPOSITORY / "config" / "local.yaml"),)).topology()


def row_of(kind: str) -> str:
    return matrix_page([matrix_row(topology(), kind)]).removeprefix(HEAD + "\n").rstrip("\n")


def test_the_page_has_a_row_for_every_fault() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip().strip("`") for line in lines if line.startswith("| `")]
    assert rows == list(KINDS)
    assert PAGE.read_text(encoding="utf-8").startswith(HEAD)


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]
)
def test_a_row_is_what_a_run_tells_today(kind: str) -> None:
    """A run that broke a promise raises. After a change on purpose, write the page anew."""
    assert row_of(kind) in PAGE.read_text(encoding="utf-8"), (
        "run `python -m actors.simulation.fault_matrix docs/fault-matrix.md`"
    )

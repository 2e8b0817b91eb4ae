"""A change restarts exactly who must, while the others trade on as fast as before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from actors.cli.benchmarks import changing, rotation, rotation_sockets
from actors.cli.benchmarks.changing import LoadedNode


def test_others_trade_on_while_exactly_the_changed_actors_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "PAIRS", 2)
    monkeypatch.setattr(changing, "WARM_UP_S", 1.0)
    interval_s = sys.getswitchinterval()
    loaded = LoadedNode(tmp_path)
    try:
        loaded.measure(is_changed=True)
    finally:
        sys.setswitchinterval(interval_s)
    restarts = {name: cell.restarts_count for name, cell in loaded.node.loop.cells.items()}
    assert {name: count for name, count in restarts.items() if count} == loaded.expected_restarts
    assert loaded.expected_restarts, "the measurement changed nothing"


@pytest.mark.bench
def test_the_p99_of_others_stays_within_a_fifth_of_what_it_was() -> None:
    moved = min(changing.apply_other_p99_percent() - max(0.0, changing.bare_p99_percent()) for _ in range(3))
    assert moved <= 20


@pytest.mark.bench
def test_a_rotation_under_load_fails_no_order_and_delays_none() -> None:
    assert rotation.rotation_percent() == 0


@pytest.mark.bench
def test_a_thousand_actors_are_planned_in_two_seconds() -> None:
    assert changing.plan_thousand_s() <= 2


@pytest.mark.bench
def test_a_rotation_over_sockets_fails_no_order() -> None:
    found = rotation_sockets.measured(100, is_rotated=True)
    assert found.rotated.orders > 500
    assert found.rotated.failed == found.quiet.failed == 0

"""The hunt: whole deployments under faults from seeds; and planted bugs, which it has to find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from actors.deployment.topology import Topology
from actors.simulation.bundle import Recipe, replay_bundle, write_bundle
from actors.simulation.faults import KINDS, Fault, draw, read_faults, write_faults
from actors.simulation.run import Outcome, SeedRun, ground_of
from actors.simulation.seeds import Job, run_seeds, shrink_faults
from actors.simulation.shrink import shrink
from tests.simulation.planted_bugs import BUGS, SLOW

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL, PAPER = str(REPOSITORY / "config/local.yaml"), str(REPOSITORY / "config/paper.yaml")
MINUTE_NS = 60_000_000_000
DETECTED_WITHIN = 200


@cache
def topology(name: str) -> Topology:
    return Recipe((name,)).topology()


def run(name: str, seed: int, minutes: int, faults: list[Fault] | None = None) -> Outcome:
    found = topology(name)
    if faults is None:
        faults = draw(seed, minutes * 60_000, ground_of(found))
    return SeedRun(found, seed, faults, minutes * MINUTE_NS).run()


def told(outcome: Outcome) -> list[str]:
    return [f"{violation.invariant}: {violation.detail}" for violation in outcome.violations]


@pytest.mark.parametrize("name", [PAPER, LOCAL], ids=["paper", "local"])
@pytest.mark.parametrize("part", range(5))
def test_fifty_seeds_break_no_promise(name: str, part: int) -> None:
    for seed in range(part * 5, part * 5 + 5):
        assert told(run(name, seed, 2 if name == PAPER else 1)) == [], f"seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("name", [PAPER, LOCAL], ids=["paper", "local"])
@pytest.mark.parametrize("part", range(50))
def test_a_thousand_seeds_break_no_promise(name: str, part: int) -> None:
    """In small parts, so that the cores share them to the end; a part tells of all its seeds that fail."""
    found = {seed: told(run(name, seed, 6)) for seed in range(1000 + part * 10, 1010 + part * 10)}
    broken = {seed: violations for seed, violations in found.items() if violations}
    assert broken == {}, f"replay with: polytrade simulate {name} --seeds {min(broken)} --hours 0.1"


QUICK_FIRST = [pytest.param(name, marks=pytest.mark.long if name in SLOW else []) for name in BUGS]


@pytest.mark.parametrize("bug", QUICK_FIRST)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)
    assert any(run(LOCAL, seed, 3).violations for seed in range(DETECTED_WITHIN))


@pytest.mark.parametrize("name", [PAPER, LOCAL], ids=["paper", "local"])
def test_a_seed_is_the_same_in_two_processes_with_two_hash_seeds(name: str) -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "actors.cli.main",
            "simulate",
            name,
            "--seeds",
            "3",
            "--hours",
            "0.02",
            "--json",
        ]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        printed = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=100)
        digests.add(json.loads(printed.stdout)["digest"])
    topology_hours = SeedRun(
        topology(name), 3, draw(3, 72_000, ground_of(topology(name))), 72_000_000_000
    ).run()
    assert digests == {topology_hours.digest}


def test_a_failing_seed_is_made_short_and_replays_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BUGS["send_again_under_another_name"](monkeypatch)
    lost = Fault(number=0, kind="drop", at_ms=30_000, for_ms=20_000)
    others = [Fault(number=1, kind="kill", at_ms=20_000), Fault(number=2, kind="venue_frozen", at_ms=25_000)]
    recipe = Recipe((LOCAL,))
    job = Job(recipe, MINUTE_NS, (*others, lost))
    outcome = next(iter(run_seeds(job, [1], 1))).outcome
    assert outcome.violations
    assert shrink_faults(job, outcome) == [lost]
    write_bundle(tmp_path / "bundle", recipe, 1, [lost], MINUTE_NS)
    again = replay_bundle(tmp_path / "bundle")
    assert again.is_same
    assert again.outcome.violations
    monkeypatch.undo()
    assert not replay_bundle(tmp_path / "bundle").is_same


def test_another_seed_is_another_market() -> None:
    runs = [SeedRun(topology(PAPER), seed, (), MINUTE_NS) for seed in (0, 1)]
    bids = []
    for one in runs:
        one.run()
        feed = one.world.node.cell("feed/BTC_USDT_PERP").behaviour
        bids.append(feed.describe()["bid_ticks"])
    assert bids[0] != bids[1]


def test_faults_keep_their_chances_when_others_are_left_out() -> None:
    drawn = draw(5, 600_000, ground_of(topology(LOCAL)))
    assert read_faults(write_faults(drawn)) == drawn
    assert {
        fault.kind for seed in range(200) for fault in draw(seed, 600_000, ground_of(topology(LOCAL)))
    } == set(KINDS)


def test_shrinking_leaves_what_is_needed_together() -> None:
    tries = []

    def fails(items: object) -> bool:
        tries.append(items)
        return {3, 11} <= set(items)  # type: ignore[call-overload]

    assert shrink(range(20), fails) == [3, 11]
    assert len(tries) < 60

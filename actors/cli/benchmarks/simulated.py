"""How fast simulated time passes: the local deployment over bytes, with the faults of a seed."""

from __future__ import annotations

import time
from pathlib import Path

from actors.simulation.bundle import Recipe
from actors.simulation.faults import draw
from actors.simulation.run import SeedRun, ground_of

__all__ = ["simulation_speed"]

DEPLOYMENT = Path(__file__).parents[3] / "config" / "local.yaml"
SEED, MINUTES = 3, 20


def simulation_speed() -> float:
    """Return simulated seconds per second of CPU, start and judgement included."""
    topology = Recipe((str(DEPLOYMENT),)).topology()
    faults = draw(SEED, MINUTES * 60_000, ground_of(topology))
    began = time.process_time()
    outcome = SeedRun(topology, SEED, faults, MINUTES * 60_000_000_000).run()
    assert not outcome.violations, outcome.violations[0]
    return outcome.simulated_ns / 1e9 / (time.process_time() - began)

"""Many seeds, one after the other or over all cores, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple

from actors.deployment.topology import Topology
from actors.runtime.clock import monotonic_ns
from actors.simulation.beginning import AS_WRITTEN, Beginning
from actors.simulation.bundle import Recipe
from actors.simulation.faults import Fault, draw
from actors.simulation.run import Outcome, SeedRun, ground_of
from actors.simulation.shrink import shrink

__all__ = ["Job", "Timed", "faults_of", "run_seeds", "shrink_faults"]

AHEAD = 3  # seeds given to each worker before the first has to be back


class Job(NamedTuple):
    """What is the same for every seed."""

    recipe: Recipe
    duration_ns: int
    faults: tuple[Fault, ...] | None = None  # None: drawn from the seed
    beginning: Beginning = AS_WRITTEN


class Timed(NamedTuple):
    """A seed's outcome and how long the machine took."""

    outcome: Outcome
    wall_ns: int


def faults_of(job: Job, topology: Topology, seed: int) -> Sequence[Fault]:
    """Return the faults of a seed."""
    if job.faults is not None:
        return job.faults
    return draw(seed, job.duration_ns // 1_000_000, ground_of(topology))


def run_seeds(job: Job, seeds: Iterable[int], jobs: int) -> Iterator[Timed]:
    """Yield each seed's outcome. Errors: ConfigError."""
    if jobs == 1:
        topology = job.recipe.topology()
        for seed in seeds:
            yield _run(job, topology, seed)
        return
    waiting: list[Future[Timed]] = []
    numbers = iter(seeds)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (job,)) as pool:
        try:
            waiting += (pool.submit(_run_here, seed) for seed in islice(numbers, jobs * AHEAD))
            while waiting:
                yield waiting.pop(0).result()
                waiting += (pool.submit(_run_here, seed) for seed in islice(numbers, 1))
        finally:
            pool.shutdown(cancel_futures=True)


def _run(job: Job, topology: Topology, seed: int) -> Timed:
    began = monotonic_ns()
    faults = faults_of(job, topology, seed)
    outcome = SeedRun(topology, seed, faults, job.duration_ns, beginning=job.beginning).run()
    return Timed(outcome, monotonic_ns() - began)


_mine: list[tuple[Job, Topology]] = []  # of a worker process


def _begin(job: Job) -> None:
    _mine.append((job, job.recipe.topology()))


def _run_here(seed: int) -> Timed:
    job, topology = _mine[-1]
    return _run(job, topology, seed)


def shrink_faults(job: Job, outcome: Outcome, tries_max: int = 80) -> list[Fault]:
    """Return the faults without which a seed's first violation does not come about."""
    topology = job.recipe.topology()
    invariant = outcome.violations[0].invariant

    def fails(faults: Sequence[Fault]) -> bool:
        run = SeedRun(topology, outcome.seed, faults, job.duration_ns, beginning=job.beginning)
        return any(violation.invariant == invariant for violation in run.run().violations)

    return shrink(outcome.faults, fails, tries_max)

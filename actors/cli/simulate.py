"""`polytrade simulate` and `polytrade replay`: a deployment under faults from seeds; a failure once more."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.targets import deployment_options

if TYPE_CHECKING:
    from actors.simulation.beginning import Beginning
    from actors.simulation.run import Outcome
    from actors.simulation.seeds import Job, Timed

__all__ = ["simulate"]

HOUR_NS = 3_600_000_000_000
PROGRESS_S = 5.0


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="DEPLOYMENT...")
@deployment_options
@click.option("--seeds", default="0..10", show_default=True, help="FROM..TO (TO left out), N, or FROM.. .")
@click.option("--hours", default=24.0, show_default=True, type=click.FloatRange(0.01), help="Simulated time.")
@click.option("--faults", default="default", show_default=True, help="default, none, or a JSON file.")
@click.option(
    "--cash",
    multiple=True,
    metavar="[ACCOUNT=]USDT",
    help="What accounts hold at the exchange. Default: as their ledgers begin, but not with 0.",
)
@click.option(
    "--as-written", is_flag=True, help="Assume neither money nor somebody who resumes what begins halted."
)
@click.option("--stop-on-first", is_flag=True, help="End with the first seed that fails.")
@click.option(
    "--jobs", default=1, show_default=True, type=click.IntRange(0), help="Processes; 0: one a core."
)
@click.option(
    "--out",
    default=Path("var/simulation"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for bundles of failing seeds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a seed.")
def simulate(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    seeds: str,
    hours: float,
    faults: str,
    cash: tuple[str, ...],
    as_written: bool,
    stop_on_first: bool,
    jobs: int,
    out: Path,
    as_json: bool,
) -> None:
    """Run a deployment in virtual time, with faults from seeds, and judge it from outside."""
    from actors.simulation.seeds import run_seeds

    wanted = _seeds(seeds)
    if cash and as_written:
        raise click.UsageError("--cash and --as-written do not go together")
    job = _job(files, environments, inputs, hours, faults)
    topology = job.recipe.topology()  # faults of the file are told before anything starts
    if not as_written:
        job = job._replace(beginning=_beginning(topology, cash))
    failed: list[int] = []
    orders, denied = 0, Counter[str]()
    done, began, told = 0, time.monotonic(), time.monotonic()
    try:
        for timed in run_seeds(job, wanted, jobs or os.cpu_count() or 1):
            done += 1
            _tell(timed, as_json)
            orders += timed.outcome.orders_count
            denied.update(dict(timed.outcome.denied))
            if timed.outcome.violations:
                failed.append(timed.outcome.seed)
                _keep(job, timed.outcome, out)
                if stop_on_first:
                    break
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                note(f"{done} seeds, {len(failed)} failed, {done / (told - began):.1f} seeds/s")
    except KeyboardInterrupt:
        note("stopped")
    note(f"{done} seeds, {len(failed)} failed{': ' + ', '.join(map(str, failed)) if failed else ''}")
    if done and not orders:
        note(_standstill(denied))
    if failed:
        raise SystemExit(int(ExitCode.FAILURE))


def _standstill(denied: Counter[str]) -> str:
    """Say why a simulation says nothing about orders."""
    if not denied:
        return "no order left, and nobody wished for one: --hours may be too few, or trading is halted"
    count, rule = denied.total(), denied.most_common(1)[0][0]
    return f"no order left: of {count} wishes all were denied, most by {rule}; --cash may not fit the limits"


def _seeds(text: str) -> Iterator[int]:
    first, dots, last = text.partition("..")
    try:
        if not dots:
            return iter([int(first)])
        return iter(range(int(first), int(last))) if last else count(int(first))
    except ValueError as error:
        raise click.UsageError(f"--seeds {text}: write 0..1000, 17, or 0.. for no end") from error


def _beginning(topology: Any, cash: tuple[str, ...]) -> Beginning:
    """Return what to begin with, and say what of it nobody has written. Errors: Problem."""
    from actors.deployment.quantities import parse_decimal
    from actors.simulation.beginning import beginning_of

    given = {}
    for one in cash:
        account, _, text = one.rpartition("=")
        try:
            given[account] = parse_decimal(text)
            if given[account] < 0:
                raise ValueError("nobody holds less than nothing")
        except ValueError as error:
            raise click.UsageError(f"--cash {one}: {error}") from error
    try:
        beginning, said = beginning_of(topology, given)
    except ValueError as error:
        raise Problem(ExitCode.USAGE, f"--cash: {error}", "docs/simulation.md") from error
    for line in said:
        note(f"assumed: {line}")
    return beginning


def _job(files: Any, environments: Any, inputs: Any, hours: float, faults: str) -> Job:
    from actors.simulation.bundle import Recipe
    from actors.simulation.faults import read_faults
    from actors.simulation.seeds import Job

    given = dict(one.partition("=")[::2] for one in inputs)
    recipe = Recipe(tuple(files), tuple(environments), given)
    found = None if faults == "default" else ()
    if faults not in ("default", "none"):
        try:
            found = tuple(read_faults(Path(faults).read_bytes()))
        except (OSError, ValueError) as error:
            raise Problem(ExitCode.USAGE, f"--faults {faults}: {error}", "docs/simulation.md") from error
    return Job(recipe, int(hours * HOUR_NS), found)


def _tell(timed: Timed, as_json: bool) -> None:
    outcome = timed.outcome
    if as_json:
        row = {
            "seed": outcome.seed,
            "digest": outcome.digest,
            "violations": [violation._asdict() for violation in outcome.violations],
            "faults": [str(fault) for fault in outcome.faults],
            "orders": outcome.orders_count,
            "fills": outcome.fills_count,
            "denied": dict(outcome.denied),
            "simulated_s": outcome.simulated_ns / 1e9,
            "wall_s": round(timed.wall_ns / 1e9, 3),
        }
        echo(json.dumps(row))
        return
    word = "FAILED" if outcome.violations else "ok"
    speed = outcome.simulated_ns / max(1, timed.wall_ns)
    traded = f"{outcome.orders_count:>5} orders  {outcome.fills_count:>5} fills"
    amended = f"{outcome.amends_count:>4} amends"
    echo(
        f"seed {outcome.seed:>5}  {word:<6}  {outcome.digest[:12]}  {len(outcome.faults):>3} faults  "
        f"{outcome.deaths_count:>3} deaths  {traded}  {amended}  "
        f"{speed:>6.0f}x"
    )
    for violation in outcome.violations[:5]:
        echo(f"      {violation.invariant}: {violation.detail}")


def _keep(job: Job, outcome: Outcome, out: Path) -> None:
    """Make the list of faults short, write the bundle, and say how to see it again."""
    from actors.simulation.bundle import write_bundle
    from actors.simulation.seeds import shrink_faults

    note(f"seed {outcome.seed}: looking for the faults that matter among {len(outcome.faults)}")
    faults = shrink_faults(job, outcome)
    folder = out / f"seed-{outcome.seed}"
    kept = write_bundle(folder, job.recipe, outcome.seed, faults, job.duration_ns, job.beginning)
    for fault in faults:
        note(f"      {fault}")
    if kept.violations:
        for line in kept.violations[0].around[-6:]:
            note(f"      | {line[:160]}")
    note(f"replay: polytrade replay {shlex.quote(str(folder))}")

"""`polytrade bench`: what this machine does with Polytrade, beside what it does with nothing in the way."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from actors.cli.benchmarks.peers import Peers, pin
from actors.cli.benchmarks.table import FIGURES, Figure
from actors.cli.output import echo, note, print_json
from actors.cli.shown import count, table_text

__all__ = ["FIGURES", "Figure", "bench"]

HEAD = ("NAME", "VALUE", "UNIT", "AT LEAST", "AIM", "BARE", "WHAT BARE IS")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--rounds", type=click.IntRange(1, 99), default=None, help="Runs of each; the median counts.")
@click.option("--list", "is_list", is_flag=True, help="List the benchmarks.")
@click.option("--core", type=click.IntRange(0), default=None, help="Keep everything on this core.")
@click.option(
    "--peers", type=click.Path(path_type=Path), help="Folder with the peers' benchmarks, run in turn."
)
@click.option("--peers-python", default="python3", help="The Python that has the peers installed.")
@click.option("--json", "as_json", is_flag=True, help="Print {name: {value, unit, bare, runs, peer, ratio}}.")
def bench(
    names: tuple[str, ...],
    rounds: int | None,
    is_list: bool,
    core: int | None,
    peers: Path | None,
    peers_python: str,
    as_json: bool,
) -> None:
    """Measure, each figure beside the machine's bare figure; the median of at least three runs."""
    known = {figure.name: figure for figure in FIGURES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    chosen = [known[name] for name in names] or list(FIGURES)
    if is_list:
        listed = [(f.name, f.at_least, f.aim, f.unit, f.title) for f in chosen]
        echo(table_text([("NAME", "AT LEAST", "AIM", "UNIT", "WHAT"), *listed], frozenset({1, 2})))
        return
    if core is not None:
        pin(core)
    beside = Peers(peers, peers_python) if peers is not None else None
    found = {}
    rows = [HEAD if beside is None else (*HEAD, "PEER", "RATIO")]
    for figure in chosen:
        note(f"{figure.name}: {figure.title} ...")
        found[figure.name] = one = measure(figure, rounds or figure.rounds, beside)
        value, bare = count(round(one["value"], 3)), count(round(one["bare"], 3))
        row = (figure.name, value, figure.unit, figure.at_least, figure.aim, bare, figure.bare_title)
        ratio = f"{one['ratio']:.2f}" if "ratio" in one else ""
        peer = count(round(one["peer"], 3)) if "peer" in one else ""
        rows.append(row if beside is None else (*row, peer, ratio))
    if as_json:
        print_json(found)
    else:
        echo(table_text(rows, frozenset({1, 3, 4, 5, 7, 8})))


def measure(figure: Figure, rounds: int, peers: Peers | None = None) -> dict[str, Any]:
    """Return the runs, beside each the bare figure and the peer's: shared machines change by the minute."""
    run, bare = _function(figure.run), _function(figure.bare)
    runs, bares, theirs = [], [], []
    for _ in range(rounds):
        bares.append(bare())
        if peers is not None and figure.peer:
            theirs.append(peers.value(figure.peer))
        runs.append(run())
    value = statistics.median(runs)
    found = {"value": value, "unit": figure.unit, "bare": statistics.median(bares), "runs": runs}
    if theirs:
        peer = statistics.median(theirs)
        found |= {"peer": peer, "peer_runs": theirs, "ratio": value / peer}
    return found


def _function(name: str) -> Callable[[], float]:
    module, _, attribute = name.partition(":")
    found: Callable[[], float] = getattr(import_module(module), attribute)
    return found

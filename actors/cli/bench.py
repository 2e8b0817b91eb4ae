"""`polytrade bench`: what this machine does with Polytrade, beside what it does with nothing in the way."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from importlib import import_module

import click

from actors.cli.benchmarks.table import FIGURES, Figure
from actors.cli.output import echo, note, print_json
from actors.cli.shown import count, table_text

__all__ = ["FIGURES", "Figure", "bench"]


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--rounds", type=click.IntRange(1, 99), default=None, help="Runs of each; the median counts.")
@click.option("--list", "is_list", is_flag=True, help="List the benchmarks.")
@click.option("--json", "as_json", is_flag=True, help="Print {name: {value, unit, bare, runs}}.")
def bench(names: tuple[str, ...], rounds: int | None, is_list: bool, as_json: bool) -> None:
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
    found = {}
    rows = [("NAME", "VALUE", "UNIT", "AT LEAST", "AIM", "BARE", "WHAT BARE IS")]
    for figure in chosen:
        note(f"{figure.name}: {figure.title} ...")
        runs, bares = measure(figure, rounds or figure.rounds)
        value, bare = statistics.median(runs), statistics.median(bares)
        found[figure.name] = {"value": value, "unit": figure.unit, "bare": bare, "runs": runs}
        shown = (count(round(value, 3)), figure.unit, figure.at_least, figure.aim, count(round(bare, 3)))
        rows.append((figure.name, *shown, figure.bare_title))
    if as_json:
        print_json(found)
    else:
        echo(table_text(rows, frozenset({1, 3, 4, 5})))


def measure(figure: Figure, rounds: int) -> tuple[list[float], list[float]]:
    """Return the runs, and the bare figure taken just before each: shared machines change by the minute."""
    run, bare = _function(figure.run), _function(figure.bare)
    runs, bares = [], []
    for _ in range(rounds):
        bares.append(bare())
        runs.append(run())
    return runs, bares


def _function(name: str) -> Callable[[], float]:
    module, _, attribute = name.partition(":")
    found: Callable[[], float] = getattr(import_module(module), attribute)
    return found

"""`polytrade sweep`: search a grid of settings with the kernel, and say how much of the best may be luck."""

from __future__ import annotations

from pathlib import Path

import click

from actors.cli.output import json_option, note, print_json, warn

__all__ = ["sweep"]

TRIALS_MAX = 10_000


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="DEPLOYMENT")
@click.option(
    *("-e", "--environment", "environments"),
    multiple=True,
    metavar="NAME",
    help="Lay the overlay NAME over the file.",
)
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="Give a declared input a value.")
@click.option(
    "--data", multiple=True, metavar="SYMBOL=FILE|FOLDER", help="Candles of one symbol; SYMBOL.funding=FILE."
)
@click.option("--actor", required=True, metavar="NAME", help="The strategy's name in the deployment.")
@click.option(
    "--grid", multiple=True, metavar="SETTING=A..B:STEP", help="Values of a setting; or SETTING=A,B,C."
)
@click.option("--from", "begin", default="", metavar="INSTANT", help="Rows before it warm strategies up.")
@click.option("--to", "end", default="", metavar="INSTANT", help="The end; it is not part of the run.")
@click.option(
    "--set", "overrides", multiple=True, metavar="ACTOR.SETTING=VALUE", help="Another value for a setting."
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["funding", "range", "gaps"]),
    help="Search although the data lacks it.",
)
@click.option("--max-trials", type=click.IntRange(1), default=TRIALS_MAX, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for page, JSON and CSV.")
@json_option
def sweep(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    data: tuple[str, ...],
    actor: str,
    grid: tuple[str, ...],
    begin: str,
    end: str,
    overrides: tuple[str, ...],
    allow: tuple[str, ...],
    max_trials: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run a strategy over one symbol's candles with every combination of the grid's values."""
    from actors.backtest.wish import Wish
    from actors.cli.data_files import market_files, pairs, period
    from actors.cli.sweep_run import Asked, check_out, grid_of, searched
    from actors.cli.sweep_shown import confirmation, show_surface, surface_json, write_out

    check_out(out)
    axes = grid_of(grid, max_trials)
    from_ns, to_ns = period(begin, end)
    wish = Wish(
        files=market_files(data),
        from_ns=from_ns,
        to_ns=to_ns,
        overrides=pairs(overrides, "--set", "ACTOR.SETTING=VALUE"),
        allowed=frozenset(allow),
    )
    asked = Asked(files, environments, pairs(inputs, "--input", "NAME=VALUE"), wish, actor, axes)
    found = searched(asked)
    for text in found.notes:
        warn(text)
    confirm = confirmation(asked, found, data, begin, end)
    shown = surface_json(found, confirm)
    if out is not None:
        write_out(out, found, shown, confirm)
        note(f"wrote sweep.html, sweep.json and sweep.csv to {out}")
    if as_json:
        print_json(shown)
    else:
        show_surface(found, confirm)

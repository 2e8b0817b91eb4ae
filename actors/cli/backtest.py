"""`polytrade backtest`: run a deployment over recorded history and say what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from actors.cli.output import json_option, print_json

__all__ = ["backtest"]


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
    "--data",
    multiple=True,
    metavar="SYMBOL=FILE|FOLDER",
    help="History: SYMBOL=FILE, SYMBOL.funding=FILE (.mark, .trades, .book), or a folder of such files.",
)
@click.option(
    "--from", "begin", default="", metavar="INSTANT", help="Such as 2025-10-01 or 2025-10-01T08:00Z."
)
@click.option("--to", "end", default="", metavar="INSTANT", help="The end; it is not part of the run.")
@click.option(
    "--set", "overrides", multiple=True, metavar="ACTOR.SETTING=VALUE", help="Another value for a setting."
)
@click.option("--seed", type=click.IntRange(0), default=None, help="Instead of the deployment's.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Folder for journal, record and report."
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["funding", "range", "gaps"]),
    help="Run although the data lacks it; the result says so.",
)
@click.option("--check-lookahead", is_flag=True, help="Find decisions that know the future.")
@click.option("--gate", is_flag=True, help="Profit factor and Sharpe ratio over rolling 90 days.")
@json_option
def backtest(
    files: tuple[str, ...],
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    data: tuple[str, ...],
    begin: str,
    end: str,
    overrides: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    allow: tuple[str, ...],
    check_lookahead: bool,
    gate: bool,
    as_json: bool,
) -> None:
    """Run a deployment over recorded history, with the costs of the real venue."""
    from actors.backtest.wish import Wish
    from actors.cli.data_files import market_files, pairs, period
    from actors.cli.history_run import run_history
    from actors.cli.history_shown import run_json, show_run, tell_standstill

    from_ns, to_ns = period(begin, end)
    wish = Wish(
        files=market_files(data),
        from_ns=from_ns,
        to_ns=to_ns,
        overrides=pairs(overrides, "--set", "ACTOR.SETTING=VALUE"),
        seed=-1 if seed is None else seed,
        allowed=frozenset(allow),
    )
    given = pairs(inputs, "--input", "NAME=VALUE")
    record = run_history(files, environments, given, wish, out)
    if as_json:
        print_json(run_json(record, gate=gate))
    else:
        show_run(record, gate=gate)
    tell_standstill(record)
    if check_lookahead:
        from actors.cli.history_lookahead import check_lookahead as check

        check(files, environments, given, wish, record)

"""`polytrade markets`: what the venue lets us trade, kept on file, confirmed, and compared."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.markets_report import report, show_report
from actors.cli.markets_shown import age_text, market_lines, markets_table
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.domain.catalog import CatalogError
from actors.domain.evidence import instant_text
from actors.domain.listing import unconfirmed
from actors.domain.markets_file import MarketsFile, is_on_this_machine, read_markets_file
from actors.domain.sync import SyncPlan, confirmed, file_differences, plan_sync

__all__ = ["markets"]

DEFAULTS = ("config/markets/poloniex-futures.json", "config/markets/poloniex-spot.json")
URL = "https://api.poloniex.com"
Command = Callable[..., Any]


def _file_option(command: Command) -> Command:
    return click.option(
        *("-f", "--file", "files"),
        multiple=True,
        metavar="FILE",
        help=f"A markets file; may be repeated.  [default: {' and '.join(DEFAULTS)}]",
    )(command)


def _venue_options(command: Command) -> Command:
    command = click.option(
        *("-d", "--deployment", "deployment"),
        default=None,
        metavar="FILE",
        help="Say what changes mean for this deployment; by default for those that run.",
    )(command)
    return click.option(
        "--url",
        default=URL,
        show_default=True,
        help="Where the venue answers; http://127.0.0.1:9443 is local.",
    )(command)


@click.group()
def markets() -> None:
    """Keep the markets files: contracts, ticks, limits, risk tiers, fees, and where each value is from."""


# -- reading ---------------------------------------------------------------------------------------------


def _paths(files: Sequence[str]) -> list[Path]:
    found = [Path(name) for name in files] or [path for name in DEFAULTS if (path := Path(name)).is_file()]
    if not found:
        text = f"there is no {DEFAULTS[0]} below {Path.cwd()}"
        raise Problem(
            ExitCode.NOT_FOUND, text, "name a markets file with --file, or run it where config/ lies"
        )
    return found


def _read(path: Path) -> tuple[str, MarketsFile]:
    """Return a file's text and content. Errors: Problem with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, read_markets_file(text, str(path))
    except OSError as error:
        reason = error.strerror or str(error)
        text, remedy = f"{path} cannot be read: {reason}", "name a markets file with --file"
        raise Problem(ExitCode.NOT_FOUND, text, remedy) from error
    except CatalogError as error:
        raise _faulty(f"{path} is not valid", error) from error
    except ValueError as error:
        raise Problem(ExitCode.CONFIGURATION, f"{path} is not UTF-8: {error}") from error


def _faulty(text: str, error: CatalogError) -> Problem:
    lines = "".join(f"\n  {fault}" for fault in error.faults)
    return Problem(ExitCode.CONFIGURATION, f"{text}:{lines}", "config/markets/README.md explains the fields")


@markets.command()
@click.argument("symbols", nargs=-1, metavar="[SYMBOL]...")
@_file_option
@json_option
def show(symbols: tuple[str, ...], files: tuple[str, ...], as_json: bool) -> None:
    """Show the markets on file; of single symbols every value and where it is from."""
    found = [_read(path)[1] for path in _paths(files)]
    rows = {row["symbol"]: row for file in found for row in file.rows}
    unknown = [symbol for symbol in symbols if symbol not in rows]
    if unknown:
        raise Problem(
            ExitCode.NOT_FOUND, f"{unknown[0]} is on no markets file", f"there are {', '.join(rows)}"
        )
    if as_json:
        wanted = [{**file.content(), "path": file.path, "age_s": _age_ns(file) // 10**9} for file in found]
        print_json([rows[symbol] for symbol in symbols] if symbols else wanted)
        return
    for symbol in symbols:
        echo("\n".join(market_lines(rows[symbol])))
    for file in () if symbols else found:
        echo(f"{age_text(file, time.time_ns())}\n{markets_table(file.instruments.values())}\n")


def _age_ns(file: MarketsFile) -> int:
    return max(0, time.time_ns() - file.as_of_ns)


@markets.command()
@_file_option
@click.option("--live", is_flag=True, help="Also demand what live trading demands: fresh, and confirmed.")
@click.option("--symbol", "symbols", multiple=True, help="With --live: only these must be confirmed.")
@json_option
def validate(files: tuple[str, ...], live: bool, symbols: tuple[str, ...], as_json: bool) -> None:
    """Check markets files: complete, nothing twice, ticks and tiers that can be. Exit code 3 for faults."""
    faults: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for path in _paths(files):
        try:
            _, file = _read(path)
        except Problem as problem:
            if problem.code is not ExitCode.CONFIGURATION or problem.__cause__ is None:
                raise
            faults[str(path)] = list(getattr(problem.__cause__, "faults", (str(problem),)))
            continue
        counts[str(path)] = len(file.instruments)
        faults[str(path)] = list(_live_faults(file, symbols)) if live else []
    if as_json:
        print_json({"valid": not any(faults.values()), "files": faults})
    else:
        for name, told in faults.items():
            for fault in told:
                note(f"{click.style('error:', fg='red', bold=True)} {name}: {fault}")
            if not told:
                echo(f"{name}: {counts[name]} markets, no faults")
    if any(faults.values()):
        sys.exit(ExitCode.CONFIGURATION)


def _live_faults(file: MarketsFile, symbols: Sequence[str]) -> Iterator[str]:
    from actors.deployment.live_markets import why_not_live

    if symbols and not any(symbol in file.instruments for symbol in symbols):
        return
    if reason := why_not_live(file, time.time_ns()):
        yield f"{reason}; run `polytrade markets sync`"
    for symbol, one in file.instruments.items():
        if symbols and symbol not in symbols:
            continue
        if unconfirmed(one):
            names = ", ".join(unconfirmed(one))
            yield f"{symbol}: nobody has confirmed {names}; run `polytrade markets sync`"


# -- the venue -------------------------------------------------------------------------------------------


@markets.command()
@click.argument("other", nargs=-1, metavar="[BEFORE AFTER]")
@_file_option
@_venue_options
@json_option
def diff(
    other: tuple[str, ...], files: tuple[str, ...], deployment: str | None, url: str, as_json: bool
) -> None:
    """Show what is different at the venue, or between two files. Exit code 11 when anything is."""
    url = _checked(url, deployment)
    if other:
        if len(other) != 2:
            raise click.UsageError("two markets files are compared: BEFORE AFTER")
        before, after = (_read(Path(name))[1] for name in other)
        reports = [report(before, SyncPlan(after, file_differences(before, after)), deployment)]
    else:
        read = [_read(path)[1] for path in _paths(files)]
        reports = [report(file, _plan(file, url, ()), deployment, url=url) for file in read]
    if as_json:
        print_json({"files": reports})
    else:
        for one in reports:
            show_report(one)
    if any(one["changes"] for one in reports):
        sys.exit(ExitCode.DRIFT)


@markets.command()
@_file_option
@_venue_options
@click.option("--add", multiple=True, metavar="SYMBOL", help="Take a symbol up that is not on file.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@json_option
def sync(
    files: tuple[str, ...],
    deployment: str | None,
    url: str,
    add: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring markets files up to date with the venue: shows what changes, then writes the file whole.

    What the venue says is confirmed from then on. New perpetuals are taken up by themselves, spot markets by
    --add; a symbol the venue does not list any more keeps its row, marked DELISTED.
    """
    url = _checked(url, deployment)
    read = [(path, *_read(path)) for path in _paths(files)]
    # All are asked before one is written.
    plans = [_plan(file, url, _of_kind(add, file)) for _, _, file in read]
    reports = []
    for (path, text, file), plan in zip(read, plans, strict=True):
        reports.append(report(file, plan, deployment, url=url, written=not dry_run))
        if not as_json:
            show_report(reports[-1])
        if not dry_run:
            _write(path, text, plan.after)
            note(f"{path}: written, {len(plan.after.rows)} markets of {plan.after.as_of}")
    if as_json:
        print_json({"files": reports})
    if is_on_this_machine(url) and not dry_run:
        note("an exchange on this machine confirms nothing: what was assumed stays assumed")


def _checked(url: str, deployment: str | None) -> str:
    """Refuse what makes no sense before the venue is asked; return the URL without a slash at its end."""
    from actors.cli.targets import find_target

    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise click.UsageError(f"--url must be http://... or https://..., not {url!r}")
    if deployment is not None:
        find_target(deployment)
    return url.rstrip("/")


def _plan(file: MarketsFile, url: str, add: Sequence[str]) -> SyncPlan:
    from actors.cli.markets_venue import ask_venue

    listed = ask_venue(file, url)
    try:
        return plan_sync(file, listed, instant_text(time.time_ns()), url, add)
    except CatalogError as error:
        raise _faulty(f"{url} says what makes no valid {file.path}, which stays as it is", error) from error


def _of_kind(add: Sequence[str], file: MarketsFile) -> list[str]:
    """Return the symbols whose kind of market a file holds."""
    has_spot = any(one.is_spot for one in file.instruments.values())
    has_perpetuals = any(not one.is_spot for one in file.instruments.values())
    return [name for name in add if (has_perpetuals if name.endswith("_PERP") else has_spot)]


def _write(path: Path, before: str, file: MarketsFile) -> None:
    from actors.cli.markets_venue import replace_file

    replace_file(path, before, file.content())


# -- a person's word -------------------------------------------------------------------------------------


@markets.command()
@click.argument("symbol")
@click.argument("field")
@click.option("--value", default=None, help="What it is; without it, what is on file. Tiers as JSON.")
@click.option("--reason", required=True, help="What you looked at; it is kept beside the value.")
@_file_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@json_option
def confirm(
    symbol: str,
    field: str,
    value: str | None,
    reason: str,
    files: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Vouch for a value that the venue does not tell, such as your account's fees. On the record."""
    from actors.cli.ordering import who

    if not reason.strip():
        raise click.UsageError("--reason must say what you looked at")
    for path in _paths(files):
        text, file = _read(path)
        if symbol not in file.instruments:
            continue
        row = file.row(symbol)
        wanted = row.get(field) if value is None else _value(value, row.get(field))
        try:
            after, change = confirmed(
                file, symbol, field, wanted, instant_text(time.time_ns()), f"{who()}: {reason.strip()}"
            )
        except CatalogError as error:
            raise _faulty(f"{symbol} cannot have {field} {value}", error) from error
        if not dry_run:
            _write(path, text, after)
        if as_json:
            print_json({"file": str(path), "written": not dry_run, **change._asdict()})
        else:
            echo(f"{symbol}  {field}  {change.before} -> {change.after}, confirmed by {who()}")
        return
    raise Problem(
        ExitCode.NOT_FOUND, f"{symbol} is on no markets file", "`polytrade markets show` lists them"
    )


def _value(text: str, before: Any) -> Any:
    """Return what was written as the kind of value it replaces."""
    if isinstance(before, int) and text.isascii() and text.isdecimal():
        return int(text)
    if isinstance(before, list):
        try:
            return json.loads(text)
        except ValueError as error:
            raise click.UsageError(f"--value is no JSON: {error}") from error
    return text

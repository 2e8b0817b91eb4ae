"""`polytrade data`: look history files through, describe them, and write them in another form."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from actors.cli.data_fetch import fetch_command
from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem

__all__ = ["data", "instruments_of"]

SHOWN = 20
CATALOG = Path(__file__).parents[2] / "config" / "markets" / "poloniex-futures.json"


@click.group()
def data() -> None:
    """Fetch, check, describe and convert files of recorded markets."""


def _symbol_options(command: Any) -> Any:
    wanted = click.option("--symbol", required=True, help="Whose market it is, such as BTC_USDT_PERP.")
    help = "Markets file; the shipped one by default."
    catalog = click.option("--catalog", type=click.Path(path_type=Path), default=CATALOG, help=help)
    text = "Another name or unit, as in `feed.replay`: time_column=when, time_unit=s."
    return click.option("--set", "said", multiple=True, metavar="SETTING=VALUE", help=text)(
        catalog(wanted(command))
    )


@data.command()
@click.argument("file")
@_symbol_options
@json_option
def check(file: str, symbol: str, catalog: Path, said: tuple[str, ...], as_json: bool) -> None:
    """Tell everything that is wrong in FILE: exit code 12 when a run would refuse it."""
    found = _examined(file, symbol, catalog, said)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(found))
    else:
        _describe(found)
        for one in [*found.faults, *found.notes][:SHOWN]:
            echo(f"  row {one.row}: {one.kind}: {one.text}")
        rest = sum(count for _, count in found.counts) - SHOWN
        if rest > 0:
            echo(f"  and {rest} more; --json has up to 1,000 of each sort")
    if found.faults:
        sys.exit(ExitCode.DATA)


@data.command()
@click.argument("file")
@_symbol_options
@json_option
def describe(file: str, symbol: str, catalog: Path, said: tuple[str, ...], as_json: bool) -> None:
    """Say what FILE holds: content, period, interval, prices, findings by kind."""
    found = _examined(file, symbol, catalog, said)
    if as_json:
        import msgspec

        shown = msgspec.to_builtins(found)
        print_json({name: value for name, value in shown.items() if name not in ("faults", "notes")})
    else:
        _describe(found)


@data.command()
@click.argument("source")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--repair", is_flag=True, help="Sort by time, and leave out rows that a run would refuse.")
@click.option("--symbol", default="", help="Whose market it is; --repair needs it.")
@click.option("--catalog", type=click.Path(path_type=Path), default=CATALOG, help="Markets file.")
def convert(source: str, target: Path, repair: bool, symbol: str, catalog: Path) -> None:
    """Write SOURCE as TARGET: CSV or Parquet by the names' endings. A file that is there is not touched."""
    from actors.backtest.convert import convert_file
    from actors.feed.files import DataError

    if target.exists():
        raise Problem(ExitCode.USAGE, f"{target} is there already", "name another target, or remove it")
    if repair and not symbol:
        raise Problem(ExitCode.USAGE, "--repair needs --symbol", "the symbol decides what a tick is")
    try:
        instrument = _instrument(symbol, catalog) if repair else None
        kept, left_out = convert_file(source, target, instrument)
    except DataError as error:
        raise _problem(error) from None
    for one in left_out[:SHOWN]:
        note(f"left out: row {one.row}: {one.text}")
    note(f"{target}: {kept} rows" + (f", {len(left_out)} left out" if repair else ""))


def _examined(file: str, symbol: str, catalog: Path, said: Sequence[str]) -> Any:
    from actors.backtest.data_check import examine_any
    from actors.feed.files import DataError

    try:
        return examine_any(file, _instrument(symbol, catalog), _settings(file, said))
    except DataError as error:
        raise _problem(error) from None


def _settings(file: str, said: Sequence[str]) -> Any:
    """Return how the file is to be read. Errors: Problem."""
    import msgspec

    from actors.cli.data_files import pairs
    from actors.feed.settings import ReplaySettings

    given = pairs(said, "--set", "SETTING=VALUE")
    known = [name for name in ReplaySettings.__struct_fields__ if name.endswith("_column")]
    known += ["time_unit", "quantity", "content"]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Problem(
            ExitCode.USAGE, f"--set {unknown[0]}: says nothing about a file", f"say {', '.join(known)}"
        )
    try:
        return msgspec.convert({"path": file, **given}, ReplaySettings)
    except msgspec.ValidationError as error:
        raise Problem(ExitCode.USAGE, f"--set: {error}", "see `polytrade explain feed.replay`") from None


def _instrument(symbol: str, catalog: Path) -> Any:
    return instruments_of((symbol,), catalog)[0]


def instruments_of(symbols: Sequence[str], catalog: Path) -> list[Any]:
    """Return the markets of symbols. Errors: Problem."""
    import difflib

    from actors.domain.catalog import CatalogError, load_catalog

    try:
        instruments = load_catalog(catalog.read_text(encoding="utf-8"))
    except (OSError, CatalogError) as error:
        raise Problem(ExitCode.FAILURE, f"{catalog}: {error}", "name another --catalog") from None
    unknown = [symbol for symbol in symbols if symbol not in instruments]
    if unknown:
        text = f"{catalog} has no {', '.join(unknown)}"
        near = difflib.get_close_matches(unknown[0], instruments, n=1)
        likely = f"did you mean {near[0]}?" if near else f"it has {', '.join(list(instruments)[:6])}, ..."
        raise Problem(ExitCode.NOT_FOUND, text, f"{likely} `polytrade markets` keeps the file")
    return [instruments[symbol] for symbol in symbols]


def _problem(error: Any) -> Problem:
    return Problem(ExitCode.DATA, str(error).partition(". Remedy: ")[0], error.remedy)


def _describe(found: Any) -> None:
    from actors.runtime.clock import format_duration

    length = f" of {format_duration(found.interval_ns)}" if found.interval_ns else ""
    echo(f"{found.file}: {found.rows_count} rows, {found.content}{length}")
    echo(f"  {_at(found.first_at_ns)} to {_at(found.last_at_ns)} UTC")
    missing = f"{found.missing_count} {'settlements' if found.content == 'funding' else 'bars'} missing"
    prices = f"prices {found.low_ticks} to {found.high_ticks} ticks, " if found.high_ticks else ""
    echo(f"  {prices}{missing}")
    for kind, count in found.counts:
        echo(f"  {kind}: {count}")


def _at(at_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


data.add_command(fetch_command(CATALOG))

"""`polytrade data fetch`: candles and settlements of the past from the venue, into files for a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import json_option, print_json
from actors.cli.problems import Problem

__all__ = ["fetch_command"]

URL = "https://api.poloniex.com"
KINDS = ("candles", "funding", "mark", "index", "premium")
DAY_NS = 86_400_000_000_000


def fetch_command(catalog: Path) -> click.Command:
    """Return the command; `catalog` is the markets file that is used when none is named."""

    @click.command()
    @click.argument("symbols", nargs=-1, required=True, metavar="SYMBOL...")
    @click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
    @click.option("--from", "begin", required=True, metavar="INSTANT", help="Such as 2025-10-01; UTC.")
    @click.option("--to", "end", default="", metavar="INSTANT", help="The end; now without it.")
    @click.option("--interval", default="1m", show_default=True, help="Length of candles: 1m to 1w.")
    @click.option(
        "--kind",
        "kinds",
        multiple=True,
        type=click.Choice(KINDS),
        default=KINDS[:3],
        show_default=True,
        help="What to fetch; may be repeated.",
    )
    @click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
    @click.option("--url", default="", help=f"Where the venue answers.  [default: {URL}]")
    @click.option("-d", "--deployment", default=None, metavar="FILE", help="Ask where its feeds ask.")
    @click.option("--catalog", type=click.Path(path_type=Path), default=catalog, help="Markets file.")
    @json_option
    def fetch(**said: Any) -> None:
        """Fetch the past of SYMBOL from the venue. Called again, it goes on where it ended."""
        _fetch(**said)

    return fetch


def _fetch(
    symbols: tuple[str, ...],
    out: Path,
    begin: str,
    end: str,
    interval: str,
    kinds: tuple[str, ...],
    form: str,
    url: str,
    deployment: str | None,
    catalog: Path,
    as_json: bool,
) -> None:
    from actors.cli.data import instruments_of
    from actors.cli.data_files import period
    from actors.cli.fetch import fetch_all, show
    from actors.cli.fetch_series import MS_NS, series_of

    from_ns, to_ns = period(begin, end)
    interval_ns = _interval(interval)
    markets = instruments_of(symbols, catalog)
    spot = [one.symbol for one in markets if one.is_spot]
    if spot:
        text = f"{', '.join(spot)}: is a spot market, and only contracts have what a backtest reads"
        raise Problem(ExitCode.USAGE, text, "name perpetuals, such as BTC_USDT_PERP")
    if form == "parquet":
        _need_duckdb()
    wanted = [
        (series_of(kind, market, interval_ns), market) for market in markets for kind in dict.fromkeys(kinds)
    ]
    found = fetch_all(wanted, from_ns // MS_NS, to_ns // MS_NS, out, f".{form}", _url(url, deployment))
    if as_json:
        import msgspec

        print_json({"files": [msgspec.to_builtins(one) for one in found]})
    else:
        show(found)


def _interval(text: str) -> int:
    """Errors: UsageError."""
    from actors.poloniex.request import CANDLE_INTERVALS
    from actors.runtime.clock import format_duration, parse_duration

    try:
        found = 7 * DAY_NS if text == "1w" else parse_duration(text)
    except ValueError:
        found = 0
    if found not in CANDLE_INTERVALS:
        known = ", ".join(format_duration(one) for one in sorted(CANDLE_INTERVALS))
        raise click.UsageError(f"--interval {text}: the venue has candles of {known}")
    return found


def _need_duckdb() -> None:
    try:
        import duckdb  # noqa: F401
    except ImportError:
        text = "--format parquet needs duckdb"
        raise Problem(ExitCode.USAGE, text, "pip install 'polytrade[data]', or fetch CSV") from None


def _url(url: str, deployment: str | None) -> str:
    """Return the address to ask, without a slash at its end. Errors: UsageError, ConfigError, Problem."""
    import re

    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise click.UsageError(f"--url must be http://... or https://..., not {url!r}")
    if url or deployment is None:
        return (url or URL).rstrip("/")
    from actors.cli.targets import load_topology

    topology = load_topology((deployment,), (), {})
    for plan in topology.actors:
        found = getattr(plan.settings, "rest_url", "")
        if plan.kind == "feed.poloniex" and found:
            return str(found).rstrip("/")
    text = f"{deployment} has no feed.poloniex that would say where to ask"
    raise Problem(ExitCode.CONFIGURATION, text, "name the address with --url")

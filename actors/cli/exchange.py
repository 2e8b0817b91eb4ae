"""`polytrade exchange`: a local exchange that real Poloniex clients believe, to try things and to test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import note
from actors.cli.problems import Problem

if TYPE_CHECKING:
    from actors.domain.instrument import Instrument
    from actors.exchange.server.settings import AccountSettings, ServerSettings
    from actors.runtime.node import Node

__all__ = ["build_node", "exchange", "loop_factory", "serve"]

SHIPPED_CATALOG = Path("config", "markets", "poloniex-futures.json")
ROOT = Path(__file__).parents[2]
# Each snapshot takes a third of a MiB of new pages; so many events take a second to fold after a kill.
SNAPSHOT_EVENTS = 60_000


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9443, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0: any.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address that others can reach.")
@click.option("--account", "accounts", multiple=True, metavar="KEY:SECRET[:USDT]", help="Repeatable.")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="House rules.")
@click.option("--catalog", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Markets file.")
@click.option(
    "--market",
    type=click.Choice(["synthetic", "replay"]),
    default="synthetic",
    show_default=True,
    help="Prices: made up, or those of FILE (candles or trades as CSV or Parquet).",
)
@click.option("--symbols", default="", help="Symbols to serve, by commas; all of the catalog without.")
@click.option("--seed", type=int, help="Seed of the market.")
@click.option("--speed", type=click.IntRange(1, 10_000), help="Market time runs so many times faster.")
@click.option("--rate-limits", type=click.IntRange(0), help="Factor on the rate limits; 0: none.")
@click.option("--faults", is_flag=True, help="Open the fault port under /__faults__.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/exchange"),
    show_default=True,
    help="Folder of the exchange's journal.",
)
@click.option("--forgetful", is_flag=True, help="Keep no journal: a restart begins anew.")
def exchange(**options: Any) -> None:
    """Serve a Poloniex-compatible exchange on this machine until Ctrl-C."""
    if not options["allow_remote"] and not _is_loopback(options["host"]):
        text = f"{options['host']} can be reached by others, and the exchange's keys are no secrets"
        raise Problem(ExitCode.USAGE, text, "listen on 127.0.0.1, or add --allow-remote")
    settings = settings_of(options)
    instruments = _catalog(options["catalog"])
    unknown = [symbol for symbol in settings.symbols if symbol not in instruments]
    if unknown:
        raise Problem(
            ExitCode.USAGE, f"{unknown[0]} is not in the markets file", f"it has {', '.join(instruments)}"
        )
    paths = None
    if options["market"] == "replay":
        if options["file"] is None:
            raise click.UsageError("--market replay needs a FILE")
        paths = _replayed(options["file"], instruments, settings)
    from actors.runtime.errors import JournalInUse

    try:
        node = build_node(settings, instruments, None if options["forgetful"] else options["state"], paths)
    except JournalInUse as error:
        raise Problem(ExitCode.JOURNAL_IN_USE, str(error), "stop it, or choose another --state") from error
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(node, settings, options["host"], options["port"]))


def loop_factory() -> Any:
    """Return what makes the event loop: uvloop's when it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def settings_of(options: dict[str, Any]) -> ServerSettings:
    """Return the settings: those of the file, with those of the command line over them."""
    import msgspec

    from actors.exchange.server.settings import ServerSettings

    settings = _from_yaml(options["config"]) if options["config"] else ServerSettings()
    given: dict[str, Any] = {
        name: options[name] for name in ("seed", "speed", "rate_limits") if options[name] is not None
    }
    if options["faults"]:
        given["faults"] = True
    if options["symbols"]:
        given["symbols"] = tuple(one.strip() for one in options["symbols"].split(",") if one.strip())
    if options["accounts"]:
        given["accounts"] = tuple(_account(text) for text in options["accounts"])
    try:
        return ServerSettings(**{**{f: getattr(settings, f) for f in settings.__struct_fields__}, **given})
    except (ValueError, msgspec.ValidationError) as error:
        raise Problem(ExitCode.USAGE, str(error)) from error


def _account(text: str) -> AccountSettings:
    from actors.domain.money import E8, parse_e8
    from actors.exchange.server.settings import AccountSettings

    key, _, rest = text.partition(":")
    secret, _, usdt = rest.partition(":")
    if not key or not secret:
        raise click.UsageError(f"--account {key or text!r}: write KEY:SECRET or KEY:SECRET:USDT")
    try:
        deposit = parse_e8(usdt) if usdt else 10_000 * E8
    except ValueError as error:
        raise click.UsageError(f"--account {key}: {error}") from error
    return AccountSettings(key=key, secret=secret, usdt=deposit, spot={"USDT": deposit})


def _from_yaml(path: Path) -> ServerSettings:
    from actors.deployment.conversion import Converter
    from actors.deployment.faults import ConfigError, FaultLog
    from actors.deployment.yaml_source import read_source
    from actors.deployment.yaml_tree import Map
    from actors.exchange.server.settings import ServerSettings

    log = FaultLog()
    node = read_source(path, str(path), log)
    found = None
    if isinstance(node, Map):
        found = Converter(log).settings(ServerSettings, node, missing_at=node.span)
    if found is None:
        raise ConfigError(log.sorted())
    return found


def _catalog(path: Path | None) -> dict[str, Instrument]:
    from actors.domain.catalog import CatalogError, load_catalog

    places = [path] if path is not None else [SHIPPED_CATALOG, ROOT / SHIPPED_CATALOG]
    found = next((one for one in places if one.is_file()), None)
    if found is None:
        raise Problem(ExitCode.CONFIGURATION, "there is no markets file", "name one with --catalog")
    try:
        return load_catalog(found.read_text(encoding="utf-8"))
    except CatalogError as error:
        raise Problem(ExitCode.CONFIGURATION, f"{found}: {error}") from error


def _replayed(path: Path, instruments: dict[str, Instrument], settings: ServerSettings) -> Any:
    from actors.exchange.server.replay import read_rows, replay_path

    symbol = settings.symbols[0] if settings.symbols else next(iter(instruments))
    try:
        rows = read_rows(path, instruments[symbol])
    except ValueError as error:
        raise Problem(ExitCode.CONFIGURATION, f"{path}: {error}") from error
    note(f"{symbol} follows {path.name}: {len(rows)} prices")
    return {symbol: replay_path(rows, settings.speed)}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def build_node(
    settings: ServerSettings, instruments: dict[str, Instrument], state: Path | None, paths: Any = None
) -> Node:
    """Return a node with the exchange in it; without a folder its journal is in memory only."""
    from actors.domain.place import Place
    from actors.exchange.server.actor import ServedExchange
    from actors.runtime.cell import CellSpec
    from actors.runtime.clock import SystemClock
    from actors.runtime.node import Node
    from actors.runtime.store_forgetting import ForgettingStore
    from actors.runtime.store_lmdb import Durability, LmdbStore
    from actors.runtime.store_memory import MemoryStore
    from actors.runtime.supervision import SupervisorSpec
    from actors.runtime.turn import LoopLimits

    place = Place("exchange", "exchange", "simulation", settings.seed, {}, instruments)
    spec = CellSpec(
        "exchange", lambda: ServedExchange(settings, place, paths), mailbox_capacity=20_000, kind="exchange"
    )
    below = LmdbStore(state, Durability.PROCESS) if state is not None else MemoryStore()
    store = ForgettingStore(below)  # the participants never rest: what snapshots cover is let go
    facts = {"deployment": "exchange"}
    limits = LoopLimits(snapshot_events=SNAPSHOT_EVENTS)
    supervisors = (SupervisorSpec("root"),)
    return Node([spec], supervisors, store, SystemClock(), seed=settings.seed, limits=limits, facts=facts)


async def serve(node: Node, settings: ServerSettings, host: str, port: int) -> None:
    """Serve until a signal comes or the node ends by itself."""
    from actors.exchange.server.web import ExchangeServer

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = ExchangeServer(node)
    try:
        await server.start(host, port)
    except OSError as error:
        await server.stop("cannot listen")
        raise Problem(
            ExitCode.FAILURE,
            f"{host}:{port} cannot be listened on: {os.strerror(error.errno or 0)}",
            "choose another --port",
        ) from error
    _tell(settings, host, server.port)
    while not ended.is_set() and not node.ended:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.5)
    await server.stop(node.ended or "asked to stop")
    if node.ended:
        raise Problem(ExitCode.RESTARTS_EXHAUSTED, f"the exchange ended: {node.ended}")


def _tell(settings: ServerSettings, host: str, port: int) -> None:
    note(f"REST       http://{host}:{port}")
    note(f"WebSocket  ws://{host}:{port}/ws/v3/public, /ws/v3/private, /ws/public, /ws/private")
    for account in settings.accounts:
        note(f"account    key {account.key}, secret {account.secret}")
    if settings.faults:
        note(f"faults     http://{host}:{port}/__faults__")

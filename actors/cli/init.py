"""`polytrade init`: a new deployment file, commented and valid, from a few answers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.targets import load_topology, shortest
from actors.domain.catalog import CatalogError, load_catalog
from actors.domain.money import parse_e8

__all__ = ["init"]

NAME = re.compile(r"[a-z][a-z0-9_-]*")
CATALOG = Path("markets/poloniex-futures.json")
NOTHING = "none"

# Input -> actor, kind and settings of the strategy that trades its symbols.
STRATEGIES = {
    "trending": ("trend", "trend_follow", '{bar: 1m, fast: 20, slow: 50, risk_fraction: "0.01"}'),
    "ranging": ("reversion", "mean_reversion", '{bar: 1m, risk_fraction: "0.01"}'),
}
HELP = {
    "trending": "Symbols that are traded with the trend.",
    "ranging": "Symbols that are traded against excursions from the mean.",
}

TEMPLATE = Template(
    """\
# yaml-language-server: $$schema=$schema
# Written by `polytrade init`. `polytrade explain KIND` says what can be set, and what it means.
deployment: $name
mode: paper                       # a made-up exchange; no order leaves this machine

# What may differ from one start to the next: `polytrade up FILE --input NAME=A,B`.
# Positions are one-way, so every symbol has one strategy.
inputs:
$inputs
catalog: $catalog
# `process` survives a killed process; `disk` survives a power cut too, at one fsync a turn.
journal: {path: $journal, durability: process}

# Who restarts whom, how often, and what trading does when that was not enough.
supervisors:
  root: {strategy: one_for_one, intensity: 5, period: 60s, exhausted: flatten}
  trading: {parent: root, strategy: rest_for_one, exhausted: reduce_only}
  strategies: {parent: root, intensity: 10, period: 60s, exhausted: reduce_only}

actors:
  # The market: one seeded feed per symbol, and the exchange that trades against it.
  feed:
    kind: feed.synthetic
    for_each: {symbol: [$names]}
    reads: ["*/$$symbol"]            # strategies ask it for past bars
    settings: {seed: 7}
  exchange:
    kind: exchange
    reads: [venue/*, feed/*]
    settings: {accounts: {main: "$usdt"}}

  # The account: what leaves, what is open, what it is worth, whether the venue agrees, what is allowed.
  venue:
    kind: venue.simulated
    for_each: {account: [main]}
    supervisor: trading
    reads: [oms/$$account, reconciler/$$account, exchange]
  oms:
    kind: oms
    for_each: {account: [main]}
    supervisor: trading
    reads: [risk/$$account, venue/$$account, reconciler/$$account]
  ledger:
    kind: ledger
    for_each: {account: [main]}
    supervisor: trading
    reads: [oms/$$account, venue/$$account, reconciler/$$account, feed/*]
    settings: {initial_usdt: "$usdt"}
  reconciler:
    kind: reconciler
    for_each: {account: [main]}
    supervisor: trading
    reads: [venue/$$account, oms/$$account, ledger/$$account]
  risk:
    kind: risk
    for_each: {account: [main]}
    supervisor: trading
    reads: [$all_strategies, oms/$$account, ledger/$$account, reconciler/$$account, feed/*]
    settings: {daily_loss_usdt: "$daily_loss", max_leverage: "$leverage", max_open_orders: 20}

  # Who decides.
$strategies
  alerter:
    kind: alerter
"""
)
STRATEGY = Template(
    """\
  $actor:
    kind: strategy.$kind
    for_each: {symbol: $$$input}
    supervisor: strategies
    reads: [feed/$$symbol, risk/main, oms/main]
    settings: $settings
"""
)


INPUT = Template(
    """\
  $input:
    type: list
    default: [$symbols]
    description: $help
"""
)


@dataclass
class Answers:
    """What makes one deployment differ from the next."""

    name: str
    symbols: dict[str, list[str]]  # by input; an input without symbols is left out
    usdt: str
    daily_loss: str
    leverage: str


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--name", default="", help="Name of the deployment; by default the file's.")
@click.option("--trending", default="", metavar="A,B", help=f"{HELP['trending']} Or `none`.")
@click.option("--ranging", default="", metavar="A,B", help=f"{HELP['ranging']} Or `none`.")
@click.option("--usdt", default="", help="What the account begins with.")
@click.option("--daily-loss", default="", metavar="USDT", help="A loss of this much in a day halts new risk.")
@click.option("--leverage", default="", help="Most leverage of the account.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take the defaults for what is not given.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
def init(
    file: Path,
    name: str,
    trending: str,
    ranging: str,
    usdt: str,
    daily_loss: str,
    leverage: str,
    yes: bool,
    force: bool,
) -> None:
    """Write a new paper deployment to FILE and check it. What no option says is asked step by step."""
    if file.exists() and not force:
        raise Problem(ExitCode.REFUSED, f"{file} exists", "choose another name, or add --force")
    catalog = _catalog(file)
    known = _symbols(catalog)
    ask = _Asker(silent=yes or not sys.stdin.isatty())
    answers = Answers(
        name=ask.text("name of the deployment", name, file.stem, _is_name),
        symbols=ask.symbols(trending, ranging, known),
        usdt=ask.text("USDT the account begins with", usdt, "10000", _is_positive),
        daily_loss=ask.text("USDT of loss in a day that halt new risk", daily_loss, "500", _is_positive),
        leverage=ask.text("most leverage of the account", leverage, "3", _is_positive),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(written(answers, file, catalog), encoding="utf-8")
    topology = load_topology([str(file)])
    echo(f"{file}: {len(topology.actors)} actors, journal {shortest(str(topology.journal_path))}")
    note(f"start it with `polytrade up {file}`")


def written(answers: Answers, file: Path, catalog: Path) -> str:
    """Return the text of the deployment file."""
    used = [name for name in STRATEGIES if answers.symbols[name]]
    strategies, inputs = [], []
    for name in used:
        actor, kind, settings = STRATEGIES[name]
        strategies.append(STRATEGY.substitute(actor=actor, kind=kind, input=name, settings=settings))
        symbols = ", ".join(answers.symbols[name])
        inputs.append(INPUT.substitute(input=name, symbols=symbols, help=HELP[name]))
    return TEMPLATE.substitute(
        name=answers.name,
        schema=_from(file, catalog.parents[2] / "schemas" / "deployment.schema.json"),
        inputs="".join(inputs),
        names=", ".join(f"${name}" for name in used),
        catalog=_from(file, catalog),
        journal=_from(file, Path("var") / answers.name),
        usdt=answers.usdt,
        daily_loss=answers.daily_loss,
        leverage=answers.leverage,
        all_strategies=", ".join(f"{STRATEGIES[name][0]}/*" for name in used),
        strategies="\n".join(strategies),
    )


def _from(file: Path, target: Path) -> str:
    """Return a path as seen from the file's folder, as paths in deployment files are read."""
    return os.path.relpath(target.absolute(), file.absolute().parent)


def _catalog(file: Path) -> Path:
    """Return the markets file: of the working folder, beside the new file, or of the installed project."""
    project = Path(__file__).parents[2]
    for place in (Path("config"), file.parent, file.parent / "config", project / "config"):
        if (place / CATALOG).is_file():
            return (place / CATALOG).absolute()
    raise Problem(
        ExitCode.CONFIGURATION,
        f"the markets file {CATALOG.name} was not found",
        "run the command in the project's folder",
    )


def _symbols(catalog: Path) -> list[str]:
    try:
        return list(load_catalog(catalog.read_text(encoding="utf-8")))
    except (OSError, CatalogError) as error:
        raise Problem(ExitCode.CONFIGURATION, f"{catalog}: {error}", "mend the markets file first") from error


def _is_name(text: str) -> str:
    return "" if NAME.fullmatch(text) else "small letters, digits, - and _, beginning with a letter"


def _is_positive(text: str) -> str:
    try:
        return "" if parse_e8(text) > 0 else "must be more than zero"
    except ValueError as error:
        return str(error)


class _Asker:
    """Takes an answer from its option, else asks for it, else takes the default."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent

    def text(self, question: str, given: str, default: str, fault_of: Callable[[str], str]) -> str:
        """Return a text that `fault_of` finds nothing wrong with."""
        while True:
            answer = given or self._ask(question, default)
            fault = fault_of(answer)
            if not fault:
                return answer
            if given or self._silent:
                raise Problem(ExitCode.USAGE, f"{question}: {answer!r}: {fault}", "give another value")
            note(f"  {fault}")

    def symbols(self, trending: str, ranging: str, known: list[str]) -> dict[str, list[str]]:
        """Return the symbols of each strategy; no symbol has two, and there is at least one in all."""

        def unknown(text: str) -> str:
            strange = [name for name in _split(text) if name not in known]
            return f"there is no {', '.join(strange)}; there are {', '.join(known)}" if strange else ""

        def taken_or_none(text: str) -> str:
            twice = [name for name in _split(text) if name in first]
            if twice:
                return f"{', '.join(twice)} is traded with the trend already: one strategy for each symbol"
            return unknown(text) or ("" if first or _split(text) else "name at least one symbol")

        first = _split(self.text("symbols traded with the trend (A,B or none)", trending, known[0], unknown))
        default = next((name for name in known if name not in first), NOTHING)
        question = "symbols traded against excursions (A,B or none)"
        return {"trending": first, "ranging": _split(self.text(question, ranging, default, taken_or_none))}

    def _ask(self, question: str, default: str) -> str:
        if self._silent:
            return default
        return str(click.prompt(question, default=default, err=True)).strip()


def _split(text: str) -> list[str]:
    names = dict.fromkeys(name.strip() for name in text.split(","))
    return [name for name in names if name and name != NOTHING]

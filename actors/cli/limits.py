"""`polytrade limits`: tightened at once; loosened with a reason, an end and, maybe, approval."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import table_text
from actors.cli.targets import find_target, split_words

__all__ = ["limits"]

NS = 1_000_000_000
SUFFIX = re.compile(r"\d+(ms|s|m|h|d)")


@click.group()
def limits() -> None:
    """Show and change the limits of a running deployment.

    Tightening holds at once and for good, or until --until. Loosening needs a reason and an end; where
    the risk actor says `approval: two_persons`, a second person gives the same command with --approve.
    """


@limits.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACCOUNT")
@json_option
def show(words: tuple[str, ...], as_json: bool) -> None:
    """List the limits of an account: in force, by the file, and who changed them."""
    file, (account,) = split_words(words, "ACCOUNT")
    found = find_target(file).client.get(f"/v1/limits/{account}")
    if as_json:
        print_json(found)
        return
    rows = [["LIMIT", "IN FORCE", "FILE", "CHANGED"]]
    for row in found["limits"]:
        name = row["limit"]
        rows.append([name, _shown(name, row["value"]), _shown(name, row["file"]), _changes(name, row)])
    echo(table_text(rows))


def _changes(name: str, row: dict[str, Any]) -> str:
    told = []
    for kind in ("tightened", "loosened", "asked"):
        one = row.get(kind)
        if one is None:
            continue
        until = f" until {_instant(one['until_ns'])}" if one["until_ns"] else ""
        approved = f", approved by {one['approved_by']}" if one["approved_by"] else ""
        told.append(
            f"{kind} to {_shown(name, one['value'])} by {one['by']}{approved}{until}: {one['reason']}"
        )
    return "; ".join(told)


def _option(command: Any) -> Any:
    for option in (
        click.option("--reason", default="", help="Why; it is kept in the journal."),
        click.option("--until", default="", help="When it ends: 2h from now, or 2026-01-31T12:00Z."),
        click.option("--name", default="", help="Who says so; the account of this session without it."),
        json_option,
    ):
        command = option(command)
    return command


@limits.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACCOUNT RULE VALUE")
@_option
def tighten(words: tuple[str, ...], reason: str, until: str, name: str, as_json: bool) -> None:
    """Tighten a limit at once."""
    _change(words, reason, until, name, as_json, loosens=False, approves=False)


@limits.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACCOUNT RULE VALUE")
@click.option("--approve", is_flag=True, help="Agree, as the second person, to what another has asked for.")
@_option
def loosen(words: tuple[str, ...], reason: str, until: str, name: str, as_json: bool, approve: bool) -> None:
    """Loosen a limit until an instant; a value up to the file's own needs no end, and holds for good."""
    _change(words, reason, until, name, as_json, loosens=True, approves=approve)


def _change(
    words: tuple[str, ...],
    reason: str,
    until: str,
    name: str,
    as_json: bool,
    *,
    loosens: bool,
    approves: bool,
) -> None:
    file, (account, limit, value) = split_words(words, "ACCOUNT", "RULE", "VALUE")
    if not reason.strip() and not approves:
        raise Problem(ExitCode.USAGE, "a change of a limit needs a reason", "write --reason 'why'")
    client = find_target(file).client
    full = next(
        (
            row["limit"]
            for row in client.get(f"/v1/limits/{account}")["limits"]
            if limit in (row["limit"], row.get("rule"))
        ),
        limit,
    )
    body = {
        "account": account,
        "limit": full,
        "value": _value(full, value),
        "loosens": loosens,
        "actor": name or who(),
        "reason": reason or "approved",
        "approves": approves,
        "until_ns": _until(until),
    }
    found = client.post("/v1/limits", body)
    if as_json:
        print_json(found)
    else:
        for answer in found["answers"]:
            echo(f"{answer['actor']}: {'' if answer['accepted'] else 'REFUSED: '}{answer['text']}")
    if not found["accepted"]:
        raise Problem(
            ExitCode.REFUSED, f"{full} was not changed", f"`polytrade limits show {account}` shows what holds"
        )
    if not loosens and not until:
        note("it holds until somebody loosens it, restarts included")


def _format(name: str) -> str:
    """Return how a limit is written: e8, duration, or empty for a count."""
    from actors.deployment.setting_types import fields_of
    from actors.risk.settings import RiskSettings, StrategyLimits, SymbolLimits

    field = name.rpartition(".")[2]
    for kind in (RiskSettings, SymbolLimits, StrategyLimits):
        found = fields_of(kind).get(field)
        if found is not None:
            return found.type.format
    return ""


def _value(name: str, text: str) -> int:
    """Return a value as the risk actor counts it. Errors: Problem."""
    from actors.deployment.quantities import parse_decimal, parse_duration

    parse: Any = {"e8": parse_decimal, "duration": parse_duration}.get(_format(name), int)
    try:
        return int(parse(text)) if text != "0" else 0
    except ValueError:
        wanted = {"e8": "a decimal number", "duration": "a duration such as 30s"}.get(
            _format(name), "a number"
        )
        raise Problem(ExitCode.USAGE, f"{text!r} is no value of {name}", f"write {wanted}") from None


def _shown(name: str, value: int) -> str:
    from actors.deployment.quantities import format_duration, format_e8

    if not value:
        return "off" if not name.endswith("_pause") else "0s"
    show: Any = {"e8": format_e8, "duration": format_duration}.get(_format(name), str)
    return str(show(value))


def _until(text: str) -> int:
    """Return when a change ends, 0 for never. Errors: Problem."""
    from actors.deployment.quantities import parse_duration

    if not text:
        return 0
    try:
        if SUFFIX.fullmatch(text):
            return time.time_ns() + parse_duration(text)
        found = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write how long from now, as 2h, or an instant, as 2026-01-31T12:00Z"
        raise Problem(ExitCode.USAGE, f"{text!r} is no end", remedy) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * NS


def _instant(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

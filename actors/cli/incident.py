"""`polytrade incident`: one screen at page time, and a bundle to take away."""

from __future__ import annotations

import contextlib
import json
import os
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actors.cli.alerts_shown import care_of
from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.runbook import runbooks_folder, variables_of
from actors.cli.shown import age, money, signed_money, table_text
from actors.cli.targets import Target, find_target, is_target_word

__all__ = ["incident"]

ASK_S = 5.0  # a slow node is no dead one, which refuses at once; the heart kills one that hangs after 10 s
LOG_LINES, LOG_KEPT = 8, 5_000
ORDERS_SHOWN = 8
LAST_RUN = "last_run.json"
BUNDLE = "incident.json"
NODE_DEAD = "NodeDead"  # the runbook to begin with when the node does not answer
READ_ME = """What {name} left behind. On any machine that has polytrade, beside this folder:

  polytrade incident journal            the screen as it was
  polytrade audit verify journal        the journal is what was written
  polytrade logs journal                what the node said
  polytrade trades journal              what it traded
  polytrade why journal ID              why, of an order, a fill, a halt, '#EVENT'
  polytrade state journal ACTOR         what an actor knew, --at an event or an instant
  polytrade replay journal --trade ID   the same again from the tape, compared to the byte, when there was one

The folder has everything of the account in it: keep it like the account's statements. It has no secrets.
"""


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [ALERT]")
@click.option(
    "--export", "bundle", type=click.Path(dir_okay=False, path_type=Path), help="Write a bundle too."
)
@json_option
def incident(words: tuple[str, ...], bundle: Path | None, as_json: bool) -> None:
    """Show what fires, what is at risk, what changed last and what to do first, even of a dead node.

    --export FILE.tar.gz writes it down with the journal, generations, markets, log and tape: `why`, `trades`,
    `state`, `replay` and `audit` work on the folder in it, on any machine, without the deployment's files.
    """
    rest = list(words)
    file = rest.pop(0) if rest and is_target_word(rest[0]) else None
    if len(rest) > 1:
        raise click.UsageError(f"wanted [FILE] [ALERT], got {' '.join(words)}")
    target = find_target(file)
    found = collect(target, rest[0] if rest else "")
    if as_json:
        print_json(found)
    else:
        for line in _screen(found):
            echo(line)
    if bundle is not None:
        _export(target, bundle, found)
        note(f"written: {bundle}, {bundle.stat().st_size >> 10} KiB")


def collect(target: Target, alert: str) -> dict[str, Any]:
    """Return everything the screen shows; of a node that does not answer, what it left behind."""
    view, answers = _view(target)
    alerts = view.get("alerts", [])
    fires = [one for one in alerts if not alert or str(one.get("name", "")).lower() == alert.lower()]
    is_bundle = (target.journal / BUNDLE).is_file()
    name = (
        alert or ("" if answers or is_bundle else NODE_DEAD) or next((str(one["name"]) for one in fires), "")
    )
    key = next((str(one["key"]) for one in fires if one["name"] == name), "")
    accounts = tuple(str(one["account"]) for one in view.get("accounts", []))
    variables = variables_of(target, key, accounts)
    about = f" --key {key}" if key else ""
    return {
        "deployment": target.name,
        "mode": view.get("mode", "?"),
        "answers": answers,
        "at_ns": time.time_ns(),
        "seen_at_ns": view.get("at_ns", 0),
        "alerts": fires,
        "other_alerts": len(alerts) - len(fires),
        "halts": view.get("halts", []),
        "accounts": view.get("accounts", []),
        "totals": view.get("totals", {}),
        "positions": [one for one in view.get("positions", []) if one.get("net_contracts")],
        "orders": view.get("orders", []),
        "actors": [one for one in view.get("actors", []) if one["state"] != "running" or one["restarts"]],
        "generation": _generation(target),
        "log": _log(target),
        "runbook": _first_step(name, variables),
        "commands": {
            "halt": f"polytrade halt {target.command_words} --reason ...",
            "halt_without_the_node": f"polytrade halt {target.command_words} --direct --reason ...",
            "take": f"polytrade alerts ack {target.command_words} {name or 'NAME'} --reason ...",
            "runbook": f"polytrade runbook run {name or 'NAME'} {target.command_words}{about}",
        },
    }


def _view(target: Target) -> tuple[dict[str, Any], bool]:
    with contextlib.suppress(Problem):
        found: dict[str, Any] = target.client.get("/v1/view", ASK_S)
        return found, True
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((target.journal / LAST_RUN).read_text(encoding="utf-8"))
        return found, False
    if not target.journal.is_dir():
        raise Problem(ExitCode.NOT_FOUND, f"{target.name} does not run, and never has", "name its file")
    return {}, False


def _generation(target: Target) -> dict[str, Any]:
    from actors.deployment.configuring import generation_row
    from actors.deployment.generations import Generations

    with contextlib.suppress(ValueError, OSError):
        current = Generations(target.journal).current()
        return generation_row(current) if current is not None else {}
    return {}


def _log(target: Target) -> list[str]:
    """Return the last warnings and errors of the node's log."""
    from actors.cli.logs import text_line
    from actors.control.logs import LOG_FILE

    found: list[str] = []
    with contextlib.suppress(OSError):
        lines = (target.journal / "log" / LOG_FILE).read_text("utf-8", "replace").splitlines()[-LOG_KEPT:]
        for line in lines:
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                if row.get("level") in ("warning", "error"):
                    found.append(text_line(row))
    return found[-LOG_LINES:]


def _first_step(name: str, variables: dict[str, str]) -> dict[str, Any]:
    """Return how an alert's runbook begins, with what the alert is about put in."""
    from string import Template

    from actors.drills.runbooks.document import RunbookFault, read_runbook

    if not name:
        return {}
    with contextlib.suppress(RunbookFault, OSError):
        found = read_runbook(runbooks_folder() / f"{name}.md")
        step = found.steps[0]
        return {
            "name": name,
            "impact": found.impact,
            "title": step.title,
            "command": Template(step.command).safe_substitute(variables),
        }
    return {"name": name, "impact": "", "title": "", "command": ""}


# -- the screen ---------------------------------------------------------------------------------------------


def _screen(found: dict[str, Any]) -> Iterator[str]:
    state = "answers" if found["answers"] else "DOES NOT ANSWER"
    yield f"{found['deployment']} ({found['mode']})  {_clock(found['at_ns'])} UTC  the node {state}"
    if not found["answers"]:
        yield _what_is_left(found)
    yield ""
    yield from _alerts(found)
    yield from _risk(found)
    yield from _changes(found)
    yield from _advice(found)


def _what_is_left(found: dict[str, Any]) -> str:
    seen = found["seen_at_ns"]
    if not seen:
        return "it left nothing behind: alerts, money, positions and orders are not known here"
    return (
        f"this is what it left behind at {_day(seen)}, {age(max(0, found['at_ns'] - seen))} ago; "
        "what came after that is in the journal and at the venue"
    )


def _alerts(found: dict[str, Any]) -> Iterator[str]:
    if not found["alerts"]:  # of a node that is away nobody knows that nothing fires
        yield "fires: nothing" if found["answers"] else "fires: not known"
    for one in found["alerts"]:
        key = f" [{one['key']}]" if one.get("key") else ""
        since = f", since {one['raised_at']}" if one.get("raised_at") else ""
        yield f"fires: {one.get('name')}{key}, {one.get('severity')}{since}: {one.get('summary', '')}"
        care = care_of(one)
        yield f"       {care or 'nobody takes care of it'}"
    if found["other_alerts"]:
        yield f"and {found['other_alerts']} other alerts: polytrade status"
    for halt in found["halts"]:
        yield f"halt:  {halt.get('scope')} at {halt.get('level')}: {halt.get('reason')}"
    yield ""


def _risk(found: dict[str, Any]) -> Iterator[str]:
    totals = found["totals"]
    if totals:
        gross = sum(abs(int(one.get("notional_usdt", 0))) for one in found["positions"])
        equity = f"{money(totals['equity_usdt'])} USDT ({signed_money(totals['profit_usdt'])})"
        books = "books agree" if totals.get("ledger_agrees") else "BOOKS DO NOT AGREE"
        yield f"money: equity {equity}, in positions {money(gross)}, {books}"
    rows = [
        (
            *(one["symbol"], str(one["net_contracts"]), one.get("entry", ""), one.get("mark", "")),
            signed_money(int(one.get("unrealised_usdt", 0))),
        )
        for one in found["positions"]
    ]
    if rows:
        yield table_text(
            [("POSITION", "CONTRACTS", "ENTRY", "MARK", "UNREALISED"), *rows], frozenset({1, 2, 3, 4})
        )
    orders = found["orders"]
    is_known = found["answers"] or found["seen_at_ns"]
    yield f"open orders: {len(orders) or ('none' if is_known else 'not known')}"
    for one in orders[:ORDERS_SHOWN]:
        yield "  " + "  ".join(
            str(one.get(name, "")) for name in ("client_order_id", "symbol", "side", "state")
        )
    yield ""


def _changes(found: dict[str, Any]) -> Iterator[str]:
    one = found["generation"]
    if one:
        count = len(one["changes"])
        changes = f", {count} change{'s' if count > 1 else ''}" if count else ""
        by = f"{one['actor']} at {_day(one['at_ns'])}{changes}: {one['reason']}"
        yield f"last change: generation {one['generation']} by {by}"
    for actor in found["actors"]:
        error = f": {actor['last_error']}" if actor["last_error"] else ""
        yield f"actor: {actor['address']} is {actor['state']}, restarted {actor['restarts']} times{error}"
    for line in found["log"]:
        yield f"log:   {line}"
    yield ""


def _advice(found: dict[str, Any]) -> Iterator[str]:
    book, commands = found["runbook"], found["commands"]
    if book.get("command"):
        yield f"first: {book['title']}   ({book['impact']})"
        for line in book["command"].splitlines():
            yield f"  $ {line}"
        yield f"  all of it: {commands['runbook']}"
    if found["alerts"]:
        yield f"take care of it:       {commands['take']}"
    yield f"stop taking risk:      {commands['halt']}"
    yield f"when it does not answer: {commands['halt_without_the_node']}"


def _clock(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%H:%M:%S") if at_ns else "?"


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


# -- the bundle ---------------------------------------------------------------------------------------------


def _mask_generations(journal: Path) -> None:
    """Take out of a copy what somebody has written as text though it is a secret."""
    import msgspec

    from actors.deployment.generations import Generations
    from actors.deployment.masking import masked_generation

    kept = Generations(journal)
    for number in kept.numbers():
        with contextlib.suppress(ValueError):  # a damaged one is evidence, too
            masked = masked_generation(kept.read(number))
            kept.path(number).write_bytes(msgspec.json.encode(masked))


def _export(target: Target, bundle: Path, found: dict[str, Any]) -> None:
    """Write a bundle whole: the journal as a proven backup, log, tape and screen. Errors: Problem."""
    import tempfile

    from actors.deployment.backups import MANIFEST, BackupRefused, back_up

    beside = bundle.with_name(f".{bundle.name}.{os.getpid()}")
    now_ns = time.time_ns()
    try:
        with tempfile.TemporaryDirectory() as folder, tarfile.open(beside, "w:gz") as archive:
            path, _ = back_up(target.journal, Path(folder), now_ns, "incident", note=False, as_evidence=True)
            (path / MANIFEST).unlink()  # it is no backup any more: nobody shall trade on with it
            _mask_generations(path)
            (path / BUNDLE).write_text(json.dumps(found, default=str, indent=1), encoding="utf-8")
            (path / LAST_RUN).write_text(json.dumps(_view(target)[0], default=str), encoding="utf-8")
            (path / "README.txt").write_text(READ_ME.format(name=target.name), encoding="utf-8")
            archive.add(path, arcname="journal")
            for name in ("log", "tape", "runbooks"):
                if (target.journal / name).is_dir():
                    archive.add(target.journal / name, arcname=f"journal/{name}")
        beside.chmod(0o600)
        beside.rename(bundle)
    except BackupRefused as refused:
        raise Problem(ExitCode.FAILURE, str(refused), refused.help) from None
    except OSError as error:
        raise Problem(
            ExitCode.FAILURE, f"{bundle} cannot be written: {error.strerror}", "make room"
        ) from None
    finally:
        beside.unlink(missing_ok=True)

"""Verbs that change what a running node does: `restart`, `halt`, `resume`, `stop`."""

from __future__ import annotations

import getpass
import sys
import time
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.targets import deployment_options, find_target, split_words

__all__ = ["halt", "restart", "resume", "stop"]

LEVELS = ("no_new_risk", "cancel_all", "flatten")
STOP_LOOK_S = 0.1

words = click.argument("words", nargs=-1, metavar="[FILE]")


def who() -> str:
    """Return who gives the order, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "operator"


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] ACTOR")
@json_option
def restart(words: tuple[str, ...], as_json: bool) -> None:
    """Rebuild one actor from the journal. Its address, its mailbox and its state stay."""
    file, (actor,) = split_words(words, "ACTOR")
    found = find_target(file).client.post(f"/v1/actors/{actor}/restart")
    if as_json:
        print_json(found)
    else:
        echo(
            f"{actor}: {found['state']}, recovered in {found['recovery_ms']:g} ms, "
            f"restart number {found['restarts']}"
        )


@click.command()
@words
@click.option("--scope", help="all, account/, symbol/ or strategy/<name>.  [default: all]")
@click.option("--account", default="", help="Short for the scope account/<name>.")
@click.option("--symbol", default="", help="Short for the scope symbol/<symbol>.")
@click.option("--strategy", default="", help="Short for the scope strategy/<address>.")
@click.option("--level", type=click.Choice(LEVELS), help="[default: no_new_risk; with --direct: cancel_all]")
@click.option("--cancel-all", is_flag=True, help="Short for that level.")
@click.option("--flatten", is_flag=True, help="Short for that level.")
@click.option("--reason", default="", help="Why; it is kept in the journal.")
@click.option("--direct", is_flag=True, help="Do it at the venue from here, whatever the node is up to.")
@click.option("--within", default="60s", show_default=True, help="With --direct: how long to try.")
@deployment_options
@json_option
def halt(words: tuple[str, ...], **given: Any) -> None:
    """Stop taking risk. A halt survives restarts; only `resume` releases it.

    no_new_risk lets only orders through that reduce a position; cancel_all also cancels live orders;
    flatten also closes the positions. With --direct the node is not needed: it may be dead or hang.
    """
    file, _ = split_words(words)
    scope, level = _scope_of(given), _level_of(given)
    reason = given["reason"] or "ordered by an operator"
    if given["direct"]:
        from actors.cli.direct import halt_directly

        halt_directly(file, scope, level or LEVELS[1], reason, given)
        return
    body = {"scope": scope, "level": level or LEVELS[0], "actor": who(), "reason": reason}
    target = find_target(file, given["environments"], given["inputs"])
    _tell(target.client.post("/v1/halt", body), given["as_json"])


def _scope_of(given: dict[str, Any]) -> str:
    """Return the scope. With --direct a symbol may be narrowed to an account; the latch is the symbol's."""
    kinds = ("strategy", "symbol", "account")
    named = [f"{kind}/{given[kind]}" for kind in kinds if given[kind]]
    both = bool(given["direct"] and given["symbol"] and given["account"] and len(named) == 2)
    if (len(named) > 1 and not both) or (named and given["scope"]):
        raise click.UsageError("say one scope: --scope, or one of --account, --symbol, --strategy")
    return named[0] if named else given["scope"] or "all"


def _level_of(given: dict[str, Any]) -> str:
    """Return the level; empty when none was said."""
    said = [given["level"] or "", "cancel_all" * given["cancel_all"], "flatten" * given["flatten"]]
    named = [one for one in said if one]
    if len(named) > 1:
        raise click.UsageError("say one level: --level, --cancel-all or --flatten")
    return named[0] if named else ""


@click.command()
@words
@click.option("--scope", default="all", show_default=True, help="The scope of the halt to release.")
@click.option("--reason", default="", help="Why it is safe to go on; asked for when it is missing.")
@json_option
def resume(words: tuple[str, ...], scope: str, reason: str, as_json: bool) -> None:
    """Release a halt."""
    file, _ = split_words(words)
    target = find_target(file)
    reason = reason or _asked_reason()
    _tell(target.client.post("/v1/resume", {"scope": scope, "actor": who(), "reason": reason}), as_json)


def _asked_reason() -> str:
    try:
        return str(click.prompt("why is it safe to go on?", err=True))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        remedy = "write --reason 'why it is safe to go on'"
        raise Problem(ExitCode.USAGE, "a resume needs a reason", remedy) from None


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        for answer in found["answers"]:
            echo(f"{answer['actor']}: {'' if answer['accepted'] else 'REFUSED: '}{answer['text']}")
    if not found["accepted"]:
        raise Problem(
            ExitCode.REFUSED, "not every actor took the order", "`polytrade status` shows the halts"
        )


@click.command()
@words
@click.option("--wait", "wait_s", type=float, default=30.0, show_default=True, help="Seconds to wait.")
def stop(words: tuple[str, ...], wait_s: float) -> None:
    """Stop a running deployment in order, as Ctrl-C in its terminal does."""
    file, _ = split_words(words)
    target = find_target(file)
    target.client.post("/v1/stop", {"reason": f"asked by {who()}"})
    note(f"{target.name} stops in order")
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        if not target.socket.exists():
            echo(f"{target.name} has stopped")
            return
        time.sleep(STOP_LOOK_S)
    raise Problem(
        ExitCode.NO_ANSWER,
        f"{target.name} has not stopped within {wait_s:g} s",
        "wait longer, or end its process: the journal keeps what was acknowledged",
    )

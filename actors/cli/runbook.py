"""`polytrade runbook`: what to do when an alert fires, read, checked, or run step by step on the record."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.ordering import who
from actors.cli.output import echo, json_option, note, print_json
from actors.cli.problems import Problem
from actors.cli.shown import table_text
from actors.cli.targets import Target, find_target

__all__ = ["runbook", "runbooks_folder"]

ROOT = Path(__file__).parents[2]
RECORD_S = 2.0  # the node may be what is ill
VARIABLE = re.compile(r"\$([A-Z]+)")  # of a step, as the lint knows them
OUTPUT_LINES = 20
MARKS = {
    "as_expected": "ok",
    "not_as_expected": "NOT AS EXPECTED",
    "skipped": "skipped",
    "planned": "would run",
}
COMMAND = re.compile(r"[a-z][a-z-]*")  # what stands for one, as `$ALERT` and `NAME`, is not looked up


@click.group()
def runbook() -> None:
    """One runbook for each alert: impact, then steps that look, act and verify."""


def runbooks_folder() -> Path:
    """Return where the runbooks lie: beside the files one works with, or beside the program."""
    here = Path("runbooks")
    return here if (here / "README.md").is_file() else ROOT / "runbooks"


@runbook.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all runbooks."""
    found, faults = _all()
    rows = [
        {"alert": one.name, "severity": one.front.severity, "owner": one.front.owner, "impact": one.impact}
        | {"steps": len(one.steps), "drill": one.front.drill}
        for one in found
    ]
    if as_json:
        print_json(rows)
    else:
        shown = [(one["alert"], one["severity"], str(one["steps"]), one["impact"]) for one in rows]
        echo(table_text([("ALERT", "SEVERITY", "STEPS", "IMPACT"), *shown]))
    for fault in faults:
        note(str(fault))


@runbook.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one runbook."""
    text = _find(name).text.partition("---\n")[2].partition("---\n")[2].strip()
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        echo(text)


@runbook.command()
@click.option("--strict", is_flag=True, help="Warnings are faults: every drill has passed here, in 90 days.")
@click.option(
    "--history",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("var/drills/history.jsonl"),
    show_default=True,
    help="Where runs of drills are remembered.",
)
@json_option
def lint(strict: bool, history: Path, as_json: bool) -> None:
    """Check all runbooks: every alert has one, every command exists, every act is confirmed and verified.

    Every drill named exists; one that has not passed here in 90 days is a warning.

    Exit codes: 0 nothing is wrong, 3 something is.
    """
    from actors.drills.experiments import drills_folder, read_drills
    from actors.drills.history import read_history
    from actors.drills.runbooks.drilled import drill_faults, drill_warnings
    from actors.drills.runbooks.lint import Lint, read_all

    folder = runbooks_folder()
    found, drills = read_all(folder)[0], {one.name: one for one in read_drills(drills_folder())[0]}
    faults = [*Lint(ROOT, command_fault).faults(folder), *drill_faults(found, drills)]
    warnings = list(drill_warnings(found, drills, read_history(history), time.time()))
    if strict:
        faults, warnings = [*faults, *warnings], []
    if as_json:
        print_json({"faults": [*map(str, faults)], "warnings": [*map(str, warnings)]})
    else:
        for fault in faults:
            echo(str(fault))
        for warning in warnings:
            note(f"warning: {warning}")
        note(f"{len(faults)} faults" if faults else "nothing is wrong")
    sys.exit(ExitCode.CONFIGURATION if faults else ExitCode.OK)


@runbook.command()
@click.argument("name")
@click.argument("file", required=False)
@click.option(
    "--key", default="", help="What the alert is about, as it says: a symbol, an account, an order."
)
@click.option("--dry", is_flag=True, help="Only look; say what would be done.")
@click.option("--auto", is_flag=True, help="Ask nobody, as in drills. Refused in live mode.")
@json_option
def run(name: str, file: str | None, key: str, dry: bool, auto: bool, as_json: bool) -> None:
    """Run a runbook step by step, and keep what was done on the record.

    Exit codes: 0 all was as expected, 1 something was not or was skipped.
    """
    from actors.drills.runbooks.running import Runner

    found, target = _find(name), find_target(file)
    if auto and _mode(target) == "live":
        raise Problem(
            ExitCode.REFUSED, f"{target.name} trades real money", "run it without --auto, step by step"
        )
    log = _log_path(target, found.name)
    variables = variables_of(target, key, _accounts(target))
    person = _Operator(auto, as_json, variables)
    runner = Runner(person, _execute, _Record(target, log), time.time_ns, lambda ns: time.sleep(ns / 1e9))
    if not as_json:
        note(f"{found.name}: {found.impact}")
    try:
        done = runner.run(found, variables, dry=dry)
    except (click.Abort, KeyboardInterrupt):
        if runner.last is not None and not as_json:
            note("")
            _tell_timeline(runner.last, log)
        raise
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(done), "good": done.is_good, "record": str(log)})
    else:
        _tell_timeline(done, log)
    sys.exit(ExitCode.OK if done.is_good else ExitCode.FAILURE)


def variables_of(target: Target, key: str, accounts: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what a runbook's commands may refer to; the key of an alert stands for what it looks like.

    `main:symbol/BTC_USDT_PERP` names an account and a scope of it. A key that names none is taken to be about
    the deployment's first account.
    """
    head, _, scope = key.partition(":")
    symbol = next((part for part in re.split("[/:]", key) if part.endswith(("_PERP", "_USDT"))), "")
    return {
        "FILE": target.command_words,
        "KEY": key,
        "SYMBOL": symbol,
        "ACCOUNT": head if head in accounts else next(iter(accounts), "main"),
        "ACTOR": key,
        "SCOPE": scope or "all",
    }


# -- what the run needs ------------------------------------------------------------------------------------


def _execute(command: str, variables: Mapping[str, str], within_ns: int) -> Any:
    """Run a step's command in a shell, with this very program as `polytrade`."""
    from actors.drills.runbooks.running import Output

    program = f'polytrade() {{ "{sys.executable}" -c "from actors.cli.main import main; main()" "$@"; }}\n'
    environment = {**os.environ, **variables, "NO_COLOR": "1"}
    with subprocess.Popen(
        ["bash", "-c", program + command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # what the shell starts ends with it: it would hold the pipe, and us
    ) as process:
        try:
            said, code = process.communicate(timeout=within_ns / 1e9)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, code = process.communicate()[0], -1
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Output(code, said.decode("utf-8", "replace"))


class _Record:
    """Keeps outcomes in a file beside the journal, and in the journal while the node takes them."""

    def __init__(self, target: Target, path: Path) -> None:
        self._target = target
        self._path = path

    def __call__(self, name: str, outcome: Any) -> None:
        import msgspec

        row = {"runbook": name, "by": who(), **msgspec.to_builtins(outcome)}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        told = {key: row[key] for key in ("runbook", "step", "kind", "result", "took_ns")}
        with contextlib.suppress(Problem):  # a node that is ill does not keep anybody from helping it
            body = {**told, "actor": row["by"], "reason": outcome.reason}
            self._target.client.post("/v1/runbook", body, RECORD_S)


class _Operator:
    """Shows steps on stderr and asks at the terminal; in drills nobody is asked."""

    def __init__(self, auto: bool, quiet: bool, variables: Mapping[str, str]) -> None:
        self._auto = auto
        self._quiet = quiet
        self._variables = variables

    def show(self, step: Any, number: int, count: int) -> None:
        if self._quiet:
            return
        note("")
        note(f"{number}/{count} {step.kind}: {step.title}")
        if step.text:
            note(f"  {step.text}")
        for line in self._about(step.command).splitlines():
            note(f"  $ {line}")
        if step.undo:
            note(f"  to take it back: {self._about(step.undo)}")
        if step.expect:
            note(f"  expected: {step.expect!r} within {step.within_ns // 1_000_000_000} s")

    def shown(self, outcome: Any) -> None:
        if self._quiet:
            return
        for line in outcome.got.splitlines()[-OUTPUT_LINES:]:
            note(f"  | {line}")
        reason = f": {outcome.reason}" if outcome.reason else ""
        note(f"  {MARKS[outcome.result]} after {outcome.took_ns / 1e9:.1f} s{reason}")

    def may_act(self, step: Any) -> str:
        if self._auto:
            return ""
        if click.confirm(f"  {self._about(step.confirm) or 'do it?'}", err=True):
            return ""
        return str(click.prompt("  why not", err=True))

    def goes_on(self, step: Any, outcome: Any) -> str:
        if self._auto:
            return ""
        if not click.confirm("  that is not what was expected; go on?", err=True):
            return ""
        return str(click.prompt("  why", err=True))

    def _about(self, text: str) -> str:
        """Return a text with what it is about this time: nobody agrees to a $SCOPE."""
        return VARIABLE.sub(lambda name: self._variables.get(name[1], name[0]), text)


def _tell_timeline(done: Any, log: Path) -> None:
    """Print what a post-mortem begins with."""
    rows = [("AT (UTC)", "STEP", "KIND", "RESULT", "SECONDS")]
    for one in done.outcomes:
        at = datetime.fromtimestamp(one.began_ns / 1e9, UTC).strftime("%H:%M:%S")
        result = MARKS[one.result] + (f": {one.reason}" if one.reason else "")
        rows.append((at, one.step, one.kind, result, f"{one.took_ns / 1e9:.1f}"))
    echo(table_text(rows, right=frozenset({4})))
    note(f"kept in {log}")


def _log_path(target: Target, name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return target.journal / "runbooks" / f"{name}-{stamp}.jsonl"


def _mode(target: Target) -> str:
    with contextlib.suppress(Problem):
        return str(target.client.get("/v1/status", RECORD_S).get("mode", ""))
    return ""


def _accounts(target: Target) -> tuple[str, ...]:
    with contextlib.suppress(Problem):
        found = target.client.get("/v1/view", RECORD_S).get("accounts", [])
        return tuple(str(one["account"]) for one in found)
    return ()


# -- finding ------------------------------------------------------------------------------------------------


def _all() -> Any:
    from actors.drills.runbooks.lint import read_all

    return read_all(runbooks_folder())


def _find(name: str) -> Any:
    from difflib import get_close_matches

    found, faults = _all()
    for one in found:
        if one.name.lower() == name.lower():
            return one
    for fault in faults:
        if Path(str(fault).split(":")[0]).stem.lower() == name.lower():
            raise Problem(ExitCode.CONFIGURATION, str(fault), "`polytrade runbook lint` tells everything")
    near = get_close_matches(name, [one.name for one in found], 1, 0.4)
    remedy = f"did you mean {near[0]}?" if near else "`polytrade runbook list` shows all"
    raise Problem(ExitCode.NOT_FOUND, f"there is no runbook {name!r}", remedy)


def command_fault(words: list[str], line: click.Command | None = None) -> str:
    """Return why there is no such command; empty when there is.

    `words` are those behind `polytrade`; `line` is another command line than ours.
    """
    from actors.cli.main import main

    command: click.Command = line or main
    context = click.Context(command, info_name="polytrade")
    for word in words:
        if word.startswith("-"):
            options = {
                name
                for parameter in command.get_params(context)
                for name in (*parameter.opts, *parameter.secondary_opts)
            }
            if word.partition("=")[0] not in options:
                return f"{context.command_path} has no option {word}"
        elif isinstance(command, click.Group) and COMMAND.fullmatch(word):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{context.command_path} has no command {word}"
            context, command = click.Context(inner, info_name=word, parent=context), inner
    return ""

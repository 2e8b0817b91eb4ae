"""Results go to stdout, everything else to stderr; JSON when asked, colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import click

__all__ = ["agree", "echo", "json_option", "note", "print_json", "warn", "write_text"]


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def print_json(found: Any) -> None:
    """Write one JSON value to stdout."""
    echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))


def echo(text: str = "") -> None:
    """Write a result to stdout. A reader that has seen enough, such as `head`, ends the command well."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        sys.exit(0)


def note(text: str) -> None:
    """Write what is no result to stderr."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Write a warning to stderr."""
    click.echo(f"{click.style('warning:', fg='yellow')} {text}", err=True)


def agree(what: str, yes: bool, otherwise: str = "nothing was done") -> None:
    """Ask whoever is at the terminal, unless `yes` was given.

    Errors: Problem when they do not agree, or nobody is there to be asked.
    """
    from actors.cli.exit_codes import ExitCode
    from actors.cli.problems import Problem

    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem(ExitCode.USAGE, f"nobody can be asked whether to {what}; {otherwise}", "add --yes")
    if not click.confirm(f"{what}?", err=True):
        raise Problem(ExitCode.REFUSED, otherwise)


def write_text(path: str, text: str) -> None:
    """Write a file that was asked for, and say so on stderr. Errors: Problem."""
    from actors.cli.exit_codes import ExitCode
    from actors.cli.problems import Problem

    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Problem(
            ExitCode.FAILURE, f"{path}: cannot be written: {error.strerror}", "name another file"
        ) from error
    note(f"wrote {path}")

"""`--from` and `--to` of commands about a journal: a sequence, or an instant in UTC."""

from __future__ import annotations

from typing import Any

from actors.cli.data_files import instant
from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem

__all__ = ["NOW", "first_sequence", "last_sequence"]

NOW = "now"


def first_sequence(reader: Any, text: str) -> int:
    """Return the first event meant by `--from`; 1 when nothing is said. Errors: Problem."""
    if not text or text.isdecimal():
        return max(1, int(text or 1))
    return int(reader.sequence_at(instant(text, "--from") - 1)) + 1


def last_sequence(reader: Any, text: str, option: str = "--to") -> int:
    """Return the last event meant by `--to`; 0 when nothing is said, or `now`. Errors: Problem."""
    if not text or text == NOW:
        return 0
    if text.isdecimal():
        return max(1, int(text))
    found = int(reader.sequence_at(instant(text, option)))
    if not found:
        text = f"{option} {text} is before the first event of this journal"
        raise Problem(ExitCode.NOT_FOUND, text, "`polytrade journal ls` says from when it is")
    return found

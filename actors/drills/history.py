"""The history of drills: one line of JSON per run, appended; lint, report and metrics read it.

It lies in `var/drills/history.jsonl` below the folder one works in. A line that cannot be read (a disk that
was full, another version) is passed over, never rewritten.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

__all__ = ["AGE_MAX_S", "HISTORY", "Entry", "append", "last_passed", "newest", "read_history"]

HISTORY = Path("var/drills/history.jsonl")
AGE_MAX_S = 90 * 86_400  # an older proof is none: what it proved has changed since


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one drill. Seconds are of the drill's own clock; -1: not measured."""

    drill: str
    began_ns: int  # UTC
    began: str  # the same, to be read: 2026-11-28T12:00:00Z
    passed: bool
    alert: str = ""  # empty: the drill is about no alert
    detect_s: float = -1.0  # from the fault to the alert
    recover_s: float = -1.0  # from the alert (or the fault, without one) until all is well
    took_s: float = 0.0  # as a whole
    reason: str = ""  # why it did not pass
    deployment: str = ""
    mode: str = ""
    version: str = ""  # of Polytrade
    journal: str = ""  # file name of the record, beside the history


def append(path: Path, entry: Entry) -> None:
    """Add a run. One write, so that two drills at once do not mix their lines. Errors: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = msgspec.json.encode(entry) + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def read_history(path: Path) -> list[Entry]:
    """Return all runs, oldest first; none when there is no file."""
    found: list[Entry] = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(msgspec.MsgspecError):
                found.append(msgspec.json.decode(line, type=Entry))
    return sorted(found, key=lambda one: one.began_ns)


def newest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the last run of each drill."""
    return {one.drill: one for one in sorted(entries, key=lambda one: one.began_ns)}


def last_passed(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the last run of each drill that passed."""
    return newest(one for one in entries if one.passed)

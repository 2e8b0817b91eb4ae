"""Recorded delays of messages: a text file with one number of milliseconds per line."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

__all__ = ["read_delays"]

MS_NS = 1_000_000
DELAY_NS_MAX = 60_000_000_000


def read_delays(path: Path, file: str) -> tuple[int, ...]:
    """Return the delays in nanoseconds; a first line that is no number names the column. Errors: ValueError.

    `file` is the path as the operator wrote it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"latency_path: {file} cannot be read: {error}") from None
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        try:
            delay_ns = int(Decimal(text) * MS_NS)
        except (InvalidOperation, ValueError, OverflowError):
            if number == 1:
                continue
            raise ValueError(f"latency_path: {file}: line {number}: {text!r} is no number") from None
        if not 0 <= delay_ns <= DELAY_NS_MAX:
            raise ValueError(f"latency_path: {file}: line {number}: {text} ms is not between 0 and 60000")
        found.append(delay_ns)
    if not found:
        raise ValueError(f"latency_path: {file} holds no delays")
    return tuple(found)

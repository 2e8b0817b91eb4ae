"""Durations, sizes and exact decimals as operators write them, and back."""

from __future__ import annotations

import re

from actors.domain.money import format_e8, parse_e8

__all__ = [
    "BYTES_PATTERN",
    "DECIMAL_PATTERN",
    "DURATION_PATTERN",
    "INTEGER_MAX",
    "format_bytes",
    "format_duration",
    "format_e8",
    "parse_bytes",
    "parse_decimal",
    "parse_duration",
]

UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
DURATION_PATTERN = r"^[0-9]{1,9}(ns|us|ms|s|m|h|d)$"
UNITS_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
BYTES_PATTERN = r"^[0-9]{1,9}(B|KiB|MiB|GiB|TiB)$"

# Ten digits before the point: in 1e-8 that still fits the 64 bits of a journaled number.
DECIMAL_PATTERN = r"^[-+]?[0-9]{1,10}(\.[0-9]{1,8})?$"
INTEGER_MAX = (1 << 63) - 1

_DECIMAL = re.compile(DECIMAL_PATTERN)
_DURATION = re.compile(DURATION_PATTERN)
_BYTES = re.compile(BYTES_PATTERN)


def parse_decimal(value: str | int) -> int:
    """Return a decimal number in 1e-8. Errors: ValueError."""
    if not _DECIMAL.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a decimal number with at most 10 and 8 digits")
    return parse_e8(value)


def parse_duration(text: str) -> int:
    """Return nanoseconds. Errors: ValueError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a duration")
    return int(text.removesuffix(found[1])) * UNITS_NS[found[1]]


def format_duration(value_ns: int) -> str:
    """Return the shortest text that means exactly this."""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        if value_ns and value_ns % UNITS_NS[unit] == 0:
            return f"{value_ns // UNITS_NS[unit]}{unit}"
    return f"{value_ns}ns" if value_ns else "0s"


def parse_bytes(text: str) -> int:
    """Return bytes. Errors: ValueError."""
    found = _BYTES.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a size")
    return int(text.removesuffix(found[1])) * UNITS_BYTES[found[1]]


def format_bytes(value: int) -> str:
    """Return the shortest text that means exactly this."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % UNITS_BYTES[unit] == 0:
            return f"{value // UNITS_BYTES[unit]}{unit}"
    return f"{value}B"

"""What a plain YAML scalar means: the core schema of YAML 1.2, where `no` is text and `012` is twelve."""

from __future__ import annotations

import re

__all__ = ["Plain", "core_value", "kind_of"]

# A scalar's value once it is understood.
Plain = str | int | float | bool | None

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
DECIMAL = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Python refuses to convert longer ones; no setting has more than 20 digits.
DIGITS_MAX = 40

FIRST_OF_NUMBER = frozenset("+-.0123456789")


def core_value(text: str) -> Plain:
    """Return what an unquoted scalar stands for; text that is nothing else stays text."""
    if text in NULLS:
        return None
    if text[0] in FIRST_OF_NUMBER and len(text) <= DIGITS_MAX:
        return _number(text)
    return BOOLS.get(text, text)


def _number(text: str) -> int | float | str:
    if DECIMAL.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    if INFINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def kind_of(value: object) -> str:
    """Return what an operator calls a value of this type."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a number with a decimal point"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "a map"

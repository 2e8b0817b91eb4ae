"""Faults for people (text), for programs (JSON) and for code review (SARIF 2.1.0)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from actors import __version__
from actors.deployment.codes import CODES
from actors.deployment.faults import Fault

__all__ = ["json_report", "sarif_report", "summary", "text_report"]

WIDTH_MAX = 120  # of an excerpt; a longer line is shown around the place
MARGIN = 5

RED, YELLOW, CYAN, BOLD, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def text_report(faults: Sequence[Fault], *, color: bool = False) -> str:
    """Return every fault with its line, a caret and a hint, and at last how many there are."""
    blocks = [_block(fault, color) for fault in faults]
    return "\n".join((*blocks, f"{summary(faults)}\n")) if blocks else ""


def summary(faults: Sequence[Fault]) -> str:
    """Return how many faults there are: `2 errors, 1 warning`."""
    errors = sum(fault.is_error for fault in faults)
    warnings = len(faults) - errors
    parts = [_count(errors, "error")] if errors else []
    parts += [_count(warnings, "warning")] if warnings else []
    return ", ".join(parts) or "no faults"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _block(fault: Fault, color: bool) -> str:
    def paint(text: str, *styles: str) -> str:
        return f"{''.join(styles)}{text}{PLAIN}" if color else text

    hue = RED if fault.is_error else YELLOW
    place = str(fault.origin) if fault.line else fault.file
    label = f"{_severity(fault)}[{fault.code}]"
    lines = [f"{paint(_visible(place), BOLD)}: {paint(label, hue, BOLD)}: {_visible(fault.message)}"]
    number = f"{fault.line:{MARGIN}d}"
    gutter = " " * len(number)
    if fault.line and fault.excerpt:
        shown, column, width = _excerpt(fault)
        lines.append(f"{number} | {shown}".rstrip())
        lines.append(f"{gutter} | {' ' * (column - 1)}{paint('^' * width, hue)}")
    if fault.help:
        lines.append(f"{gutter} = {paint('help', CYAN)}: {_visible(fault.help)}")
    return "\n".join(lines) + "\n"


def _severity(fault: Fault) -> str:
    return "error" if fault.is_error else "warning"


def _excerpt(fault: Fault) -> tuple[str, int, int]:
    """Return the shown part of the line, and where in it the caret stands and how wide it is."""
    line, column = _visible(fault.excerpt), fault.column
    if len(line) > WIDTH_MAX:
        start = max(0, min(column - 1 - WIDTH_MAX // 3, len(line) - WIDTH_MAX))
        before = "..." if start else ""
        after = "..." if start + WIDTH_MAX < len(line) else ""
        line = before + line[start + len(before) : start + WIDTH_MAX - len(after)] + after
        column -= start
    width = max(1, min(fault.width, len(line) - column + 1))
    return line, column, width


def _visible(text: str) -> str:
    """Return text that cannot steer a terminal, character for character."""
    return "".join(one if one.isprintable() else " " if one == "\t" else "\ufffd" for one in text)


def json_report(faults: Sequence[Fault]) -> str:
    """Return the faults as a JSON list, with code, severity, place, message and help."""
    return json.dumps([_record(fault) for fault in faults], indent=2, ensure_ascii=False) + "\n"


def _record(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code,
        "severity": _severity(fault),
        "title": CODES[fault.code].title,
        "message": fault.message,
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "end_column": fault.column + fault.width,
        "help": fault.help,
    }


def sarif_report(faults: Sequence[Fault]) -> str:
    """Return the faults as SARIF 2.1.0, which code hosts show beside the changed lines."""
    codes = sorted({fault.code for fault in faults})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title},
            "fullDescription": {"text": CODES[code].explanation},
            "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"},
        }
        for code in codes
    ]
    driver = {"name": "polytrade", "version": __version__, "rules": rules}
    results = [_result(fault, codes.index(fault.code)) for fault in faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(fault: Fault, rule: int) -> dict[str, Any]:
    text = f"{fault.message}. {fault.help[0].upper()}{fault.help[1:]}" if fault.help else fault.message
    location: dict[str, Any] = {"artifactLocation": {"uri": fault.file.replace("\\", "/")}}
    if fault.line:
        location["region"] = {
            "startLine": fault.line,
            "startColumn": fault.column,
            "endColumn": fault.column + fault.width,
        }
    return {
        "ruleId": fault.code,
        "ruleIndex": rule,
        "level": _severity(fault),
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }

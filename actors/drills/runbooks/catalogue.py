"""Which alerts there are: what the actors' own documents list, and what the code raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

__all__ = ["Alert", "listed_alerts", "raised_names"]

HEAD = re.compile(r"^\|\s*alert\s*\|", re.IGNORECASE)
NAME = re.compile(r"`([A-Z][A-Za-z]+)`")

# What raises an alert when it is called, and which of its arguments is the name.
RAISING = {"alert": 0, "AlertRaised": 0, "NodeAlert": 0, "News": 0, "calm_alert": 0, "alert_of": 1}


class Alert(msgspec.Struct, frozen=True):
    """One row of an actor's table of alerts."""

    name: str
    severity: str
    when: str
    document: str


def listed_alerts(root: Path) -> dict[str, Alert]:
    """Return the alerts of all tables below actors/, by name."""
    found: dict[str, Alert] = {}
    for path in sorted((root / "actors").rglob("README.md")):
        for alert in _of_document(path.read_text(encoding="utf-8"), str(path.relative_to(root))):
            found.setdefault(alert.name, alert)
    return found


def _of_document(text: str, path: str) -> Iterator[Alert]:
    columns: list[str] = []
    for line in text.splitlines():
        if HEAD.match(line):
            columns = [cell.strip().lower() for cell in line.strip("|").split("|")]
        elif not line.startswith("|"):
            columns = []
        elif columns and (name := NAME.match(line.strip("| "))):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            row = dict(zip(columns, cells, strict=False))
            yield Alert(name[1], row.get("severity", ""), row.get("when", ""), path)


def raised_names(root: Path) -> dict[str, str]:
    """Return the names that code raises as alerts, as far as they can be told by reading it, and where."""
    constants = {path: _constants(path) for path in sorted((root / "actors").rglob("*.py"))}
    everywhere = {name: value for found in constants.values() for name, value in found.items()}
    raised: dict[str, str] = {}
    for path, own in constants.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = _named_by(node) if isinstance(node, ast.Call) else None
            if named is not None:
                name = _value(named, own) or _value(named, everywhere)
                if name:
                    raised.setdefault(name, f"{path.relative_to(root)}:{node.lineno}")
    return raised


def _named_by(call: ast.Call) -> ast.expr | None:
    """Return the argument of a call that names the alert it raises; None when it raises none."""
    called = call.func
    name = (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )
    place = RAISING.get(name)
    return call.args[place] if place is not None and len(call.args) > place else None


def _value(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def _constants(path: Path) -> dict[str, str]:
    """Return a module's names for texts, `A, B = "a", "b"` too."""
    found: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values, strict=False):
                if (
                    isinstance(name, ast.Name)
                    and isinstance(value, ast.Constant)
                    and isinstance(value.value, str)
                ):
                    found[name.id] = value.value
    return found

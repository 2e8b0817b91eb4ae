"""Every alert that code raises has an end in code: something resolves it, or its time is over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from actors.drills.runbooks.catalogue import RAISING, _constants, _value

ROOT = Path(__file__).parents[3]
# Raised and ended under a name that a variable holds, and where.
BY_VARIABLE = {
    "FillNotOurs": "oms: anomalies are settled when both sides agree",
    "OrderReportUnexpected": "oms: anomalies are settled when both sides agree",
    "PositionDrift": "reconciler: _alert ends what a round does not find any more",
    "TermsWrong": "reconciler: _alert ends what a round does not find any more",
    "VenueUnreachable": "venue: _go_up",
    "VenueKeyRefused": "venue: _go_up",
    "ActorRestarting": "alerter: on_actor_restarted",
    "SupervisorExhausted": "alerter: on_actor_restarted",
    "NodeDead": "heart: the herald's News with is_over; the node's NodeAlert",
    "LoopStalled": "heart: the herald's News with is_over; the node's NodeAlert",
}
OWN_END = {"NodeAlert", "alert_of", "calm_alert"}  # ends with the first quiet look


def calls() -> Iterator[tuple[str, ast.Call, dict[str, str]]]:
    """Give every call in the package by the name of what is called, with the module's constants."""
    for path in sorted((ROOT / "actors").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not any(word in text for word in (*RAISING, "resolve")):
            continue
        own = _constants(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield name, node, own


def test_every_alert_has_an_end() -> None:
    found = list(calls())
    constants = {name: value for _, _, own in found for name, value in own.items()}

    def named(node: ast.expr, own: dict[str, str]) -> str:
        return _value(node, own) or _value(node, constants)

    ended, endless = set(BY_VARIABLE), {}
    for called, call, own in found:
        if called in ("resolve", "AlertResolved", "_recovered") and call.args:
            ended.add(named(call.args[0], own))
        elif called in OWN_END and len(call.args) > RAISING[called]:
            ended.add(named(call.args[RAISING[called]], own))
        elif called in RAISING and len(call.args) > RAISING[called]:
            has_time = any(word.arg == "ends_after_ns" for word in call.keywords) or len(call.args) > 7
            if not has_time and (name := named(call.args[RAISING[called]], own)):
                endless[name] = f"line {call.lineno}"
    without = {name: where for name, where in endless.items() if name not in ended}
    assert without == {}, "resolve them when their cause is gone, or give them ends_after_ns"


def test_the_exceptions_name_alerts_that_there_are() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "actors").rglob("*.py"))
    assert [name for name in BY_VARIABLE if f'"{name}"' not in text] == []

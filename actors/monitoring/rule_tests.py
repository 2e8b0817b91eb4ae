"""Unit tests of the rules for promtool: each alert fires when it should, and not when it should not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.monitoring.alert_rules import OUTSIDE, WATCHDOG
from actors.monitoring.indicators import Indicator, Series
from actors.monitoring.slo_rules import BURNS, FAST, SLOW

__all__ = ["alert_tests", "slo_tests"]

NODE = {"instance": "node:1"}


def slo_tests(indicators: list[Indicator], alerts: list[dict[str, Any]], files: list[str]) -> dict[str, Any]:
    """Return a test file for the promises: all bad fires both alerts, all good none, what is over ends."""
    rules = {(a["alert"], a["labels"]["slo"], a["labels"]["window"]): a for a in alerts}
    tests = [test for one in indicators for test in _slo_cases(one, rules)]
    return {"rule_files": files, "evaluation_interval": "1m", "tests": tests}


def _slo_cases(one: Indicator, rules: dict[tuple[str, str, str], dict[str, Any]]) -> Iterable[dict[str, Any]]:
    named = {burn: _firing(rules[burn.alert, one.slo, burn.long], {**NODE, "slo": one.slo}) for burn in BURNS}
    fast = [named[burn] for burn in BURNS if burn.alert == FAST]
    slow = [named[burn] for burn in BURNS if burn.alert == SLOW]

    def case(says: str, series: list[Series], minutes: int, *expected: dict[str, Any]) -> dict[str, Any]:
        values = [_values(name, shape.replace("SPAN", str(minutes))) for name, shape in series]
        return {
            "name": f"{one.slo}: {says}",
            "interval": "1m",
            "input_series": values,
            "alert_rule_test": list(expected),
        }

    yield case("broken", one.series(1), 12, _expect("10m", FAST, fast), _expect("10m", SLOW, slow))
    yield case(
        "four times too often, that waits for the morning",
        one.series(4 * one.budget),
        12,
        *(_expect("10m", FAST, []), _expect("10m", SLOW, slow)),
    )
    yield case(
        "half as often as it may, nothing fires",
        one.series(one.budget / 2),
        12,
        *(_expect("10m", FAST, []), _expect("10m", SLOW, [])),
    )
    yield case(
        "over, the page ends with its short windows",
        _healed(one),
        40,
        *(_expect("6m", FAST, fast), _expect("40m", FAST, [])),
    )


def _healed(one: Indicator) -> list[Series]:
    """Return the series of six bad minutes, then good ones. A counter that starts anew begins at 0."""
    before = dict(one.series(1))
    return [
        (name, f"{before.get(name, '_xSPAN').replace('SPAN', '6')} {shape}") for name, shape in one.series(0)
    ]


def alert_tests(alerts: list[dict[str, Any]], files: list[str]) -> dict[str, Any]:
    """Return a test file for what is judged from outside, and for what nodes raise themselves."""
    judged = {*(one.name for one in OUTSIDE), WATCHDOG}
    ours = {a["alert"]: a for a in alerts if "observer" in a["labels"] or a["alert"] == WATCHDOG}
    raised = [alert for alert in alerts if alert is not ours.get(alert["alert"])]
    tests = [*_outside_cases({name: ours[name] for name in judged})]
    tests += [_inside_case(one["alert"], one["labels"]["severity"], one) for one in raised]
    return {"rule_files": files, "evaluation_interval": "5s", "tests": tests}


def _outside_cases(alerts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    there = {"deployment": "d", **NODE}
    up = 'up{job="polytrade",deployment="d",instance="node:1"}'
    progress = 'polytrade_loop_progress_timestamp_seconds{deployment="d",instance="node:1"}'
    started = 'polytrade_node_start_timestamp_seconds{deployment="d",instance="node:1"}'
    dead, stalled = alerts["NodeDead"], alerts["LoopStalled"]
    restarting, watchdog = alerts["NodeRestarting"], alerts[WATCHDOG]
    # promtool's clock begins at 0: a loop that came round at every instant has its own time for a value.
    alive = [_values(up, "1x24"), _values(progress, "0+5x24"), _values(started, "100x24")]
    return [
        {
            "name": "a node that is well raises nothing but the sign of life",
            "interval": "5s",
            "input_series": alive,
            "alert_rule_test": [
                _expect("100s", "NodeDead", []),
                _expect("100s", "LoopStalled", []),
                _expect("100s", "NodeRestarting", []),
                _expect("100s", WATCHDOG, [_firing(watchdog, {})]),
            ],
        },
        {
            "name": "a node that does not answer is dead, after a moment",
            "interval": "5s",
            "input_series": [_values(up, "1x3 0x20")],
            "alert_rule_test": [
                _expect("20s", "NodeDead", []),
                _expect("45s", "NodeDead", [_firing(dead, there)]),
            ],
        },
        {
            "name": "a node that nobody asks any more is dead, too",
            "interval": "5s",
            "input_series": [],
            "alert_rule_test": [_expect("45s", "NodeDead", [_firing(dead, {"job": "polytrade"})])],
        },
        {
            "name": "a loop that stands still is seen while the node answers",
            "interval": "5s",
            "input_series": [_values(up, "1x24"), _values(progress, "0+5x3 15x20")],
            "alert_rule_test": [
                _expect("15s", "LoopStalled", []),
                _expect("75s", "LoopStalled", [_firing(stalled, there, value="1m 0s")]),
            ],
        },
        {
            "name": "a node that starts again and again is seen",
            "interval": "5s",
            "input_series": [_values(up, "1x24"), _values(started, "100x3 110x3 120x3 130x20")],
            "alert_rule_test": [_expect("100s", "NodeRestarting", [_firing(restarting, there, value="3")])],
        },
    ]


def _inside_case(name: str, severity: str, alert: dict[str, Any]) -> dict[str, Any]:
    series = (
        f'polytrade_alerter_alerts_firing{{actor="alerter",alert="{name}",instance="node:1",severity="%s"}}'
    )
    other = {"page": "ticket", "ticket": "page"}[severity]
    return {
        "name": f"{name}: a {severity} while the node says so",
        "interval": "5s",
        "input_series": [
            _values('up{job="polytrade",instance="node:1"}', "1x9"),
            _values(series % severity, "_ 2x4 0x4"),
            _values(series % other, "0x9"),
        ],
        "alert_rule_test": [
            _expect("0s", name, []),
            _expect("20s", name, [_firing(alert, NODE, value="2")]),
            _expect("40s", name, []),
        ],
    }


def _values(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}


def _expect(at: str, name: str, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"eval_time": at, "alertname": name}
    if alerts:
        found["exp_alerts"] = alerts
    return found


def _firing(alert: dict[str, Any], labels: dict[str, str], value: str = "") -> dict[str, Any]:
    texts = {
        name: text.replace("{{ $value }}", value).replace("{{ $value | humanizeDuration }}", value)
        for name, text in alert["annotations"].items()
    }
    return {"exp_labels": {**alert["labels"], **labels}, "exp_annotations": texts}

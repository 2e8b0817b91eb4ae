"""Alerts for Prometheus: what only an outside observer can see, and every alert that a node raises itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from actors.monitoring.indicators import INSTANCE
from actors.monitoring.links import Links

__all__ = ["OUTSIDE", "WATCHDOG", "Known", "Outside", "inside_alerts", "outside_alerts"]

WATCHDOG = "Watchdog"
OURS = "monitoring"  # whose document lists what no node raises
# Folder of the document that lists an alert -> the dashboard that shows its cause.
DASHBOARDS = {"feed": "feeds", "catalog": "feeds"}
RUNTIME = frozenset({"runtime", "alerter", "deployment", "secrets", "monitoring", "control", "audit"})


class Outside(NamedTuple):
    """An alert that Prometheus judges by itself."""

    name: str
    severity: str
    expr: str
    lasts: str
    summary: str


OUTSIDE = (
    Outside(
        "NodeDead",
        "page",
        f'max by ({INSTANCE}) (up{{job="polytrade"}}) == 0\nor\nabsent(up{{job="polytrade"}})',
        "10s",
        "The node does not answer; its heart may be restarting it",
    ),
    Outside(
        "LoopStalled",
        "page",
        f"max by ({INSTANCE}) (time() - polytrade_loop_progress_timestamp_seconds) > 5\n"
        f'and on ({INSTANCE})\nmax by ({INSTANCE}) (up{{job="polytrade"}}) == 1',
        "0s",
        "The node answers, but its loop has not come round for {{ $value | humanizeDuration }}",
    ),
    Outside(
        "NodeRestarting",
        "ticket",
        f"max by ({INSTANCE}) (changes(polytrade_node_start_timestamp_seconds[15m])) >= 3",
        "0s",
        "The node has started {{ $value }} times within 15 minutes",
    ),
)


class Known(NamedTuple):
    """An alert of the actors' documents, with what its runbook says."""

    name: str
    severities: tuple[str, ...]
    when: str
    impact: str
    folder: str  # below actors/, whose document lists it

    @property
    def dashboard(self) -> str:
        """The dashboard that shows its cause."""
        top = self.folder.partition("/")[0]
        return "runtime" if top in RUNTIME else DASHBOARDS.get(top, "account")


def outside_alerts(known: dict[str, Known], links: Links) -> list[dict[str, Any]]:
    """Return the alerts that Prometheus judges, and the one that always fires."""
    rules = [
        {
            "alert": one.name,
            "expr": one.expr,
            "for": one.lasts,
            # Where the node says the same of itself, that may hold for minutes after all is well again.
            "labels": {"severity": one.severity, "observer": "outside"},
            "annotations": {
                "summary": one.summary,
                "impact": known[one.name].impact,
                **links.of(one.name, "runtime"),
            },
        }
        for one in OUTSIDE
    ]
    return [*rules, _watchdog(known[WATCHDOG].impact, links)]


def _watchdog(impact: str, links: Links) -> dict[str, Any]:
    return {
        "alert": WATCHDOG,
        "expr": "vector(1)",
        "labels": {"severity": "none"},
        "annotations": {
            "summary": "Always fires: somebody outside shall notice when alerts do not get through any more",
            "impact": impact,
            **links.of(WATCHDOG, "overview"),
        },
    }


def inside_alerts(known: Iterable[Known], links: Links) -> list[dict[str, Any]]:
    """Return one rule for each alert that the node's alerter knows and each severity that it can have."""
    return [
        _inside(one, severity, links) for one in known if one.folder != OURS for severity in one.severities
    ]


def _inside(one: Known, severity: str, links: Links) -> dict[str, Any]:
    when = re.sub(r"`([^`]*)`", r"\1", one.when)
    return {
        "alert": one.name,
        "expr": f"max by ({INSTANCE})\n"
        f'(polytrade_alerter_alerts_firing{{alert="{one.name}",severity="{severity}"}}) > 0',
        "labels": {"severity": severity},
        "annotations": {
            "summary": f"{one.name} holds for {{{{ $value }}}}: {when}",
            "impact": one.impact,
            **links.of(one.name, one.dashboard),
        },
    }

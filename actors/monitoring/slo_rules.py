"""Promises as rules: how much was bad over each window, and alerts on how fast the budget burns.

Windows and rates are those of Google's SRE workbook, chapter 5: an alert needs a long window, so that it
means something, and a short one, so that it ends soon after the trouble does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from actors.monitoring.indicators import INSTANCE, Indicator
from actors.monitoring.links import Links

__all__ = ["BURNS", "FAST", "SLOW", "WINDOWS", "Burn", "slo_alerts", "slo_records"]

FAST, SLOW = "SloBurnFast", "SloBurnSlow"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


# The cause has an alert of its own that comes sooner and hides this one: see routing.INHIBITIONS.
LASTS = {"page": "1m", "ticket": "5m"}


class Burn(NamedTuple):
    """So many times too fast over both windows. At 1, the budget of 30 days lasts exactly 30 days."""

    alert: str
    severity: str
    rate: float
    long: str
    short: str
    spent: str  # of the budget, when it fires


BURNS = (
    Burn(FAST, "page", 14.4, "1h", "5m", "2%"),
    Burn(FAST, "page", 6, "6h", "30m", "5%"),
    Burn(SLOW, "ticket", 3, "1d", "2h", "10%"),
    Burn(SLOW, "ticket", 1, "3d", "6h", "10%"),
)


def slo_records(indicators: list[Indicator]) -> list[dict[str, Any]]:
    """Return the recording rules, with what they are made of first."""
    rules: list[dict[str, Any]] = [
        {
            "record": "polytrade:node_up:bool",
            "expr": f"max by ({INSTANCE}) (polytrade_node_ready)\n"
            f'or\nmax by ({INSTANCE}) (up{{job="polytrade"}}) * 0',
        }
    ]
    for one in indicators:
        labels = {"slo": one.slo}
        rules += [
            {
                "record": f"slo:errors:ratio_rate{window}",
                "expr": one.errors.replace("WINDOW", window),
                "labels": labels,
            }
            for window in WINDOWS
        ]
        promised = f"vector({one.objective:.10g})"
        rules.append({"record": "slo:objective:ratio", "expr": promised, "labels": labels})
        rules.append(
            {
                "record": "slo:budget_left:ratio",
                "expr": f'1 - avg_over_time(slo:errors:ratio_rate1h{{slo="{one.slo}"}}[30d])\n'
                f"/ {one.budget:.10g}",
                "labels": labels,
            }
        )
    return rules


def slo_alerts(indicators: list[Indicator], links: Links) -> list[dict[str, Any]]:
    """Return the alerts of all promises."""
    return [_alert(one, burn, links) for one in indicators for burn in BURNS]


def _alert(one: Indicator, burn: Burn, links: Links) -> dict[str, Any]:
    limit = f"{burn.rate:g} * {one.budget:.10g}"
    return {
        "alert": burn.alert,
        "expr": f'slo:errors:ratio_rate{burn.long}{{slo="{one.slo}"}} > {limit}\n'
        f'and\nslo:errors:ratio_rate{burn.short}{{slo="{one.slo}"}} > {limit}',
        "for": LASTS[burn.severity],
        "labels": {"severity": burn.severity, "slo": one.slo, "window": burn.long},
        "annotations": {
            "summary": f"{one.summary}: {burn.spent} of the 30 days' budget went within {burn.long}",
            "impact": one.impact,
            **links.of(burn.alert, one.dashboard),
        },
    }

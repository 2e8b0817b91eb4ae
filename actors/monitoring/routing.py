"""Alertmanager: who is told of what, what is silent because of something worse, and the sign of life."""

from __future__ import annotations

from typing import Any

from actors.deployment.objectives import MonitoringSection
from actors.monitoring.alert_rules import WATCHDOG
from actors.monitoring.slo_rules import FAST, SLOW

__all__ = ["INHIBITIONS", "alertmanager"]

SAME_NODE = ["deployment", "instance"]
# What holds -> what need not be told then, and which labels both must have alike.
INHIBITIONS: tuple[tuple[str, str, list[str]], ...] = (
    # A node that is away raises nothing, and what Prometheus still remembers of it is old.
    ('alertname="NodeDead",observer="outside"', f'alertname!~"NodeDead|{WATCHDOG}"', SAME_NODE),
    # A loop that stands still makes everything late: feeds, answers, comparisons.
    (
        'alertname="LoopStalled",observer="outside"',
        f'alertname!~"LoopStalled|NodeDead|{WATCHDOG}"',
        SAME_NODE,
    ),
    # What a halt brings about. What is a danger in itself still comes through.
    (
        'alertname="TradingHalted"',
        f'alertname=~"LimitNear|OrderUnresolved|ParentFailed|WarmupMissing|{SLOW}",severity="ticket"',
        SAME_NODE,
    ),
    # Without the venue nothing can be compared, read or sent.
    (
        'alertname="VenueUnreachable"',
        'alertname=~"ReconcileFailed|CatalogStale|FeedUnreachable|VenueRateLimited"',
        SAME_NODE,
    ),
    # One alert of two severities: the worse one says it all.
    ('severity="page"', 'severity="ticket"', ["alertname", *SAME_NODE]),
    (f'alertname="{FAST}"', f'alertname="{SLOW}"', ["slo", *SAME_NODE]),
)


def alertmanager(section: MonitoringSection) -> dict[str, Any]:
    """Return the configuration."""
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["alertname", "deployment", "instance"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "12h",
            "routes": [
                {
                    "matchers": [f'alertname="{WATCHDOG}"'],
                    "receiver": "heartbeat",
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "1m",
                },
                {
                    "matchers": ['severity="page"'],
                    "receiver": "page",
                    "group_wait": "1s",
                    "group_interval": "30s",
                    "repeat_interval": "1h",
                },
            ],
        },
        "receivers": [
            _receiver("page", section.page_url),
            _receiver("ticket", section.ticket_url),
            _receiver("heartbeat", section.heartbeat_url, resolved=False),
        ],
        "inhibit_rules": [
            {
                "source_matchers": _matchers(source),
                "target_matchers": _matchers(target),
                "equal": equal,
            }
            for source, target, equal in INHIBITIONS
        ],
    }


def _matchers(text: str) -> list[str]:
    return text.split(",")


def _receiver(name: str, url: str, *, resolved: bool = True) -> dict[str, Any]:
    if not url:
        return {"name": name}
    path = url.removeprefix("file://")
    where = {"url": url} if path == url else {"url_file": path}
    return {"name": name, "webhook_configs": [{**where, "send_resolved": resolved}]}

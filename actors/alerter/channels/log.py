"""Notifications as structured log lines: one per alert."""

from __future__ import annotations

from actors.alerter.channels.channel import Attempt
from actors.alerter.notification import AlertLine, Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context

__all__ = ["send"]


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Write the firing alerts, then the resolved ones. Always done at once."""
    for line in notification.firing:
        _write("alert_firing", notification.name, line, context)
    if route.resolved:
        for line in notification.resolved:
            _write("alert_resolved", notification.name, line, context)
    return True


def _write(event: str, name: str, line: AlertLine, context: Context) -> None:
    context.log(
        event,
        alert=name,
        key=line.key,
        severity=line.severity.value,
        summary=line.summary,
        source=line.source,
        raised_at=line.raised_at,
        flapping=line.flapping,
        **{f"detail_{name}": value for name, value in line.details.items()},
    )

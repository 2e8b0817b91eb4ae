"""Notifications as structured log lines: one per alert."""

from __future__ import annotations

from actors.alerter.channels.channel import Attempt
from actors.alerter.notification import AlertLine, Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context

__all__ = ["send"]


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Write the firing alerts, those somebody takes care of, the resolved ones. Always done at once."""
    firing = "alert_test" if notification.test else "alert_firing"
    for line in notification.firing:
        _write(firing, notification, line, context)
    for line in notification.acknowledged:
        _write("alert_acknowledged", notification, line, context)
    for line in notification.resolved:
        _write("alert_resolved", notification, line, context)
    return True


def _write(event: str, notification: Notification, line: AlertLine, context: Context) -> None:
    more: dict[str, object] = {f"detail_{name}": value for name, value in line.details.items()}
    if line.acknowledged_by:
        more |= {"acknowledged_by": line.acknowledged_by, "acknowledged_until": line.acknowledged_until}
    if notification.escalation:
        more["escalation"] = notification.escalation
    context.log(
        event,
        alert=notification.name,
        key=line.key,
        severity=line.severity.value,
        summary=line.summary,
        source=line.source,
        raised_at=line.raised_at,
        flapping=line.flapping,
        **more,
    )

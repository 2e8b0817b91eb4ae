"""Notifications as one HTTP POST of JSON each; the far side tells repeats apart by `Idempotency-Key`."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.alerter.channels.channel import Attempt
from actors.alerter.notification import Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context
from actors.runtime.pumps.messages import HttpRequest

__all__ = ["body", "post", "send"]

BODY_VERSION = 1  # raised when a field changes its meaning or goes
JSON = ("Content-Type", "application/json")


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the request to the HTTP pump."""
    headers = [JSON, ("Idempotency-Key", attempt.delivery_id)]
    if route.authorization:
        headers.append(("Authorization", attempt.secret(route.authorization)))
    post(attempt.secret(route.url), tuple(headers), body(notification, attempt.deployment), attempt, context)
    return False


def post(
    url: str, headers: tuple[tuple[str, str], ...], content: Any, attempt: Attempt, context: Context
) -> None:
    """Have JSON posted; the answer comes under the delivery's id."""
    raw = msgspec.json.encode(content)
    context.effect("http", HttpRequest(attempt.delivery_id, "POST", url, headers, raw, attempt.timeout_ns))


def body(notification: Notification, deployment: str) -> dict[str, Any]:
    """Return the JSON that is posted."""
    return {
        "version": BODY_VERSION,
        "deployment": deployment,
        "status": notification.status,
        "alert": notification.name,
        "severity": notification.severity,
        "headline": notification.headline,
        "runbook": notification.runbook or f"runbooks/{notification.name}.md",
        "firing": notification.firing,
        "acknowledged": notification.acknowledged,
        "resolved": notification.resolved,
        "silenced_count": notification.silenced_count,
        "escalation": notification.escalation,
        "test": notification.test,
        "sent_at": notification.sent_at,
    }

"""Notifications as one HTTP POST of JSON each; the far side tells repeats apart by `Idempotency-Key`."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.alerter.channels.channel import Attempt
from actors.alerter.notification import Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context
from actors.runtime.pumps.messages import HttpRequest

__all__ = ["body", "send"]

BODY_VERSION = 1  # raised when a field changes its meaning or goes


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the request to the HTTP pump; it stays in the outbox until somebody says that it is done."""
    headers = (("Content-Type", "application/json"), ("Idempotency-Key", attempt.delivery_id))
    content = body(notification, route, attempt.deployment)
    request = HttpRequest(attempt.delivery_id, "POST", route.url, headers, content, attempt.timeout_ns)
    context.effect("http", request, key=attempt.delivery_id)
    return False


def body(notification: Notification, route: Route, deployment: str) -> bytes:
    """Return the JSON that is posted."""
    content: dict[str, Any] = {
        "version": BODY_VERSION,
        "deployment": deployment,
        "status": "firing" if notification.firing else "resolved",
        "alert": notification.name,
        "severity": notification.severity,
        "headline": notification.headline,
        "runbook": f"runbooks/{notification.name}.md",
        "firing": notification.firing,
        "resolved": notification.resolved if route.resolved else (),
        "silenced_count": notification.silenced_count,
        "sent_at": notification.sent_at,
    }
    return msgspec.json.encode(content)

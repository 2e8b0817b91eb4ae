"""Alerts as events of PagerDuty's Events API v2: one event for each alert that is news.

Source: developer.pagerduty.com, "Send an Alert Event": dedup_key, up to 255 characters, correlates trigger,
acknowledge and resolve; summary up to 1,024; severity is critical, error, warning or info; a link needs an
address. 202 is success, 400 final, 429 and 5xx are to be tried again later.
"""

from __future__ import annotations

import hashlib
from typing import Any

from actors.alerter.channels.channel import Attempt
from actors.alerter.channels.webhook import JSON, post
from actors.alerter.channels.wording import advice
from actors.alerter.notification import AlertLine, Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["body", "dedup_key", "send"]

URL = "https://events.pagerduty.com/v2/enqueue"
KEY_MAX, SUMMARY_MAX = 255, 1_024
SEVERITIES = {Severity.PAGE: "critical", Severity.TICKET: "warning", Severity.INFO: "info"}
DIGEST_LETTERS = 32


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the request to the HTTP pump."""
    url = attempt.secret(route.url) if route.url else URL
    content = body(notification, attempt.deployment, attempt.secret(route.routing_key))
    post(url, (JSON,), content, attempt, context)
    return False


def body(notification: Notification, deployment: str, routing_key: str) -> dict[str, Any]:
    """Return the event for a notification about a single alert."""
    if notification.firing:
        line, action = notification.firing[0], "trigger"
    elif notification.acknowledged:
        line, action = notification.acknowledged[0], "acknowledge"
    else:
        line, action = notification.resolved[0], "resolve"
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(deployment, notification.name, line),
    }
    if action != "trigger":
        return event
    event["payload"] = {
        "summary": f"{notification.name}: {line.summary}"[:SUMMARY_MAX],
        "source": f"{deployment}/{line.source}",
        "severity": SEVERITIES[line.severity],
        "timestamp": line.raised_at,
        "component": line.source,
        "group": deployment,
        "class": notification.name,
        "custom_details": {**line.details, "key": line.key, **_commands(notification)},
    }
    event["client"] = "polytrade"
    if notification.runbook:
        event["links"] = [{"href": notification.runbook, "text": f"Runbook {notification.name}"}]
    return event


def _commands(notification: Notification) -> dict[str, Any]:
    commands = advice(notification)
    return {"commands": commands} if commands else {}


def dedup_key(deployment: str, name: str, line: AlertLine) -> str:
    """Return what is the same for all events about one alert."""
    key = f"{deployment}/{name}/{line.source}/{line.key}"
    if len(key) <= KEY_MAX:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LETTERS]
    return f"{key[: KEY_MAX - DIGEST_LETTERS - 1]}/{digest}"

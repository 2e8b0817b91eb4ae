"""Notifications for Slack's incoming webhooks, and for what takes the same, such as Mattermost.

Source: docs.slack.dev, "Sending messages using incoming webhooks" and "Formatting message text": `&`, `<`
and `>` begin control sequences and are escaped, so that a text mentions nobody; a wrong url answers 403, 404
or 410; one message a second is allowed, and 429 comes with Retry-After. It sends no blocks: what
is compatible knows no blocks.
"""

from __future__ import annotations

from typing import Any

from actors.alerter.channels.channel import Attempt
from actors.alerter.channels.webhook import JSON, post
from actors.alerter.channels.wording import advice, cut, heading, lines_of
from actors.alerter.notification import Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["body", "send"]

TEXT_MAX = 3_000  # more is folded away or refused
COLOURS = {Severity.PAGE: "danger", Severity.TICKET: "warning", Severity.INFO: "#439FE0"}


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the request to the HTTP pump."""
    post(attempt.secret(route.url), (JSON,), body(notification, attempt.deployment), attempt, context)
    return False


def body(notification: Notification, deployment: str) -> dict[str, Any]:
    """Return the JSON that is posted."""
    title = _escaped(heading(notification, deployment))
    text = _escaped("\n".join(lines_of(notification)))
    commands = "\n".join(f"`{_escaped(command)}`" for command in advice(notification))
    attachment: dict[str, Any] = {
        "fallback": title,
        "color": COLOURS[notification.severity] if notification.firing else "good",
        "text": "\n".join(part for part in (cut(text, TEXT_MAX), commands) if part),
        "mrkdwn_in": ["text"],
        "footer": f"polytrade {_escaped(deployment)} {notification.sent_at}",
    }
    if notification.runbook:
        attachment |= {"title": f"Runbook: {_escaped(notification.name)}", "title_link": notification.runbook}
    return {"text": title, "attachments": [attachment]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

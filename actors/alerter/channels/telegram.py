"""Notifications as messages of a Telegram bot.

Source: core.telegram.org/bots/api, sendMessage and "HTML style": 1 to 4,096 UTF-16 units of text, tags not
counted; `<`, `>` and `&` are escaped. 401 and 404 mean a wrong token, 400 a wrong chat, 403 that the bot is
not let in; 429 says in `parameters.retry_after` how long to wait.
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

URL = "https://api.telegram.org"
TEXT_MAX = 4_096
HEADING_MAX = 200
COMMANDS_MAX = 1_000


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the request to the HTTP pump. The token stands in the address."""
    base = (attempt.secret(route.url) if route.url else URL).rstrip("/")
    url = f"{base}/bot{attempt.secret(route.token)}/sendMessage"
    post(url, (JSON,), body(notification, route.chat, attempt.deployment), attempt, context)
    return False


def body(notification: Notification, chat: str, deployment: str) -> dict[str, Any]:
    """Return the JSON that is posted. Tickets and what is over come without a sound."""
    head = cut(heading(notification, deployment), HEADING_MAX).replace("\n", " ")
    commands = [cut(command, COMMANDS_MAX) for command in advice(notification)]
    link = cut(notification.runbook, COMMANDS_MAX)
    rest = len(head) + sum(len(command) + 1 for command in commands) + len(link) + 2
    text = cut("\n".join(lines_of(notification)), TEXT_MAX - 2 * rest)  # a letter has two units at most
    parts = [f"<b>{_escaped(head)}</b>", _escaped(text)]
    parts += [f"<code>{_escaped(command)}</code>" for command in commands]
    parts += [_escaped(link)] if link else []
    return {
        "chat_id": chat,
        "text": "\n".join(part for part in parts if part),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": not (notification.firing and notification.severity is Severity.PAGE),
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

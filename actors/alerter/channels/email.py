"""Notifications as mails in plain text. Those about one alert name form one thread."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from actors.alerter.channels.channel import Attempt
from actors.alerter.channels.wording import advice, heading, lines_of
from actors.alerter.notification import Notification
from actors.alerter.quiet import utc_instant
from actors.alerter.route import Mail
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError
from actors.runtime.messages import Severity
from actors.runtime.pumps.messages import MailRequest

if TYPE_CHECKING:
    from email.headerregistry import Address

__all__ = ["content", "send"]

SUBJECT_MAX = 200
DIGEST_LETTERS = 24


def send(notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
    """Hand the mail to the mail pump."""
    mail = route.mail
    if mail is None:
        raise InvariantError("a route by email has its mail settings", route=route.name)
    request = MailRequest(
        attempt.delivery_id,
        mail.host,
        mail.port,
        mail.security,
        os.path.normpath(os.path.join(attempt.directory, mail.ca_file)) if mail.ca_file else "",
        mail.username,
        attempt.secret(mail.password),
        mail.sender,
        mail.to,
        content(notification, mail, attempt.deployment, attempt.delivery_id),
        attempt.timeout_ns,
    )
    context.effect("mail", request)
    return False


def content(notification: Notification, mail: Mail, deployment: str, delivery_id: str) -> bytes:
    """Return the whole mail. The same delivery has the same Message-ID at every attempt."""
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime

    subject = " ".join(heading(notification, deployment).split())[:SUBJECT_MAX]
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(mail.sender, "polytrade")
    message["To"] = tuple(_address(one) for one in mail.to)
    message["Subject"] = subject
    message["Date"] = format_datetime(utc_instant(notification.sent_at), usegmt=True)
    domain = mail.sender.rpartition("@")[2]
    message["Message-ID"] = f"<{_digest(deployment, delivery_id, notification.sent_at)}@{domain}>"
    if not notification.test:
        message["References"] = f"<{_digest(deployment, notification.name)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if notification.firing and notification.severity is Severity.PAGE:
        message["Importance"] = "high"
    parts = ["\n".join(lines_of(notification))]
    commands = advice(notification)
    if commands:
        parts.append("\n".join(f"  $ {command}" for command in commands))
    if notification.runbook:
        parts.append(notification.runbook)
    parts.append(f"-- \npolytrade {deployment}, {notification.sent_at}")
    message.set_content("\n\n".join(parts) + "\n")
    return message.as_bytes()


def _address(text: str, shown: str = "") -> Address:
    from email.headerregistry import Address

    return Address(display_name=shown, addr_spec=text)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DIGEST_LETTERS]

"""What every channel offers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from actors.alerter.notification import Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context

__all__ = ["Attempt", "Send"]


class Attempt(NamedTuple):
    """One try to deliver; the id stays the same for all tries of one delivery."""

    delivery_id: str
    deployment: str
    timeout_ns: int


class Send(Protocol):
    """Send one notification over one route."""

    def __call__(self, notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
        """Return True when it is done; False when an HTTP answer under the delivery's id will tell."""
        ...

"""What every channel offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from actors.alerter.notification import Notification
from actors.alerter.settings import Route
from actors.runtime.behaviour import Context

__all__ = ["Attempt", "Channel", "Send"]


class Attempt(NamedTuple):
    """One try to deliver; the id stays the same for all tries of one delivery."""

    delivery_id: str
    deployment: str
    timeout_ns: int
    secret: Callable[[str], str]  # what stands behind a setting that may be a reference; never to be kept
    directory: str = "."  # relative paths in settings begin there


class Send(Protocol):
    """Send one notification over one route."""

    def __call__(self, notification: Notification, route: Route, attempt: Attempt, context: Context) -> bool:
        """Return True when it is done; False when an answer under the delivery's id will tell.

        What it hands to a pump may hold secrets, so it is no effect with a key: the outbox keeps those. The
        delivery itself is kept in the alerter's state.
        """
        ...


class Channel(NamedTuple):
    """One way that notifications can take."""

    send: Send
    each_alert: bool = False  # the far side keeps track of every single alert: it gets one message for each

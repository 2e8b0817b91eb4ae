"""Trying a route: a notification about nothing, and what became of it."""

from __future__ import annotations

from typing import NamedTuple

from actors.alerter.notification import AlertLine, Notification
from actors.alerter.quiet import utc_text
from actors.alerter.route import Route
from actors.messages.alerting import TestRoutes
from actors.runtime.messages import Severity

__all__ = ["Trial", "trial_notifications"]

NAME = "RouteTest"


class Trial(NamedTuple):
    """One delivery made to see whether it arrives."""

    route: str
    error: str = ""
    ended: bool = False


def trial_notifications(
    order: TestRoutes, route: Route, address: str, now_ns: int, both: bool
) -> list[Notification]:
    """Return what is sent: that nothing fires, and with `both` that it is over."""
    line = AlertLine(
        key=route.name,
        source=address,
        severity=Severity.INFO,
        summary=f"Nothing is wrong: {order.actor} tries the route {route.name}",
        details={},
        raised_at=utc_text(now_ns),
        flapping=False,
    )
    notifications = [_notification((line,), (), now_ns)]
    return [*notifications, _notification((), (line,), now_ns)] if both else notifications


def _notification(
    firing: tuple[AlertLine, ...], resolved: tuple[AlertLine, ...], now_ns: int
) -> Notification:
    return Notification(NAME, Severity.INFO, firing, resolved, 0, utc_text(now_ns), test=True)

"""What the alerter remembers over restarts. Instants are UTC ns; 0 means never."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import msgspec

from actors.alerter.notification import Notification
from actors.runtime.messages import Severity

__all__ = [
    "RANK",
    "Acknowledgement",
    "Alert",
    "AlerterState",
    "Delivery",
    "Ended",
    "Group",
    "Hush",
    "RouteCounts",
    "identity",
    "upgraded",
]

RANK = {Severity.INFO: 0, Severity.TICKET: 1, Severity.PAGE: 2}


def identity(name: str, source: str, key: str) -> str:
    """Return what makes two raises the same alert."""
    return f"{name}|{source}|{key}"


class Acknowledgement(msgspec.Struct, frozen=True):
    """Somebody takes care of an alert: it is neither told again nor escalated until this ends."""

    by: str
    reason: str
    at_ns: int
    ends_at_ns: int
    severity: Severity  # of the alert then; when it gets worse this does not hold any more


class Alert(msgspec.Struct):
    """One condition: it holds, or it held and somebody has still to hear that it is over."""

    name: str
    key: str
    source: str
    severity: Severity
    summary: str
    details: tuple[tuple[str, str], ...]
    raised_at_ns: int  # first raise since it was last over
    refreshed_at_ns: int
    raises_ns: list[int]  # instants of the newest raises after a resolution, for flap damping
    ends_at_ns: int = 0  # when it counts as over; later than the resolution while it flaps
    over: bool = False
    told: Severity | None = None  # as what it was last told; None while nobody knows of it
    lasts_ns: int = 0  # so long after the last raise it is over by itself; 0: it is until it is resolved
    again: bool = False  # to be told anew although it was told before
    heard: tuple[str, ...] = ()  # routes that it was told on, and that may want to hear of its end
    clock_ns: int = 0  # when its escalation began: with its first telling, or a new one of everything
    steps: int = 0  # of the escalation, taken since
    acknowledgement: Acknowledgement | None = None
    reopened: bool = False  # somebody took care of it, and nobody does any more; till that is told
    answered: bool = True  # those who heard of the alert know of its acknowledgement

    @property
    def identity(self) -> str:
        """What makes two raises the same alert."""
        return identity(self.name, self.source, self.key)


class Group(msgspec.Struct):
    """The alerts of one name, told together."""

    due_at_ns: int = 0  # when to look whether there is something to tell
    told_at_ns: int = 0


class Hush(msgspec.Struct, frozen=True):
    """One silence in force or to come."""

    name: str
    key: str
    source: str
    starts_at_ns: int
    ends_at_ns: int
    reason: str

    def fits(self, alert: Alert) -> bool:
        """Return whether all three patterns match."""
        return (
            fnmatchcase(alert.name, self.name)
            and fnmatchcase(alert.key, self.key)
            and fnmatchcase(alert.source, self.source)
        )


class Ended(msgspec.Struct, frozen=True):
    """An alert that is over, for whoever asks afterwards."""

    name: str
    key: str
    source: str
    severity: Severity
    summary: str
    raised_at_ns: int
    ended_at_ns: int
    acknowledged_by: str = ""


class RouteCounts(msgspec.Struct):
    """How one route has done."""

    delivered_count: int = 0
    failed_count: int = 0  # given up
    delivered_at_ns: int = 0  # the last one
    failed_at_ns: int = 0
    error: str = ""  # of the last failure; empty since the next success


class Delivery(msgspec.Struct):
    """One notification on its way over one route, until the far side has taken it."""

    route: str
    notification: Notification
    attempts: int = 0
    due_at_ns: int = 0  # of the next attempt, if no answer comes before; 0 while it waits for its turn
    error: str = ""  # of the last attempt


class AlerterState(msgspec.Struct):
    """Everything; bounded by alerts_max and deliveries_max."""

    alerts: dict[str, Alert] = {}
    groups: dict[str, Group] = {}
    deliveries: dict[str, Delivery] = {}
    hushes: list[Hush] = []  # made by operators while running
    ended: list[Ended] = []  # newest last
    routes: dict[str, RouteCounts] = {}
    epoch: int = 0  # of the node whose deliveries are under way
    notifications_count: int = 0
    deliveries_count: int = 0
    failed_count: int = 0  # deliveries given up
    dropped_count: int = 0  # alerts that found no room


def upgraded(state: dict[str, Any], routes: tuple[str, ...]) -> dict[str, Any]:
    """Return plain values of version 1 in today's form: what was told was told on all `routes`."""
    for alert in state.get("alerts", {}).values():
        if alert.get("told") is not None:
            alert["heard"], alert["clock_ns"] = routes, alert["refreshed_at_ns"]
    return state

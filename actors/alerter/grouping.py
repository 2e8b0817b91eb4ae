"""Which alerts hold, and when a group of them is worth telling. Instants are UTC ns.

All functions work on the alerter's state and take the time from the caller.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.alerter.notification import AlertLine, Notification
from actors.alerter.quiet import quiet_hours, quiet_until_ns, silenced_until_ns, utc_text
from actors.alerter.settings import AlerterSettings
from actors.alerter.state import RANK, Alert, AlerterState, Group, Hush, identity
from actors.runtime.messages import AlertRaised, AlertResolved, Severity

__all__ = [
    "ALWAYS_ADMITTED",
    "collect",
    "is_flapping",
    "next_due_ns",
    "raise_alert",
    "resolve_alert",
    "settle",
]

# The alerter's own: at most one of the first, and one of the second per route.
ALWAYS_ADMITTED = frozenset({"AlertsDropped", "AlertDeliveryFailed"})


def raise_alert(state: AlerterState, settings: AlerterSettings, raised: AlertRaised, now_ns: int) -> bool:
    """Take a raise or a refresh. Return False when there was no room for it."""
    alert = state.alerts.get(identity(raised.name, raised.source, raised.key))
    if alert is None:
        if raised.name not in ALWAYS_ADMITTED and not _make_room(state, settings.alerts_max):
            state.dropped_count += 1
            return False
        alert = Alert(
            name=raised.name,
            key=raised.key,
            source=raised.source,
            severity=raised.severity,
            summary=raised.summary,
            details=raised.details,
            raised_at_ns=now_ns,
            refreshed_at_ns=now_ns,
            raises_ns=[now_ns],
            lasts_ns=raised.ends_after_ns,
        )
        state.alerts[alert.identity] = alert
    else:
        _refresh(alert, raised, now_ns, settings.flap_count)
    if alert.told is None or RANK[alert.severity] > RANK[alert.told]:
        _tell_soon(state, settings, alert, now_ns)
    return True


def _make_room(state: AlerterState, alerts_max: int) -> bool:
    """Forget alerts that are over and told, oldest first, if that is needed to take one more."""
    if len(state.alerts) >= alerts_max:
        for name, alert in list(state.alerts.items()):
            if alert.over and alert.told is None:
                del state.alerts[name]
    return len(state.alerts) < alerts_max


def _refresh(alert: Alert, raised: AlertRaised, now_ns: int, raises_kept: int) -> None:
    if alert.ends_at_ns:  # it had been resolved
        alert.raises_ns = [*alert.raises_ns, now_ns][-raises_kept:]
        if alert.over:
            alert.raised_at_ns = now_ns
        alert.ends_at_ns, alert.over = 0, False
    alert.severity, alert.summary, alert.details = raised.severity, raised.summary, raised.details
    alert.refreshed_at_ns, alert.lasts_ns = now_ns, raised.ends_after_ns


def is_flapping(alert: Alert, settings: AlerterSettings, now_ns: int) -> bool:
    """Return whether it was raised anew too often lately."""
    recent = [at_ns for at_ns in alert.raises_ns if at_ns > now_ns - settings.flap_window]
    return len(recent) >= settings.flap_count


def resolve_alert(state: AlerterState, settings: AlerterSettings, over: AlertResolved, now_ns: int) -> bool:
    """Take a resolution; while an alert flaps, it holds on for flap_window. Return whether it was known."""
    alert = state.alerts.get(identity(over.name, over.source, over.key))
    if alert is None or alert.ends_at_ns:
        return False
    if is_flapping(alert, settings, now_ns):
        alert.ends_at_ns = now_ns + settings.flap_window
    else:
        alert.ends_at_ns = now_ns
        _end(state, settings, alert, now_ns)
    return True


def _end(state: AlerterState, settings: AlerterSettings, alert: Alert, now_ns: int) -> None:
    alert.over = True
    if alert.told is not None:
        _tell_soon(state, settings, alert, now_ns)


def _tell_soon(state: AlerterState, settings: AlerterSettings, alert: Alert, now_ns: int) -> None:
    """Give the alert's group a time to be told, unless it has an earlier one."""
    group = state.groups.setdefault(alert.name, Group())
    due_ns = now_ns + settings.group_wait
    told = [RANK[other.told] for other in _members(state, alert.name) if other.told is not None]
    if told and max(told) >= RANK[alert.severity]:  # what is worse than all that is known does not wait
        due_ns = max(due_ns, group.told_at_ns + settings.group_interval)
    if not group.due_at_ns or due_ns < group.due_at_ns:
        group.due_at_ns = due_ns


def _members(state: AlerterState, name: str) -> list[Alert]:
    return [alert for alert in state.alerts.values() if alert.name == name]


def settle(state: AlerterState, settings: AlerterSettings, now_ns: int) -> None:
    """End flapping alerts that have kept quiet, and forget what is over, told and old."""
    for name, alert in list(state.alerts.items()):
        if not alert.over and 0 < _ends_at_ns(alert) <= now_ns:
            alert.ends_at_ns = now_ns
            _end(state, settings, alert, now_ns)
        if alert.over and alert.told is None and alert.raises_ns[-1] <= now_ns - settings.flap_window:
            del state.alerts[name]
    alive = {alert.name for alert in state.alerts.values()}
    for name in [name for name in state.groups if name not in alive]:
        del state.groups[name]


def _ends_at_ns(alert: Alert) -> int:
    """Return when an alert will be over if nothing else happens; 0 when it holds until it is resolved."""
    return alert.ends_at_ns or (alert.refreshed_at_ns + alert.lasts_ns if alert.lasts_ns else 0)


def next_due_ns(state: AlerterState) -> int:
    """Return the next instant at which something has to be looked at; 0 when nothing has."""
    waits = [group.due_at_ns for group in state.groups.values()]
    waits += [_ends_at_ns(alert) for alert in state.alerts.values() if not alert.over]
    waits += [delivery.due_at_ns for delivery in state.deliveries.values()]
    return min((due_ns for due_ns in waits if due_ns), default=0)


def collect(
    state: AlerterState, settings: AlerterSettings, hushes: Iterable[Hush], name: str, now_ns: int
) -> Notification | None:
    """Return what there is to tell about one due group, mark it told, and fix when to look again."""
    group, members = state.groups[name], _members(state, name)
    until = {alert.identity: silenced_until_ns(alert, hushes, now_ns) for alert in members if not alert.over}
    firing = [alert for alert in members if not alert.over and not until[alert.identity]]
    ended = [alert for alert in members if alert.over and alert.told is not None]
    severity = max((alert.severity for alert in firing + ended), key=RANK.__getitem__, default=Severity.INFO)
    quiet_end_ns = quiet_until_ns(now_ns, quiet_hours(settings.quiet_hours))
    if quiet_end_ns and severity is not Severity.PAGE and firing + ended:
        group.due_at_ns = quiet_end_ns
        return None
    repeats = bool(group.told_at_ns) and now_ns >= group.told_at_ns + settings.repeat_interval
    news = any(alert.told is None or RANK[alert.severity] > RANK[alert.told] for alert in firing)
    notification = None
    if ended or (firing and (news or repeats)):
        silenced_count = sum(1 for until_ns in until.values() if until_ns)
        notification = Notification(
            name=name,
            severity=severity,
            firing=tuple(_line(alert, settings, now_ns) for alert in firing),
            resolved=tuple(_line(alert, settings, now_ns) for alert in ended),
            silenced_count=silenced_count,
            sent_at=utc_text(now_ns),
        )
        group.told_at_ns = now_ns
        for alert in firing:
            alert.told = alert.severity
        for alert in ended:
            alert.told = None
    looks = [until_ns for until_ns in until.values() if until_ns]
    looks += [group.told_at_ns + settings.repeat_interval] if firing else []
    group.due_at_ns = min(looks, default=0)
    return notification


def _line(alert: Alert, settings: AlerterSettings, now_ns: int) -> AlertLine:
    return AlertLine(
        key=alert.key,
        source=alert.source,
        severity=alert.severity,
        summary=alert.summary,
        details=dict(alert.details),
        raised_at=utc_text(alert.raised_at_ns),
        flapping=is_flapping(alert, settings, now_ns),
    )

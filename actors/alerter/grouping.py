"""Which alerts hold, and when a group of them is to be looked at. Instants are UTC ns.

All functions work on the alerter's state and take the time from the caller.
"""

from __future__ import annotations

from actors.alerter.settings import AlerterSettings
from actors.alerter.state import RANK, Alert, AlerterState, Ended, Group, identity
from actors.runtime.messages import AlertRaised, AlertResolved, Severity

__all__ = [
    "ALWAYS_ADMITTED",
    "end_after",
    "has_room",
    "is_flapping",
    "members",
    "next_due_ns",
    "raise_alert",
    "resolve_alert",
    "settle",
]

# The alerter's own: at most one of the first, and one of the second per route.
ALWAYS_ADMITTED = frozenset({"AlertsDropped", "AlertDeliveryFailed"})
ENDED_MAX = 100  # alerts that are over are remembered, for whoever asks afterwards


def raise_alert(state: AlerterState, settings: AlerterSettings, raised: AlertRaised, now_ns: int) -> bool:
    """Take a raise or a refresh. Return False when there was no room for it."""
    alert = state.alerts.get(identity(raised.name, raised.source, raised.key))
    if alert is None:
        if raised.name not in ALWAYS_ADMITTED and not _make_room(state, settings.alerts_max, raised.severity):
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
    if alert.told is None or alert.again or RANK[alert.severity] > RANK[alert.told]:
        _tell_soon(state, settings, alert, now_ns)
    return True


def _make_room(state: AlerterState, alerts_max: int, severity: Severity) -> bool:
    """Forget alerts that are over and told, oldest first, if that is needed to take one more."""
    if len(state.alerts) >= alerts_max:
        for name, alert in list(state.alerts.items()):
            if alert.over and alert.told is None:
                del state.alerts[name]
    return has_room(state, alerts_max, severity)


def has_room(state: AlerterState, alerts_max: int, severity: Severity = Severity.INFO) -> bool:
    """Return whether one more of a severity could be taken: what matters less takes no room from it.

    What is over takes room until that has been told.
    """
    kept = (alert for alert in state.alerts.values() if not alert.over or alert.told is not None)
    as_bad = (alert for alert in kept if RANK[alert.severity] >= RANK[severity])
    return sum(alert.name not in ALWAYS_ADMITTED for alert in as_bad) < alerts_max


def _refresh(alert: Alert, raised: AlertRaised, now_ns: int, raises_kept: int) -> None:
    if alert.ends_at_ns:  # it had been resolved
        alert.raises_ns = [*alert.raises_ns, now_ns][-raises_kept:]
        if alert.over:
            alert.raised_at_ns = now_ns
            _void(alert)
        alert.ends_at_ns, alert.over = 0, False
    alert.severity, alert.summary, alert.details = raised.severity, raised.summary, raised.details
    alert.refreshed_at_ns, alert.lasts_ns = now_ns, raised.ends_after_ns
    held = alert.acknowledgement
    if held is not None and RANK[alert.severity] > RANK[held.severity]:
        _void(alert)


def _void(alert: Alert) -> None:
    """Nobody takes care of what it is now: tell it anew."""
    if alert.acknowledgement is not None:
        alert.acknowledgement, alert.again, alert.reopened = None, True, True


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


def end_after(state: AlerterState, name: str, key: str, lasts_ns: int, now_ns: int) -> bool:
    """Let an alert about its own source end after a while; 0: not by itself. Return whether it holds."""
    alert = state.alerts.get(identity(name, key, key))
    if alert is None or alert.ends_at_ns:
        return False
    alert.refreshed_at_ns, alert.lasts_ns = now_ns, lasts_ns
    return True


def _end(state: AlerterState, settings: AlerterSettings, alert: Alert, now_ns: int) -> None:
    alert.over = True
    held = alert.acknowledgement
    ended = Ended(
        *(alert.name, alert.key, alert.source, alert.severity, alert.summary, alert.raised_at_ns, now_ns),
        held.by if held is not None else "",
    )
    state.ended = [*state.ended, ended][-ENDED_MAX:]
    if alert.told is not None:
        _tell_soon(state, settings, alert, now_ns)


def _tell_soon(state: AlerterState, settings: AlerterSettings, alert: Alert, now_ns: int) -> None:
    """Give the alert's group a time to be told, unless it has an earlier one."""
    group = state.groups.setdefault(alert.name, Group())
    due_ns = now_ns + settings.group_wait
    told = [RANK[other.told] for other in members(state, alert.name) if other.told is not None]
    if told and max(told) >= RANK[alert.severity]:  # what is worse than all that is known does not wait
        due_ns = max(due_ns, group.told_at_ns + settings.group_interval)
    if not group.due_at_ns or due_ns < group.due_at_ns:
        group.due_at_ns = due_ns


def members(state: AlerterState, name: str) -> list[Alert]:
    """Return the alerts of one name."""
    return [alert for alert in state.alerts.values() if alert.name == name]


def settle(state: AlerterState, settings: AlerterSettings, now_ns: int) -> None:
    """End flapping alerts that have kept quiet, and forget what is over, told and old."""
    for name, alert in list(state.alerts.items()):
        if not alert.over and 0 < _ends_at_ns(alert, settings) <= now_ns:
            alert.ends_at_ns = now_ns
            _end(state, settings, alert, now_ns)
        if alert.over and alert.told is None and alert.raises_ns[-1] <= now_ns - settings.flap_window:
            del state.alerts[name]
    alive = {alert.name for alert in state.alerts.values()}
    for name in [name for name in state.groups if name not in alive]:
        del state.groups[name]


def _ends_at_ns(alert: Alert, settings: AlerterSettings) -> int:
    """Return when an alert will be over if nothing else happens; 0 when it holds until it is resolved.

    One that tells of an event is over after its time, or when a person has acknowledged it and no more of it
    has come for a moment.
    """
    if alert.ends_at_ns or not alert.lasts_ns:
        return alert.ends_at_ns
    seen, time_over_ns = alert.acknowledgement, alert.refreshed_at_ns + alert.lasts_ns
    if seen is None:
        return time_over_ns
    return min(time_over_ns, max(alert.refreshed_at_ns, seen.at_ns) + settings.acknowledged_calm)


def next_due_ns(state: AlerterState, settings: AlerterSettings) -> int:
    """Return the next instant at which something has to be looked at; 0 when nothing has."""
    waits = [group.due_at_ns for group in state.groups.values()]
    waits += [_ends_at_ns(alert, settings) for alert in state.alerts.values() if not alert.over]
    waits += [delivery.due_at_ns for delivery in state.deliveries.values()]
    return min((due_ns for due_ns in waits if due_ns), default=0)

"""Who takes care of an alert, and when somebody else is told because nobody does. Instants are UTC ns."""

from __future__ import annotations

from fnmatch import fnmatchcase

from actors.alerter.settings import AlerterSettings
from actors.alerter.state import RANK, Acknowledgement, Alert, AlerterState
from actors.messages.alerting import AcknowledgeAlerts

__all__ = ["acknowledge", "begin", "is_acknowledged", "matching", "next_step", "release"]


def matching(state: AlerterState, name: str, key: str, source: str) -> list[Alert]:
    """Return the alerts that hold and fit three shell patterns."""
    return [
        alert
        for alert in state.alerts.values()
        if not alert.over
        and fnmatchcase(alert.name, name)
        and fnmatchcase(alert.key, key)
        and fnmatchcase(alert.source, source)
    ]


def acknowledge(alert: Alert, order: AcknowledgeAlerts, default_ns: int, now_ns: int) -> None:
    """Take down that somebody takes care of it."""
    ends_at_ns = now_ns + (order.duration_ns or default_ns)
    alert.acknowledgement = Acknowledgement(order.actor, order.reason, now_ns, ends_at_ns, alert.severity)
    alert.answered, alert.again, alert.reopened = False, False, False


def release(alert: Alert) -> None:
    """Nobody takes care of it any more: it is told anew, and its escalation begins anew."""
    alert.acknowledgement, alert.answered, alert.again, alert.reopened = None, True, True, True


def is_acknowledged(alert: Alert) -> bool:
    """Tell whether somebody takes care of it."""
    return alert.acknowledgement is not None


def begin(alert: Alert, now_ns: int) -> None:
    """It is told: from now on somebody has to acknowledge it."""
    alert.again = alert.reopened = False
    alert.clock_ns, alert.steps = now_ns, 0


def next_step(alert: Alert, settings: AlerterSettings) -> tuple[int, int]:
    """Return the next step for an alert that nobody acknowledges, and when it is due.

    Step 1 is the first of the settings. Step 0: everything begins again. (0, 0): there is none.
    """
    steps = settings.escalation
    fitting = [
        number for number, step in enumerate(steps, 1) if RANK[alert.severity] >= RANK[step.severity_min]
    ]
    if not alert.clock_ns or not fitting:
        return (0, 0)
    ahead = [number for number in fitting if number > alert.steps]
    if ahead:
        return (ahead[0], alert.clock_ns + steps[ahead[0] - 1].after)
    if settings.escalation_repeat:
        return (0, alert.clock_ns + steps[fitting[-1] - 1].after + settings.escalation_repeat)
    return (0, 0)

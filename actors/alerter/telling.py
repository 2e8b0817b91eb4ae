"""What there is to tell about the alerts of one name, and on which routes. Instants are UTC ns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from actors.alerter.escalation import begin, is_acknowledged, next_step, release
from actors.alerter.grouping import is_flapping, members
from actors.alerter.notification import AlertLine, Notification
from actors.alerter.quiet import quiet_hours, quiet_until_ns, silenced_until_ns, utc_text
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import RANK, Alert, AlerterState, Group, Hush
from actors.runtime.messages import Severity

__all__ = ["Telling", "collect", "line_of"]


class Telling(NamedTuple):
    """One notification for one route."""

    route: Route
    notification: Notification


class _Look(NamedTuple):
    """The alerts of one name as they are now."""

    firing: list[Alert]  # and not silenced
    ended: list[Alert]  # and somebody knows of them
    waiting: list[Alert]  # firing, and nobody takes care of them
    fresh: list[Alert]  # of those waiting: nobody knows of it, or not how bad it is
    news: list[Alert]  # of those waiting: what is told at once; all of them when it is time to repeat
    stepped: dict[str, int]  # of those waiting, by identity: the step of the escalation that is due
    answered: list[Alert]  # acknowledged since they were told
    silenced_count: int


def collect(
    state: AlerterState, settings: AlerterSettings, hushes: Iterable[Hush], name: str, now_ns: int
) -> list[Telling]:
    """Return what there is to tell about one due group, mark it told, and fix when to look again."""
    group, those = state.groups[name], members(state, name)
    until = {alert.identity: silenced_until_ns(alert, hushes, now_ns) for alert in those if not alert.over}
    firing = [alert for alert in those if not alert.over and not until[alert.identity]]
    ended = [alert for alert in those if alert.over and alert.told is not None]
    quiet_end_ns = quiet_until_ns(now_ns, quiet_hours(settings.quiet_hours))
    if quiet_end_ns and firing + ended and _severity(firing + ended) is not Severity.PAGE:
        group.due_at_ns = quiet_end_ns
        return []
    look = _look(settings, group, firing, ended, sum(1 for at_ns in until.values() if at_ns), now_ns)
    tellings = [
        Telling(route, notification)
        for route in settings.routes
        if (notification := _for_route(route, look, settings, name, now_ns)) is not None
    ]
    _mark(group, look, now_ns)
    looks = [at_ns for at_ns in until.values() if at_ns]
    looks += [alert.acknowledgement.ends_at_ns for alert in firing if alert.acknowledgement is not None]
    if look.waiting:
        looks.append(group.told_at_ns + settings.repeat_interval)
        looks += [at_ns for alert in look.waiting if (at_ns := next_step(alert, settings)[1])]
    group.due_at_ns = max(min(looks, default=0), now_ns + 1) if looks else 0
    return tellings


def _look(
    settings: AlerterSettings,
    group: Group,
    firing: list[Alert],
    ended: list[Alert],
    silenced_count: int,
    now_ns: int,
) -> _Look:
    for alert in firing:
        if alert.acknowledgement is not None and alert.acknowledgement.ends_at_ns <= now_ns:
            release(alert)
    waiting = [alert for alert in firing if not is_acknowledged(alert)]
    stepped: dict[str, int] = {}
    for alert in waiting:
        step, due_ns = next_step(alert, settings)
        if _is_news(alert) or not due_ns or due_ns > now_ns:
            continue
        if step:
            stepped[alert.identity] = step
        else:
            alert.again = True
    fresh = [alert for alert in waiting if _is_news(alert)]
    repeats = bool(group.told_at_ns) and now_ns >= group.told_at_ns + settings.repeat_interval
    answered = [alert for alert in firing if is_acknowledged(alert) and not alert.answered]
    return _Look(
        firing, ended, waiting, fresh, waiting if repeats else fresh, stepped, answered, silenced_count
    )


def _is_news(alert: Alert) -> bool:
    return alert.told is None or alert.again or RANK[alert.severity] > RANK[alert.told]


def _severity(alerts: Iterable[Alert]) -> Severity:
    return max((alert.severity for alert in alerts), key=RANK.__getitem__, default=Severity.INFO)


def _for_route(
    route: Route, look: _Look, settings: AlerterSettings, name: str, now_ns: int
) -> Notification | None:
    """Return what one route is told; None when there is nothing for it."""
    fits = route.at_once and RANK[_severity(look.firing)] >= RANK[route.severity_min]
    led = [alert for alert in look.waiting if _leads_to(route, look.stepped.get(alert.identity, 0), settings)]
    told = [alert for alert in look.waiting if (fits and alert in look.news) or alert in led]
    ended = [alert for alert in look.ended if route.resolved and _heard(alert, route)]
    answered = [alert for alert in look.answered if route.acknowledged and _heard(alert, route)]
    if not (told or ended or answered):
        return None
    # The rest completes the picture; an acknowledgement concerns nothing but what it names.
    rest = [alert for alert in look.firing if fits or _heard(alert, route)] if told or ended else told
    shown = [alert for alert in look.firing if alert in told or alert in rest]
    for alert in told:
        if route.name not in alert.heard:
            alert.heard = (*alert.heard, route.name)
    return Notification(
        name=name,
        severity=_severity([*shown, *answered, *ended]),
        firing=tuple(line_of(alert, settings, now_ns, news=alert in told) for alert in shown),
        resolved=tuple(line_of(alert, settings, now_ns) for alert in ended),
        silenced_count=look.silenced_count,
        sent_at=utc_text(now_ns),
        acknowledged=tuple(line_of(alert, settings, now_ns) for alert in answered),
        escalation=max((look.stepped[alert.identity] for alert in led), default=0),
        runbook=f"{settings.runbooks_url}/{name}.md" if settings.runbooks_url else "",
    )


def _leads_to(route: Route, step: int, settings: AlerterSettings) -> bool:
    return bool(step) and route.name in settings.escalation[step - 1].routes


def _heard(alert: Alert, route: Route) -> bool:
    return route.name in alert.heard


def _mark(group: Group, look: _Look, now_ns: int) -> None:
    """Take down that all of this is told."""
    if look.news or look.ended:
        group.told_at_ns = now_ns
    for alert in look.news:
        alert.told = alert.severity
    for alert in look.fresh:
        begin(alert, now_ns)
    for alert in look.waiting:
        alert.steps = look.stepped.get(alert.identity, alert.steps)
    for alert in look.answered:
        alert.answered = True
    for alert in look.ended:
        alert.told, alert.heard, alert.clock_ns, alert.steps = None, (), 0, 0
        alert.acknowledgement, alert.again, alert.reopened = None, False, False


def line_of(alert: Alert, settings: AlerterSettings, now_ns: int, *, news: bool = True) -> AlertLine:
    """Return an alert as people are told it."""
    held = alert.acknowledgement
    return AlertLine(
        key=alert.key,
        source=alert.source,
        severity=alert.severity,
        summary=alert.summary,
        details=dict(alert.details),
        raised_at=utc_text(alert.raised_at_ns),
        flapping=is_flapping(alert, settings, now_ns),
        news=news,
        reopened=alert.reopened,
        acknowledged_by=held.by if held is not None else "",
        acknowledged_reason=held.reason if held is not None else "",
        acknowledged_until=utc_text(held.ends_at_ns) if held is not None else "",
    )

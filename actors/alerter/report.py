"""The alerter as an operator sees it. Routes are shown without their url, which may hold a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from actors.alerter.dispatch import waiting_by_route
from actors.alerter.escalation import is_acknowledged, next_step
from actors.alerter.grouping import is_flapping
from actors.alerter.quiet import silenced_until_ns, utc_text
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import RANK, Alert, AlerterState, Ended, Hush, RouteCounts
from actors.alerter.trial import Trial
from actors.runtime.messages import Severity

__all__ = ["alerter_report", "gauges_of", "trial_report"]


def alerter_report(
    state: AlerterState, settings: AlerterSettings, hushes: list[Hush], now_ns: int
) -> dict[str, Any]:
    """Return the alerts that hold, most important first, the quiet times and the state of deliveries."""
    holding = [alert for alert in state.alerts.values() if not alert.over]
    holding.sort(key=lambda alert: (-RANK[alert.severity], alert.raised_at_ns, alert.identity))
    return {
        "active": [_alert(alert, settings, hushes, now_ns) for alert in holding],
        "silences": [_silence(hush) for hush in hushes],
        "ended": [_ended(one) for one in reversed(state.ended)],
        "routes": [_route(route, state) for route in settings.routes],
        "escalation": [
            {"step": number, "after_ms": step.after // 1_000_000, "routes": list(step.routes)}
            for number, step in enumerate(settings.escalation, 1)
        ],
        "deliveries_waiting": len(state.deliveries),
        "deliveries_failed_count": state.failed_count,
        "notifications_count": state.notifications_count,
        "alerts_dropped_count": state.dropped_count,
    }


def _route(route: Route, state: AlerterState) -> dict[str, Any]:
    counts = state.routes.get(route.name, RouteCounts())
    waiting = [one for one in state.deliveries.values() if one.route == route.name]
    return {
        "name": route.name,
        "channel": route.channel,
        "severity_min": route.severity_min.value,
        "at_once": route.at_once,
        "waiting": len(waiting),
        "attempts": waiting[0].attempts if waiting else 0,  # at the first of those
        "delivered_count": counts.delivered_count,
        "failed_count": counts.failed_count,
        "delivered_at": utc_text(counts.delivered_at_ns) if counts.delivered_at_ns else "",
        "error": (waiting[0].error if waiting else "") or counts.error,
    }


def _ended(one: Ended) -> dict[str, Any]:
    return {
        "name": one.name,
        "key": one.key,
        "source": one.source,
        "severity": one.severity.value,
        "summary": one.summary,
        "raised_at": utc_text(one.raised_at_ns),
        "ended_at": utc_text(one.ended_at_ns),
        "acknowledged_by": one.acknowledged_by,
    }


def trial_report(trials: Mapping[str, Trial], state: AlerterState) -> dict[str, dict[str, Any]]:
    """Return what became of tried routes, by delivery."""
    counts = waiting_by_route(state)
    found = {}
    for delivery_id, trial in trials.items():
        word = ("failed" if trial.error else "delivered") if trial.ended else "waiting"
        first = next((one for one in state.deliveries.values() if one.route == trial.route), None)
        found[delivery_id] = {
            "route": trial.route,
            "outcome": word,
            "error": trial.error or (first.error if first is not None and not trial.ended else ""),
            "waiting": counts.get(trial.route, 0),
        }
    return found


def gauges_of(state: AlerterState, settings: AlerterSettings) -> dict[str, int | float]:
    """Return counts for the metrics. Label values are the names of routes."""
    holding = [alert for alert in state.alerts.values() if not alert.over]
    waiting = waiting_by_route(state)
    severities = Counter(alert.severity for alert in holding)
    found: dict[str, int | float] = {
        f"alerts_{severity.value}_count": severities[severity] for severity in Severity
    }
    found |= {
        "alerts_acknowledged_count": sum(map(is_acknowledged, holding)),
        "alerts_dropped_count": state.dropped_count,
        "deliveries_waiting_count": len(state.deliveries),
        "deliveries_failed_count": state.failed_count,
        "notifications_count": state.notifications_count,
        "silences_count": len(state.hushes),
    }
    for route in settings.routes:
        counts = state.routes.get(route.name, RouteCounts())
        found[f"route_delivered_count{{route={route.name}}}"] = counts.delivered_count
        found[f"route_failed_count{{route={route.name}}}"] = counts.failed_count
        found[f"route_waiting_count{{route={route.name}}}"] = waiting.get(route.name, 0)
    firing = Counter((alert.name, alert.severity.value) for alert in holding)
    for (name, word), count in sorted(firing.items()):
        found[f"alerts_firing{{alert={name},severity={word}}}"] = count
    return found


def _alert(alert: Alert, settings: AlerterSettings, hushes: list[Hush], now_ns: int) -> dict[str, Any]:
    return {
        "name": alert.name,
        "key": alert.key,
        "source": alert.source,
        "severity": alert.severity.value,
        "summary": alert.summary,
        "details": dict(alert.details),
        "raised_at": utc_text(alert.raised_at_ns),
        "refreshed_at": utc_text(alert.refreshed_at_ns),
        "told": alert.told is not None,
        "silenced": silenced_until_ns(alert, hushes, now_ns) > 0,
        "flapping": is_flapping(alert, settings, now_ns),
        "heard": list(alert.heard),
        **_taken(alert, settings),
    }


def _taken(alert: Alert, settings: AlerterSettings) -> dict[str, Any]:
    """Return who takes care of it, or when somebody else is told."""
    held = alert.acknowledgement
    if held is None:
        step, due_ns = next_step(alert, settings)
        return {
            "acknowledged_by": "",
            "acknowledged_reason": "",
            "acknowledged_until": "",
            "escalation": alert.steps,
            "escalates_at": utc_text(due_ns) if due_ns else "",
            "escalates_to": list(settings.escalation[step - 1].routes) if step else [],
        }
    return {
        "acknowledged_by": held.by,
        "acknowledged_reason": held.reason,
        "acknowledged_until": utc_text(held.ends_at_ns),
        "escalation": alert.steps,
        "escalates_at": "",
        "escalates_to": [],
    }


def _silence(hush: Hush) -> dict[str, Any]:
    return {
        "name": hush.name,
        "key": hush.key,
        "source": hush.source,
        "starts_at": utc_text(hush.starts_at_ns),
        "ends_at": utc_text(hush.ends_at_ns),
        "reason": hush.reason,
    }

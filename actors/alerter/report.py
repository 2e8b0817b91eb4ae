"""The alerter as an operator sees it. Routes are shown without their url, which may hold a secret."""

from __future__ import annotations

from typing import Any

from actors.alerter.grouping import is_flapping
from actors.alerter.quiet import silenced_until_ns, utc_text
from actors.alerter.settings import AlerterSettings
from actors.alerter.state import RANK, Alert, AlerterState, Hush

__all__ = ["alerter_report"]


def alerter_report(
    state: AlerterState, settings: AlerterSettings, hushes: list[Hush], now_ns: int
) -> dict[str, Any]:
    """Return the alerts that hold, most important first, the quiet times and the state of deliveries."""
    holding = [alert for alert in state.alerts.values() if not alert.over]
    holding.sort(key=lambda alert: (-RANK[alert.severity], alert.raised_at_ns, alert.identity))
    return {
        "active": [_alert(alert, settings, hushes, now_ns) for alert in holding],
        "silences": [_silence(hush) for hush in hushes],
        "routes": [
            {"name": route.name, "channel": route.channel, "severity_min": route.severity_min.value}
            for route in settings.routes
        ],
        "deliveries_waiting": len(state.deliveries),
        "deliveries_failed_count": state.failed_count,
        "notifications_count": state.notifications_count,
        "alerts_dropped_count": state.dropped_count,
    }


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

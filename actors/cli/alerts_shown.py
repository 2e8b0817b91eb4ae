"""How alerts, silences and routes read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.cli.shown import table_text

__all__ = ["alert_text", "care_of", "listing"]


def alert_text(alert: dict[str, Any]) -> str:
    """Return one alert in a line: how bad, what, and who takes care."""
    care = care_of(alert)
    return f"{alert['severity']}: {alert['summary']}{f' [{care}]' if care else ''}"


def care_of(alert: dict[str, Any]) -> str:
    """Return who takes care of an alert, or what happens while nobody does; empty when nothing will."""
    if alert.get("acknowledged_by"):
        why = alert.get("acknowledged_reason")
        until = _minute(alert.get("acknowledged_until", ""))
        return f"taken by {alert['acknowledged_by']} until {until}{f': {why}' if why else ''}"
    if alert.get("silenced"):
        return "silenced"
    if alert.get("escalates_at"):
        whom = ", ".join(alert.get("escalates_to") or ()) or "everybody again"
        return f"goes to {whom} at {_minute(alert['escalates_at'])}"
    return ""


def listing(found: dict[str, Any], every: bool) -> Iterator[str]:
    """Yield the lines of `polytrade alerts ls`."""
    if found["active"]:
        rows = [("SEVERITY", "ALERT", "KEY", "SINCE (UTC)", "CARE", "SUMMARY")]
        for one in found["active"]:
            care = care_of(one) or ("nobody" if one.get("told") else "not told yet")
            shown = f"{one['summary']}{' (comes and goes)' if one.get('flapping') else ''}"
            rows.append(
                (one["severity"], one["name"], one["key"] or "-", _minute(one["raised_at"]), care, shown)
            )
        yield table_text(rows)
    else:
        yield "nothing fires"
    if found["silences"]:
        yield ""
        rows = [("SILENCE", "KEY", "SOURCE", "FROM (UTC)", "UNTIL", "WHY")]
        for one in found["silences"]:
            times = (_minute(one["starts_at"]), _minute(one["ends_at"]))
            rows.append((one["name"], one["key"], one["source"], *times, one["reason"]))
        yield table_text(rows)
    if not every:
        return
    if found["ended"]:
        yield ""
        rows = [("OVER", "KEY", "FROM (UTC)", "UNTIL", "TAKEN BY", "SUMMARY")]
        for one in found["ended"]:
            times = (_minute(one["raised_at"]), _minute(one["ended_at"]))
            rows.append(
                (one["name"], one["key"] or "-", *times, one["acknowledged_by"] or "-", one["summary"])
            )
        yield table_text(rows)
    yield ""
    yield table_text(
        [
            ("ROUTE", "CHANNEL", "SEVERITY", "WHEN", "DELIVERED", "FAILED", "WAITING", "LAST ERROR"),
            *(_route(one, found["escalation"]) for one in found["routes"]),
        ]
    )


def _route(one: dict[str, Any], steps: list[dict[str, Any]]) -> tuple[str, ...]:
    when = ["at once"] if one["at_once"] else []
    when += [f"after {_duration(step['after_ms'])}" for step in steps if one["name"] in step["routes"]]
    counts = (one["delivered_count"], one["failed_count"], one["waiting"])
    return (
        *(one["name"], one["channel"], one["severity_min"], ", ".join(when)),
        *map(str, counts),
        one["error"] or "-",
    )


def _duration(length_ms: int) -> str:
    from actors.deployment.quantities import format_duration

    return format_duration(length_ms * 1_000_000)


def _minute(instant: str) -> str:
    """Return an instant to the minute, UTC: `2026-11-28 12:40`."""
    return f"{instant[:10]} {instant[11:16]}" if instant else "-"

"""How a notification reads, for channels that people read."""

from __future__ import annotations

import shlex

from actors.alerter.notification import AlertLine, Notification

__all__ = ["advice", "cut", "heading", "lines_of"]

LINES_MAX = 20  # alerts in one message; more are counted
DETAILS_MAX = 6  # of one alert


def heading(notification: Notification, deployment: str) -> str:
    """Return one line: where, how bad, what."""
    if notification.test:
        return f"[{deployment}] test: nothing is wrong"
    word = notification.severity.value if notification.firing else notification.status
    keys = [line.key for line in notification.firing or notification.acknowledged or notification.resolved]
    about = f" {keys[0]}" if keys and keys[0] else ""
    more = f" +{len(keys) - 1}" if len(keys) > 1 else ""
    step = f", escalation step {notification.escalation}" if notification.escalation else ""
    return f"[{deployment}] {word}: {notification.name}{about}{more}{step}"


def lines_of(notification: Notification) -> list[str]:
    """Return what holds, what somebody takes care of and what is over, one line for each alert."""
    since = "" if notification.test else "since"
    found = [
        *(_firing(line, since) for line in notification.firing),
        *(f"acknowledged: {line.summary}{_taken(line)}" for line in notification.acknowledged),
        *(f"over: {line.summary}{_by(line)}" for line in notification.resolved),
    ]
    if len(found) > LINES_MAX:
        found[LINES_MAX:] = [f"... and {len(found) - LINES_MAX} more"]
    if notification.escalation:
        found.insert(0, "Nobody has acknowledged this yet.")
    if notification.silenced_count:
        found.append(f"({notification.silenced_count} silenced)")
    return found


def _firing(line: AlertLine, since: str) -> str:
    details = ", ".join(f"{name} {value}" for name, value in list(line.details.items())[:DETAILS_MAX])
    flapping = ", comes and goes" if line.flapping else ""
    when = f" [{since} {_clock(line.raised_at)}{flapping}]" if since else ""
    return f"{line.summary}{f' ({details})' if details else ''}{when}{_taken(line)}"


def _taken(line: AlertLine) -> str:
    if not line.acknowledged_by:
        return ""
    why = f": {line.acknowledged_reason}" if line.acknowledged_reason else ""
    return f" [taken by {line.acknowledged_by} until {_clock(line.acknowledged_until)}{why}]"


def _by(line: AlertLine) -> str:
    return f" [taken by {line.acknowledged_by}]" if line.acknowledged_by else ""


def _clock(instant: str) -> str:
    """Return `12:47 UTC` of an instant; whoever reads it, reads it now."""
    return f"{instant[11:16]} UTC"


def advice(notification: Notification) -> list[str]:
    """Return what to do now, as commands; nothing when nothing is asked of anybody."""
    if notification.test or not notification.firing:
        return []
    key = notification.firing[0].key
    about = f" --key {shlex.quote(key)}" if key else ""
    take = f" {shlex.quote(key)}" if key else ""
    return [
        f"polytrade alerts ack {notification.name}{take} --reason '...'",
        f"polytrade runbook run {notification.name}{about}",
    ]


def cut(text: str, units_max: int) -> str:
    """Return a text that has at most so many UTF-16 units, cut between two lines where it can be."""
    if units(text) <= units_max:
        return text
    room, kept = units_max - 4, ""
    for line in text.splitlines(keepends=True):
        if units(kept + line) > room:
            break
        kept += line
    if not kept:
        kept = text[: room // 2]  # a letter has two units at most
    return kept.rstrip("\n") + "\n..."


def units(text: str) -> int:
    """Return how long a text is as services count it: in UTF-16."""
    return len(text.encode("utf-16-le")) // 2

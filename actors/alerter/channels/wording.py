"""How a notification reads, for channels that people read."""

from __future__ import annotations

import shlex

from actors.alerter.notification import AlertLine, Notification

__all__ = ["advice", "cut", "heading", "lines_of"]

LINES_MAX = 20  # alerts in one message; more are counted
DETAILS_MAX = 6  # of one alert
MARKS = {"firing": "", "acknowledged": "acknowledged: ", "resolved": "over: "}


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
    found = [
        *(_line(line, MARKS["firing"]) for line in notification.firing),
        *(_line(line, MARKS["acknowledged"]) for line in notification.acknowledged),
        *(_line(line, MARKS["resolved"]) for line in notification.resolved),
    ]
    if len(found) > LINES_MAX:
        found[LINES_MAX:] = [f"... and {len(found) - LINES_MAX} more"]
    if notification.silenced_count:
        found.append(f"({notification.silenced_count} silenced)")
    return found


def _line(line: AlertLine, mark: str) -> str:
    taken = ""
    if line.acknowledged_by:
        why = f": {line.acknowledged_reason}" if line.acknowledged_reason else ""
        taken = f" [taken by {line.acknowledged_by} until {line.acknowledged_until[11:16]} UTC{why}]"
    details = ", ".join(f"{name} {value}" for name, value in list(line.details.items())[:DETAILS_MAX])
    flapping = " (comes and goes)" if line.flapping else ""
    return f"{mark}{line.summary}{f' ({details})' if details else ''}{flapping}{taken}"


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

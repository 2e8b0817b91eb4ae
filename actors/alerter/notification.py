"""What a person is told: one notification about the alerts of one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from actors.runtime.messages import Severity

__all__ = ["AlertLine", "Notification"]


class AlertLine(msgspec.Struct, frozen=True):
    """One alert in a notification."""

    key: str
    source: str
    severity: Severity
    summary: str
    details: dict[str, str]
    raised_at: str  # UTC, ISO 8601
    flapping: bool
    news: bool = True  # it is what the notification is for; else it is there to complete the picture
    reopened: bool = False  # somebody took care of it, and nobody does any more
    acknowledged_by: str = ""
    acknowledged_reason: str = ""
    acknowledged_until: str = ""  # UTC, ISO 8601


class Notification(msgspec.Struct, frozen=True):
    """The firing alerts of one name, and those that ended since the last notification."""

    name: str
    severity: Severity  # of its most important alert
    firing: tuple[AlertLine, ...]
    resolved: tuple[AlertLine, ...]
    silenced_count: int  # firing, but nobody wants to hear of them now
    sent_at: str  # UTC, ISO 8601
    acknowledged: tuple[AlertLine, ...] = ()  # somebody takes care of these since the last notification
    escalation: int = 0  # step of the escalation that leads here; 0: told as every alert is
    runbook: str = ""  # where it is published; empty when it is not
    test: bool = False  # nothing is wrong: somebody tries the route

    @property
    def status(self) -> str:
        """What the notification says of its alerts."""
        if self.firing:
            return "firing"
        return "acknowledged" if self.acknowledged else "resolved"

    @property
    def headline(self) -> str:
        """One line fit for a pager."""
        lines = self.firing or self.acknowledged or self.resolved
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        return f"{lines[0].summary if lines else ''}{more}"

    def singles(self) -> Iterator[Notification]:
        """Yield one notification for each alert that is news, for a far side that keeps track of each.

        What nobody takes care of any more is over there before it fires anew: an incident that was
        acknowledged wakes nobody again.
        """
        for field in ("firing", "acknowledged", "resolved"):
            for line in getattr(self, field):
                if line.news and line.reopened:
                    yield self._single("resolved", line)
                if line.news:
                    yield self._single(field, line)

    def _single(self, field: str, line: AlertLine) -> Notification:
        fields: dict[str, Any] = {"firing": (), "acknowledged": (), "resolved": (), field: (line,)}
        return msgspec.structs.replace(self, severity=line.severity, **fields)

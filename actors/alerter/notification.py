"""What a person is told: one notification about the alerts of one name."""

from __future__ import annotations

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


class Notification(msgspec.Struct, frozen=True):
    """The firing alerts of one name, and those that ended since the last notification."""

    name: str
    severity: Severity  # of its most important alert
    firing: tuple[AlertLine, ...]
    resolved: tuple[AlertLine, ...]
    silenced_count: int  # firing, but nobody wants to hear of them now
    sent_at: str  # UTC, ISO 8601

    @property
    def headline(self) -> str:
        """One line fit for a pager."""
        lines = self.firing or self.resolved
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        return f"{lines[0].summary if lines else ''}{more}"

"""What operators order the alerter; it answers by Acknowledged or Rejected."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["AcknowledgeAlerts", "SilenceAlerts", "TestRoutes"]


class SilenceAlerts(Message, frozen=True):
    """Do not notify about matching alerts for a while; they stay listed.

    The same patterns replace each other. Patterns are shell patterns over the whole text: `Feed*`, `*`.
    """

    name: str
    key: str
    source: str
    duration_ns: int  # 0 ends the silence under these patterns
    actor: str  # who says so
    reason: str


class AcknowledgeAlerts(Message, frozen=True):
    """Somebody takes care of the alerts that fit: they are neither told again nor escalated for a while.

    It does not hold for an alert that gets worse, nor for one that ends and comes again.
    """

    name: str  # shell patterns, as of SilenceAlerts
    key: str
    source: str
    duration_ns: int  # 0: as long as the settings say
    holds: bool  # False takes it back: they are told anew
    actor: str  # who takes care
    reason: str


class TestRoutes(Message, frozen=True):
    """Send a notification about nothing over one route, or over all of them, to see whether it arrives."""

    __test__ = False  # no test case, for pytest

    route: str  # empty: all
    actor: str  # who wants to see it

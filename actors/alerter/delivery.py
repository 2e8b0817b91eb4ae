"""When a delivery is done, when it is tried again, and when it is given up."""

from __future__ import annotations

import enum

from actors.alerter.settings import AlerterSettings
from actors.runtime.pumps.messages import HttpResponse

__all__ = ["Verdict", "judge", "retry_wait_ns"]

SECOND_NS = 1_000_000_000

# Request timeout, too early, too many requests: the far side asks for patience.
PATIENCE = frozenset({408, 425, 429})


class Verdict(enum.Enum):
    """What an answer means for a delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"  # the same request would be refused again


def judge(status: int) -> Verdict:
    """Return what an HTTP status means."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status >= 500 or status in PATIENCE:
        return Verdict.RETRY
    return Verdict.REFUSED


def retry_wait_ns(attempts: int, settings: AlerterSettings, response: HttpResponse | None) -> int:
    """Return the pause after so many attempts: doubling, or what the far side asks for; bounded."""
    doublings = min(attempts - 1, 62)
    wait = settings.retry_wait << doublings
    for name, value in response.headers if response is not None else ():
        if name.lower() == "retry-after" and value.isdecimal():
            wait = max(wait, int(value) * SECOND_NS)
    return min(wait, settings.retry_wait_max)

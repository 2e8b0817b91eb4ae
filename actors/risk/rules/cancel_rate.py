"""How fast cancels may follow each other: beyond it nothing opens, but every cancel passes."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

SECOND_NS = 1_000_000_000


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: cancels in the bucket."""
    rate = settings.max_cancels_per_second
    if not rate:
        return None
    interval_ns = SECOND_NS // rate
    burst = settings.cancel_burst

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        wait_ns = picture.cancels_full_ns - picture.now_ns
        if wait_ns <= burst * interval_ns:
            return None
        return Denial("cancels follow each other too fast", -(-wait_ns // interval_ns), burst)

    return check


RULE = Rule("cancel_rate", make, limits=("max_cancels_per_second", "cancel_burst"), actions=LATCHES)

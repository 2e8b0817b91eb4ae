"""Prices dated ahead of our clock: the clock is wrong, and ages mean nothing."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ns ahead."""
    limit = settings.clock_ahead_max
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        market = picture.market
        newest_ns = max(market.quote.at_ns if market.quote else 0, market.mark.at_ns if market.mark else 0)
        ahead_ns = newest_ns - picture.now_ns
        if ahead_ns <= limit:
            return None
        return Denial("prices are dated ahead of our clock", ahead_ns, limit)

    return check


RULE = Rule("clock_ahead", make, limits=("clock_ahead_max",), actions=LATCHES)

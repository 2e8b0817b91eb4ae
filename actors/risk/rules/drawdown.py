"""How much of the highest equity may be lost again."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHED, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT below the peak; reaching the limit breaks it."""
    limit = settings.max_drawdown
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        peak = picture.peak_usdt
        fallen = peak - picture.equity_usdt
        if fallen * E8 < peak * limit or fallen <= 0:
            return None
        return Denial("equity has fallen too far from its peak", fallen, peak * limit // E8)

    return check


def peak_of(picture: Picture) -> int:
    """Return the peak that it is measured from: it latches once for each."""
    return picture.peak_usdt


RULE = Rule("drawdown", make, limits=("max_drawdown",), actions=LATCHED, watched=True, period=peak_of)

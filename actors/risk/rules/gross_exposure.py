"""Value of all positions, should everything that can fill do so."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark."""
    limit = settings.max_gross_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.exposure_usdt_after <= limit:
            return None
        return Denial("all positions together could be worth too much", picture.exposure_usdt_after, limit)

    return check


RULE = Rule("gross_exposure", make, limits=("max_gross_usdt",), actions=SIZES)

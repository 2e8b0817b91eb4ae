"""Value of a symbol's position, should everything that can fill do so."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark, live orders included."""
    limit = settings.max_position_notional_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.worst_usdt <= limit:
            return None
        return Denial("the position could become worth too much", picture.worst_usdt, limit)

    return check


RULE = Rule(
    "position_notional",
    make,
    limits=("max_position_notional_usdt",),
    scope=Scope.SYMBOL,
    actions=SIZES,
)

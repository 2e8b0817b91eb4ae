"""What the position would pay at the next funding, should everything that can fill do so."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT."""
    limit = settings.max_funding_fraction
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        rate_e8 = picture.market.funding_e8 * intent.side
        if rate_e8 <= 0:
            return None
        pays = picture.worst_usdt * rate_e8
        room = picture.equity_usdt * limit
        if pays <= room:
            return None
        return Denial("the next funding would cost too much", pays // E8, room // E8)

    return check


RULE = Rule("funding_cost", make, limits=("max_funding_fraction",), scope=Scope.SYMBOL, actions=SIZES)

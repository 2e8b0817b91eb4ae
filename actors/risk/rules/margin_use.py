"""Part of equity that initial margin may take."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT of margin, live orders and the fee included."""
    limit = settings.max_margin_use
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        room = picture.equity_usdt * limit // E8
        if picture.margin_usdt_after <= room:
            return None
        return Denial("margin would take too much of equity", picture.margin_usdt_after, room)

    return check


RULE = Rule("margin_use", make, limits=("max_margin_use",), actions=SIZES)

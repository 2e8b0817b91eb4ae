"""Loss since the day began, open positions included; the ledger says when that is."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHED, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A loss that reaches the limit breaks it."""
    limit = settings.daily_loss_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.loss_usdt < limit:
            return None
        return Denial("the day's loss is at its limit", picture.loss_usdt, limit)

    return check


RULE = Rule("daily_loss", make, limits=("daily_loss_usdt",), actions=LATCHED)

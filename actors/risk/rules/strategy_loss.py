"""What a strategy's own fills have lost since the day began, at the mark, before fees and funding."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS_FIRST, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A loss that reaches the limit breaks it."""
    limits = {name: one.daily_loss_usdt for name, one in settings.strategies.items() if one.daily_loss_usdt}
    if not limits:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        limit = limits.get(intent.strategy, 0)
        if not limit:
            return None
        found = picture.strategy_loss_usdt(intent.strategy)
        if found < limit:
            return None
        return Denial("the strategy's loss of the day is at its limit", found, limit)

    return check


RULE = Rule("strategy_loss", make, limits=("strategies",), scope=Scope.STRATEGY, actions=STOPS_FIRST)

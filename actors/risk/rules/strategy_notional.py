"""Value of what a strategy's own fills and live orders can add up to."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZED_STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark."""
    limits = {
        name: one.max_notional_usdt for name, one in settings.strategies.items() if one.max_notional_usdt
    }
    if not limits:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        limit = limits.get(intent.strategy, 0)
        if not limit:
            return None
        found = picture.strategy_usdt_with(intent)
        if found <= limit:
            return None
        return Denial("the strategy could hold too much", found, limit)

    return check


RULE = Rule("strategy_notional", make, limits=("strategies",), scope=Scope.STRATEGY, actions=SIZED_STOPS)

"""A position that has gained enough of what it cost is closed."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import EXITS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A profit that reaches the limit ends it."""
    limit = settings.take_profit
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        market = picture.market
        cost = abs(market.cost_ticks) * market.tick_value
        profit = market.open_profit_usdt
        if not cost or profit * E8 < cost * limit:
            return None
        return Denial("the position's profit is at its goal", profit, cost * limit // E8)

    return check


RULE = Rule("take_profit", make, limits=("take_profit",), scope=Scope.SYMBOL, actions=EXITS, exits=True)

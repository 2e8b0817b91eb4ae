"""A position that has lost too much of what it cost is closed: a backstop behind the strategy's own stop."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import EXITS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A loss that reaches the limit breaks it."""
    limit = settings.stop_loss
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        market = picture.market
        cost = abs(market.cost_ticks) * market.tick_value
        profit = market.open_profit_usdt
        if not cost or -profit * E8 < cost * limit:
            return None
        return Denial("the position's loss is at its limit", -profit, cost * limit // E8)

    return check


RULE = Rule("stop_loss", make, limits=("stop_loss",), scope=Scope.SYMBOL, actions=EXITS, exits=True)

"""How many orders of one strategy may live at once."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: its live orders, this one included."""
    limits = {name: one.max_open_orders for name, one in settings.strategies.items() if one.max_open_orders}
    if not limits:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        limit = limits.get(intent.strategy, 0)
        if not limit:
            return None
        found = picture.tally.strategy_orders.get(intent.strategy, 0) + 1
        if found <= limit:
            return None
        return Denial("too many orders of the strategy live", found, limit)

    return check


RULE = Rule("strategy_orders", make, limits=("strategies",), scope=Scope.STRATEGY, actions=STOPS)

"""How many orders of one symbol may live at once."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: live orders, this one included."""
    limit = settings.max_symbol_orders
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        count = picture.tally.symbol_orders.get(intent.symbol, 0) + 1
        return None if count <= limit else Denial("too many orders of the symbol live", count, limit)

    return check


RULE = Rule("symbol_orders", make, limits=("max_symbol_orders",), scope=Scope.SYMBOL, actions=LATCHES)

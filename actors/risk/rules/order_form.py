"""An order must make sense: a size, a price when it is a limit order, none when it is a market order."""

from __future__ import annotations

from actors.domain.orders import OrderType
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

MARKET = OrderType.MARKET

# No market has such sizes and prices. What is larger could not even be journaled.
CONTRACTS_MAX = 10**12
TICKS_MAX = 10**15


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: contracts, or ticks."""

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if intent.contracts <= 0:
            return Denial("an order needs a size", intent.contracts, 1)
        if intent.contracts > CONTRACTS_MAX:
            return Denial("no order has such a size", intent.contracts, CONTRACTS_MAX)
        if intent.limit_ticks > TICKS_MAX:
            return Denial("no market has such a price", intent.limit_ticks, TICKS_MAX)
        if intent.order_type is MARKET:
            if intent.limit_ticks:
                return Denial("a market order has no limit price", intent.limit_ticks, 0)
        elif intent.limit_ticks <= 0:
            return Denial("a limit order needs a limit price", intent.limit_ticks, 1)
        return None

    return check


RULE = Rule("order_form", make, binds_reducing=True)

"""How far from the mark the price lies that a market order meets."""

from __future__ import annotations

from actors.domain.money import E8
from actors.domain.orders import OrderType
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

MARKET = OrderType.MARKET


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ticks away from the mark."""
    limit = settings.collar
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        quote = picture.market.quote
        if intent.order_type is not MARKET or quote is None:
            return None
        met = quote.ask_ticks if intent.side > 0 else quote.bid_ticks
        mark = picture.market.price_ticks
        away = abs(met - mark)
        if met and away * E8 <= mark * limit:
            return None
        text = "it would meet a price too far from the mark" if met else "nobody stands on that side"
        return Denial(text, away, mark * limit // E8)

    return check


RULE = Rule("collar", make, limits=("collar",), scope=Scope.SYMBOL, actions=LATCHES)

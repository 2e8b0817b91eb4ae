"""No new risk on prices that are old, or from a feed that says it is not live."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; without an age limit it still wants a price and a live feed. Unit: ns.

    Both quote and mark must be young enough when the feed gives both; one of them must exist.
    """
    limit = settings.quote_age_max

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        market = picture.market
        if market.stale:
            return Denial(f"the feed of {market.symbol} is {market.stale}", 1, 0)
        quote, mark, now_ns = market.quote, market.mark, picture.now_ns
        if picture.price_ticks <= 0 or (quote is None and mark is None):
            return Denial(f"no price of {market.symbol} is known", 0, limit)
        if limit and quote is not None and now_ns - quote.at_ns > limit:
            return Denial(f"the quote of {market.symbol} is old", now_ns - quote.at_ns, limit)
        if limit and mark is not None and now_ns - mark.at_ns > limit:
            return Denial(f"the mark price of {market.symbol} is old", now_ns - mark.at_ns, limit)
        return None

    return check


RULE = Rule("stale_data", make, limits=("quote_age_max",), scope=Scope.SYMBOL, actions=LATCHES)

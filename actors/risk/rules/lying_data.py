"""Quote, mark and index must tell the same story: a feed that lies is worse than none."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ticks apart."""
    limit = settings.max_divergence
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        market = picture.market
        quote, mark = market.quote, market.mark
        if quote is not None and quote.bid_ticks >= quote.ask_ticks > 0:
            return Denial("the quote is crossed", quote.bid_ticks - quote.ask_ticks, 0)
        if mark is None:
            return None
        apart = widest = mark.mark_ticks * limit // E8
        text = "the index lies too far from the mark"
        if mark.index_ticks > 0:
            apart = abs(mark.index_ticks - mark.mark_ticks)
        if apart <= widest and quote is not None and quote.bid_ticks and quote.ask_ticks:
            text = "the quote lies too far from the mark"
            apart = abs((quote.bid_ticks + quote.ask_ticks) // 2 - mark.mark_ticks)
        return None if apart <= widest else Denial(text, apart, widest)

    return check


RULE = Rule("lying_data", make, limits=("max_divergence",), scope=Scope.SYMBOL, actions=LATCHES)

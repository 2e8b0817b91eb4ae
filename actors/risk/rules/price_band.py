"""How far a limit price may lie from the mark: a fat finger on either side."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; the catalog's band is never off. Unit: ticks away from the mark.

    Without any price it has nothing to say: whether that is a reason to deny is stale_data's question.
    """
    own_band = settings.price_band or E8

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        limit_ticks = intent.limit_ticks
        if not limit_ticks:
            return None
        market = picture.market
        mark_ticks = market.price_ticks
        band = market.instrument.price_band_e8
        if own_band < band:
            band = own_band
        away = abs(limit_ticks - mark_ticks)
        if not mark_ticks or away * E8 <= mark_ticks * band:
            return None
        return Denial("the limit price is too far from the mark", away, mark_ticks * band // E8)

    return check


RULE = Rule(
    "price_band",
    make,
    binds_reducing=True,
    limits=("price_band",),
    scope=Scope.SYMBOL,
    actions=LATCHES,
)

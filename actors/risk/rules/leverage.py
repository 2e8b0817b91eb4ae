"""Value over equity: our limit for the account, the catalog's tier for the symbol."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; the catalog's part is never off. Unit: 1e-8 USDT of value that equity would carry."""
    own_limit = settings.max_leverage

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        equity = picture.equity_usdt
        if own_limit and picture.exposure_usdt_after * E8 > equity * own_limit:
            carried = equity * own_limit // E8
            return Denial("the account would be leveraged too high", picture.exposure_usdt_after, carried)
        carried = equity * picture.market.leverage_tier
        if picture.worst_usdt <= carried:
            return None
        return Denial("the symbol's tier allows less leverage", picture.worst_usdt, carried)

    return check


RULE = Rule("leverage", make, limits=("max_leverage",), actions=SIZES)

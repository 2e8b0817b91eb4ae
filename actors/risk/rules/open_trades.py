"""In how many symbols the account may be engaged at once."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: symbols with a position or an order that may open one."""
    limit = settings.max_open_trades
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.market.exposure_contracts > 0 or picture.trades_count < limit:
            return None
        return Denial("too many symbols are being traded", picture.trades_count + 1, limit)

    return check


RULE = Rule("open_trades", make, limits=("max_open_trades",), actions=LATCHES)

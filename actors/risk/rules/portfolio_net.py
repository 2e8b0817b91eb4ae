"""By how much long and short of all accounts may differ, this account's live orders included."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark."""
    limit = settings.portfolio_net_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        found = picture.net_usdt_with(intent.side) + picture.others.net_usdt * intent.side
        if found <= limit:
            return None
        return Denial("long and short of all accounts could differ too much", found, limit)

    return check


RULE = Rule("portfolio_net", make, limits=("portfolio_net_usdt",), actions=SIZES)

"""Value of the positions of all accounts, this account's live orders included."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark."""
    limit = settings.portfolio_gross_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        found = picture.others.gross_usdt + picture.exposure_usdt_after
        if found <= limit:
            return None
        return Denial("all accounts together could hold too much", found, limit)

    return check


RULE = Rule("portfolio_gross", make, limits=("portfolio_gross_usdt",), actions=SIZES)

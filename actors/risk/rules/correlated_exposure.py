"""Exposure of all accounts with correlation counted in; docs/risk-limits.md has the formula."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT."""
    limit = settings.portfolio_correlated_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        found = picture.correlated_usdt_with(intent)
        if found <= limit:
            return None
        return Denial("positions that move together could become too large", found, limit)

    return check


RULE = Rule("correlated_exposure", make, limits=("portfolio_correlated_usdt",), actions=SIZES)

"""Initial margin of everything that is open or could open, and the order's fee, must be covered by equity."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: 1e-8 USDT."""

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.margin_usdt_after <= picture.equity_usdt:
            return None
        return Denial("margin is short", picture.margin_usdt_after, picture.equity_usdt)

    return check


RULE = Rule("margin", make, actions=SIZES)

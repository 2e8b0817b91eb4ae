"""What all accounts together have lost in their day."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHED, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A loss that reaches the limit breaks it."""
    limit = settings.portfolio_loss_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        found = picture.others.loss_usdt + picture.loss_usdt
        if found < limit:
            return None
        return Denial("the loss of all accounts is at its limit", found, limit)

    return check


def day_of(picture: Picture) -> int:
    """Return which day it is: it latches once in each."""
    return picture.day_start_ns


RULE = Rule(
    "portfolio_loss", make, limits=("portfolio_loss_usdt",), actions=LATCHED, watched=True, period=day_of
)

"""Loss since the week began, open positions included."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHED, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT. A loss that reaches the limit breaks it."""
    limit = settings.weekly_loss_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.week_loss_usdt < limit:
            return None
        return Denial("the week's loss is at its limit", picture.week_loss_usdt, limit)

    return check


def week_of(picture: Picture) -> int:
    """Return which week it is: it latches once in each."""
    return picture.week_start_ns


RULE = Rule("weekly_loss", make, limits=("weekly_loss_usdt",), actions=LATCHED, watched=True, period=week_of)

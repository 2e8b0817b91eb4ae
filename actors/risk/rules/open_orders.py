"""How many orders of the account may live at once."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: live orders, this one included."""
    limit = settings.max_open_orders
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        count = len(picture.state.reserved) + 1
        return None if count <= limit else Denial("too many orders live", count, limit)

    return check


RULE = Rule("open_orders", make, limits=("max_open_orders",), actions=LATCHES)

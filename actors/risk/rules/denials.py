"""A strategy whose orders are denied one after the other does not know what it does."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS_FIRST, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: denied orders in a row. Reaching the limit breaks it."""
    limit = settings.max_denials_in_row
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        count = picture.tally.denials.get(intent.strategy, 0)
        if count < limit:
            return None
        return Denial("its orders are denied one after the other", count, limit)

    return check


RULE = Rule("denials", make, limits=("max_denials_in_row",), scope=Scope.STRATEGY, actions=STOPS_FIRST[:-1])

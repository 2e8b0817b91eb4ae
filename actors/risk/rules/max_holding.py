"""A position that has lived too long is closed."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import EXITS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ns since it opened."""
    limit = settings.max_holding
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        opened_ns = picture.book.opened_ns
        held_ns = picture.now_ns - opened_ns
        if not opened_ns or held_ns < limit:
            return None
        return Denial("the position has lived its time", held_ns, limit)

    return check


RULE = Rule("max_holding", make, limits=("max_holding",), scope=Scope.SYMBOL, actions=EXITS, exits=True)

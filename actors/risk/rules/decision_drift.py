"""How far the price has moved since the strategy decided: a model that acts on the past."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ticks since the decision."""
    limit = settings.max_decision_drift
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        decided = intent.decision_ticks
        if not decided:
            return None
        moved = abs(picture.market.price_ticks - decided)
        if moved * E8 <= decided * limit:
            return None
        return Denial("the price has moved away since the decision", moved, decided * limit // E8)

    return check


RULE = Rule("decision_drift", make, limits=("max_decision_drift",), scope=Scope.STRATEGY, actions=STOPS)

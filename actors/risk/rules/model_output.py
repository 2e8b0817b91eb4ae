"""An order whose reasons hold no number, but nan or inf, comes from a broken model."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

NOT_FINITE = frozenset({"nan", "inf", "-inf", "+inf", "-nan", "infinity", "-infinity"})


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: such reasons."""
    if not settings.refuse_not_finite:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        count = sum(1 for reason in intent.reasons if reason.value.lower() in NOT_FINITE)
        return None if not count else Denial("a reason of the order is no number", count, 0)

    return check


RULE = Rule("model_output", make, limits=("refuse_not_finite",), scope=Scope.STRATEGY, actions=STOPS)

"""One intent makes one order at most: a repeated intent_id is denied while it can be remembered."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: orders of this intent."""

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        intent_id, state = intent.intent_id, picture.state
        if intent_id in state.reserved or intent_id in state.closed or intent_id in state.closed_before:
            return Denial(f"intent {intent_id} was allowed before", 2, 1)
        return None

    return check


RULE = Rule("duplicate_intent", make, binds_reducing=True)

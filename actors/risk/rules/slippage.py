"""How far a strategy's fills lie behind its decision prices: a model whose prices are not to be had."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 of the decision price, a moving average."""
    limit = settings.max_slippage
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        behind = picture.tally.slippage_e8.get(intent.strategy, 0)
        if behind <= limit:
            return None
        return Denial("its fills lie too far behind its decisions", behind, limit)

    return check


RULE = Rule("slippage", make, limits=("max_slippage",), scope=Scope.STRATEGY, actions=STOPS)

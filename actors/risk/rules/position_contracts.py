"""Size of a symbol's position, should everything that can fill do so."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; the catalog's last tier is never off. Unit: contracts, live orders included."""
    own_limit = settings.max_position_contracts

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        limit = picture.market.instrument.tiers[-1].contracts_max
        if own_limit and own_limit < limit:
            limit = own_limit
        if picture.worst_contracts <= limit:
            return None
        return Denial("the position could become too large", picture.worst_contracts, limit)

    return check


RULE = Rule("position_contracts", make, limits=("max_position_contracts",), scope=Scope.SYMBOL, actions=SIZES)

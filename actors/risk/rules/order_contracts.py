"""Size of one order: the catalog's least and largest, and our own largest."""

from __future__ import annotations

from actors.domain.orders import OrderType
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

MARKET = OrderType.MARKET


def make(settings: RiskSettings) -> Check | None:
    """Return the check; the catalog's part is never off. Unit: contracts."""
    own_limit = settings.max_order_contracts

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        contracts, instrument = intent.contracts, picture.market.instrument
        is_market = intent.order_type is MARKET
        limit = instrument.contracts_max_market if is_market else instrument.contracts_max_limit
        if own_limit and own_limit < limit and not picture.reduces:
            limit = own_limit
        if contracts > limit:
            return Denial("the order is too large", contracts, limit)
        if contracts < instrument.contracts_min:
            return Denial("the order is too small", contracts, instrument.contracts_min)
        return None

    return check


RULE = Rule(
    "order_contracts",
    make,
    binds_reducing=True,
    limits=("max_order_contracts",),
    scope=Scope.SYMBOL,
    actions=SIZES,
)

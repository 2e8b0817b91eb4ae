"""A spot account sells what it holds, and nothing beyond: there is no short position in coins."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

SELL = Side.SELL


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: contracts; the limit is what is held.

    Live sells count too: together they may not sell more than there is. That no order buys for more money
    than there is follows from the margin rule, because a spot market has leverage 1.
    """

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if intent.side is not SELL or picture.reduces or not picture.market.instrument.is_spot:
            return None
        offered = intent.contracts + picture.book.sell_contracts
        return Denial(
            "a spot account cannot sell what it does not hold", offered, picture.reducible_contracts
        )

    return check


RULE = Rule("spot_inventory", make, binds_reducing=True)

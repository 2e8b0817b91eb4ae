"""A reduce-only order must face a position that is at least as large as all that would close it."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: contracts; the limit is the position that can be closed.

    Live orders of the same side count too: together they may not close more than there is.
    """

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if not intent.reduce_only or picture.reduces:
            return None
        book = picture.book
        reserved = book.buy_contracts if intent.side > 0 else book.sell_contracts
        text = "it would close more than there is"
        return Denial(text, intent.contracts + reserved, picture.reducible_contracts)

    return check


RULE = Rule("reduce_only", make, binds_reducing=True)

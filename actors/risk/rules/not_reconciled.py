"""Until our books and the venue's agree, only orders pass that the venue itself keeps from opening risk."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]

TEXT = "our books and the venue's have not been found to agree"


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: agreements.

    A reduction by our books alone is not enough here, because they are what is in doubt: the order must be
    marked reduce-only, so that the venue holds it to that.
    """

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        if picture.gate_open or (picture.reduces and intent.reduce_only):
            return None
        return Denial(TEXT, 0, 1)

    return check


RULE = Rule("not_reconciled", make, binds_reducing=True)

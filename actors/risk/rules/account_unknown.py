"""No new risk before the ledger has said what the account is worth."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check; it is never off. Unit: states of the account heard."""

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        return None if picture.account_known else Denial("the ledger has not spoken yet", 0, 1)

    return check


RULE = Rule("account_unknown", make)

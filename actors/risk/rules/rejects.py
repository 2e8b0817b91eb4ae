"""After the venue has refused so many orders in a row, something is wrong that trying does not mend."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHED, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: refused orders in a row. Reaching the limit breaks it."""
    limit = settings.max_rejects_in_row
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        count = picture.state.rejects_in_row
        if count < limit:
            return None
        return Denial("the venue refuses one order after the other", count, limit)

    return check


def rejects_of(picture: Picture) -> int:
    """Return how many there were in all: an action latches once for each."""
    return picture.state.rejects_count


RULE = Rule(
    "rejects", make, limits=("max_rejects_in_row",), actions=LATCHED[:-1], watched=True, period=rejects_of
)

"""After so many losing trades in a row nothing opens for a while."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: losing trades in a row."""
    limit, pause_ns = settings.max_loss_streak, settings.loss_streak_pause
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        state = picture.state
        if state.loss_streak < limit or picture.now_ns - state.loss_at_ns >= pause_ns:
            return None
        return Denial("too many trades in a row have lost", state.loss_streak, limit)

    return check


def streak_of(picture: Picture) -> int:
    """Return when the streak grew last: an action latches once for each."""
    return picture.state.loss_at_ns


RULE = Rule(
    "loss_streak",
    make,
    limits=("max_loss_streak", "loss_streak_pause"),
    actions=LATCHES,
    watched=True,
    period=streak_of,
)

"""A strategy must have given a sign of life lately."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import STOPS, Check, Denial, Rule, Scope
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: ns since the last heartbeat."""
    limit = settings.strategy_silence_max
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        silent_ns = picture.now_ns - picture.tally.alive_ns.get(intent.strategy, 0)
        if silent_ns <= limit:
            return None
        return Denial("the strategy gives no sign of life", silent_ns, limit)

    return check


RULE = Rule("strategy_silence", make, limits=("strategy_silence_max",), scope=Scope.STRATEGY, actions=STOPS)

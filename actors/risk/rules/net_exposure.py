"""By how much long and short positions may differ, should everything on one side fill."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import SIZES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "make"]


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: 1e-8 USDT at the mark."""
    limit = settings.max_net_usdt
    if not limit:
        return None

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        net = picture.net_usdt_with(intent.side)
        if net <= limit:
            return None
        return Denial("long and short could differ too much", net, limit)

    return check


RULE = Rule("net_exposure", make, limits=("max_net_usdt",), actions=SIZES)

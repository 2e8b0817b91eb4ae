"""How fast orders may follow each other: a bucket of tokens, kept as the instant when it is full again."""

from __future__ import annotations

from actors.messages.trading import OrderIntent
from actors.risk.picture import Picture
from actors.risk.rule import LATCHES, Check, Denial, Rule
from actors.risk.settings import RiskSettings

__all__ = ["RULE", "SECOND_NS", "make"]

SECOND_NS = 1_000_000_000


def make(settings: RiskSettings) -> Check | None:
    """Return the check, None when it is off. Unit: tokens in 1/interval; one order takes one token.

    Measured is how many tokens are gone, this order's included; the limit is the size of the bucket. Taking
    the token is the actor's part, when the intent is allowed.
    """
    if not settings.max_orders_per_second:
        return None
    interval_ns = SECOND_NS // settings.max_orders_per_second
    burst = settings.order_burst
    longest_ns = (burst - 1) * interval_ns

    def check(intent: OrderIntent, picture: Picture) -> Denial | None:
        wait_ns = picture.state.rate_full_ns - picture.now_ns
        if wait_ns <= longest_ns:
            return None
        return Denial("orders follow each other too fast", -(-wait_ns // interval_ns) + 1, burst)

    return check


RULE = Rule("order_rate", make, limits=("max_orders_per_second", "order_burst"), actions=LATCHES)

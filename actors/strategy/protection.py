"""Entries that are protected by settings: the bracket that an order becomes. Pure."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.plans import Bracket
from actors.strategy.protocol import Launch, Order
from actors.strategy.settings import Protection

__all__ = ["protected"]


def protected(order: Order, price_ticks: int, protect: Protection) -> Launch:
    """Return the bracket that enters what an order would, with exits at parts of a price.

    Rounded towards the entry, so that no exit lies farther away than was said; at least one tick from it.
    """
    against, along = -order.side, int(order.side)

    def beyond(part_e8: int, sign: int) -> int:
        return price_ticks + sign * max(1, price_ticks * part_e8 // E8) if part_e8 else 0

    plan = Bracket(
        *(order.order_type, order.limit_ticks, order.time_in_force),
        beyond(protect.stop, against),
        beyond(protect.target, along),
        protect.target_rests,
        0,
        protect.trail,
        beyond(protect.trail_from, along),
        protect.hold,
        protect.source,
    )
    return Launch(order.side, order.contracts, plan, order.why, order.reasons, reduce_only=False)

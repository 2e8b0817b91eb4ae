"""Amendments of own orders: from a decision to a wish, and from its end back into what is pending. Pure."""

from __future__ import annotations

from actors.domain.amending import AmendState
from actors.domain.orders import OrderType
from actors.messages.amending import AmendUpdate
from actors.strategy.protocol import Amend
from actors.strategy.state import PendingOrder, StrategyState

__all__ = ["amendable", "take_amend", "take_amend_denial"]


def amendable(state: StrategyState, wish: Amend) -> tuple[str, PendingOrder] | None:
    """Return the order that a decision is about, as it would become; None when nothing is to be done."""
    intent_id = wish.intent_id or next(reversed(state.pending), "")
    order = state.pending.get(intent_id)
    if order is None or order.amend_id or order.taken_back or order.order_type is OrderType.MARKET:
        return None
    limit, contracts = wish.limit_ticks or order.limit_ticks, wish.contracts or order.contracts
    if (limit, contracts) == (order.limit_ticks, order.contracts) or contracts <= order.filled_contracts:
        return None
    return intent_id, PendingOrder(
        *(order.side, contracts, order.filled_contracts, order.since_ns, order.reduce_only, False),
        *(order.fee_contracts, limit, order.order_type, order.time_in_force),
    )


def take_amend(state: StrategyState, update: AmendUpdate) -> bool:
    """Take over how an amendment ended; return whether anything changed."""
    order = state.pending.get(update.intent_id)
    if order is None or order.amend_id != update.amend_id:
        return False
    order.amend_id = ""
    if update.state is AmendState.AMENDED:
        order.contracts, order.limit_ticks = update.contracts, update.limit_ticks
    return True


def take_amend_denial(state: StrategyState, amend_id: str) -> bool:
    """An amendment did not leave the house: its order stands as it was. Return whether there is one."""
    for order in state.pending.values():
        if order.amend_id == amend_id:
            order.amend_id = ""
            return True
    return False

"""Own orders and the position their fills add up to: functions over StrategyState."""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.lifecycle import OrderState
from actors.domain.parent_states import parent_id_of
from actors.messages.trading import OrderUpdate
from actors.strategy.state import OwnChild, PendingOrder, StrategyState

__all__ = ["Outcome", "adopt_position", "take_update"]

# Ended orders whose late fills are still told apart from new ones; a strategy has few orders at a time.
CLOSED_KEPT = 8

OPEN, FILLED, CANCELED = OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED
REJECTED, ABSENT = OrderState.REJECTED, OrderState.ABSENT


class Outcome(NamedTuple):
    """What an update did."""

    changed: bool  # there is something to save
    ended: bool  # it was in flight, and is over now
    filled: bool  # wholly
    refused: bool  # it ended unfilled, and not because we took it back


NOTHING = Outcome(False, False, False, False)
MOVED = Outcome(True, False, False, False)
FILLED_WHOLLY = Outcome(True, True, True, False)


def take_update(state: StrategyState, update: OrderUpdate) -> Outcome:
    """Move the position by what is new in an update, and let go of an order that has ended.

    An order we know nothing of is ours all the same (it carries our address): its fills count from zero,
    and its number is not used again.
    """
    intent_id, now = update.intent_id, update.state
    if parent_id_of(intent_id):
        return _take_child(state, update)
    order = state.pending.get(intent_id)
    if order is None:
        _take_unexpected(state, update)
        return MOVED
    news = update.filled_contracts - order.filled_contracts
    if news > 0:
        state.net_contracts += order.side * news - (update.fee_contracts - order.fee_contracts)
        order.filled_contracts += news
        order.fee_contracts = update.fee_contracts
    elif now is OPEN:
        return NOTHING
    if now is FILLED or now is CANCELED or now is REJECTED or now is ABSENT:
        del state.pending[intent_id]
        _remember(state, intent_id, order.filled_contracts)
        if now is FILLED:
            return FILLED_WHOLLY
        return Outcome(True, True, False, now is not CANCELED or not order.taken_back)
    return MOVED


def _take_child(state: StrategyState, update: OrderUpdate) -> Outcome:
    """Move the position by an order that the OMS sent for a parent of ours; what is pending is the parent."""
    intent_id = update.intent_id
    child = state.children.get(intent_id)
    if child is None:
        child = OwnChild(
            state.closed.get(intent_id, 0), update.fee_contracts if intent_id in state.closed else 0
        )
    news = update.filled_contracts - child.filled_contracts
    if news > 0:
        state.net_contracts += update.side * news - (update.fee_contracts - child.fee_contracts)
        child.filled_contracts, child.fee_contracts = update.filled_contracts, update.fee_contracts
    if update.state in (FILLED, CANCELED, REJECTED, ABSENT):
        state.children.pop(intent_id, None)
        _remember(state, intent_id, child.filled_contracts)
    else:
        state.children[intent_id] = child
    return MOVED


def _take_unexpected(state: StrategyState, update: OrderUpdate) -> None:
    intent_id, filled = update.intent_id, update.filled_contracts
    known = state.closed.get(intent_id)
    news = filled - (known or 0)
    if news > 0:
        # The fee of a fill after the order's end is not known apart: the account's position will tell of it.
        state.net_contracts += update.side * news - (update.fee_contracts if known is None else 0)
    if known is None:
        _skip_number(state, intent_id)
    if known is None and update.state not in (FILLED, CANCELED, REJECTED, ABSENT):
        order = PendingOrder(
            *(int(update.side), update.contracts, filled, update.at_ns, False, False), update.fee_contracts
        )
        state.pending[intent_id] = order
    else:
        _remember(state, intent_id, max(filled, known or 0))


def _skip_number(state: StrategyState, intent_id: str) -> None:
    number = intent_id.rpartition(".")[2]
    if number.isdecimal():
        state.intents_count = max(state.intents_count, int(number))


def _remember(state: StrategyState, intent_id: str, filled_contracts: int) -> None:
    closed = state.closed
    closed[intent_id] = filled_contracts
    if len(closed) > CLOSED_KEPT:
        del closed[next(iter(closed))]


def adopt_position(state: StrategyState, account_contracts: int) -> bool:
    """Take over what the account holds when that is less than our fills add up to; return whether it is.

    Only ever downwards: what it holds beyond ours, or on the other side, is not for us to close.
    """
    ours = state.net_contracts
    left = max(0, account_contracts) if ours > 0 else min(0, account_contracts)
    if abs(left) >= abs(ours):
        return False
    state.net_contracts = left
    return True

"""What the venue's account of one order means for ours. Pure: it judges, the OMS acts."""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.lifecycle import TERMINAL, OrderEvent, OrderState
from actors.messages.venue import VenueOrder
from actors.oms.state import Order

__all__ = ["Verdict", "judge"]

_SHOWN = (
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.REJECTED,
)


class Verdict(NamedTuple):
    """What evidence says. The event, if any, still has to pass the table.

    conclusive False: the evidence does not settle the order, ask again.
    impossible True: it cannot be true together with what we know for sure; the event names its claim.
    """

    event: OrderEvent | None
    conclusive: bool = True
    impossible: bool = False


def judge(order: Order, theirs: VenueOrder) -> Verdict:
    """Compare an order with the venue's account of it, after the account's fills have been applied.

    Invariants: an order never closes while the venue counts fills that we have not seen; one that was
    accepted or filled is never declared absent; evidence that merely lags behind us changes nothing.
    """
    if not theirs.found:
        was_there = bool(order.filled_contracts or order.venue_order_id)
        return Verdict(OrderEvent.PROVEN_ABSENT, impossible=was_there)
    event = _claim(theirs)
    if event is None:
        return Verdict(None, conclusive=False)
    ended = theirs.state in TERMINAL
    if theirs.symbol != order.symbol or theirs.side is not order.side or theirs.contracts != order.contracts:
        return Verdict(event, impossible=True)  # another order under our name
    if theirs.filled_contracts > order.filled_contracts:
        return Verdict(None, conclusive=False)  # fills are missing in the account itself
    if theirs.filled_contracts < order.filled_contracts:
        # Read before our newest fills, if the order still rested then; a final count cannot be outrun.
        return Verdict(event, impossible=True) if ended else Verdict(None, conclusive=False)
    if _agrees(order, theirs.state):
        return Verdict(None)
    if theirs.state is OrderState.FILLED:
        return Verdict(event, impossible=True)  # wholly filled, but by fewer contracts than were ordered
    if theirs.state is OrderState.REJECTED and order.filled_contracts:
        return Verdict(event, impossible=True)
    if order.state is OrderState.SUBMITTING and event is OrderEvent.PROVEN_OPEN:
        return Verdict(OrderEvent.ACCEPTED)  # the venue shows it, so it took it
    return Verdict(event)


def _claim(theirs: VenueOrder) -> OrderEvent | None:
    """Return what the account says happened; None for a state that no venue can show."""
    if theirs.state not in _SHOWN:
        return None
    return {
        OrderState.OPEN: OrderEvent.PROVEN_OPEN,
        OrderState.PARTIALLY_FILLED: OrderEvent.PROVEN_PARTLY_FILLED,
        OrderState.FILLED: OrderEvent.FILLED_WHOLLY,
        OrderState.CANCELED: OrderEvent.CANCELED,
        OrderState.REJECTED: OrderEvent.REJECTED,
    }[theirs.state]


def _agrees(order: Order, theirs: OrderState) -> bool:
    """Tell whether an account with the same fills says nothing new about the order."""
    if theirs in (OrderState.OPEN, OrderState.PARTIALLY_FILLED):
        # CANCELING: the question was asked before the cancel, whose own answer decides.
        return order.state in (OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.CANCELING)
    return order.state is theirs

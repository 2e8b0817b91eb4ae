"""Which words of a person about an order are accepted. Pure."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.messages.control import ResolveOrder
from actors.oms.state import Order

__all__ = ["resolution_fault"]

_ALLOWED = (
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
    OrderState.CANCELED,
    OrderState.REJECTED,
    OrderState.ABSENT,
)


def resolution_fault(order: Order | None, command: ResolveOrder) -> str:
    """Return why the command cannot be carried out, and what to do instead; empty when it can.

    A person may say how an order stands, never that contracts changed hands: fills come from the venue alone,
    because they move money.
    """
    name, claimed = command.client_order_id, command.as_state
    if order is None:
        return f"{name} is not a live order; see `polytrade inspect` for those that are"
    if not command.actor.strip() or not command.evidence.strip():
        return "say who you are and what you saw: both go on the record"
    if claimed not in _ALLOWED:
        return f"an order cannot be resolved as {claimed.value}; fills are taken from the venue alone"
    filled = order.filled_contracts
    if filled and claimed in (OrderState.OPEN, OrderState.REJECTED, OrderState.ABSENT):
        return f"{name} has {filled} contracts filled, so it cannot be {claimed.value}"
    if not filled and claimed is OrderState.PARTIALLY_FILLED:
        return f"{name} has no fills in our books; reconcile first, so that they come from the venue"
    if order.state is OrderState.SUBMITTING:
        return f"{name} still waits for its first answer; try again when it is unknown"
    return ""

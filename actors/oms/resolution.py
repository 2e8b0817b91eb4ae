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

_REMEDIES = {
    OrderState.FILLED: "fills move money, so they are taken from the venue alone; resolve it as canceled "
    "when it rests no more, and a comparison with the venue brings what it filled",
    OrderState.SUBMITTING: "that would be no answer",
    OrderState.CANCELING: "that would be no answer",
    OrderState.UNKNOWN: "that would be no answer",
}


def resolution_fault(order: Order | None, command: ResolveOrder) -> str:
    """Return why the command cannot be carried out, and what to do instead; empty when it can.

    A person may say how an order stands, never that contracts changed hands: fills come from the venue alone,
    because they move money.
    """
    name, claimed = command.client_order_id, command.as_state
    if order is None:
        return f"{name} is not a live order; `polytrade orders ls` lists those that are"
    if not command.actor.strip() or not command.evidence.strip():
        return "say who you are and what you saw: both go on the record"
    if claimed not in _ALLOWED:
        return f"an order cannot be resolved as {claimed.value}: {_REMEDIES[claimed]}"
    filled = order.filled_contracts
    if filled and claimed in (OrderState.OPEN, OrderState.REJECTED, OrderState.ABSENT):
        return f"{name} has {filled} contracts filled, so it cannot be {claimed.value}"
    if not filled and claimed is OrderState.PARTIALLY_FILLED:
        return f"{name} has no fills in our books; reconcile first, so that they come from the venue"
    if order.state is OrderState.SUBMITTING:
        return f"{name} still waits for its first answer; try again when it is unknown"
    return ""

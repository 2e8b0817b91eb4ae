"""Between the OMS and the reconciler: what the venue says against what our books allow."""

from __future__ import annotations

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.messages.venue import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    VenueOrder,
)
from actors.runtime.messages import Message

__all__ = ["ForeignFill", "UnexpectedReport", "VenueReport", "VerifyOrders"]

# Everything a venue says about one order.
VenueReport = (
    OrderAccepted | OrderRejected | OrderFilled | OrderCanceled | CancelRejected | OutcomeUnknown | VenueOrder
)


class UnexpectedReport(Message, frozen=True):
    """The venue reported what the order's state does not allow; nothing was guessed from it."""

    account: str
    client_order_id: str
    state: OrderState  # ours, when the report came; it stays
    event: OrderEvent  # what the report would have meant
    report: VenueReport
    at_ns: int


class ForeignFill(Message, frozen=True):
    """The books took in a fill that no order of this deployment made: somebody traded by hand, perhaps."""

    account: str
    report: OrderFilled
    at_ns: int


class VerifyOrders(Message, frozen=True):
    """The OMS shall ask the venue about these orders: its books and the venue's list do not agree."""

    account: str
    client_order_ids: tuple[str, ...]
    reason: str

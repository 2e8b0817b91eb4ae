"""What the OMS journals: one event per decision. The state is rebuilt from these alone."""

from __future__ import annotations

from actors.domain.amending import AmendEvent
from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.evidence import VenueReport
from actors.runtime.messages import Message

__all__ = [
    "AmendMoved",
    "AmendRefused",
    "AmendStarted",
    "AnomaliesSettled",
    "CancelWanted",
    "FlattenEnded",
    "FlattenStarted",
    "OrderAnomaly",
    "OrderFillApplied",
    "OrderResolved",
    "OrderStateChanged",
    "OrderSubmitted",
    "ScopeCanceled",
]


class OrderSubmitted(Message, frozen=True):
    """An intent became an order; written before its bytes leave."""

    client_order_id: str
    sequence: int  # of the account's orders, from 1
    intent_id: str
    intent_who: str  # with the next two: the rank of the intent, see ids.intent_rank
    intent_epoch: int
    intent_count: int
    strategy: str
    risk: str  # address of the actor that allowed it, or watches over what the OMS does itself
    symbol: str
    side: Side
    contracts: int
    order_type: OrderType
    limit_ticks: int
    time_in_force: TimeInForce
    reduce_only: bool
    decision_ticks: int
    at_ns: int
    replaces: str = ""  # the order of the same intent that has ended for this one; "" for most
    decided_at_ns: int = 0
    allowed_at_ns: int = 0
    decision_x2: int = 0  # bid + ask that the decision saw; 0 when not both were known
    arrival_x2: int = 0  # bid + ask when risk allowed it


class AmendStarted(Message, frozen=True):
    """A live order shall have another price or size."""

    amend_id: str
    amend_who: str  # with the next two: its rank, see ids.intent_rank
    amend_epoch: int
    amend_count: int
    intent_id: str  # of the order
    client_order_id: str
    contracts: int  # of the intent in all, filled ones included
    limit_ticks: int
    decision_ticks: int
    risk: str
    at_ns: int


class AmendRefused(Message, frozen=True):
    """An amendment could not be begun; the order, if there is one, stands as it was."""

    amend_id: str
    amend_who: str
    amend_epoch: int
    amend_count: int
    intent_id: str
    reason: str
    at_ns: int


class AmendMoved(Message, frozen=True):
    """Something happened to an amendment; the table in domain/amending.py says what follows."""

    amend_id: str
    intent_id: str
    event: AmendEvent
    client_order_id: str  # of the order for the rest, once there is one
    reason: str
    at_ns: int


class OrderStateChanged(Message, frozen=True):
    """Something other than a fill happened to an order; the table says what follows from it."""

    client_order_id: str
    event: OrderEvent
    venue_order_id: str  # empty when the report had none
    reason: str
    at_ns: int
    sent_at_ns: int = 0  # with an acceptance: when the request left


class OrderFillApplied(Message, frozen=True):
    """A fill moved the position, and the order it belongs to. Once per trade_id."""

    client_order_id: str  # empty when the venue acted by itself
    venue_order_id: str
    symbol: str
    trade_id: str
    signed_contracts: int  # positive bought, negative sold
    price_ticks: int
    fee_usdt: int  # 1e-8 USDT; positive is paid
    maker: bool
    filled_at_ns: int  # by the venue's clock
    at_ns: int
    fee_contracts: int = 0  # of what was bought, taken as the fee; spot only
    dust_e8: int = 0  # what the dust held grows by; negative when a contract was made of it


class CancelWanted(Message, frozen=True):
    """Somebody wants an order gone that cannot be canceled yet; done as soon as it can."""

    client_order_id: str
    reason: str
    at_ns: int


class OrderAnomaly(Message, frozen=True):
    """The venue reported what our books do not allow; the state did not follow."""

    client_order_id: str
    alert: str  # what was raised about it, and under which key
    key: str
    state: str  # of the order when the report came; empty when it is no order of ours
    event: str  # what the report would have meant
    report: VenueReport
    at_ns: int


class AnomaliesSettled(Message, frozen=True):
    """A comparison with the venue agreed, so what looked impossible has found its explanation."""

    at_ns: int


class OrderResolved(Message, frozen=True):
    """A person settled an order."""

    client_order_id: str
    as_state: OrderState
    evidence: str
    actor: str
    at_ns: int


class ScopeCanceled(Message, frozen=True):
    """A person or a halt had every live order in a scope canceled; empty fields did not narrow it."""

    symbol: str
    strategy: str
    order_id: str  # of one order, or of its intent
    actor: str  # a person, or the risk actor that carries a halt out
    reason: str
    orders_count: int  # that lived then
    at_ns: int


class FlattenStarted(Message, frozen=True):
    """The position of a symbol shall be closed."""

    symbol: str
    reason: str
    at_ns: int


class FlattenEnded(Message, frozen=True):
    """The position is closed and nothing that was live then can open it again."""

    symbol: str
    at_ns: int

"""What the OMS journals about parent orders. What becomes of their children, the orders' own events tell."""

from __future__ import annotations

from actors.domain.parent_states import ParentEvent, PriceSource
from actors.messages.parents import ParentIntent
from actors.oms.parents.state import Role
from actors.runtime.messages import Message

__all__ = ["ChildAsked", "ChildGivenUp", "ParentAccepted", "ParentMoved", "PricesNoted", "TrailMoved"]


class ParentAccepted(Message, frozen=True):
    """The OMS runs a parent order from now on."""

    intent: ParentIntent
    intent_who: str  # with the next two: the rank of the intent, see ids.intent_rank
    intent_epoch: int
    intent_count: int
    risk: str  # address of the actor that allowed it
    at_ns: int


class ParentMoved(Message, frozen=True):
    """Something happened to a parent order; its type's table says what follows."""

    parent_id: str
    event: ParentEvent
    why: str
    price_ticks: int  # that was seen, where a price led to it
    retry_at_ns: int  # its orders wait until then
    at_ns: int


class ChildAsked(Message, frozen=True):
    """A parent order asked risk for an order."""

    parent_id: str
    intent_id: str
    role: Role
    contracts: int
    at_ns: int


class ChildGivenUp(Message, frozen=True):
    """An order that a parent asked for never came to be: risk denied it, or did not answer."""

    parent_id: str
    intent_id: str
    why: str
    at_ns: int


class TrailMoved(Message, frozen=True):
    """A price was better than any before for the stops that trail it."""

    symbol: str
    source: PriceSource
    rises: bool  # of the stops' levels: True for those above the market
    halfticks: int  # twice the price
    joined: tuple[str, ...]  # parents that follow from this price on
    at_ns: int


class PricesNoted(Message, frozen=True):
    """A symbol's prices became stale, so that no trigger may look at them; or good again."""

    symbol: str
    stale: str  # empty when good, else what is wrong with them
    at_ns: int

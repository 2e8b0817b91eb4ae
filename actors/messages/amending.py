"""Another price or size for a live order: strategy -> risk -> OMS, and back with what became of it."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.amending import AmendState
from actors.messages.trading import OrderIntent
from actors.runtime.messages import Message, Overflow

__all__ = [
    "AmendIntent",
    "AmendUpdate",
    "PlaceReplacement",
    "ReplacementDenied",
    "ReplacementReady",
    "SubmitAmend",
]


class AmendIntent(Message, frozen=True):
    """A strategy wishes that its live order had another price or size. Risk may deny it.

    `order` is the order as it would become: the same side, symbol and type, an intent_id of its own (which
    names this amendment), and `contracts` in all, those that have filled included.
    """

    OVERFLOW: ClassVar[Overflow] = Overflow.REFUSE

    amends: str  # intent_id of the order
    order: OrderIntent


class SubmitAmend(Message, frozen=True):
    """Risk allowed an amendment: the OMS shall carry it out, once."""

    intent: AmendIntent
    allowed_at_ns: int


class ReplacementReady(Message, frozen=True):
    """The order that is amended has ended: may the rest be placed now? Asked of the risk actor behind it.

    Time has passed since the amendment was allowed: limits, halts and the position may be others.
    """

    account: str
    amend_id: str
    order: OrderIntent  # under the order's own intent_id, with the contracts that are left


class PlaceReplacement(Message, frozen=True):
    """Risk lets the rest of an amended order pass."""

    intent_id: str
    amend_id: str
    contracts: int  # that were judged


class ReplacementDenied(Message, frozen=True):
    """Risk does not let the rest of an amended order pass: no order of this intent is left."""

    intent_id: str
    amend_id: str
    rule: str
    text: str


class AmendUpdate(Message, frozen=True):
    """How an amendment stands, to the strategy that wished it and the risk actor that allowed it."""

    amend_id: str
    intent_id: str  # of the order that was amended; it keeps this intent
    strategy: str
    account: str
    symbol: str
    state: AmendState
    contracts: int  # that the intent has in all from now on, filled ones included
    limit_ticks: int  # that holds from now on
    reason: str
    at_ns: int

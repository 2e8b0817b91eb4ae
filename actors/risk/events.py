"""What risk journals: one event per decision. The state is rebuilt from these alone."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.messages.control import HaltLevel
from actors.runtime.messages import Message

__all__ = [
    "AmendAllowed",
    "AmendSettled",
    "FeedNoted",
    "GateMoved",
    "HaltLatched",
    "HaltReleased",
    "IntentAllowed",
    "IntentDenied",
    "LatchTaken",
    "LossDayNoted",
    "OrderAdopted",
    "OrderFinished",
    "OrderProgressed",
    "PositionCorrected",
    "ReplacementAllowed",
]


class IntentAllowed(Message, frozen=True):
    """No limit spoke against an intent; its size is reserved until its order has ended."""

    intent_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int
    price_ticks: int  # it was judged at
    worst_contracts: int  # of the symbol if everything that can fill does, this order included
    at_ns: int


class IntentDenied(Message, frozen=True):
    """A limit spoke against an intent: the rule, and its numbers in the rule's unit."""

    intent_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int
    rule: str
    measured: int
    limit: int
    at_ns: int


class OrderProgressed(Message, frozen=True):
    """Part of a reserved order filled."""

    intent_id: str
    filled_contracts: int  # in all
    at_ns: int
    fee_contracts: int = 0  # in all
    filled_ticks: int = 0  # in all: contracts x price


class OrderFinished(Message, frozen=True):
    """A reserved order ended; what was left of it is free again. A fill after the end repeats this."""

    intent_id: str
    filled_contracts: int  # in all
    state: OrderState
    symbol: str
    side: Side
    at_ns: int
    fee_contracts: int = 0  # in all
    filled_ticks: int = 0  # in all: contracts x price


class OrderAdopted(Message, frozen=True):
    """An order that nobody asked us about lives in this account; it is reserved like any other."""

    intent_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int
    at_ns: int


class PositionCorrected(Message, frozen=True):
    """The ledger's position was taken over, after it had disagreed with our orders for a while."""

    symbol: str
    net_contracts_before: int
    net_contracts: int
    at_ns: int


class HaltLatched(Message, frozen=True):
    """New risk ended in a scope, until a person resumes."""

    scope: str
    level: HaltLevel
    actor: str
    reason: str
    at_ns: int
    evidence: str = ""  # where it came from, when nobody in the node ordered it


class LatchTaken(Message, frozen=True):
    """A line of the latch beside the journal was taken in; it is not taken again."""

    number: int
    digest: str  # SHA-256 of the line
    text: str  # what it says
    at_ns: int


class HaltReleased(Message, frozen=True):
    """A person resumed a scope."""

    scope: str
    actor: str
    reason: str
    at_ns: int


class LossDayNoted(Message, frozen=True):
    """The daily loss limit was hit; it latches a halt once a day."""

    day: int  # days since 1970-01-01 UTC
    loss_usdt: int
    limit_usdt: int
    at_ns: int


class GateMoved(Message, frozen=True):
    """The reconciler found our books and the venue's to agree, or no longer to agree."""

    open: bool
    epoch: int  # the agreement holds for one run of the node only
    at_ns: int


class FeedNoted(Message, frozen=True):
    """A symbol's feed became stale, or live again."""

    symbol: str
    stale: str  # empty when live, else what is wrong with it
    at_ns: int


class AmendAllowed(Message, frozen=True):
    """No limit spoke against an amendment; until it is over its order reserves the larger of both sizes."""

    intent_id: str
    amend_id: str
    strategy: str
    symbol: str
    side: Side
    contracts: int  # that the intent shall have in all, filled ones included
    price_ticks: int  # it was judged at
    worst_contracts: int  # of the symbol if everything that can fill does, the amended order included
    at_ns: int


class ReplacementAllowed(Message, frozen=True):
    """The rest of an amended order may be placed, as things are in this moment."""

    intent_id: str
    amend_id: str
    symbol: str
    side: Side
    contracts: int
    price_ticks: int
    worst_contracts: int
    at_ns: int


class AmendSettled(Message, frozen=True):
    """An amendment is over and its order lives: it reserves this from now on."""

    intent_id: str
    contracts: int  # in all, filled ones included
    at_ns: int

"""What risk journals about limits: met, warned of, changed; and about positions that it closes."""

from __future__ import annotations

from actors.messages.grants import Measures
from actors.runtime.messages import Message

__all__ = [
    "GUARD_EVENTS",
    "BreachNoted",
    "ExitEnded",
    "ExitOrdered",
    "GrantTaken",
    "IntentShrunk",
    "LimitLoosened",
    "LimitReturned",
    "LimitTightened",
    "LooseningAsked",
    "NearEnded",
    "NearTold",
    "PeakMoved",
    "RejectsEnded",
    "StrategyDayStarted",
]


class IntentShrunk(Message, frozen=True):
    """An order was cut to what the limits allow; `IntentAllowed` follows with what is left of it."""

    intent_id: str
    rule: str
    contracts_wished: int
    contracts: int
    measured: int  # of the whole order, in the rule's unit
    limit: int
    at_ns: int


class BreachNoted(Message, frozen=True):
    """A limit of the account was met; it latches once in each of the rule's periods."""

    rule: str
    period: int
    action: str
    measured: int
    limit: int
    at_ns: int


class NearTold(Message, frozen=True):
    """An order came near a limit, and somebody was warned."""

    rule: str
    scope: str  # account/NAME, symbol/NAME or strategy/NAME: whose order it takes to end it
    at_ns: int


class NearEnded(Message, frozen=True):
    """A limit that somebody was warned of is far again, or nobody is to be warned of it any more."""

    rule: str
    at_ns: int


class ExitOrdered(Message, frozen=True):
    """Risk has a position closed."""

    symbol: str
    rule: str
    net_contracts: int
    measured: int
    limit: int
    at_ns: int


class ExitEnded(Message, frozen=True):
    """The pause after a close is over."""

    symbol: str
    at_ns: int


class StrategyDayStarted(Message, frozen=True):
    """Where a strategy stood when the day began."""

    strategy: str
    day_start_ns: int
    profit_usdt: int  # since its books began, at the mark
    at_ns: int


class PeakMoved(Message, frozen=True):
    """The peak that a drawdown is measured from, after a person resumed the account."""

    ledger_peak_usdt: int  # when it was measured anew; the ledger's own counts again beyond it
    peak_usdt: int
    at_ns: int


class GrantTaken(Message, frozen=True):
    """The account keeps to another part in the limits on all accounts. Amounts are 1e-8 USDT."""

    number: int
    own: Measures
    together: Measures  # what all accounts may come to while it holds
    at_ns: int


class RejectsEnded(Message, frozen=True):
    """The venue took an order again."""

    at_ns: int


class LimitTightened(Message, frozen=True):
    """A person tightened a limit of a running node."""

    limit: str
    value: int
    actor: str
    reason: str
    until_ns: int  # 0 is for good
    at_ns: int


class LooseningAsked(Message, frozen=True):
    """A person wishes a limit loosened; a second one has to agree."""

    limit: str
    value: int
    actor: str
    reason: str
    until_ns: int
    at_ns: int


class LimitLoosened(Message, frozen=True):
    """A limit is looser until an instant."""

    limit: str
    value: int
    actor: str
    approver: str  # empty where one person's word is enough
    reason: str
    until_ns: int
    at_ns: int


class LimitReturned(Message, frozen=True):
    """A changed limit is what it was again."""

    limit: str
    kind: str  # tightened | loosened | asked: which change is over
    why: str
    at_ns: int


GUARD_EVENTS: tuple[type[Message], ...] = (
    *(IntentShrunk, BreachNoted, ExitOrdered, ExitEnded, StrategyDayStarted, PeakMoved, RejectsEnded),
    *(LimitTightened, LooseningAsked, LimitLoosened, LimitReturned, GrantTaken, NearTold, NearEnded),
)

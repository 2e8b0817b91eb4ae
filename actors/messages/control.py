"""What operators and guards command, and what guards report."""

from __future__ import annotations

import enum

from actors.domain.lifecycle import OrderState
from actors.runtime.messages import Message

__all__ = [
    "Acknowledged",
    "DelayFeed",
    "FlattenPositions",
    "FreezeFeed",
    "Halt",
    "HaltLevel",
    "HaltState",
    "LatchFound",
    "MuteFeed",
    "ReconcileFinished",
    "ReconcileNow",
    "Rejected",
    "ResolveOrder",
    "Resume",
]


class HaltLevel(enum.IntEnum):
    """How far a halt goes; each level includes those below it."""

    NO_NEW_RISK = 1  # only orders that reduce a position
    CANCEL_ALL = 2  # and cancel every live order in scope
    FLATTEN = 3  # and close every position in scope at market


class Halt(Message, frozen=True):
    """Stop taking risk in a scope. Latched: it survives restarts until Resume."""

    scope: str  # `all`, `account/<name>`, `symbol/<symbol>` or `strategy/<address>`
    level: HaltLevel
    actor: str  # who says so: a person, a rule, a supervisor
    reason: str


class LatchFound(Message, frozen=True):
    """A line of the latch beside the journal: somebody halted from outside the node, or says how it went."""

    number: int  # of the line
    digest: str  # SHA-256 of the line
    scope: str  # empty: the line halts nothing, it says what the venue showed
    level: HaltLevel
    actor: str
    reason: str
    text: str  # what the venue showed


class Resume(Message, frozen=True):
    """Release a latched halt. Only a person with a reason does that."""

    scope: str
    actor: str
    reason: str


class HaltState(Message, frozen=True):
    """The halts in force after a change, as (scope, level, reason)."""

    halts: tuple[tuple[str, HaltLevel, str], ...]
    at_ns: int


class FlattenPositions(Message, frozen=True):
    """Close positions at market with reduce-only orders; an empty symbol means all."""

    account: str
    symbol: str
    reason: str


class ReconcileNow(Message, frozen=True):
    """Compare our books with the venue's now."""

    account: str
    dry_run: bool = False  # only say what would be done; nobody acts on it, nothing is decided by it


class ReconcileFinished(Message, frozen=True):
    """A comparison ended. Until the first one in agreement nothing may open risk."""

    account: str
    agrees: bool
    differences: tuple[str, ...]
    at_ns: int
    margin_ratio_e8: int = 0  # maintenance margin over equity, by the venue; 0 when it says nothing


class ResolveOrder(Message, frozen=True):
    """A person settles an order that the venue's evidence did not; on the record, with what they saw."""

    client_order_id: str
    as_state: OrderState
    evidence: str  # what was looked at, and what it showed
    actor: str  # who says so


class MuteFeed(Message, frozen=True):
    """Drill: a feed shall publish nothing for a while. Feeds of a real venue do not take it."""

    symbol: str
    duration_ns: int  # 0 ends whatever fault is on


class FreezeFeed(Message, frozen=True):
    """Drill: a feed shall repeat the prices of this moment for a while."""

    symbol: str
    duration_ns: int  # 0 ends whatever fault is on


class DelayFeed(Message, frozen=True):
    """Drill: a feed shall fall behind its market by `delay_ns` for a while."""

    symbol: str
    delay_ns: int
    duration_ns: int  # 0 ends whatever fault is on


class Acknowledged(Message, frozen=True):
    """A command was carried out."""

    text: str


class Rejected(Message, frozen=True):
    """A command was not carried out; the text says why and what to do."""

    text: str

"""What a strategy journals, for whoever asks later why."""

from __future__ import annotations

from actors.messages.trading import Reason
from actors.runtime.messages import Message

__all__ = ["PositionAdopted", "SignalDecided"]


class SignalDecided(Message, frozen=True):
    """A decision that acts, or a reason to hold that is new."""

    symbol: str
    action: str  # target | order | cancel | hold
    why: str
    net_contracts: int  # own position when it was decided
    target_contracts: int  # what it shall become; for an order, what it becomes when it fills
    decision_ticks: int  # price it was decided at; 0 when there is none yet
    intent_id: str  # of the order it led to; empty when none
    reasons: tuple[Reason, ...]  # inputs and values
    at_ns: int


class PositionAdopted(Message, frozen=True):
    """The account holds less than this strategy's fills add up to; it counts with that from now on."""

    symbol: str
    net_contracts_before: int
    net_contracts: int
    why: str
    at_ns: int

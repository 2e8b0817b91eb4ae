"""What the reconciler journals: every resolution, with what both sides had said."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["DifferenceResolved"]


class DifferenceResolved(Message, frozen=True):
    """Something was done about a difference, by evidence or by policy."""

    account: str
    kind: str  # compare.Kind, or `manual trade`
    key: str
    symbol: str  # empty when it concerned the whole account
    ours: int
    theirs: int
    act: str  # resolve.Act
    reason: str
    request_id: str  # of the comparison; empty when a report led to it
    raw_ours: str  # JSON: what OMS and ledger had stated about it
    raw_theirs: str  # JSON: what the venue had stated about it
    at_ns: int

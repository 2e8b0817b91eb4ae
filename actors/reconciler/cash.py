"""Why the venue's cash is not ours: what its own statements explain. Pure; amounts are 1e-8 USDT."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from actors.messages.terms import CashTransferred

__all__ = ["Cause", "cause_of_drift"]

IDS_SHOWN = 8


class Cause(NamedTuple):
    """What a drift comes from. Only a proven one is booked without a policy that says so."""

    text: str
    evidence: str
    is_proven: bool
    is_transfer: bool


def cause_of_drift(
    amount_usdt: int,
    transfers: Collection[CashTransferred],
    booked: Collection[str],
    corrected: Collection[str],
    tolerance_usdt: int,
) -> Cause:
    """Return the cause of a drift, in this order: transfers that add up to it; corrected positions; unknown.

    A correction of a position has no price that the venue told, so what it realised shows in the cash alone.
    """
    new = [transfer for transfer in transfers if transfer.transfer_id not in booked]
    if new and abs(sum(transfer.amount_usdt for transfer in new) - amount_usdt) <= tolerance_usdt:
        ids = ", ".join(sorted(transfer.transfer_id for transfer in new)[:IDS_SHOWN])
        return Cause("transfers that the venue lists", f"bills {ids}", True, True)
    if corrected:
        names = ", ".join(sorted(corrected))
        return Cause(f"what {names} realised while its position was corrected", "", True, False)
    return Cause("unknown", "", False, False)

"""Why the venue's cash is not ours: what its own statements explain. Pure; amounts are 1e-8 USDT."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

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
    transfers: Mapping[str, int],
    corrected: Collection[str],
    tolerance_usdt: int,
) -> Cause:
    """Return the cause of a drift, in this order: transfers that add up to it; corrected positions; unknown.

    `transfers`: amounts by id, of those that are not in our cash yet. A correction of a position has no price
    that the venue told, so what it realised shows in the cash alone.
    """
    if transfers and abs(sum(transfers.values()) - amount_usdt) <= tolerance_usdt:
        ids = ", ".join(sorted(transfers)[:IDS_SHOWN])
        return Cause("transfers that the venue lists", f"bills {ids}", True, True)
    if corrected:
        names = ", ".join(sorted(corrected))
        return Cause(f"what {names} realised while its position was corrected", "", True, False)
    return Cause("unknown", "", False, False)

"""What a listing means for one symbol: how it differs from the file, and whether it may be traded. Pure."""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.instrument import OPEN, Instrument
from actors.domain.listing import DELISTED, Difference, Listed, differences, facts

__all__ = ["Verdict", "judge"]

UNITS = frozenset({"tick", "contract"})  # orders and books are counted in these
REMEDY = "run `polytrade markets diff`"


class Verdict(NamedTuple):
    """What is to be said of a symbol; two empty texts when it is as the file has it, and open."""

    text: str
    halt: str  # why it must not be traded; empty when it may


def judge(instrument: Instrument, listed: Listed | None) -> Verdict:
    """Return what the venue's word means for an instrument; None: the venue does not list it."""
    symbol = instrument.symbol
    if listed is None:
        if instrument.status == DELISTED:
            return Verdict(f"{symbol} is not listed at the venue", "not listed at the venue")
        return Verdict(f"{symbol} is not listed at the venue any more", "not listed at the venue any more")
    if listed.fault:
        reason = f"the venue says of it what cannot be used: {listed.fault}"
        return Verdict(f"{symbol}: {reason}", reason)
    changes = differences(symbol, facts(instrument), {"status": listed.status, **listed.values})
    reasons = [f"it is {listed.status} at the venue"] if listed.status != OPEN else []
    reasons += [_said(change) for change in changes if change.field in UNITS]
    told = [f"it is {listed.status} at the venue"] if listed.status != OPEN else []
    told += [_said(change) for change in changes if change.field != "status" or listed.status == OPEN]
    text = f"{symbol}: {'; '.join(told)}; {REMEDY}" if told else ""
    return Verdict(text, "; ".join(reasons))


def _said(change: Difference) -> str:
    if change.field == "tiers":
        return f"{len(change.before)} tiers on file, {len(change.after)} at the venue, and not the same"
    return f"{change.field} is {change.before} on file and {change.after} at the venue"

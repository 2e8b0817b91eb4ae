"""The fill that brings our position to the venue's, where the venue shows a position and no fill. Pure."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.messages.venue import OrderFilled
from actors.reconciler.compare import CORRECTION, Comparison, Difference
from actors.reconciler.state import Statements

__all__ = ["correction_of"]


def correction_of(difference: Difference, said: Statements, comparison: Comparison) -> OrderFilled | None:
    """Return the fill that moves `ours` to `theirs`; None while fills of the symbol are still under way.

    Its price is what makes the cost right: a reduction leaves at our own average, so it realises nothing, and
    what was realised in truth shows as a drift of the cash; an increase comes at the average that the venue
    states. The trade_id is made of symbol and the venue's date: the same statement never makes two.
    """
    symbol, ours, theirs = difference.symbol, difference.ours, difference.theirs
    if any(fill.symbol == symbol for fill in comparison.fills_missed):
        return None
    venue, ledger = said.theirs, said.ledger
    our_cost = sum(one.cost_ticks for one in ledger.positions if one.symbol == symbol)
    our_net = sum(one.net_contracts for one in ledger.positions if one.symbol == symbol)
    their_cost = sum(one.cost_ticks for one in venue.positions if one.symbol == symbol)
    moved = theirs - ours
    if our_net != ours or not moved:
        return None
    if ours and abs(theirs) < abs(ours) and ours * theirs >= 0:
        price = _nearest(our_cost, ours)
    elif ours * theirs > 0:
        price = _nearest(their_cost - our_cost, moved)
    else:
        price = _nearest(their_cost, theirs)
    if price <= 0:
        return None
    return OrderFilled(
        venue.account,
        "",
        "",
        symbol,
        f"{CORRECTION}{venue.at_ns}",
        Side.BUY if moved > 0 else Side.SELL,
        abs(moved),
        price,
        0,
        False,
        False,
        venue.at_ns,
    )


def _nearest(ticks: int, contracts: int) -> int:
    """Return a quotient rounded half up; both have one sign."""
    if not contracts or ticks * contracts <= 0:
        return 0
    return (2 * abs(ticks) + abs(contracts)) // (2 * abs(contracts))

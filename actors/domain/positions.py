"""One-way positions as pure arithmetic: what a fill does to size, cost and realised profit.

A position is (net_contracts, cost_ticks): cost_ticks is the signed sum of contracts x price_ticks of what is
open, so the average entry price is the exact ratio cost_ticks / net_contracts and nothing is lost to
rounding. When part of it closes, its share of the cost is rounded half-even once; the rest stays in the
position, so that realised profit summed over a closed position equals cash in minus cash out exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.instrument import Instrument
from actors.domain.money import divide_half_even

__all__ = ["FLAT", "FillEffect", "Position", "apply_fill", "unrealised"]


class Position(NamedTuple):
    """What is open in one instrument."""

    net_contracts: int = 0
    cost_ticks: int = 0  # signed like net_contracts


class FillEffect(NamedTuple):
    """What one fill did."""

    position: Position
    realised: int  # 1e-8 USDT, before fees; positive is profit
    closed_contracts: int
    opened_contracts: int


FLAT = Position()

# Every fill makes some of these: the tuple's own constructor costs half of what the named one does.
_new = tuple.__new__


def apply_fill(
    position: Position, signed_contracts: int, price_ticks: int, instrument: Instrument
) -> FillEffect:
    """Return the position after buying (positive) or selling (negative) contracts at a price."""
    net, cost = position
    if net == 0 or (net > 0) == (signed_contracts > 0):
        grown = _new(Position, (net + signed_contracts, cost + signed_contracts * price_ticks))
        return _new(FillEffect, (grown, 0, 0, abs(signed_contracts)))
    closing = min(abs(net), abs(signed_contracts))
    direction = 1 if net > 0 else -1
    closed_cost = cost if closing == abs(net) else divide_half_even(cost * closing, abs(net))
    realised = (direction * closing * price_ticks - closed_cost) * instrument.tick_value
    opening = abs(signed_contracts) - closing
    left = _new(Position, (net - direction * closing, cost - closed_cost))
    if opening:
        left = Position(-direction * opening, -direction * opening * price_ticks)
    return _new(FillEffect, (left, realised, closing, opening))


def unrealised(position: Position, mark_ticks: int, instrument: Instrument) -> int:
    """Return the open profit at a mark price in 1e-8 USDT; negative is a loss."""
    return (position.net_contracts * mark_ticks - position.cost_ticks) * instrument.tick_value

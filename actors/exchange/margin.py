"""Cross margin as pure arithmetic: what orders and positions tie up, and where a liquidation closes.

Amounts are 1e-8 USDT, `..._ticks` sums of contracts x price_ticks, positions signed.
"""

from __future__ import annotations

from typing import NamedTuple

from actors.domain.instrument import Instrument
from actors.domain.money import divide_half_even
from actors.exchange.state import Holding

__all__ = ["Takeover", "exposures_ticks", "initial_margin", "takeover", "worst_contracts"]


class Takeover(NamedTuple):
    """How much of a position the insurance fund takes over, and at which price."""

    contracts: int  # signed as the position is
    price_ticks: int


def exposures_ticks(
    holding: Holding, mark_ticks: int, buy_ticks: int = 0, sell_ticks: int = 0
) -> tuple[int, int]:
    """Return the exposure as it is, and as it would be with more bids or asks. Neither is negative.

    The exposure is the greater of what the position becomes if all resting bids fill and if all asks fill;
    the position counts at the mark, orders at their limits.
    """
    net_ticks = holding.position[0] * mark_ticks
    long_ticks = net_ticks + holding.buy_ticks
    short_ticks = holding.sell_ticks - net_ticks
    before = long_ticks if long_ticks > short_ticks else short_ticks
    long_ticks += buy_ticks
    short_ticks += sell_ticks
    return before, long_ticks if long_ticks > short_ticks else short_ticks


def worst_contracts(holding: Holding) -> int:
    """Return the size of the position if all resting bids, or all resting asks, fill."""
    net = holding.position.net_contracts
    return max(net + holding.buy_contracts, holding.sell_contracts - net)


def initial_margin(exposure: int, tick_value: int, leverage: int) -> int:
    """Return what an exposure in contracts x ticks ties up, rounded half-even."""
    return divide_half_even(exposure * tick_value, leverage)


def takeover(instrument: Instrument, net_contracts: int, mark_ticks: int, equity_usdt: int) -> Takeover:
    """Return the part of a position to close so that it falls into the next lower risk tier, and the price.

    `equity_usdt` is the equity that backs this position. The price is the one at which it is used up, the
    bankruptcy price, rounded so that what is left over stays with the account: less than one tick's worth.
    In the lowest tier all of the position goes.
    """
    size = abs(net_contracts)
    direction = 1 if net_contracts > 0 else -1
    lower = max((tier.contracts_max for tier in instrument.tiers if tier.contracts_max < size), default=0)
    ticks_to_bankruptcy = equity_usdt // (size * instrument.tick_value)
    price = max(1, mark_ticks - direction * ticks_to_bankruptcy)
    return Takeover(direction * (size - lower), price)

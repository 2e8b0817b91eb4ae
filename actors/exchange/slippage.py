"""What a taker pays beyond the shown price, for data without depth: a fixed part, and the market's impact.

    part = fixed + impact x sqrt(contracts / volume)

`volume` is what the market traded within the window before, in contracts; while nothing did, the order
counts as all of it. Prices move against the taker by this part of themselves, rounded up to whole ticks, but
never beyond the order's limit or the price band. The square root is the usual finding on how impact grows.
"""

from __future__ import annotations

from collections import deque
from math import isqrt

from actors.domain.money import E8
from actors.domain.orders import Side
from actors.exchange.matching import Match

__all__ = ["TradedVolume", "slip"]


class TradedVolume:
    """Contracts that the market traded within a window; no state, as prices are none."""

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._trades: deque[tuple[int, int]] = deque()
        self._sum = 0

    def add(self, contracts: int, at_ns: int) -> None:
        """Count one trade."""
        self._trades.append((at_ns, contracts))
        self._sum += contracts
        self.contracts(at_ns)

    def contracts(self, at_ns: int) -> int:
        """Return the sum of the window that ends now."""
        trades = self._trades
        while trades and trades[0][0] <= at_ns - self._window_ns:
            self._sum -= trades.popleft()[1]
        return self._sum


def slip(
    matches: list[Match], side: Side, limit_ticks: int, fixed_e8: int, impact_e8: int, volume: int
) -> list[Match]:
    """Return the matches with the market at the prices a taker really pays. Fractions are 1e-8."""
    contracts = sum(size for _, size, node in matches if node is None)
    if not contracts:
        return matches
    part_e8 = fixed_e8
    if impact_e8:
        part_e8 += -(-impact_e8 * isqrt(contracts * E8 * E8 // (volume or contracts)) // E8)
    return [
        (price if node is not None else _worse(price, side, limit_ticks, part_e8), size, node)
        for price, size, node in matches
    ]


def _worse(price: int, side: Side, limit_ticks: int, part_e8: int) -> int:
    moved = price + side * -(-price * part_e8 // E8)
    return min(moved, limit_ticks) if side is Side.BUY else max(moved, limit_ticks)

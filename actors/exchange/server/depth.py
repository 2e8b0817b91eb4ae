"""The book as the public sees it: real orders and displayed liquidity, added up by price."""

from __future__ import annotations

from itertools import pairwise

from actors.domain.orders import Side
from actors.exchange.prices import Ladder, Market

__all__ = ["Level", "aggregated", "levels_of"]

Level = tuple[int, int]  # (price_ticks, contracts)


def levels_of(market: Market, side: Side, depth: int) -> list[Level]:
    """Return up to `depth` levels of one side, best first."""
    resting = market.book.side(side)
    ladder = market.bids if side is Side.BUY else market.asks
    found: dict[int, int] = {}
    if resting.count:
        for node in resting.walk():
            price, order = node.price_ticks, node.order
            left = order.request.contracts - order.filled_contracts
            if price in found:
                found[price] += left
            elif len(found) == depth:
                break
            else:
                found[price] = left
    shown = _displayed(ladder, depth)
    if not shown:
        return list(found.items())
    for price, contracts in shown:
        found[price] = found.get(price, 0) + contracts
    return sorted(found.items(), reverse=side is Side.BUY)[:depth]


def _displayed(ladder: Ladder, depth: int) -> list[Level]:
    if not ladder.ready():
        return []
    first, *rest = ladder.levels[ladder.index : ladder.index + depth]
    return [(first[0], ladder.left), *rest] if ladder.left else rest


def aggregated(levels: list[Level], side: Side, step_ticks: int) -> list[Level]:
    """Return levels added up to multiples of a step: bids down, asks up."""
    if step_ticks <= 1:
        return levels
    found: dict[int, int] = {}
    for price, contracts in levels:
        rounded = price // step_ticks if side is Side.BUY else -(-price // step_ticks)
        found[rounded * step_ticks] = found.get(rounded * step_ticks, 0) + contracts
    return list(found.items())


def is_ordered(levels: list[Level], side: Side) -> bool:
    """Tell whether levels are strictly best first."""
    return all((before[0] - after[0]) * side > 0 for before, after in pairwise(levels))

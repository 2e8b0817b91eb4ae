"""A candle does not tell which of its extremes came first: orders that only reduce wait for the second one.

The first extreme of a candle may reach a target, and the second one the stop of the same position. The worse
order of the two counts: what reduces a position fills at the first extreme only if it still rests once the
second one has been seen, and whoever reacts to that has reacted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from actors.domain.orders import Side
    from actors.exchange.book import Node
    from actors.exchange.prices import Market

__all__ = ["Spared", "is_reducing", "next_to_fill", "spared_by"]


class Spared(NamedTuple):
    """Orders that a trade reached and did not fill yet."""

    numbers: tuple[int, ...]
    contracts: int  # of the trade that are left for them
    due_ns: int


def is_reducing(node: Node) -> bool:
    """Tell whether an order would make the position smaller that its account has."""
    return int(node.order.request.side) * node.standing.holding.position.net_contracts < 0


def reached(market: Market, price_ticks: int, taker: Side, reaches_limit: bool) -> list[Node]:
    """Return every resting order that a trade of the market reaches, as they would fill."""
    found = []
    for side in (market.book.bids, market.book.asks):
        at_limit = 1 if reaches_limit and int(taker) != side.sign else 0
        for node in side.walk():
            if (node.price_ticks - price_ticks) * side.sign + at_limit <= 0:
                break
            found.append(node)
    return found


def next_to_fill(market: Market, price_ticks: int, taker: Side, reaches_limit: bool) -> Node | None:
    """Return the order that a first extreme fills next: the first that does not only reduce."""
    found = reached(market, price_ticks, taker, reaches_limit)
    return next((node for node in found if not is_reducing(node)), None)


def spared_by(
    market: Market, price_ticks: int, taker: Side, reaches_limit: bool, contracts: int, due_ns: int
) -> Spared | None:
    """Return what a first extreme leaves for later, None when it reached nothing that reduces."""
    found = [node for node in reached(market, price_ticks, taker, reaches_limit) if is_reducing(node)]
    if not found or contracts <= 0:
        return None
    return Spared(tuple(node.order.number for node in found), contracts, due_ns)

"""Where a resting order stands behind the displayed ones at its price (`queue: shown`).

At placement everything displayed at its price is ahead of it. Trades at that price take from the front. What
else the display loses was canceled, by orders ahead and behind in proportion. Below the deepest displayed
level nobody knows how much is ahead: the order joins the end when its level is first shown, and until then
only a trade through its price fills it. Places are no state: a restart puts an order at the end again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actors.exchange.book import BookSide, Node
from actors.exchange.prices import Ladder, Level

__all__ = ["join", "look", "wait"]


def join(node: Node, ladder: Ladder) -> None:
    """Give an order that begins to rest its place behind what is displayed."""
    ladder.ready()
    levels = ladder.levels
    if levels and node.price_ticks * ladder.sign >= levels[-1][0] * ladder.sign:
        _seen(node, dict(levels).get(node.price_ticks, 0))


def look(resting: BookSide, levels: Sequence[Level]) -> None:
    """Compare the places of resting orders with levels that were just displayed, best first."""
    if not levels or not resting.count:
        return
    deepest = levels[-1][0] * resting.sign
    sizes = dict(levels)
    for node in resting.walk():
        if node.price_ticks * resting.sign < deepest:
            break  # the best come first
        _seen(node, sizes.get(node.price_ticks, 0))


def wait(node: Node, contracts: int) -> int:
    """Let a trade at an order's price take from those ahead of it; return what is left for the order."""
    if node.ahead < 0:
        return 0
    taken = min(contracts, node.ahead)
    for one in _from(node):
        one.ahead = max(0, one.ahead - taken) if one.ahead >= 0 else one.ahead
        one.shown = max(0, one.shown - taken)
    return contracts - taken


def _seen(node: Node, size: int) -> None:
    if node.ahead < 0:
        node.ahead = size
    elif size < node.shown:
        node.ahead = -(-node.ahead * size // node.shown)
    node.shown = size


def _from(node: Node) -> Iterator[Node]:
    following: Node | None = node
    while following is not None:
        yield following
        following = following.following

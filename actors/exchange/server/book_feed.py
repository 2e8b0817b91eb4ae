"""`book_lv2`: a window of the best levels, told as a snapshot and then as differences, chained by ids."""

from __future__ import annotations

from typing import Any

from actors.domain.orders import Side
from actors.exchange.prices import Market
from actors.exchange.server.depth import Level, levels_of

__all__ = ["BookFeed", "Difference"]

WINDOW = 20
Difference = tuple[list[Level], list[Level]]  # (asks, bids); 0 contracts deletes a level


class BookFeed:
    """What the public was last told of one book."""

    def __init__(self, market: Market, first_id: int) -> None:
        self._market = market
        self.id = first_id
        self.last_id = first_id
        self.asks: list[Level] = []
        self.bids: list[Level] = []
        self.advance()

    def advance(self) -> Difference | None:
        """Look at the book; return what has changed within the window since the last look, None for nothing.

        Ids grow by more than one, so that nobody counts on their being dense.
        """
        asks = levels_of(self._market, Side.SELL, WINDOW)
        bids = levels_of(self._market, Side.BUY, WINDOW)
        changed = _changes(self.asks, asks), _changes(self.bids, bids)
        self.asks, self.bids = asks, bids
        count = len(changed[0]) + len(changed[1])
        if not count:
            return None
        self.last_id, self.id = self.id, self.id + count + 1
        return changed


def _changes(before: list[Level], after: list[Level]) -> list[Level]:
    old, new = dict(before), dict(after)
    gone: list[Any] = [(price, 0) for price in old if price not in new]
    return gone + [level for level in after if old.get(level[0]) != level[1]]

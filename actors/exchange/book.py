"""The price-time book of real orders of one symbol: any number of accounts, best price first, oldest first.

Adding costs a binary search, and for a new price a move of one pointer per level in C; reading the best
and taking an order out cost O(1). A level that ran empty stays until it is met at the top or until empty
levels outnumber the others, so taking out never searches and the book never grows with its past.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import TYPE_CHECKING

from actors.domain.orders import Side
from actors.exchange.state import Order

if TYPE_CHECKING:
    from actors.exchange.accounts import Standing

__all__ = ["Book", "BookSide", "Node"]

EMPTY_LEVELS_KEPT = 32  # fewer are not worth a rebuild


class Node:
    """One resting order's place in the queue of its price."""

    __slots__ = (
        "ahead",
        "following",
        "level",
        "order",
        "previous",
        "price_ticks",
        "shown",
        "side",
        "standing",
    )

    def __init__(self, order: Order, standing: Standing, side: BookSide) -> None:
        self.order = order
        self.standing = standing
        self.side = side
        self.price_ticks = order.request.limit_ticks
        self.level: _Level | None = None
        self.previous: Node | None = None
        self.following: Node | None = None
        self.ahead = -1  # displayed contracts that trade before it; -1 while nobody knows, see queue_position
        self.shown = 0  # displayed at its price when last looked at, less what traded since


class _Level:
    """The queue of one price, oldest first."""

    __slots__ = ("first", "last")

    def __init__(self) -> None:
        self.first: Node | None = None
        self.last: Node | None = None


class BookSide:
    """All bids or all asks of one symbol."""

    __slots__ = ("_empty_count", "_keys", "_levels", "count", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = int(side)  # a key is price x sign: the greatest is the best on both sides
        self.count = 0
        self._keys: list[int] = []
        self._levels: dict[int, _Level] = {}
        self._empty_count = 0

    def add(self, node: Node) -> None:
        """Put an order at the end of its price's queue."""
        key = node.price_ticks * self.sign
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level()
            insort(self._keys, key)
        elif level.first is None:
            self._empty_count -= 1
        node.level, node.previous = level, level.last
        if level.last is None:
            level.first = node
        else:
            level.last.following = node
        level.last = node
        self.count += 1

    def remove(self, node: Node) -> None:
        """Take an order out, wherever it stands in its queue."""
        level = node.level
        if level is None:
            return
        before, after = node.previous, node.following
        if before is None:
            level.first = after
        else:
            before.following = after
        if after is None:
            level.last = before
        else:
            after.previous = before
        node.level = node.previous = node.following = None
        self.count -= 1
        if level.first is None:
            self._empty_count += 1
            if self._empty_count > EMPTY_LEVELS_KEPT and self._empty_count * 2 > len(self._keys):
                self._forget_empty_levels()

    def best(self) -> Node | None:
        """Return the order that trades next, None when nobody waits."""
        if not self.count:
            return None
        keys = self._keys
        while True:
            first = self._levels[keys[-1]].first
            if first is not None:
                return first
            del self._levels[keys.pop()]
            self._empty_count -= 1

    def walk(self) -> Iterator[Node]:
        """Yield every order in the order in which they trade. The book may not change meanwhile."""
        for key in reversed(self._keys):
            node = self._levels[key].first
            while node is not None:
                yield node
                node = node.following

    def _forget_empty_levels(self) -> None:
        self._levels = {key: level for key, level in self._levels.items() if level.first is not None}
        self._keys = sorted(self._levels)
        self._empty_count = 0


class Book:
    """Both sides of one symbol."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def side(self, side: Side) -> BookSide:
        """Return the side an order of this direction rests on."""
        return self.bids if side is Side.BUY else self.asks

    def add(self, order: Order, standing: Standing) -> Node:
        """Let an order rest; return its place, which is needed to take it out."""
        side = self.side(order.request.side)
        node = Node(order, standing, side)
        side.add(node)
        return node

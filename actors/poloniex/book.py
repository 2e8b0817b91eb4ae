"""One order book, kept from `book_lv2`: a snapshot, then changes, each naming the message before it.

A change that does not follow the last message, a crossed book or one that grows without end means that what
we hold is not the venue's book: it is thrown away, and the caller asks for a new snapshot.
Source: docs/poloniex.md, Order book stream.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections.abc import Iterable

__all__ = ["Book", "BookChange", "Level"]

Level = tuple[int, int]  # (price_ticks, contracts)

LEVELS_MAX = 200  # of a side; the venue keeps 20, so ten times as many are a fault


class BookChange(enum.Enum):
    """What became of a message."""

    APPLIED = "applied"
    IGNORED = "ignored"  # before the first snapshot, or the last message once more
    GAP = "gap"  # a message is missing between the last one and this
    CORRUPT = "corrupt"  # crossed, endless, or with negative sizes


class Book:
    """Both sides of one symbol. `is_ready` tells whether it can be believed."""

    __slots__ = ("_ask_sizes", "_asks", "_bid_sizes", "_bids", "is_ready", "last_id", "last_lid")

    def __init__(self) -> None:
        self.is_ready = False
        self.last_id = self.last_lid = -1
        self._bids: list[int] = []  # prices, ascending: the best is the last
        self._asks: list[int] = []  # prices, ascending: the best is the first
        self._bid_sizes: dict[int, int] = {}
        self._ask_sizes: dict[int, int] = {}

    def replace(self, message_id: int, bids: Iterable[Level], asks: Iterable[Level]) -> BookChange:
        """Take a snapshot, whatever was there before."""
        self.clear()
        bid_sizes, ask_sizes = dict(bids), dict(asks)
        self._bid_sizes = {price: size for price, size in bid_sizes.items() if size}
        self._ask_sizes = {price: size for price, size in ask_sizes.items() if size}
        self._bids, self._asks = sorted(self._bid_sizes), sorted(self._ask_sizes)
        self.last_id = message_id
        sizes = (*self._bid_sizes.values(), *self._ask_sizes.values())
        return self._judge(min(sizes, default=0) < 0)

    def update(
        self, previous_id: int, message_id: int, bids: Iterable[Level], asks: Iterable[Level]
    ) -> BookChange:
        """Take a change: sizes are absolute, 0 removes a level."""
        if not self.is_ready:
            return BookChange.IGNORED
        if previous_id != self.last_id:
            if message_id == self.last_id and previous_id == self.last_lid:
                return BookChange.IGNORED
            self.clear()
            return BookChange.GAP
        self.last_lid, self.last_id = previous_id, message_id
        negative = _merge(self._bids, self._bid_sizes, bids)
        negative |= _merge(self._asks, self._ask_sizes, asks)
        return self._judge(negative)

    def clear(self) -> None:
        """Forget everything, until a snapshot comes."""
        self.is_ready = False
        self.last_id = self.last_lid = -1
        self._bids, self._asks = [], []
        self._bid_sizes, self._ask_sizes = {}, {}

    def top(self) -> tuple[int, int, int, int]:
        """Return (bid_ticks, bid_contracts, ask_ticks, ask_contracts); 0 and 0 for an empty side."""
        bid = self._bids[-1] if self._bids else 0
        ask = self._asks[0] if self._asks else 0
        return bid, self._bid_sizes.get(bid, 0), ask, self._ask_sizes.get(ask, 0)

    def bids(self, count: int) -> tuple[Level, ...]:
        """Return the best bids, best first."""
        sizes = self._bid_sizes
        return tuple([(price, sizes[price]) for price in self._bids[: -count - 1 : -1]])

    def asks(self, count: int) -> tuple[Level, ...]:
        """Return the best asks, best first."""
        sizes = self._ask_sizes
        return tuple([(price, sizes[price]) for price in self._asks[:count]])

    def _judge(self, negative: bool) -> BookChange:
        bids, asks = self._bids, self._asks
        crossed = bool(bids and asks) and bids[-1] >= asks[0]
        if negative or crossed or len(bids) > LEVELS_MAX or len(asks) > LEVELS_MAX:
            self.clear()
            return BookChange.CORRUPT
        self.is_ready = True
        return BookChange.APPLIED


def _merge(prices: list[int], sizes: dict[int, int], levels: Iterable[Level]) -> bool:
    """Set levels of one side; return whether a size was negative."""
    negative = False
    for price, size in levels:
        if size > 0:
            if price not in sizes:
                insort(prices, price)
            sizes[price] = size
        elif size < 0:
            negative = True
        elif price in sizes:
            del sizes[price], prices[bisect_left(prices, price)]
    return negative

"""A bounded memory of the newest items, as a struct that a snapshot can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

__all__ = ["Ring"]

T = TypeVar("T")


class Ring(msgspec.Struct, Generic[T], array_like=True, gc=False):
    """Keeps the newest items up to a capacity that its owner says; each put costs O(1)."""

    items: list[T] = []
    oldest: int = 0  # where the oldest item is, once the ring is full

    def put(self, item: T, capacity: int) -> T | None:
        """Remember an item; return the one that had to be forgotten for it, None while there is room."""
        items = self.items
        if len(items) < capacity:
            items.append(item)
            return None
        slot = self.oldest
        displaced = items[slot]
        items[slot] = item
        self.oldest = slot + 1 if slot + 1 < capacity else 0
        return displaced

    def newest(self) -> T:
        """Return the item put last. Errors: IndexError when there is none."""
        return self.items[self.oldest - 1]

    def newest_first(self) -> Iterator[T]:
        """Yield from the newest to the oldest."""
        items = self.items
        yield from reversed(items[: self.oldest])
        yield from reversed(items[self.oldest :])

    def fit(self, capacity: int) -> None:
        """Bring a ring that was filled under another capacity into order for this one."""
        if len(self.items) == capacity or (self.oldest == 0 and len(self.items) < capacity):
            return
        ordered = self.items[self.oldest :] + self.items[: self.oldest]
        self.items = ordered[-capacity:]
        self.oldest = 0

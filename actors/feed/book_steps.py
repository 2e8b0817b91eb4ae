"""From rows of books to the books that readers are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest, nsmallest
from typing import NamedTuple

from actors.domain.orders import Side
from actors.feed.book_rows import BookRow, LevelRow, Levels, StartBook

__all__ = ["BookStep", "book_steps", "level_steps"]


class BookStep(NamedTuple):
    """The book stands so; `row` is the last row it follows from."""

    at_ns: int
    row: int
    bids: Levels
    asks: Levels


def book_steps(rows: Iterable[BookRow], levels: int) -> Iterator[BookStep]:
    """Yield one book per row that has both sides."""
    for number, (at_ns, bids, asks) in enumerate(rows, 1):
        if bids and asks:
            yield BookStep(at_ns, number, bids[:levels], asks[:levels])


def level_steps(rows: Iterable[LevelRow], start: StartBook | None, levels: int) -> Iterator[BookStep]:
    """Yield the book after all changes of each instant.

    A book that is crossed or lacks a side is not shown. Changes that the start already holds are left out.
    """
    bids: dict[int, int] = dict(start.bids) if start else {}
    asks: dict[int, int] = dict(start.asks) if start else {}
    known_id = start.update_id if start else 0
    now_ns = number = 0
    for number, (at_ns, side, price, contracts, update_id) in enumerate(rows, 1):
        if known_id and update_id and update_id < known_id:
            continue
        if now_ns and at_ns != now_ns:
            yield from _book(now_ns, number - 1, bids, asks, levels)
        now_ns = at_ns
        levels_of = bids if side is Side.BUY else asks
        if contracts:
            levels_of[price] = contracts
        else:
            levels_of.pop(price, None)
    if now_ns:
        yield from _book(now_ns, number, bids, asks, levels)


def _book(
    at_ns: int, row: int, bids: dict[int, int], asks: dict[int, int], levels: int
) -> Iterator[BookStep]:
    if not bids or not asks:
        return
    best_bids, best_asks = nlargest(levels, bids), nsmallest(levels, asks)
    if best_bids[0] <= best_asks[0]:
        shown = tuple((price, bids[price]) for price in best_bids)
        yield BookStep(at_ns, row, shown, tuple((price, asks[price]) for price in best_asks))

"""The book of the exchange as two columns over a window of ticks."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Book", "best_ask", "best_bid", "is_outside", "set_ask", "set_bid"]

BEST_BID, BEST_ASK, OUTSIDE = 0, 1, 2


class Book(NamedTuple):
    """Size shown at each tick; place 0 is `floor_ticks`."""

    floor_ticks: int
    bids: Any
    asks: Any
    # Place of the best bid (-1: none), place of the best ask (length: none), changes outside the window.
    tops: Any


def is_outside(book: Book, price_ticks: int) -> bool:
    """Tell whether a price has no place in the window."""
    place = price_ticks - book.floor_ticks
    return place < 0 or place >= len(book.bids)


def best_bid(book: Book) -> int:
    """Return the best bid in ticks; 0 when there is none."""
    return book.tops[BEST_BID] + book.floor_ticks if book.tops[BEST_BID] >= 0 else 0


def best_ask(book: Book) -> int:
    """Return the best ask in ticks; 0 when there is none."""
    return book.tops[BEST_ASK] + book.floor_ticks if book.tops[BEST_ASK] < len(book.asks) else 0


def set_bid(book: Book, price_ticks: int, size: int) -> int:
    """Set what a level shows and return what it showed."""
    place, tops = price_ticks - book.floor_ticks, book.tops
    if place < 0 or place >= len(book.bids):
        tops[OUTSIDE] += 1
        return 0
    before = book.bids[place]
    book.bids[place] = size
    best = tops[BEST_BID]
    if size and place > best:
        tops[BEST_BID] = place
    elif not size and place == best:
        while best >= 0 and not book.bids[best]:
            best -= 1
        tops[BEST_BID] = best
    return before


def set_ask(book: Book, price_ticks: int, size: int) -> int:
    """Set what a level shows and return what it showed."""
    place, tops = price_ticks - book.floor_ticks, book.tops
    if place < 0 or place >= len(book.asks):
        tops[OUTSIDE] += 1
        return 0
    before = book.asks[place]
    book.asks[place] = size
    best = tops[BEST_ASK]
    if size and place < best:
        tops[BEST_ASK] = place
    elif not size and place == best:
        while best < len(book.asks) and not book.asks[best]:
            best += 1
        tops[BEST_ASK] = best
    return before

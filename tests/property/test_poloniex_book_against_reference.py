"""The book against the most naive book there is, over any stream of snapshots, changes, gaps and repeats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.poloniex.book import Book, BookChange

PRICES = st.integers(1, 30)
SIZES = st.integers(0, 5)
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=6)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["update", "update", "update", "snapshot", "skip", "repeat"]),
        LEVELS,
        LEVELS,
    ),
    max_size=30,
)


class NaiveBook:
    """Two dicts, copied whole each time; nothing is kept but what the rules say."""

    def __init__(self) -> None:
        self.bids: dict[int, int] | None = None
        self.asks: dict[int, int] = {}
        self.last = None

    def take(self, kind: str, lid: int, message_id: int, bids, asks) -> None:
        if kind == "snapshot":
            self.bids, self.asks = {}, {}
        elif self.bids is None:
            return
        elif lid != self.last[1]:
            if (lid, message_id) != self.last:
                self.bids = None
            return
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size in levels:
                side[price] = size
        self.last = (lid, message_id) if kind != "snapshot" else (-1, message_id)
        best_bid = max((p for p, s in self.bids.items() if s), default=0)
        best_ask = min((p for p, s in self.asks.items() if s), default=99)
        if best_bid >= best_ask:
            self.bids = None

    def levels(self):
        bids = sorted(((p, s) for p, s in self.bids.items() if s), reverse=True)
        return tuple(bids), tuple(sorted((p, s) for p, s in self.asks.items() if s))


@given(MESSAGES)
def test_the_book_is_the_naive_book(messages) -> None:
    book, naive = Book(), NaiveBook()
    previous, message_id = 0, 0
    for kind, bids, asks in messages:
        if kind == "repeat" and message_id:
            lid = previous
        else:
            step = 5 if kind == "skip" else 0
            previous, message_id = message_id + step, message_id + step + 3
            lid = previous
        bids, asks = list(dict(bids).items()), [(price + 15, size) for price, size in dict(asks).items()]
        if kind == "snapshot":
            change = book.replace(message_id, bids, asks)
        else:
            change = book.update(lid, message_id, bids, asks)
        naive.take(kind, lid, message_id, bids, asks)
        assert book.is_ready == (naive.bids is not None)
        assert (change is BookChange.APPLIED) <= book.is_ready
        if naive.bids is not None:
            assert (book.bids(100), book.asks(100)) == naive.levels()
            top = book.top()
            assert (top[:2], top[2:]) == (
                (book.bids(1) or ((0, 0),))[0],
                (book.asks(1) or ((0, 0),))[0],
            )


@given(LEVELS, LEVELS, st.integers(-5, -1))
def test_negative_sizes_never_get_in(bids, asks, size) -> None:
    book = Book()
    assert book.replace(1, [(1, 1)], [(100, 1)]) is BookChange.APPLIED
    assert book.update(1, 2, [*bids, (7, size)], asks) is BookChange.CORRUPT
    assert not book.is_ready


def test_a_book_that_grows_without_end_is_given_up() -> None:
    book = Book()
    book.replace(0, [], [])
    for number in range(201):
        change = book.update(number, number + 1, [(number + 1, 1)], [])
    assert change is BookChange.CORRUPT

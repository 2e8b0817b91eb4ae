"""What happened at the exchange, as columns: level changes and trades, with the time each was seen here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["ASK", "BID", "BOUGHT", "SOLD", "StartBook", "TickEvents", "drawn", "events_of", "synthetic"]

Ints = Any  # np.ndarray of int64, or a list of ints where nothing is compiled

# BID and ASK set the size shown at a level; BOUGHT and SOLD are trades, named for the taker.
BID, ASK, BOUGHT, SOLD = 0, 1, 2, 3


class TickEvents(NamedTuple):
    """Events in the order of the exchange; rows with one `at_ns` are one message, seen together."""

    at_ns: Ints  # the exchange's clock
    seen_ns: Ints  # when it reaches the strategy: never before at_ns, never out of order
    kind: Ints
    price_ticks: Ints
    size: Ints  # lots; for a level the whole size shown, 0 removes it


class StartBook(NamedTuple):
    """Levels that stand before the first event."""

    bid_ticks: Ints
    bid_size: Ints
    ask_ticks: Ints
    ask_size: Ints


def drawn(latency_ns: int | Ints) -> Ints:
    """Return a latency as the column that is drawn from in turn; one number is fixed.

    Errors: ValueError when it is empty or negative.
    """
    column = np.atleast_1d(np.asarray(latency_ns, np.int64))
    if not len(column) or column.min() < 0:
        raise ValueError(f"a latency is 0 ns or more, not {latency_ns!r}")
    return column


def events_of(
    at_ns: Ints, kind: Ints, price_ticks: Ints, size: Ints, feed_latency_ns: int | Ints = 0
) -> TickEvents:
    """Return checked events; the latency is drawn once a message, and no message overtakes another.

    Errors: ValueError with the row.
    """
    columns = [np.ascontiguousarray(column, np.int64) for column in (at_ns, kind, price_ticks, size)]
    at = columns[0]
    if len({len(column) for column in columns}) != 1 or not len(at):
        raise ValueError("events need four columns of one length, with at least one row")
    _refuse_row("time goes back", np.flatnonzero(np.diff(at) < 0) + 1)
    _refuse_row("kind is none of 0..3", np.flatnonzero((columns[1] < BID) | (columns[1] > SOLD)))
    _refuse_row("price is not positive", np.flatnonzero(columns[2] <= 0))
    _refuse_row("size is negative", np.flatnonzero(columns[3] < 0))
    message = np.concatenate(([0], np.cumsum(np.diff(at) != 0)))
    latency = drawn(feed_latency_ns)
    seen = np.maximum.accumulate(at + latency[message % len(latency)])
    return TickEvents(at, seen, columns[1], columns[2], columns[3])


def _refuse_row(why: str, rows: Any) -> None:
    if len(rows):
        raise ValueError(f"event {rows[0]}: {why} ({len(rows)} such rows)")


def synthetic(
    steps: int, chance: Any, *, feed_latency_ns: int | Ints = 1_000_000, mid_ticks: int = 500_000
) -> tuple[StartBook, TickEvents]:
    """Return a market of four events every 2.5 ms: a level behind the touch, both touches, a trade.

    The touch moves by one tick in every fifth step. `chance` is a numpy Generator; the same
    state of it gives the same market.
    """
    move = chance.choice([-1, 0, 1], steps, p=[0.1, 0.8, 0.1])
    mid = mid_ticks + np.cumsum(move)
    kind = np.empty((steps, 4), np.int64)
    price = np.empty((steps, 4), np.int64)
    size = (chance.exponential(5_000, (steps, 4)) + 100).astype(np.int64)
    kind[:, 0] = np.where(move > 0, ASK, BID)
    price[:, 0] = np.where(move > 0, mid, np.where(move < 0, mid + 1, mid - chance.integers(2, 20, steps)))
    size[:, 0] = np.where(move == 0, size[:, 0], 0)
    kind[:, 1], price[:, 1] = BID, mid
    kind[:, 2], price[:, 2] = ASK, mid + 1
    buys = chance.integers(0, 2, steps)
    kind[:, 3], price[:, 3] = np.where(buys, BOUGHT, SOLD), mid + buys
    at = np.repeat(np.arange(1, steps + 1) * 2_500_000, 4) + np.tile([0, 0, 0, 1_000], steps)
    levels = np.arange(1, 40)
    full = np.full(len(levels), 5_000)
    start = StartBook(mid_ticks + 1 - levels, full, mid_ticks + levels, full)
    return start, events_of(at, kind.ravel(), price.ravel(), size.ravel(), feed_latency_ns)

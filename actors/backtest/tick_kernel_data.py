"""Level changes and trades of one market from Parquet, checked, beside the snapshot that they start from.

Level changes: T_ms, local_us, U, u, pu, side (b or a), price, qty; a row for each level changed. Trades:
ts_ms, local_us, price, qty, side (of the taker: buy or sell). The snapshot is the JSON of the REST endpoint.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from actors.backtest.tick_kernel_book import Book, best_ask, best_bid, set_ask, set_bid
from actors.backtest.tick_kernel_events import ASK, BID, BOUGHT, StartBook, TickEvents, events_of

__all__ = ["TickDataFault", "load_ticks"]

# Off by more than this part of a tick or lot, a number is not one of the market's.
TOLERANCE = 1e-4
# DuckDB tells no u from U, and calls the second u_1.
DEPTH = (
    "SELECT T_ms, local_us, U AS first_id, u_1 AS last_id, pu AS previous_id, side = 'a' AS is_ask, "
    "price, qty FROM read_parquet(?)"
)
TRADES = "SELECT ts_ms, local_us, side = 'buy' AS bought, price, qty FROM read_parquet(?)"


class TickDataFault(Exception):
    """A file that must not be used, with its row."""


def load_ticks(
    depth: Path,
    trades: Path,
    snapshot: Path,
    *,
    tick: str,
    lot: str,
    feed_latency_ns: int | Any | None = None,
    feed_latency_ns_min: int = 1_000_000,
) -> tuple[StartBook, TickEvents]:
    """Return the first book and all that came after it, with prices in ticks and sizes in lots.

    `feed_latency_ns` None takes the recorded latency, moved so that the smallest is `feed_latency_ns_min`:
    the two clocks that it was recorded with do not agree. Errors: TickDataFault.
    """
    body = _snapshot(snapshot)
    start = StartBook(
        *_levels(snapshot, body["bids"], tick, lot), *_levels(snapshot, body["asks"], tick, lot)
    )
    rows = _columns(depth, DEPTH)
    kept = _in_sequence(depth, rows, int(body["lastUpdateId"]))
    rows = {name: column[kept] for name, column in rows.items()}
    tape = _columns(trades, TRADES)
    later = tape["local_us"] >= rows["local_us"][0]
    tape = {name: column[later] for name, column in tape.items()}
    at = np.concatenate((tape["ts_ms"], rows["T_ms"])) * 1_000_000
    # At one millisecond trades come first: the level that they took from changes because of them.
    order = np.argsort(at, kind="stable")
    at = at[order]
    local = np.concatenate((tape["local_us"], rows["local_us"]))[order] * 1_000
    kind = np.concatenate((np.where(tape["bought"], BOUGHT, BOUGHT + 1), np.where(rows["is_ask"], ASK, BID)))
    price = np.concatenate((_whole(trades, tape, "price", tick), _whole(depth, rows, "price", tick)))
    size = np.concatenate((_whole(trades, tape, "qty", lot), _whole(depth, rows, "qty", lot)))
    if feed_latency_ns is None:
        feed_latency_ns = _recorded(at, local, feed_latency_ns_min)
    events = events_of(at, kind[order], price[order], size[order], feed_latency_ns)
    numbers = np.concatenate((np.zeros(len(tape["row"]), np.int64), rows["row"]))[order]
    _refuse_crossed(depth, start, events, numbers)
    return start, events


def _snapshot(path: Path) -> Any:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TickDataFault(f"{path}: cannot be read: {error}") from None
    missing = [name for name in ("bids", "asks", "lastUpdateId") if name not in body]
    if missing:
        raise TickDataFault(f"{path}: has no {', '.join(missing)}")
    return body


def _columns(path: Path, query: str) -> dict[str, Any]:
    import duckdb

    try:
        found: dict[str, Any] = duckdb.execute(query, [str(path)]).fetchnumpy()
    except duckdb.Error as error:
        raise TickDataFault(f"{path}: {error}") from None
    for name, column in found.items():
        holes = np.flatnonzero(np.ma.getmaskarray(column))
        if len(holes):
            raise TickDataFault(f"{path}: row {holes[0] + 1}: {name} is missing")
    columns = {name: np.ma.getdata(column) for name, column in found.items()}
    return columns | {
        "row": np.arange(1, len(columns["price"]) + 1)
    }  # in the file, whatever is left out of it


def _in_sequence(path: Path, rows: dict[str, Any], snapshot_id: int) -> Any:
    """Return which rows follow the snapshot without a gap."""
    kept = np.flatnonzero(rows["last_id"] >= snapshot_id)
    if not len(kept):
        raise TickDataFault(f"{path}: ends before the snapshot ({snapshot_id})")
    first, last, before = (rows[name][kept] for name in ("first_id", "last_id", "previous_id"))
    if first[0] > snapshot_id:
        raise TickDataFault(
            f"{path}: row {kept[0] + 1}: begins at {first[0]}, after the snapshot ({snapshot_id})"
        )
    begins = np.flatnonzero(np.diff(last) != 0) + 1
    broken = begins[before[begins] != last[begins - 1]]
    if len(broken):
        row = broken[0]
        raise TickDataFault(
            f"{path}: row {kept[row] + 1}: follows update {before[row]}, but {last[row - 1]} came before it"
        )
    return kept


def _whole(path: Path, rows: dict[str, Any], name: str, unit: str) -> Any:
    exact = rows[name] / float(unit)
    rounded = np.rint(exact)
    odd = np.flatnonzero(~(np.abs(exact - rounded) <= TOLERANCE))
    if len(odd):
        raise TickDataFault(
            f"{path}: row {rows['row'][odd[0]]}: {name} {rows[name][odd[0]]} is no multiple of {unit}"
        )
    return rounded.astype(np.int64)


def _levels(path: Path, levels: list[list[str]], tick: str, lot: str) -> tuple[Any, Any]:
    columns = []
    for place, (name, unit) in enumerate((("price", tick), ("size", lot))):
        exact = [Decimal(level[place]) / Decimal(unit) for level in levels]
        odd = [number for number in exact if number != int(number)]
        if odd:
            raise TickDataFault(f"{path}: {name} {odd[0] * Decimal(unit)} is no multiple of {unit}")
        columns.append(np.array([int(number) for number in exact], np.int64))
    return columns[0], columns[1]


def _recorded(at: Any, local: Any, least_ns: int) -> Any:
    """Return the latency of each message, its last row's, from the smallest upwards."""
    begins = np.concatenate(([0], np.flatnonzero(np.diff(at)) + 1))
    latency = np.maximum.reduceat(local - at, begins)
    return latency - latency.min() + least_ns


def _refuse_crossed(path: Path, start: StartBook, events: TickEvents, numbers: Any) -> None:
    """Replay the book and refuse one whose sides meet after a message."""
    prices = np.concatenate((start.bid_ticks, start.ask_ticks, events.price_ticks))
    floor, width = int(prices.min()), int(prices.max() - prices.min()) + 1
    book = Book(floor, [0] * width, [0] * width, [-1, width, 0])
    for price, size in zip(start.bid_ticks.tolist(), start.bid_size.tolist(), strict=True):
        set_bid(book, price, size)
    for price, size in zip(start.ask_ticks.tolist(), start.ask_size.tolist(), strict=True):
        set_ask(book, price, size)
    was, changed = events.at_ns[0], 0
    columns = (events.at_ns, events.kind, events.price_ticks, events.size, numbers)
    for at, kind, price, size, number in zip(*(column.tolist() for column in columns), strict=True):
        if at != was and best_bid(book) and best_ask(book) and best_bid(book) >= best_ask(book):
            raise TickDataFault(
                f"{path}: row {changed}: crossed after {was // 1_000_000} ms: "
                f"bid {best_bid(book)}, ask {best_ask(book)} ticks"
            )
        was, changed = at, number or changed
        if kind == BID:
            set_bid(book, price, size)
        elif kind == ASK:
            set_ask(book, price, size)

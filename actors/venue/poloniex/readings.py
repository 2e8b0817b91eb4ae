"""Questions that take more than one request, as generators: requests out, answers in, a finding at the end.

Each is a plain function of what the venue answers; whoever drives it sends the requests, repeats them while
the venue is unavailable, and throws in what the venue refused.
Source: docs/poloniex.md, Pagination and retention.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from actors.poloniex.answers import Answer
from actors.poloniex.frames import OrderRow
from actors.poloniex.request import Request
from actors.venue.errors import RefusedError
from actors.venue.poloniex import requests
from actors.venue.poloniex.failures import ACCESS_CODES
from actors.venue.poloniex.rows import (
    BalanceRow,
    BillRow,
    FillRow,
    LeverageRow,
    PositionRow,
    read_balance,
    read_bills,
    read_fills,
    read_leverages,
    read_mode,
    read_orders,
    read_positions,
)
from actors.venue.poloniex.spot_rows import SpotBalanceRow

__all__ = [
    "AccountFinding",
    "OrderFinding",
    "Pause",
    "Steps",
    "SyncFinding",
    "pages",
    "read_account",
    "read_funding",
    "read_order",
    "read_order_fills",
    "read_since",
]

T = TypeVar("T")

PAGES_MAX = 50  # of one list: 5,000 rows
PAGE_OWN = 10  # the venue's own page, should it overlook the size we ask for
ABSENT_LOOKS = 2  # an order is absent only when it is nowhere twice
ABSENT_PAUSE_NS = 1_000_000_000  # placement is asynchronous: lists may lag behind an acceptance
UNSETTLED_LOOKS = 3  # an account that trades all the time is stated as it was last
FUNDING = "FUNDING_FEE"
TRANSFER = "TRANSFER"
MS = 1_000_000


class Pause(NamedTuple):
    """Go on after a while."""

    duration_ns: int


Step = Request | Pause
Steps = Generator[Step, Answer, T]


class OrderFinding(NamedTuple):
    """What the venue's lists say about one order."""

    row: OrderRow | None  # None: in no list
    fills: list[FillRow]


@dataclass(slots=True)
class AccountFinding:
    """The account, read list by list; `at_ns` is the venue's time when the reading began."""

    at_ns: int
    balance: BalanceRow
    positions: list[PositionRow] | list[SpotBalanceRow]
    orders: list[OrderRow]
    fills: list[FillRow]
    bills: list[BillRow]
    transfers: list[BillRow] = field(default_factory=list)
    leverages: list[LeverageRow] = field(default_factory=list)
    is_hedged: bool = False


@dataclass(slots=True)
class SyncFinding:
    """What happened while nobody listened."""

    open_orders: list[OrderRow] = field(default_factory=list)
    ended_orders: list[OrderRow] = field(default_factory=list)
    fills: list[FillRow] = field(default_factory=list)


def read_order(symbol: str, client_order_id: str) -> Steps[OrderFinding]:
    """Look for one order: open orders, then history, then details, then fills.

    In this order an order that ends while we look is seen in one list at least.
    """
    for look in range(ABSENT_LOOKS):
        if look:
            yield Pause(ABSENT_PAUSE_NS)
        row = yield from _find_order(symbol, client_order_id)
        fills = yield from read_order_fills(symbol, client_order_id)
        if row is not None or fills:
            return OrderFinding(row, fills)
    return OrderFinding(None, [])


def read_order_fills(symbol: str, client_order_id: str) -> Steps[list[FillRow]]:
    """All fills of one order."""

    def page(after: str) -> Request:
        return requests.fills(symbol, client_order_id, after=after)

    rows = yield from pages(page, read_fills, _fill_page_id)
    return [row for row in rows if row.clOrdId == client_order_id]


def read_account(
    since_ms: int,
    venue_ns: Callable[[], int],
    fills_heard: Callable[[], int],
    terms_of: tuple[str, ...] = (),
    margin_mode: str = "CROSS",
) -> Steps[AccountFinding]:
    """State the account. It is read list by list: when something traded in between, it is read again.

    What changes by hand alone, leverages and the position mode, is read once, and only when symbols are
    named.
    """
    leverages, is_hedged = yield from _read_terms(terms_of, margin_mode)
    for look in range(UNSETTLED_LOOKS):
        at_ns, heard = venue_ns(), fills_heard()
        balance = read_balance((yield requests.balance()))
        positions = read_positions((yield requests.positions()))
        orders = yield from pages(_open_orders_page, read_orders, _order_page_id)
        fills = yield from _fills_since(since_ms)
        bills = yield from read_funding(since_ms)
        transfers = yield from _bills_since(TRANSFER, since_ms)
        found = AccountFinding(
            at_ns, balance, positions, orders, fills, bills, transfers, leverages, is_hedged
        )
        if look == UNSETTLED_LOOKS - 1 or (heard == fills_heard() and not _traded_since(found)):
            break
    return found


def read_funding(since_ms: int) -> Steps[list[BillRow]]:
    """Funding payments since an instant, oldest first."""
    return (yield from _bills_since(FUNDING, since_ms))


def _bills_since(kind: str, since_ms: int) -> Steps[list[BillRow]]:
    def page(after: str) -> Request:
        return requests.bills(kind, since_ms=since_ms, after=after)

    rows = yield from pages(page, read_bills, _bill_page_id)
    return [row for row in reversed(rows) if row.type == kind and row.cTime >= since_ms]


def _read_terms(symbols: tuple[str, ...], margin_mode: str) -> Steps[tuple[list[LeverageRow], bool]]:
    """Return leverages of our margin mode, and whether the account is in hedge mode."""
    if not symbols:
        return [], False
    found: list[LeverageRow] = []
    is_hedged = read_mode((yield requests.position_mode())) != "ONE_WAY"
    for symbol in symbols:
        try:
            rows = read_leverages((yield requests.leverages(symbol, margin_mode)))
        except RefusedError as refusal:
            if refusal.code in ACCESS_CODES:
                raise
            continue  # nothing is said about it, so nothing is concluded
        found += [row for row in rows if row.symbol == symbol and row.mgnMode == margin_mode]
    return found, is_hedged


def read_since(since_ms: int) -> Steps[SyncFinding]:
    """Everything about orders and fills since an instant, oldest first; fills last: none is missed."""
    found = SyncFinding()
    found.open_orders = yield from pages(_open_orders_page, read_orders, _order_page_id)

    def page(after: str) -> Request:
        return requests.order_history(since_ms=since_ms, after=after)

    history = yield from pages(page, read_orders, _order_page_id)
    found.ended_orders = [row for row in reversed(history) if row.uTime >= since_ms]
    found.fills = yield from _fills_since(since_ms)
    return found


def _fills_since(since_ms: int) -> Steps[list[FillRow]]:
    def page(after: str) -> Request:
        return requests.fills(since_ms=since_ms, after=after)

    rows = yield from pages(page, read_fills, _fill_page_id)
    return [row for row in reversed(rows) if (row.uTime or row.cTime) >= since_ms]


def _traded_since(found: AccountFinding) -> bool:
    """Tell whether a fill or a payment fell between the lists."""
    began_ms = found.at_ns // MS
    return any((row.uTime or row.cTime) >= began_ms for row in found.fills) or any(
        row.cTime >= began_ms for row in (*found.bills, *found.transfers)
    )


def _find_order(symbol: str, client_order_id: str) -> Steps[OrderRow | None]:
    for request in (
        requests.open_orders(symbol, client_order_id),
        requests.order_history(symbol, client_order_id),
        requests.order_details(client_order_id),
    ):
        try:
            rows = read_orders((yield request))
        except RefusedError as refusal:
            # "No such order" has several codes; a refusal for want of access says nothing about the order.
            if refusal.code in ACCESS_CODES or "details" not in request.path:
                raise
            rows = []
        named = [row for row in rows if row.clOrdId == client_order_id and row.symbol == symbol]
        if named:
            return max(named, key=_created_ms)
    return None


def pages(
    make: Callable[[str], Request], read: Callable[[Answer], list[T]], row_id: Callable[[T], str]
) -> Steps[list[T]]:
    """Turn pages until one is not full, or brings nothing new.

    Full is what we asked for, or the venue's own size. Another page costs a request of which there are ten a
    second, so a list that just is longer than the venue's own page does not get one.
    """
    found: dict[str, T] = {}
    after = ""
    for _ in range(PAGES_MAX):
        rows = read((yield make(after)))
        known_count = len(found)
        for row in rows:
            found.setdefault(row_id(row), row)
        if (len(rows) < requests.ROWS_MAX and len(rows) != PAGE_OWN) or len(found) == known_count:
            break
        after = row_id(rows[-1])
    return list(found.values())


def _open_orders_page(after: str) -> Request:
    return requests.open_orders(after=after)


def _order_page_id(row: OrderRow) -> str:
    return row.ordId


def _fill_page_id(row: FillRow) -> str:
    return row.id


def _bill_page_id(row: BillRow) -> str:
    return row.id


def _created_ms(row: OrderRow) -> int:
    return row.cTime

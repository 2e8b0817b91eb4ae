"""Questions to the spot side that take more than one request; the findings are those of the futures side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from actors.poloniex.frames import OrderRow
from actors.poloniex.request import Request
from actors.venue.errors import RefusedError
from actors.venue.poloniex import spot_requests as requests
from actors.venue.poloniex.readings import (
    ABSENT_LOOKS,
    ABSENT_PAUSE_NS,
    MS,
    UNSETTLED_LOOKS,
    AccountFinding,
    OrderFinding,
    Pause,
    Steps,
    SyncFinding,
    pages,
)
from actors.venue.poloniex.rows import BalanceRow, FillRow
from actors.venue.poloniex.spot_reports import SpotReporter
from actors.venue.poloniex.spot_rows import (
    SpotFillRow,
    SpotOrderRow,
    read_spot_accounts,
    read_spot_fees,
    read_spot_fills,
    read_spot_orders,
)

__all__ = ["SpotReadings"]

NO_SUCH_ORDER = "21301"
RANGE_MS = 7 * 86_400_000 - 60_000  # the longest that one list covers
RECENT_MS = 86_400_000  # how far back fills of an order that is in no list are looked for


@dataclass(frozen=True, slots=True)
class SpotReadings:
    """Readings of one account; rows of markets that the catalog does not have are left out."""

    reporter: SpotReporter
    venue_ns: Callable[[], int]
    fills_heard: Callable[[], int]

    def sync(self, since_ms: int) -> Steps[SyncFinding | None]:
        """Everything about orders and fills since an instant; None when fees are paid in a third coin."""
        if read_spot_fees((yield requests.spot_fees())).trxDiscount:
            return None
        since_ms = self._within_range(since_ms)
        found = SyncFinding()
        found.open_orders = yield from self._open_orders()

        def page(after: str) -> Request:
            return requests.spot_order_history(since_ms=since_ms, after=after)

        history = self._orders((yield from pages(page, read_spot_orders, _order_id)))
        found.ended_orders = history[::-1]
        found.fills = yield from self._fills_since(since_ms)
        return found

    def account(self, since_ms: int) -> Steps[AccountFinding]:
        """State the account, again when something traded between its lists."""
        since_ms = self._within_range(since_ms)
        for look in range(UNSETTLED_LOOKS):
            at_ns, heard = self.venue_ns(), self.fills_heard()
            accounts = read_spot_accounts((yield requests.spot_balances()))
            rows = [row for one in accounts if one.accountType == "SPOT" for row in one.balances]
            orders = yield from self._open_orders()
            fills = yield from self._fills_since(since_ms)
            found = AccountFinding(at_ns, BalanceRow(), rows, orders, fills, [])
            traded = any(row.cTime >= at_ns // MS for row in fills)
            if look == UNSETTLED_LOOKS - 1 or (heard == self.fills_heard() and not traded):
                break
        return found

    def order(self, symbol: str, client_order_id: str) -> Steps[OrderFinding]:
        """Look for one order by our name, then in the lists, then among fills; twice before it is absent."""
        for look in range(ABSENT_LOOKS):
            if look:
                yield Pause(ABSENT_PAUSE_NS)
            row = yield from self._find(symbol, client_order_id)
            if row is not None:
                return OrderFinding(row, (yield from self._fills_of(row)))
            recent = yield from self._fills_since(self.venue_ns() // MS - RECENT_MS)
            fills = [one for one in reversed(recent) if one.clOrdId == client_order_id]
            if fills:
                return OrderFinding(None, fills)
        return OrderFinding(None, [])

    def order_fills(self, symbol: str, client_order_id: str) -> Steps[list[FillRow]]:
        """All fills of one order, newest first."""
        row = yield from self._find(symbol, client_order_id)
        return [] if row is None else (yield from self._fills_of(row))

    # -- steps ---------------------------------------------------------------------------------------

    def _find(self, symbol: str, client_order_id: str) -> Steps[OrderRow | None]:
        try:
            rows = read_spot_orders((yield requests.spot_order(client_order_id)))
        except RefusedError as refusal:
            if refusal.code not in (NO_SUCH_ORDER, "404"):
                raise
            rows = []
        found = [row for row in rows if _is(row, symbol, client_order_id)]
        if not found:
            # It is absent only when no list shows it either.
            listed = yield from pages(_open_page, read_spot_orders, _order_id)
            listed += read_spot_orders((yield requests.spot_order_history(symbol)))
            found = [row for row in listed if _is(row, symbol, client_order_id)]
        return self.reporter.order_row(found[0]) if found else None

    def _fills_of(self, row: OrderRow) -> Steps[list[FillRow]]:
        rows = read_spot_fills((yield requests.spot_order_fills(row.ordId)))
        named = [each for each in rows if each.orderId == row.ordId]
        return sorted(self._fills(named), key=_created_ms, reverse=True)

    def _open_orders(self) -> Steps[list[OrderRow]]:
        return self._orders((yield from pages(_open_page, read_spot_orders, _order_id)))

    def _fills_since(self, since_ms: int) -> Steps[list[FillRow]]:
        def page(after: str) -> Request:
            return requests.spot_fills(since_ms=since_ms, after=after)

        rows = yield from pages(page, read_spot_fills, _fill_page_id)
        return [row for row in reversed(self._fills(rows)) if row.cTime >= since_ms]

    def _orders(self, rows: Iterable[SpotOrderRow]) -> list[OrderRow]:
        return [self.reporter.order_row(row) for row in rows if self.reporter.knows(row.symbol)]

    def _fills(self, rows: Iterable[SpotFillRow]) -> list[FillRow]:
        return [self.reporter.fill_row(row) for row in rows if self.reporter.knows(row.symbol)]

    def _within_range(self, since_ms: int) -> int:
        return max(since_ms, self.venue_ns() // MS - RANGE_MS)


def _is(row: SpotOrderRow, symbol: str, client_order_id: str) -> bool:
    return row.clientOrderId == client_order_id and row.symbol == symbol


def _open_page(after: str) -> Request:
    return requests.spot_open_orders(after=after)


def _order_id(row: SpotOrderRow) -> str:
    return row.id


def _fill_page_id(row: SpotFillRow) -> str:
    return row.pageId or row.id


def _created_ms(row: FillRow) -> int:
    return row.cTime

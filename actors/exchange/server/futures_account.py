"""What an account may look up: balance, bills, orders, fills, positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from actors.exchange.accounts import Standing
from actors.exchange.liquidation import queue_place
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import ORDER_BASE, number_of
from actors.exchange.protocol.requests import ListQuery, from_query
from actors.exchange.server.account_rows import (
    MARGIN_MODES,
    ORDER_TYPES,
    POSITION_SIDES,
    balance_row,
    bill_row,
    closed_position_row,
    fill_row,
    order_row,
    position_row,
    state_word,
)
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.state import Note
from actors.exchange.state import Order
from actors.exchange.terms import slot_of
from actors.messages.venue import OrderFilled

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["FUTURES_ACCOUNT", "position_of", "row_of"]

MS_NS = 1_000_000
HOUR_MS = 3_600_000
RETENTION_MS = 90 * 24 * HOUR_MS
CANCELED_RETENTION_MS = 5 * HOUR_MS  # of orders canceled without a fill
LIMIT_MAX = 100
T = TypeVar("T")


def _page(query: ListQuery, items: Iterable[T], number: Callable[[T], int]) -> list[T]:
    """Return one page of a list that comes newest first; the cursor is a row's id.

    NEXT goes towards older rows, PREV towards newer ones.
    """
    if not 0 < query.limit <= LIMIT_MAX:
        raise ApiError(Problem.LIMIT)
    cursor = number_of(query.from_)
    if not cursor:
        return _first(items, query.limit)
    if query.direct.upper() == "PREV":
        newer = [item for item in items if number(item) > cursor]
        return newer[-query.limit :]
    return _first((item for item in items if number(item) < cursor), query.limit)


def _first(items: Iterable[T], count: int) -> list[T]:
    found: list[T] = []
    for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found


def _since_ms(query: ListQuery, now_ns: int) -> int:
    return max(query.sTime, now_ns // MS_NS - RETENTION_MS)


def _until_ms(query: ListQuery, call: Call) -> int:
    return min(query.eTime or 1 << 62, call.core.faults.listed_until_ns(call.account, call.now_ns) // MS_NS)


def _fits(query: ListQuery, order: Order) -> bool:
    request = order.request
    return (
        (not query.symbol or request.symbol == query.symbol)
        and (not query.side or request.side.name == query.side.upper())
        and (not query.ordId or order.number == number_of(query.ordId))
        and (not query.clOrdId or request.client_order_id == query.clOrdId)
    )


def row_of(core: ExchangeCore, order: Order, *, is_history: bool) -> dict[str, Any]:
    """Return an order's row."""
    request = order.request
    member = core.engine.members[request.account]
    market = core.engine.markets[request.symbol]
    leverage = member.standing(market, order.terms.slot).leverage
    return order_row(order, market.instrument, leverage, is_history=is_history)


def balance(call: Call) -> Any:
    return balance_row(call.member, call.now_ns)


def bills(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    since, until = _since_ms(query, call.now_ns), _until_ms(query, call)
    found = (
        bill
        for bill in call.core.engine.user(call.account).bills.newest_first()
        if since <= bill.at_ns // MS_NS <= until
        and (not query.type or bill.kind == query.type)
        and (not query.symbol or slot_of(bill.holding)[0] == query.symbol)
    )
    return [bill_row(bill) for bill in _page(query, found, lambda bill: bill.number)]


def open_orders(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    found = [order for order in call.core.orders.resting(call.member)[::-1] if _fits(query, order)]
    page = _page(query, found, lambda order: order.number)
    return [row_of(call.core, order, is_history=False) for order in page]


def order_history(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    since, until = _since_ms(query, call.now_ns), query.eTime or 1 << 62
    newest_ns = call.core.faults.listed_until_ns(call.account, call.now_ns)
    canceled_since = call.now_ns // MS_NS - CANCELED_RETENTION_MS

    def is_wanted(order: Order) -> bool:
        at = order.booked_at_ns // MS_NS
        return (
            _fits(query, order)
            and since <= at <= until
            and order.closed_at_ns <= newest_ns
            and (not query.state or state_word(order) == query.state.upper())
            and (not query.type or ORDER_TYPES[order.request.order_type] == query.type.upper())
            and (bool(order.filled_contracts) or order.closed_at_ns // MS_NS >= canceled_since)
        )

    ended = sorted(call.member.wallet.closed.items, key=lambda order: -order.number)
    page = _page(query, filter(is_wanted, ended), lambda order: order.number)
    return [row_of(call.core, order, is_history=True) for order in page]


def order_details(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    if not query.ordId and not query.clOrdId:
        raise bad_parameter("ordId")
    order = call.core.orders.find(call.member, query.ordId, query.clOrdId)
    if order is None or not _fits(query, order):
        raise ApiError(Problem.ORDER_NOT_EXISTS)
    is_open = order.number in call.core.engine.nodes
    return row_of(call.core, order, is_history=not is_open)


def own_trades(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    since, until = _since_ms(query, call.now_ns), _until_ms(query, call)
    orders = chain(call.member.wallet.closed.items, call.core.orders.resting(call.member))
    found = [
        (order, fill)
        for order in orders
        if order.fills and _fits(query, order)
        for fill in order.fills
        if since <= fill.at_ns // MS_NS <= until
    ]
    found.sort(key=lambda pair: -_fill_number(pair[1]))
    page = _page(query, found, lambda pair: _fill_number(pair[1]))
    return [fill_row(order, fill, call.core.engine.markets[fill.symbol].instrument) for order, fill in page]


def _fill_number(fill: OrderFilled) -> int:
    """Return what a fill's row has beyond ORDER_BASE: both sides of a self-trade have their own."""
    return int(fill.trade_id) * 2 + fill.maker


def position_of(core: ExchangeCore, standing: Standing, direction: int = 1) -> dict[str, Any]:
    """Return a position's row; see `position_row`."""
    view = core.views[standing.market.symbol]
    note = core.engine.user(standing.member.name).notes.get(standing.key) or Note()
    available = core.orders.available(standing)
    last = view.last_ticks or view.mark_ticks
    queue = queue_place(core.engine, standing)
    return position_row(standing, note, view.index_ticks, last, available, queue, direction)


def open_positions(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    rows = []
    for standing in call.member.positions():
        if not query.symbol or standing.market.symbol == query.symbol:
            row = position_of(call.core, standing)
            rows.append({name: value for name, value in row.items() if name not in STREAM_ONLY})
    return rows


STREAM_ONLY = ("oldQty", "fee", "fpnl", "ffee")


def position_history(call: Call) -> Any:
    query = from_query(call.query, ListQuery)
    since, until = _since_ms(query, call.now_ns), query.eTime or 1 << 62
    rows = []
    for ended in call.core.engine.user(call.account).positions.newest_first():
        symbol, slot = slot_of(ended.holding)
        if (
            since <= ended.note.updated_at_ns // MS_NS <= until
            and (not query.symbol or symbol == query.symbol)
            and (not query.mgnMode or MARGIN_MODES[slot] == query.mgnMode.upper())
            and (not query.posSide or POSITION_SIDES[slot] == query.posSide.upper())
        ):
            rows.append(closed_position_row(ended, call.core.engine.markets[symbol].instrument))
    return _page(query, rows, lambda row: int(row["id"]) - ORDER_BASE)


def _get(path: str, handler: Callable[[Call], Any], per_second: int = 10) -> Route:
    return Route("GET", f"/v3/{path}", handler, Limit("", per_second), signed=True, text="")


FUTURES_ACCOUNT = (
    _get("account/balance", balance, 50),
    _get("account/bills", bills),
    _get("trade/order/opens", open_orders),
    _get("trade/order/trades", own_trades),
    _get("trade/order/history", order_history),
    _get("trade/order/details", order_details),
    _get("trade/position/opens", open_positions),
    _get("trade/position/history", position_history),
)

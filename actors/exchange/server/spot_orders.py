"""Spot trading: orders one by one, in batches, and all at once; the kill switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import SPOT_BASE, number_of
from actors.exchange.protocol.numbers import whole_of
from actors.exchange.protocol.requests import from_json, from_query
from actors.exchange.protocol.spot_requests import (
    CancelAllBody,
    CancelManyBody,
    KillSwitchBody,
    ReplaceBody,
    SpotListQuery,
    SpotPlaceBody,
)
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.spot_rows import (
    quantity_text,
    spot_order_id,
    spot_order_row,
    spot_trade_row,
)
from actors.exchange.server.spot_state import KillSwitchSet
from actors.exchange.state import Order

__all__ = ["SPOT_ORDERS", "canceled_row", "spot_member"]

MS_NS, SECOND_NS = 1_000_000, 1_000_000_000
BATCH_MAX = 20
DAY_MS = 86_400_000
TRUE_WORDS = (True, "true", "True", "TRUE")


def spot_member(call: Call) -> Any:
    """Return the account's spot side."""
    return call.core.spot.engine.members[call.account]


def _named(order: Order) -> dict[str, Any]:
    return {"id": spot_order_id(order.number), "clientOrderId": order.request.client_order_id}


def canceled_row(order: Order) -> dict[str, Any]:
    """Return the answer to a cancel that was taken."""
    return {
        "orderId": spot_order_id(order.number),
        "clientOrderId": order.request.client_order_id,
        "state": "PENDING_CANCEL",
        "code": 200,
        "message": "",
    }


def place(call: Call) -> Any:
    body: SpotPlaceBody = from_json(call.body, SpotPlaceBody)
    return _named(call.core.spot.desk.place(call.account, body, call.now_ns))


def place_many(call: Call) -> Any:
    bodies: list[SpotPlaceBody] = from_json(call.body, list[SpotPlaceBody])
    if not bodies or len(bodies) > BATCH_MAX:
        raise bad_parameter("orders")
    rows: list[dict[str, Any]] = []
    for body in bodies:
        try:
            rows.append(_named(call.core.spot.desk.place(call.account, body, call.now_ns)))
        except ApiError as error:
            rows.append({"code": error.code, "message": error.text, "clientOrderId": body.clientOrderId})
    return rows


def replace(call: Call) -> Any:
    """Cancel an order and place another in its stead."""
    body: ReplaceBody = from_json(call.body, ReplaceBody)
    desk, member = call.core.spot.desk, spot_member(call)
    order = desk.find(member, call.parts[0])
    one = desk.view(order.request.symbol).instrument
    row = spot_order_row(order, one)
    left = order.request.contracts - order.filled_contracts
    wanted = SpotPlaceBody(
        symbol=row["symbol"],
        side=row["side"],
        type=body.type or row["type"],
        timeInForce=body.timeInForce or row["timeInForce"],
        price=body.price or row["price"],
        quantity=body.quantity or quantity_text(one, left),
        amount=body.amount,
        clientOrderId=body.clientOrderId,
    )
    try:
        desk.request(member, wanted)  # what is wrong in itself cancels nothing
        desk.cancel(member, order, call.now_ns)
    except ApiError:
        if body.proceedOnFailure not in TRUE_WORDS:
            raise
    return _named(desk.place(call.account, wanted, call.now_ns))


def open_orders(call: Call) -> Any:
    query = from_query(call.query, SpotListQuery)
    limit = query.limit or 500
    if not 0 < limit <= 2_000:
        raise ApiError(Problem.LIMIT)
    newest = call.core.spot.desk.resting(spot_member(call))[::-1]
    found = [order for order in newest if _fits(query, order)]
    return _rows(call, _page(query, found, limit))


def _fits(query: SpotListQuery, order: Order) -> bool:
    request = order.request
    return (not query.symbol or request.symbol == query.symbol) and (
        not query.side or request.side.name == query.side.upper()
    )


def _page(query: SpotListQuery, orders: list[Order], limit: int) -> list[Order]:
    """Return one page of orders that come newest first."""
    cursor = number_of(query.from_, SPOT_BASE)
    if not cursor:
        return orders[:limit]
    if query.direction.upper() == "PRE":
        return [order for order in orders if order.number > cursor][-limit:]
    return [order for order in orders if order.number < cursor][:limit]


def _rows(call: Call, orders: list[Order]) -> list[dict[str, Any]]:
    markets = call.core.spot.engine.markets
    return [spot_order_row(order, markets[order.request.symbol].instrument) for order in orders]


def one_order(call: Call) -> Any:
    return _rows(call, [call.core.spot.desk.find(spot_member(call), call.parts[0])])[0]


def history(call: Call) -> Any:
    query = from_query(call.query, SpotListQuery)
    limit = query.limit or 100
    if not 0 < limit <= 1_000:
        raise ApiError(Problem.LIMIT)
    if query.startTime and query.endTime and query.endTime - query.startTime > 7 * DAY_MS:
        raise ApiError(Problem.SPOT_RANGE)
    ended = sorted(spot_member(call).wallet.closed.items, key=lambda order: -order.number)
    found = [order for order in ended if _fits(query, order) and _in_time(query, order.booked_at_ns)]
    states = [state for state in query.states.upper().split(",") if state]
    kinds = [kind for kind in f"{query.type},{query.types}".upper().split(",") if kind]
    rows = _rows(call, _page(query, found, len(found) or 1))
    return [
        row
        for row in rows
        if (not states or row["state"] in states)
        and (not kinds or row["type"] in kinds)
        and not (query.hideCancel and row["state"] == "CANCELED")
    ][:limit]


def _in_time(query: SpotListQuery, at_ns: int) -> bool:
    at_ms = at_ns // MS_NS
    return query.startTime <= at_ms and (not query.endTime or at_ms <= query.endTime)


def cancel_one(call: Call) -> Any:
    desk, member = call.core.spot.desk, spot_member(call)
    order = desk.find(member, call.parts[0])
    desk.cancel(member, order, call.now_ns)
    return canceled_row(order)


def cancel_many(call: Call) -> Any:
    body: CancelManyBody = from_json(call.body, CancelManyBody)
    return cancel_listed(call, body.orderIds, body.clientOrderIds)


def cancel_listed(call: Call, wire_ids: list[str | int], client_ids: list[str]) -> list[dict[str, Any]]:
    """Cancel orders by their ids, row by row."""
    desk, member = call.core.spot.desk, spot_member(call)
    rows = []
    for wire, client in [*((one, "") for one in wire_ids), *(("", one) for one in client_ids)]:
        try:
            order = desk.find(member, wire, client)
            desk.cancel(member, order, call.now_ns)
            rows.append(canceled_row(order))
        except ApiError as error:
            rows.append(
                {
                    "orderId": str(wire or 0),
                    "clientOrderId": client,
                    "state": "",
                    "code": error.code,
                    "message": error.text,
                }
            )
    return rows


def cancel_all(call: Call) -> Any:
    body: CancelAllBody = from_json(call.body, CancelAllBody) if call.body else CancelAllBody()
    gone = call.core.spot.desk.cancel_all(spot_member(call), body.symbols, call.now_ns)
    return [canceled_row(order) for order in gone]


def own_trades(call: Call) -> Any:
    query = from_query(call.query, SpotListQuery)
    limit = query.limit or 500
    if not 0 < limit <= 1_000:
        raise ApiError(Problem.LIMIT)
    member = spot_member(call)
    symbols = [one for one in f"{query.symbols},{query.symbol}".split(",") if one]
    rows = [
        row
        for order in [*member.wallet.closed.items, *call.core.spot.desk.resting(member)]
        if not symbols or order.request.symbol in symbols
        for row in _trades_of(call, order)
        if _in_time(query, row["createTime"] * MS_NS)
    ]
    rows.sort(key=lambda row: -int(row["pageId"]))
    cursor = number_of(query.from_, 0)
    if cursor:
        is_newer = query.direction.upper() == "PRE"
        rows = [
            row for row in rows if (int(row["pageId"]) > cursor) == is_newer and int(row["pageId"]) != cursor
        ]
        if is_newer:
            return rows[-limit:]
    return rows[:limit]


def _trades_of(call: Call, order: Order) -> list[dict[str, Any]]:
    one = call.core.spot.engine.markets[order.request.symbol].instrument
    return [spot_trade_row(order, fill, one) for fill in order.fills]


def trades_of_order(call: Call) -> Any:
    return _trades_of(call, call.core.spot.desk.find(spot_member(call), call.parts[0]))


def set_kill_switch(call: Call) -> Any:
    body: KillSwitchBody = from_json(call.body, KillSwitchBody)
    timeout = whole_of(body.timeout, "timeout")
    if timeout != -1 and not 10 <= timeout <= 600:
        raise bad_parameter("timeout")
    at_ns = call.now_ns + timeout * SECOND_NS if timeout > 0 else 0
    call.core.spot.record(KillSwitchSet(call.account, at_ns, call.now_ns))
    return _kill_switch(call) if at_ns else {"startTime": str(call.now_ns // MS_NS), "cancellationTime": "0"}


def kill_switch(call: Call) -> Any:
    return _kill_switch(call)


def _kill_switch(call: Call) -> dict[str, str]:
    purse = call.core.spot.engine.purse(call.account)
    if not purse.kill_at_ns:
        raise ApiError(Problem.NO_KILL_SWITCH)
    return {
        "startTime": str(purse.kill_set_at_ns // MS_NS),
        "cancellationTime": str(purse.kill_at_ns // MS_NS),
    }


def _signed(method: str, path: str, handler: Callable[[Call], Any], per_second: int) -> Route:
    return Route(method, path, handler, Limit("", per_second), signed=True, bare=True)


SPOT_ORDERS = (
    _signed("POST", "/orders", place, 50),
    _signed("POST", "/orders/batch", place_many, 10),
    _signed("GET", "/orders", open_orders, 10),
    _signed("GET", "/orders/history", history, 10),
    _signed("GET", "/orders/killSwitchStatus", kill_switch, 50),
    _signed("POST", "/orders/killSwitch", set_kill_switch, 50),
    _signed("DELETE", "/orders/cancelByIds", cancel_many, 10),
    _signed("DELETE", "/orders", cancel_all, 10),
    _signed("GET", "/trades", own_trades, 10),
    _signed("GET", "/orders/{id}/trades", trades_of_order, 50),
    _signed("GET", "/orders/{id}", one_order, 50),
    _signed("PUT", "/orders/{id}", replace, 10),
    _signed("DELETE", "/orders/{id}", cancel_one, 50),
)

"""Futures trading: POST and DELETE under /v3/trade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actors.exchange.accounts import Standing
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import order_id
from actors.exchange.protocol.requests import (
    AllOrdersBody,
    BatchCancelBody,
    CancelBody,
    CloseBody,
    PlaceBody,
    from_json,
    from_query,
)
from actors.exchange.server.order_desk import slot_for
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.state import Order

__all__ = ["FUTURES_ORDERS", "body_or_query"]

BATCH_MAX = 10


def body_or_query(call: Call, kind: Any) -> Any:
    """Return what a DELETE asks: clients send it as a body or as a query."""
    return from_json(call.body, kind) if call.body else from_query(call.query, kind)


def _named(order: Order) -> dict[str, Any]:
    return {"ordId": order_id(order.number), "clOrdId": order.request.client_order_id}


def _row(act: Callable[[], Order], asked: dict[str, Any]) -> dict[str, Any]:
    """Return one row of a batch's answer: each order stands and falls alone."""
    try:
        order = act()
    except ApiError as error:
        return {"code": error.code, "msg": error.text, **asked}
    return {"code": 200, "msg": "Success", **_named(order)}


def place_order(call: Call) -> Any:
    body = from_json(call.body, PlaceBody)
    return _named(call.core.orders.place(call.account, body, call.now_ns))


def place_orders(call: Call) -> Any:
    bodies: list[PlaceBody] = from_json(call.body, list[PlaceBody])
    if not bodies or len(bodies) > BATCH_MAX:
        raise ApiError(Problem.BATCH_PLACE_SIZE)
    desk = call.core.orders

    def placed(body: PlaceBody) -> dict[str, Any]:
        asked = {"ordId": "", "clOrdId": body.clOrdId}
        return _row(lambda: desk.place(call.account, body, call.now_ns, is_batch=True), asked)

    return [placed(body) for body in bodies]


def cancel_order(call: Call) -> Any:
    body: CancelBody = body_or_query(call, CancelBody)
    if not body.symbol:
        raise bad_parameter("symbol")
    if not body.ordId and not body.clOrdId:
        raise bad_parameter("ordId")
    desk, member = call.core.orders, call.member
    order = desk.find(member, body.ordId, body.clOrdId)
    return _named(desk.cancel(member, order, body.symbol, call.now_ns))


def cancel_orders(call: Call) -> Any:
    body: BatchCancelBody = body_or_query(call, BatchCancelBody)
    wire_ids, client_ids = _listed(body.ordIds), _listed(body.clOrdIds)
    if not body.symbol:
        raise bad_parameter("symbol")
    wanted = [(wire, "") for wire in wire_ids] or [("", str(client)) for client in client_ids]
    if not wanted or len(wanted) > BATCH_MAX:
        raise ApiError(Problem.BATCH_CANCEL_SIZE)
    desk, member = call.core.orders, call.member

    def canceled(wire: str | int, client: str) -> dict[str, Any]:
        asked = {"ordId": str(wire), "clOrdId": client}
        found = desk.find(member, wire, client)
        return _row(lambda: desk.cancel(member, found, body.symbol, call.now_ns), asked)

    return [canceled(wire, client) for wire, client in wanted]


def _listed(given: Sequence[str | int] | str) -> list[str | int]:
    if isinstance(given, str):
        return [one for one in given.split(",") if one]
    return list(given)


def cancel_all_orders(call: Call) -> Any:
    body: AllOrdersBody = body_or_query(call, AllOrdersBody)
    symbols = {body.symbol} if body.symbol else {str(one) for one in _listed(body.symbols)}
    for symbol in symbols:
        call.core.orders.view(symbol)
    side = body.side.upper()
    if side not in ("", "BUY", "SELL"):
        raise bad_parameter("side")
    desk, member = call.core.orders, call.member
    rows = []
    for order in desk.resting(member):
        request = order.request
        if (symbols and request.symbol not in symbols) or (side and request.side.name != side):
            continue
        rows.append(_row(_cancel(call, order), _named(order)))
    return rows


def _cancel(call: Call, order: Order) -> Callable[[], Order]:
    return lambda: call.core.orders.cancel(call.member, order, "", call.now_ns)


def close_position(call: Call) -> Any:
    body: CloseBody = from_json(call.body, CloseBody)
    desk = call.core.orders
    view = desk.view(body.symbol)
    if not body.mgnMode:
        raise bad_parameter("mgnMode")
    slot = slot_for(body.mgnMode, body.posSide, call.core.engine.user(call.account).is_hedged)
    standing = call.member.standing(view.market, slot)
    return _named(desk.close(standing, body.clOrdId, call.now_ns))


def close_all_positions(call: Call) -> Any:
    nameless = {"ordId": "", "clOrdId": ""}
    return [_row(_closing(call, standing), nameless) for standing in list(call.member.positions())]


def _closing(call: Call, standing: Standing) -> Callable[[], Order]:
    return lambda: call.core.orders.close(standing, "", call.now_ns)


def _signed(method: str, path: str, handler: Callable[[Call], Any], per_second: int) -> Route:
    return Route(method, f"/v3/trade/{path}", handler, Limit("", per_second), signed=True)


FUTURES_ORDERS = (
    _signed("POST", "order", place_order, 50),
    _signed("POST", "orders", place_orders, 5),
    _signed("DELETE", "order", cancel_order, 100),
    _signed("DELETE", "batchOrders", cancel_orders, 10),
    _signed("DELETE", "allOrders", cancel_all_orders, 10),
    _signed("POST", "position", close_position, 10),
    _signed("POST", "positionAll", close_all_positions, 2),
)

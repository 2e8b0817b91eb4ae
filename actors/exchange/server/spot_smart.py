"""Smart orders: stops and trailing stops that wait for a price and then become orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.domain.money import E8, format_e8
from actors.exchange.protocol.envelopes import to_json
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import SPOT_BASE, number_of
from actors.exchange.protocol.numbers import units_of
from actors.exchange.protocol.requests import from_json
from actors.exchange.protocol.spot_requests import CancelAllBody, CancelManyBody, SmartBody, SpotPlaceBody
from actors.exchange.server.market_view import MarketView
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.spot_rows import spot_order_id, spot_order_row
from actors.exchange.server.spot_state import Purse, SmartOrder, SmartOrderEnded, SmartOrderPlaced

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["SPOT_SMART", "SmartOrders"]

MS_NS = 1_000_000
SMART_BASE = SPOT_BASE + 50_000_000_000_000_000
KINDS = ("STOP", "STOP_LIMIT", "TRAILING_STOP", "TRAILING_STOP_LIMIT")
WAITING_MAX = 500  # per account
OPERATORS = {"GTE": True, "LTE": False}


class SmartOrders:
    """Watches the prices for orders that wait."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core
        self._best: dict[int, int] = {}  # most favourable price since a trailing order was placed

    def watch(self, now_ns: int) -> None:
        """Let the orders go whose price has come."""
        spot = self._core.spot
        for account, purse in spot.engine.spot.purses.items():
            for order in list(purse.smart.values()):
                view = spot.views.get(order.symbol)
                if view is not None and view.last_ticks and self._is_due(order, view.last_ticks):
                    self._trigger(account, order, view, now_ns)

    def _is_due(self, order: SmartOrder, price: int) -> bool:
        if not order.trailing_e8:
            return price >= order.stop_ticks if order.is_above else price <= order.stop_ticks
        best = self._best.get(order.number, price)
        is_sell = order.side == "SELL"
        best = max(best, price) if is_sell else min(best, price)
        self._best[order.number] = best
        distance = best * order.trailing_e8 // E8
        return price <= best - distance if is_sell else price >= best + distance

    def _trigger(self, account: str, order: SmartOrder, view: MarketView, now_ns: int) -> None:
        spot, limit = self._core.spot, order.limit_ticks
        if order.kind == "TRAILING_STOP_LIMIT":
            sign = -1 if order.side == "SELL" else 1
            limit = max(1, view.last_ticks + sign * (view.last_ticks * order.offset_e8 // E8))
        body = SpotPlaceBody(
            symbol=order.symbol,
            side=order.side,
            type="LIMIT" if order.kind.endswith("LIMIT") else "MARKET",
            timeInForce=order.time_in_force,
            price=view.instrument.price_text(limit) if limit else "",
            quantity=order.quantity,
            amount=order.amount,
        )
        try:
            number, state = spot.desk.place(account, body, now_ns).number, "TRIGGERED"
        except ApiError:
            number, state = 0, "FAILED"
        self._best.pop(order.number, None)
        spot.record(SmartOrderEnded(account, order.number, state, number, now_ns))


def _purse(call: Call) -> Purse:
    return call.core.spot.engine.purse(call.account)


def place(call: Call) -> Any:
    body: SmartBody = from_json(call.body, SmartBody)
    core, kind = call.core, body.type.upper()
    view = core.spot.desk.view(body.symbol)
    if kind not in KINDS:
        raise ApiError(Problem.SPOT_TYPE)
    side = body.side.upper()
    if side not in ("BUY", "SELL"):
        raise ApiError(Problem.SPOT_SIDE)
    if len(_purse(call).smart) >= WAITING_MAX:
        raise ApiError((25004, "Too many smart orders"))
    is_trailing = kind.startswith("TRAILING")
    tick = view.instrument.tick_e8
    stop = 0 if is_trailing else units_of(body.stopPrice, tick, "stopPrice")
    limit = units_of(body.price, tick, "price") if kind == "STOP_LIMIT" else 0
    if not body.quantity and not body.amount:
        raise bad_parameter("quantity")
    default = stop >= (view.last_ticks or view.mark_ticks)
    number = core.spot.engine.spot.smart_count + 1
    wire_id = str(SMART_BASE + number)
    order = SmartOrder(
        number,
        call.account,
        body.clientOrderId or f"polo{wire_id}",
        view.symbol,
        kind,
        side,
        body.timeInForce.upper() or "GTC",
        stop,
        limit,
        str(body.quantity),
        str(body.amount),
        OPERATORS.get(body.operator.upper(), default),
        _percent(body.trailingOffset, "trailingOffset") if is_trailing else 0,
        _percent(body.limitOffset, "limitOffset") if kind == "TRAILING_STOP_LIMIT" else 0,
        call.now_ns,
    )
    core.spot.record(SmartOrderPlaced(order))
    return {"id": wire_id, "clientOrderId": order.client_order_id}


def _percent(value: Any, field: str) -> int:
    """Return `5%` or `0.05` in 1e-8."""
    text = str(value)
    found = units_of(text.rstrip("%"), 1, field)
    found = found // 100 if text.endswith("%") else found
    if not 0 < found < E8:
        raise bad_parameter(field)
    return found


def _row(call: Call, order: SmartOrder) -> dict[str, Any]:
    text = call.core.spot.views[order.symbol].instrument.price_text
    return {
        "id": str(SMART_BASE + order.number),
        "clientOrderId": order.client_order_id,
        "symbol": order.symbol,
        "state": order.state,
        "accountType": "SPOT",
        "side": order.side,
        "type": order.kind,
        "timeInForce": order.time_in_force,
        "quantity": order.quantity or "0",
        "price": text(order.limit_ticks),
        "amount": order.amount or "0",
        "stopPrice": text(order.stop_ticks),
        "operator": "GTE" if order.is_above else "LTE",
        "trailingOffset": format_e8(order.trailing_e8 * 100) + "%" if order.trailing_e8 else "",
        "limitOffset": format_e8(order.offset_e8 * 100) + "%" if order.offset_e8 else "",
        "createTime": order.at_ns // MS_NS,
        "updateTime": (order.ended_at_ns or order.at_ns) // MS_NS,
        "orderSource": "API",
        "cancelReason": 0,
    }


def _find(call: Call, wire_id: str | int, client_id: str = "") -> SmartOrder:
    text = str(wire_id)
    if text.startswith("cid:"):
        client_id, text = text[4:], ""
    purse = _purse(call)
    number = number_of(text, SMART_BASE) if text else 0
    for order in [*purse.smart.values(), *purse.ended_smart.newest_first()]:
        if order.number == number or (client_id and order.client_order_id == client_id):
            return order
    raise ApiError(Problem.NO_SMART_ORDER)


def waiting(call: Call) -> Any:
    return [_row(call, order) for order in list(_purse(call).smart.values())[::-1]]


def history(call: Call) -> Any:
    return [_row(call, order) for order in _purse(call).ended_smart.newest_first()]


def one(call: Call) -> Any:
    order = _find(call, call.parts[0])
    row: dict[str, Any] = _row(call, order)
    if order.order_number:
        desk, member = call.core.spot.desk, call.core.spot.engine.members[call.account]
        became = desk.find(member, spot_order_id(order.order_number))
        row["triggeredOrder"] = spot_order_row(became, desk.view(order.symbol).instrument)
    return [row]


def _cancel(call: Call, order: SmartOrder) -> dict[str, Any]:
    if order.state != "NEW":
        raise ApiError((25003, "Smart order is no longer active"))
    call.core.spot.record(SmartOrderEnded(call.account, order.number, "CANCELED", 0, call.now_ns))
    return {
        "orderId": str(SMART_BASE + order.number),
        "clientOrderId": order.client_order_id,
        "state": "CANCELED",
        "code": 200,
        "message": "Success",
    }


def cancel_one(call: Call) -> Any:
    return {"code": 200, "message": "", "data": _cancel(call, _find(call, call.parts[0]))}


def cancel_many(call: Call) -> Any:
    body: CancelManyBody = from_json(call.body, CancelManyBody)
    rows = []
    for wire, client in [*((w, "") for w in body.orderIds), *(("", c) for c in body.clientOrderIds)]:
        try:
            rows.append(_cancel(call, _find(call, wire, client)))
        except ApiError as error:
            rows.append(
                {
                    "orderId": str(wire),
                    "clientOrderId": client,
                    "state": "",
                    "code": error.code,
                    "message": error.text,
                }
            )
    return rows


def cancel_all(call: Call) -> Any:
    body: CancelAllBody = from_json(call.body, CancelAllBody) if call.body else CancelAllBody()
    found = [one for one in _purse(call).smart.values() if not body.symbols or one.symbol in body.symbols]
    return [_cancel(call, order) for order in found]


def replace(call: Call) -> Any:
    """Cancel a smart order and place another in its stead."""
    before = _find(call, call.parts[0])
    _cancel(call, before)
    body: SmartBody = from_json(call.body, SmartBody)
    text = call.core.spot.views[before.symbol].instrument.price_text
    body.symbol, body.side, body.type = before.symbol, before.side, before.kind
    body.stopPrice = body.stopPrice or text(before.stop_ticks)
    body.price = body.price or text(before.limit_ticks)
    body.quantity, body.amount = body.quantity or before.quantity, body.amount or before.amount
    body.trailingOffset = body.trailingOffset or format_e8(before.trailing_e8)
    body.limitOffset = body.limitOffset or format_e8(before.offset_e8)
    replaced = to_json(body)
    return {"code": 200, "message": "", "data": place(call._replace(body=replaced))}


def _signed(method: str, path: str, handler: Callable[[Call], Any], per_second: int = 50) -> Route:
    return Route(method, path, handler, Limit("", per_second), signed=True, bare=True)


SPOT_SMART = (
    _signed("POST", "/smartorders", place),
    _signed("GET", "/smartorders", waiting, 10),
    _signed("GET", "/smartorders/history", history, 10),
    _signed("DELETE", "/smartorders/cancelByIds", cancel_many, 10),
    _signed("DELETE", "/smartorders", cancel_all, 10),
    _signed("GET", "/smartorders/{id}", one),
    _signed("PUT", "/smartorders/{id}", replace, 10),
    _signed("DELETE", "/smartorders/{id}", cancel_one),
)

"""Every signed futures request we make: what is asked, of which path, under which limit.

Nothing here knows keys or clocks: a request is signed when it leaves. Prices come in as text, made by whoever
knows the instrument. Source: docs/poloniex.md, Account and trade.
"""

from __future__ import annotations

import msgspec

from actors.poloniex.rate_budget import Limit
from actors.poloniex.request import Query, Request

__all__ = [
    "ROWS_MAX",
    "OrderBody",
    "balance",
    "bills",
    "cancel_all",
    "cancel_many",
    "cancel_order",
    "fills",
    "open_orders",
    "order_details",
    "order_history",
    "place_many",
    "place_order",
    "positions",
]

ROWS_MAX = 100  # of a page, in all lists
BATCH_MAX = 10  # orders in one request

ORDER, ORDERS = "/v3/trade/order", "/v3/trade/orders"


class OrderBody(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An order as the venue reads it. Margin mode and position side go together or not at all."""

    symbol: str
    side: str
    mgnMode: str
    posSide: str
    type: str
    sz: str
    px: str = ""
    timeInForce: str = ""
    clOrdId: str = ""
    reduceOnly: bool = False
    stpMode: str = ""


class CancelBody(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An order to cancel, by one of its two names."""

    symbol: str
    clOrdId: str = ""
    ordId: str = ""


_encode = msgspec.json.Encoder().encode


def place_order(order: OrderBody) -> Request:
    """Place one order."""
    return Request("POST", ORDER, Limit.PLACE, (), _encode(order).decode(), True, True)


def place_many(orders: tuple[OrderBody, ...]) -> Request:
    """Place up to 10 orders; answered one by one, in order."""
    return _changing("POST", ORDERS, Limit.PLACE_MANY, orders)


def cancel_order(symbol: str, client_order_id: str) -> Request:
    """Cancel one order."""
    body = _encode(CancelBody(symbol, client_order_id)).decode()
    return Request("DELETE", ORDER, Limit.CANCEL, (), body, True, True)


def cancel_many(symbol: str, client_order_ids: tuple[str, ...]) -> Request:
    """Cancel up to 10 orders of one symbol; answered one by one."""
    body = {"symbol": symbol, "clOrdIds": client_order_ids}
    return _changing("DELETE", "/v3/trade/batchOrders", Limit.READ, body)


def cancel_named(symbol: str, venue_order_id: str) -> Request:
    """Cancel one order by the venue's name: it need not be one of ours."""
    body = _encode(CancelBody(symbol, "", venue_order_id)).decode()
    return Request("DELETE", ORDER, Limit.CANCEL, (), body, True, True)


def cancel_listed(symbol: str, venue_order_ids: tuple[str, ...]) -> Request:
    """Cancel up to 10 orders of one symbol by the venue's names; answered one by one."""
    body = {"symbol": symbol, "ordIds": venue_order_ids}
    return _changing("DELETE", "/v3/trade/batchOrders", Limit.READ, body)


def cancel_all(symbol: str = "") -> Request:
    """Cancel every order, of one symbol or of all."""
    return _changing("DELETE", "/v3/trade/allOrders", Limit.READ, {"symbol": symbol} if symbol else {})


def close_position(symbol: str, margin_mode: str, client_order_id: str, position_side: str = "") -> Request:
    """Close one position at the market; in hedge mode its side must be said."""
    body = {"symbol": symbol, "mgnMode": margin_mode, "clOrdId": client_order_id}
    if position_side:
        body["posSide"] = position_side
    return _changing("POST", "/v3/trade/position", Limit.READ, body)


def close_all() -> Request:
    """Close every position at the market."""
    return _changing("POST", "/v3/trade/positionAll", Limit.CLOSE_ALL, {})


def open_orders(symbol: str = "", client_order_id: str = "", after: str = "") -> Request:
    """Orders that rest, newest first; `after` is the ordId the last page ended with."""
    return _page("/v3/trade/order/opens", symbol, client_order_id, after)


def order_history(
    symbol: str = "", client_order_id: str = "", *, since_ms: int = 0, after: str = ""
) -> Request:
    """Orders that ended, newest first; those canceled without a fill only for about 4 hours."""
    return _page("/v3/trade/order/history", symbol, client_order_id, after, since_ms)


def order_details(client_order_id: str) -> Request:
    """One order, by its name of ours."""
    return _reading("/v3/trade/order/details", ("clOrdId", client_order_id))


def fills(symbol: str = "", client_order_id: str = "", *, since_ms: int = 0, after: str = "") -> Request:
    """Fills of ours, newest first; `after` is the id the last page ended with."""
    return _page("/v3/trade/order/trades", symbol, client_order_id, after, since_ms)


def balance() -> Request:
    """What the account holds."""
    return Request("GET", "/v3/account/balance", Limit.BALANCE, signed=True)


def bills(kind: str, *, since_ms: int, after: str = "") -> Request:
    """Movements of money of one kind, such as FUNDING_FEE, newest first."""
    times = ("sTime", str(since_ms)) if since_ms else ("sTime", "")
    return _reading("/v3/account/bills", ("type", kind), times, ("from", after), ("limit", str(ROWS_MAX)))


def positions(symbol: str = "") -> Request:
    """Positions that are open."""
    return _reading("/v3/trade/position/opens", ("symbol", symbol))


def position_mode() -> Request:
    """One-way or hedge."""
    return _reading("/v3/position/mode")


def set_position_mode(mode: str) -> Request:
    """ONE_WAY or HEDGE; refused while anything is open."""
    return _changing("POST", "/v3/position/mode", Limit.READ, {"posMode": mode})


def leverages(symbol: str, margin_mode: str) -> Request:
    """The leverage that new orders of a symbol take."""
    return _reading("/v3/position/leverages", ("symbol", symbol), ("mgnMode", margin_mode))


def set_leverage(symbol: str, margin_mode: str, leverage: int) -> Request:
    """Set the leverage of a symbol, in one-way mode."""
    body = {"symbol": symbol, "lever": str(leverage), "mgnMode": margin_mode, "posSide": "BOTH"}
    return _changing("POST", "/v3/position/leverage", Limit.READ, body)


def change_margin(symbol: str, amount: str, *, add: bool) -> Request:
    """Move margin into an isolated position, or out of it; USDT as text."""
    body = {"symbol": symbol, "amt": amount, "type": "ADD" if add else "REDUCE", "posSide": "BOTH"}
    return _changing("POST", "/v3/trade/position/margin", Limit.READ, body)


def risk_limits(symbol: str, margin_mode: str) -> Request:
    """The risk table as it holds for this account."""
    return _reading("/v3/position/riskLimit", ("symbol", symbol), ("mgnMode", margin_mode))


def _page(path: str, symbol: str, client_order_id: str, after: str, since_ms: int = 0) -> Request:
    return _reading(
        path,
        ("symbol", symbol),
        ("clOrdId", client_order_id),
        ("sTime", str(since_ms) if since_ms else ""),
        ("from", after),
        ("limit", str(ROWS_MAX)),
    )


def _reading(path: str, *pairs: tuple[str, str]) -> Request:
    query: Query = tuple([pair for pair in pairs if pair[1]])
    return Request("GET", path, Limit.READ, query, signed=True)


def _changing(method: str, path: str, limit: str, body: object) -> Request:
    return Request(method, path, limit, (), _encode(body).decode(), True, True)

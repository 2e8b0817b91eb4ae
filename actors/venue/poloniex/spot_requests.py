"""Every signed spot request we make. Spot counts in units of the coin, not contracts: amounts come as text.

Source: docs/poloniex.md, Spot.
"""

from __future__ import annotations

import msgspec

from actors.poloniex.rate_budget import Limit
from actors.poloniex.request import Query, Request

__all__ = [
    "SpotOrderBody",
    "spot_balances",
    "spot_cancel_all",
    "spot_cancel_many",
    "spot_cancel_order",
    "spot_fees",
    "spot_fills",
    "spot_open_orders",
    "spot_order",
    "spot_order_fills",
    "spot_order_history",
    "spot_place_order",
]

ROWS_MAX = 100


class SpotOrderBody(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An order as the spot market reads it. A market buy gives `amount` (quote), all others `quantity`."""

    symbol: str
    side: str
    type: str
    quantity: str = ""
    amount: str = ""
    price: str = ""
    timeInForce: str = ""
    clientOrderId: str = ""
    stpMode: str = ""


_encode = msgspec.json.Encoder().encode


def spot_place_order(order: SpotOrderBody) -> Request:
    """Place one order."""
    return Request("POST", "/orders", Limit.SPOT_TRADE, (), _encode(order).decode(), True, True)


def spot_cancel_order(client_order_id: str) -> Request:
    """Cancel one order by its name of ours."""
    return Request("DELETE", f"/orders/cid:{client_order_id}", Limit.SPOT_TRADE, changes=True, signed=True)


def spot_cancel_many(client_order_ids: tuple[str, ...]) -> Request:
    """Cancel several orders by their names of ours; answered one by one."""
    body = _encode({"clientOrderIds": client_order_ids}).decode()
    return Request("DELETE", "/orders/cancelByIds", Limit.SPOT_READ, (), body, True, True)


def spot_cancel_named(venue_order_id: str) -> Request:
    """Cancel one order by the venue's name: it need not be one of ours."""
    return Request("DELETE", f"/orders/{venue_order_id}", Limit.SPOT_TRADE, changes=True, signed=True)


def spot_cancel_listed(venue_order_ids: tuple[str, ...]) -> Request:
    """Cancel several orders by the venue's names; answered one by one."""
    body = _encode({"orderIds": venue_order_ids}).decode()
    return Request("DELETE", "/orders/cancelByIds", Limit.SPOT_READ, (), body, True, True)


def spot_cancel_all(symbols: tuple[str, ...] = ()) -> Request:
    """Cancel every order of these symbols; of all when none is given."""
    body = _encode({"symbols": symbols, "accountTypes": ("SPOT",)}).decode()
    return Request("DELETE", "/orders", Limit.SPOT_READ, (), body, True, True)


def spot_order(client_order_id: str) -> Request:
    """One order by its name of ours."""
    return Request("GET", f"/orders/cid:{client_order_id}", Limit.SPOT_TRADE, signed=True)


def spot_open_orders(symbol: str = "", after: str = "") -> Request:
    """Orders that rest."""
    return _reading("/orders", ("symbol", symbol), ("from", after), ("limit", str(ROWS_MAX)))


def spot_order_history(symbol: str = "", *, since_ms: int = 0, after: str = "") -> Request:
    """Orders that ended; at most 7 days at once."""
    times = ("startTime", str(since_ms) if since_ms else "")
    limit = ("limit", str(ROWS_MAX))
    return _reading("/orders/history", ("symbol", symbol), times, ("from", after), limit)


def spot_fills(*, since_ms: int = 0, after: str = "") -> Request:
    """Fills of ours, of all orders."""
    times = ("startTime", str(since_ms) if since_ms else "")
    return _reading("/trades", times, ("from", after), ("limit", str(ROWS_MAX)))


def spot_order_fills(venue_order_id: str) -> Request:
    """Fills of one order, by the venue's name of it."""
    return Request("GET", f"/orders/{venue_order_id}/trades", Limit.SPOT_TRADE, signed=True)


def spot_balances() -> Request:
    """What the account holds, by currency."""
    return Request("GET", "/accounts/balances", Limit.SPOT_TRADE, (("accountType", "SPOT"),), signed=True)


def spot_fees() -> Request:
    """What the account pays."""
    return Request("GET", "/feeinfo", Limit.SPOT_READ, signed=True)


def _reading(path: str, *pairs: tuple[str, str]) -> Request:
    query: Query = tuple([pair for pair in pairs if pair[1]])
    return Request("GET", path, Limit.SPOT_READ, query, signed=True)

"""What the exchange answers when asked, and what an operator sees of it. Reads the state, changes nothing."""

from __future__ import annotations

from typing import Any

from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.exchange.accounts import Member
from actors.exchange.projection import Projection
from actors.exchange.ring import Ring
from actors.exchange.state import Order
from actors.exchange.terms import Slot
from actors.messages.terms import VenueTerms
from actors.messages.venue import (
    FundingPaid,
    OrderFilled,
    QueryAccount,
    QueryOrder,
    VenueAccount,
    VenueOrder,
    VenuePosition,
)

__all__ = [
    "account_statement",
    "answer_account",
    "answer_order",
    "describe_exchange",
    "describe_orders",
]


def answer_order(exchange: Projection, query: QueryOrder, at_ns: int) -> VenueOrder:
    """Return all that is known of one order; what was never here, or is forgotten, is not found."""
    member = exchange.members.get(query.account)
    order = member.orders.get(query.client_order_id) if member is not None else None
    if order is not None:
        return _venue_order(order, at_ns)
    return VenueOrder(
        query.account,
        query.client_order_id,
        query.symbol,
        False,
        "",
        OrderState.ABSENT,
        Side.BUY,
        0,
        0,
        0,
        False,
        (),
        at_ns,
    )


def answer_account(exchange: Projection, query: QueryAccount, at_ns: int) -> VenueAccount | None:
    """Return what an account holds, with fills and funding since the asked instant; None for a stranger."""
    member = exchange.members.get(query.account)
    if member is None:
        return None
    positions = tuple(_position(standing) for standing in member.positions())
    return account_statement(exchange, member, query, member.wallet.cash_usdt, positions, at_ns)


def account_statement(
    exchange: Projection,
    member: Member,
    query: QueryAccount,
    cash_usdt: int,
    positions: tuple[VenuePosition, ...],
    at_ns: int,
) -> VenueAccount:
    """Return an account's statement with the money and positions given, and its orders, fills and funding."""
    resting = _resting(exchange, member)
    return VenueAccount(
        query.account,
        query.request_id,
        cash_usdt,
        positions,
        tuple(_venue_order(order, at_ns) for order in resting),
        tuple(_fills_since(member.wallet.closed, resting, query.fills_since_ns)),
        tuple(_funding_since(member.wallet.funding, query.fills_since_ns)),
        at_ns,
        _terms(exchange, member, query.terms_of),
    )


def describe_exchange(exchange: Projection) -> dict[str, Any]:
    """Return wallets, positions, open orders and totals as plain values; amounts in 1e-8 USDT."""
    state = exchange.state
    return {
        "accounts": {name: _describe_member(exchange, member) for name, member in exchange.members.items()},
        "markets": {
            symbol: {
                "reference_ticks": market.reference_ticks,
                "resting_bids": market.book.bids.count,
                "resting_asks": market.book.asks.count,
                "market_net_contracts": state.markets[symbol].net_contracts,
                "funding_settled_at_ns": state.markets[symbol].settled_at_ns,
            }
            for symbol, market in exchange.markets.items()
            if market.reference_ticks or state.markets[symbol].net_contracts
        },
        "totals": exchange.totals(),
        "books_balance": exchange.books_balance(),
    }


def _describe_member(exchange: Projection, member: Member) -> dict[str, Any]:
    holdings = member.wallet.holdings
    return {
        "cash_usdt": member.wallet.cash_usdt,
        "deposits_usdt": member.wallet.deposits_usdt,
        "equity_usdt": member.equity_usdt,
        "margin_usdt_used": member.initial_usdt,
        "realised_usdt": sum(holding.realised_usdt for holding in holdings.values()),
        "fees_usdt": sum(holding.fees_usdt for holding in holdings.values()),
        "funding_usdt": sum(holding.funding_usdt for holding in holdings.values()),
        "positions": {
            standing.key: {
                "net_contracts": standing.holding.position.net_contracts,
                "cost_ticks": standing.holding.position.cost_ticks,
                "unrealised_usdt": standing.unrealised_usdt,
            }
            for standing in member.positions()
        },
        "open_orders": describe_orders(exchange, member),
    }


def describe_orders(exchange: Projection, member: Member) -> list[dict[str, Any]]:
    """Return the open orders of an account as plain values."""
    return [_describe_order(order) for order in _resting(exchange, member)]


def _describe_order(order: Order) -> dict[str, Any]:
    request = order.request
    return {
        "client_order_id": request.client_order_id,
        "venue_order_id": order.venue_order_id,
        "symbol": request.symbol,
        "side": request.side.name.lower(),
        "contracts": request.contracts,
        "filled_contracts": order.filled_contracts,
        "limit_ticks": request.limit_ticks,
        "reduce_only": request.reduce_only,
    }


def _resting(exchange: Projection, member: Member) -> list[Order]:
    if not member.open_count:
        return []
    orders = [order for order in exchange.state.open_orders.values() if order.request.account == member.name]
    return sorted(orders, key=lambda order: order.number)


def _venue_order(order: Order, at_ns: int) -> VenueOrder:
    request = order.request
    return VenueOrder(
        request.account,
        request.client_order_id,
        request.symbol,
        True,
        order.venue_order_id,
        order.state,
        request.side,
        request.contracts,
        order.filled_contracts,
        request.limit_ticks,
        request.reduce_only,
        tuple(order.fills),
        at_ns,
    )


def _terms(exchange: Projection, member: Member, symbols: tuple[str, ...]) -> tuple[VenueTerms, ...]:
    markets = [exchange.markets[symbol] for symbol in symbols if symbol in exchange.markets]
    return tuple(VenueTerms(m.symbol, member.standing(m, Slot.CROSS).leverage_chosen) for m in markets)


def _position(standing: Any) -> VenuePosition:
    net, cost = standing.holding.position
    return VenuePosition(standing.market.symbol, net, cost, standing.leverage, standing.is_isolated)


def _fills_since(closed: Ring[Order], resting: list[Order], since_ns: int) -> list[OrderFilled]:
    """Return fills in the order in which they happened; an order that ended before the instant has none."""
    found = [fill for order in resting for fill in order.fills if fill.at_ns >= since_ns]
    for order in closed.newest_first():
        if order.closed_at_ns < since_ns:
            break
        found += [fill for fill in order.fills if fill.at_ns >= since_ns]
    return sorted(found, key=lambda fill: int(fill.trade_id))


def _funding_since(paid: Ring[FundingPaid], since_ns: int) -> list[FundingPaid]:
    found = []
    for payment in paid.newest_first():
        if payment.settled_at_ns < since_ns:
            break
        found.append(payment)
    return found[::-1]

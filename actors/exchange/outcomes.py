"""Decisions into messages and events: the words for what the engine has made up its mind about."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.money import multiply_e8
from actors.domain.orders import OrderType, TimeInForce
from actors.exchange.accounts import Standing
from actors.exchange.admission import Refused
from actors.exchange.codes import CancelReason
from actors.exchange.events import Execution
from actors.exchange.matching import Match, Taking
from actors.exchange.state import Order
from actors.messages.venue import OrderAccepted, OrderCanceled, OrderRejected, PlaceOrder
from actors.runtime.messages import Message

__all__ = ["Outcomes", "canceled", "end_reason", "executions_of", "rejected", "told_again"]

Outcomes = list[Message]

MARKET, POST_ONLY = OrderType.MARKET, OrderType.POST_ONLY
GTC, FOK = TimeInForce.GTC, TimeInForce.FOK
CANCELED = OrderState.CANCELED


def executions_of(standing: Standing, matches: list[Match], trades_count: int) -> tuple[Execution, ...]:
    """Return what an order traded as the event holds it, fees counted and trades numbered on."""
    executions = []
    tick_value, taker_fee_e8 = standing.market.tick_value, standing.taker_fee_e8
    for price, contracts, node in matches:
        trades_count += 1
        notional = contracts * price * tick_value
        fee = multiply_e8(notional, taker_fee_e8)
        if node is None:
            executions.append(Execution(trades_count, price, contracts, fee, 0, 0))
        else:
            maker_fee = multiply_e8(notional, node.standing.maker_fee_e8)
            executions.append(Execution(trades_count, price, contracts, fee, node.order.number, maker_fee))
    return tuple(executions)


def end_reason(request: PlaceOrder, taking: Taking, left: int) -> str:
    """Return why the order does not rest with what is left; empty when it does."""
    kind = request.order_type
    if kind is POST_ONLY:
        return CancelReason.POST_ONLY_WOULD_TAKE if taking.touched else ""
    if request.time_in_force is FOK:
        return CancelReason.FOK_UNFILLED
    if taking.self_trade:
        return CancelReason.SELF_TRADE
    if request.reduce_only and not taking.left:
        return CancelReason.REDUCE_ONLY
    if kind is MARKET:
        return CancelReason.NO_LIQUIDITY
    return "" if request.time_in_force is GTC else CancelReason.IOC_REMAINDER


def rejected(request: PlaceOrder, refused: Refused, at_ns: int) -> Outcomes:
    """Return the exchange's no."""
    code, text = refused
    return [OrderRejected(request.account, request.client_order_id, code, text, at_ns)]


def canceled(order: Order) -> OrderCanceled:
    """Return that an order ended unfilled, as it was when that happened."""
    request = order.request
    return OrderCanceled(
        request.account,
        request.client_order_id,
        order.venue_order_id,
        order.reason,
        order.filled_contracts,
        order.closed_at_ns,
    )


def told_again(order: Order) -> Outcomes:
    """Return everything an order has led to so far: the answer to placing it a second time."""
    request = order.request
    accepted = OrderAccepted(
        request.account, request.client_order_id, order.venue_order_id, order.booked_at_ns
    )
    outcomes: Outcomes = [accepted, *order.fills]
    if order.state is CANCELED:
        outcomes.append(canceled(order))
    return outcomes

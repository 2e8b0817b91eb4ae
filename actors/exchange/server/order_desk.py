"""Futures orders: a client's wish in the engine's words, the engine's no in the venue's codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.accounts import Member, Standing
from actors.exchange.codes import Refusal
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import number_of, order_id
from actors.exchange.protocol.numbers import units_of, whole_of
from actors.exchange.protocol.requests import PlaceBody
from actors.exchange.server.market_view import MarketView
from actors.exchange.state import Order
from actors.exchange.terms import SelfTrade, Slot, Terms
from actors.messages.venue import CancelOrder, OrderRejected, PlaceOrder

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["OrderDesk", "refusal_of", "slot_for"]

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
TYPES = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT, "LIMIT_MAKER": OrderType.POST_ONLY}
TIMES = {"": TimeInForce.GTC, "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADES = {
    "": SelfTrade.ALLOWED,
    "NONE": SelfTrade.ALLOWED,
    "EXPIRE_TAKER": SelfTrade.EXPIRE_TAKER,
    "EXPIRE_MAKER": SelfTrade.EXPIRE_MAKER,
    "EXPIRE_BOTH": SelfTrade.EXPIRE_BOTH,
}
TRUE_WORDS = (True, "true", "True", "TRUE")
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
CONTRACTS_MAX = 10_000  # per order, whatever the contract says
CLOSERS = {
    Slot.CROSS_LONG: Side.SELL,
    Slot.CROSS_SHORT: Side.BUY,
    Slot.ISOLATED_LONG: Side.SELL,
    Slot.ISOLATED_SHORT: Side.BUY,
}
SLOTS = {
    ("CROSS", "BOTH"): Slot.CROSS,
    ("CROSS", "LONG"): Slot.CROSS_LONG,
    ("CROSS", "SHORT"): Slot.CROSS_SHORT,
    ("ISOLATED", "BOTH"): Slot.ISOLATED,
    ("ISOLATED", "LONG"): Slot.ISOLATED_LONG,
    ("ISOLATED", "SHORT"): Slot.ISOLATED_SHORT,
}
REFUSALS = {
    Refusal.PRICE_BAND: Problem.PRICE_LIMIT,
    Refusal.RISK_LIMIT: Problem.OPEN_LIMIT,
    Refusal.TOO_MANY_ORDERS: Problem.OPEN_LIMIT,
    Refusal.INSUFFICIENT_MARGIN: Problem.MARGIN_SHORT,
    Refusal.REDUCE_ONLY: Problem.POSITION_SHORT,
    Refusal.UNKNOWN_SYMBOL: Problem.NO_SYMBOL,
    Refusal.BAD_SIZE: (400, "Param error sz"),
    Refusal.BAD_LEVERAGE: (400, "Param error lever"),
    Refusal.NO_POSITION: Problem.NO_POSITION,
}


def refusal_of(code: str, side: Side = Side.BUY) -> ApiError:
    """Return the engine's refusal in the venue's codes."""
    if code == Refusal.NO_MARKET:
        return ApiError(Problem.NO_ASK if side is Side.BUY else Problem.NO_BID)
    return ApiError(REFUSALS.get(code, (400, "Param error")))


def slot_for(mode: str, side: str, is_hedged: bool) -> Slot:
    """Return which position a client means; an absent mode is CROSS. Errors: ApiError."""
    mode, side = mode.upper() or "CROSS", side.upper()
    if is_hedged and side not in ("LONG", "SHORT"):
        raise ApiError(Problem.POSITION_MODE)
    if not is_hedged and side in ("LONG", "SHORT"):
        raise ApiError(Problem.POSITION_MODE)
    slot = SLOTS.get((mode, side or "BOTH"))
    if slot is None:
        raise bad_parameter("mgnMode" if mode not in ("CROSS", "ISOLATED") else "posSide")
    return slot


class OrderDesk:
    """Places and cancels futures orders for accounts."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    # -- placing ------------------------------------------------------------------------------------

    def place(self, account: str, body: PlaceBody, now_ns: int, *, is_batch: bool = False) -> Order:
        """Take an order. Errors: ApiError with the venue's code."""
        core = self._core
        member = core.engine.members[account]
        is_hedged = core.engine.user(account).is_hedged
        view = self.view(body.symbol)
        if bool(body.mgnMode) != bool(body.posSide) or (is_batch and not body.mgnMode):
            raise ApiError(Problem.BATCH_MODE)
        slot = slot_for(body.mgnMode, body.posSide, is_hedged)
        request, terms = self._request(member, view, body, slot, is_hedged)
        self._check_status(view, request.reduce_only)
        if body.clOrdId and body.clOrdId in member.orders:
            raise ApiError(Problem.DUPLICATE)
        if is_hedged and request.reduce_only:
            self._check_closable(member.standing(view.market, slot), request.contracts)
        fault = core.faults.order_fault(account, body.symbol)
        if fault is not None:
            outcomes = core.engine.book_canceled(request, fault, now_ns, terms)
        else:
            outcomes = core.engine.place(request, now_ns, terms)
        if type(outcomes[0]) is OrderRejected:
            raise refusal_of(outcomes[0].code, request.side)
        core.absorb(outcomes, now_ns)
        return member.orders[request.client_order_id]

    def view(self, symbol: str) -> MarketView:
        """Return the market of a symbol. Errors: ApiError."""
        view = self._core.views.get(symbol)
        if view is None:
            raise ApiError(Problem.NO_SYMBOL) if symbol else bad_parameter("symbol")
        return view

    def _request(
        self, member: Member, view: MarketView, body: PlaceBody, slot: Slot, is_hedged: bool
    ) -> tuple[PlaceOrder, Terms]:
        side, kind = SIDES.get(body.side.upper()), TYPES.get(body.type.upper())
        if side is None:
            raise bad_parameter("side")
        if kind is None:
            raise bad_parameter("type")
        time_in_force = TIMES.get(body.timeInForce.upper())
        if time_in_force is None or (kind is OrderType.POST_ONLY and time_in_force is not TimeInForce.GTC):
            raise bad_parameter("timeInForce")
        self_trade = SELF_TRADES.get(body.stpMode.upper())
        if self_trade is None:
            raise bad_parameter("stpMode")
        contracts = whole_of(body.sz, "sz")
        if contracts > CONTRACTS_MAX:
            raise ApiError(Problem.SIZE_LIMIT)
        limit = 0 if kind is OrderType.MARKET else units_of(body.px, view.instrument.tick_e8, "px")
        reduce_only = body.reduceOnly in TRUE_WORDS
        if is_hedged:
            if reduce_only:
                raise ApiError(Problem.HEDGE_REDUCE)
            reduce_only = CLOSERS[slot] is side
        client_id = body.clOrdId or f"polo{order_id(self._core.engine.state.orders_count + 1)}"
        if not CLIENT_ID.fullmatch(client_id):
            raise bad_parameter("clOrdId")
        request = PlaceOrder(
            member.name, client_id, body.symbol, side, contracts, kind, limit, time_in_force, reduce_only
        )
        return request, Terms(slot, self_trade)

    def _check_status(self, view: MarketView, reduce_only: bool) -> None:
        status = view.status
        if status == "OPEN":
            return
        if status == "PAUSED":
            raise ApiError(Problem.PAUSED)
        if status == "CANCEL_ONLY":
            raise ApiError(Problem.CANCEL_ONLY)
        if status == "CANCEL_CLOSE_ONLY":
            if reduce_only:
                return
            raise ApiError(Problem.CLOSE_ONLY)
        raise ApiError(Problem.NOT_TRADING)

    def _check_closable(self, standing: Standing, contracts: int) -> None:
        if contracts > self.available(standing):
            raise ApiError(Problem.POSITION_SHORT)

    def available(self, standing: Standing) -> int:
        """Return how much of a position no resting order is about to close."""
        promised = sum(
            order.request.contracts - order.filled_contracts for order in standing.reduce_only.values()
        )
        return max(0, abs(standing.holding.position.net_contracts) - promised)

    # -- finding and canceling ----------------------------------------------------------------------

    def find(self, member: Member, wire_id: str | int, client_id: str) -> Order | None:
        """Return an order by the venue's id or by the client's; the venue's wins."""
        if not wire_id:
            return member.orders.get(client_id)
        number = number_of(wire_id)
        order = self._core.engine.state.open_orders.get(number)
        if order is not None:
            return order if order.request.account == member.name else None
        return next((one for one in member.wallet.closed.newest_first() if one.number == number), None)

    def cancel(self, member: Member, order: Order | None, symbol: str, now_ns: int) -> Order:
        """Take a resting order back. Errors: ApiError."""
        core = self._core
        if order is None or order.number not in core.engine.nodes:
            raise ApiError(Problem.ORDER_NOT_EXISTS)
        if symbol and symbol != order.request.symbol:
            raise ApiError(Problem.ORDER_NOT_EXISTS)
        status = self.view(order.request.symbol).status
        if status == "PAUSED":
            raise ApiError(Problem.PAUSED)
        asked = CancelOrder(member.name, order.request.client_order_id, order.request.symbol)
        core.absorb(core.engine.cancel(asked, now_ns), now_ns)
        return order

    def resting(self, member: Member) -> list[Order]:
        """Return an account's open orders, oldest first."""
        nodes = self._core.engine.nodes
        known = [order for order in member.orders.values() if order.number in nodes]
        return sorted(known, key=lambda order: order.number)

    def close(self, standing: Standing, client_id: str, now_ns: int) -> Order:
        """Close a position at the market. Errors: ApiError."""
        net = standing.holding.position.net_contracts
        if not net:
            raise ApiError(Problem.NO_POSITION_TO_CLOSE)
        core, name = self._core, standing.member.name
        if client_id in standing.member.orders:
            raise ApiError(Problem.DUPLICATE)
        client_id = client_id or f"polo{order_id(core.engine.state.orders_count + 1)}"
        side = Side.SELL if net > 0 else Side.BUY
        request = PlaceOrder(
            name,
            client_id,
            standing.market.symbol,
            side,
            abs(net),
            OrderType.MARKET,
            0,
            TimeInForce.IOC,
            True,
        )
        outcomes = core.engine.place(request, now_ns, Terms(standing.slot))
        if type(outcomes[0]) is OrderRejected:
            raise refusal_of(outcomes[0].code, side)
        core.absorb(outcomes, now_ns)
        return standing.member.orders[client_id]

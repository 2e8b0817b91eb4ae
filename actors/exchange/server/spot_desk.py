"""Spot orders: a client's wish in the engine's words, the engine's no in the venue's codes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import E8, EXACT, scaled
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.accounts import Member
from actors.exchange.codes import Refusal
from actors.exchange.protocol.errors import ApiError, Problem, bad_parameter
from actors.exchange.protocol.ids import SPOT_BASE, number_of
from actors.exchange.protocol.numbers import decimal_of
from actors.exchange.protocol.spot_requests import SpotPlaceBody
from actors.exchange.server.depth import levels_of
from actors.exchange.server.market_view import MarketView
from actors.exchange.server.spot_rows import spot_order_id
from actors.exchange.state import Order
from actors.exchange.terms import SelfTrade, Terms
from actors.messages.venue import CancelOrder, OrderRejected, PlaceOrder

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["SpotDesk"]

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
TYPES = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT, "LIMIT_MAKER": OrderType.POST_ONLY}
TIMES = {"": TimeInForce.GTC, "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADES = {"": SelfTrade.EXPIRE_TAKER, "EXPIRE_TAKER": SelfTrade.EXPIRE_TAKER, "NONE": SelfTrade.ALLOWED}
CLIENT_ID_MAX = 64
OPEN_ORDERS_MAX = 2_000
DEPTH_SEARCHED = 1_000
REFUSALS = {
    Refusal.INSUFFICIENT_MARGIN: Problem.SPOT_INSUFFICIENT,
    Refusal.PRICE_BAND: Problem.SPOT_PRICE,
    Refusal.BAD_SIZE: Problem.SPOT_BELOW_MINIMUM,
    Refusal.TOO_MANY_ORDERS: Problem.SPOT_TOO_MANY,
    Refusal.NO_MARKET: (24201, "Please try again later"),
}


class SpotDesk:
    """Places and cancels spot orders for accounts."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    def view(self, symbol: str) -> MarketView:
        """Return the market of a symbol. Errors: ApiError."""
        view = self._core.spot.views.get(symbol)
        if view is None:
            raise ApiError(Problem.SYMBOL)
        return view

    # -- placing ------------------------------------------------------------------------------------

    def place(self, account: str, body: SpotPlaceBody, now_ns: int) -> Order:
        """Take an order. Errors: ApiError with the venue's code."""
        spot = self._core.spot
        member = spot.engine.members[account]
        request, terms = self.request(member, body)
        view = self.view(request.symbol)
        if view.status == "PAUSED":
            raise ApiError((21340, "The symbol is under maintenance"))
        if view.status != "OPEN":
            raise ApiError((21343, "The symbol only allows post-only orders or cancels"))
        if request.client_order_id in member.orders:
            raise ApiError(Problem.SPOT_DUPLICATE)
        if member.open_count >= OPEN_ORDERS_MAX:
            raise ApiError(Problem.SPOT_TOO_MANY)
        fault = self._core.faults.order_fault(account, request.symbol)
        if fault is not None:
            outcomes = spot.engine.book_canceled(request, fault, now_ns, terms)
        else:
            outcomes = spot.engine.place(request, now_ns, terms)
        if type(outcomes[0]) is OrderRejected:
            raise ApiError(REFUSALS.get(outcomes[0].code, (601, outcomes[0].text)))
        spot.absorb(outcomes, now_ns)
        return member.orders[request.client_order_id]

    def request(self, member: Member, body: SpotPlaceBody) -> tuple[PlaceOrder, Terms]:
        """Return an order in the engine's words. Errors: ApiError."""
        view = self.view(body.symbol)
        side, kind = SIDES.get(body.side.upper()), TYPES.get(body.type.upper() or "MARKET")
        time_in_force = TIMES.get(body.timeInForce.upper())
        self_trade = SELF_TRADES.get(body.stpMode.upper())
        if side is None:
            raise ApiError(Problem.SPOT_SIDE)
        if kind is None:
            raise ApiError(Problem.SPOT_TYPE)
        if time_in_force is None:
            raise ApiError(Problem.SPOT_TIME_IN_FORCE)
        if self_trade is None or body.accountType.upper() not in ("", "SPOT"):
            raise bad_parameter("stpMode" if self_trade is None else "accountType")
        if kind is OrderType.POST_ONLY:
            time_in_force = TimeInForce.GTC
        limit = 0
        if kind is not OrderType.MARKET:
            limit = _units(body.price, view.instrument.tick_e8, Problem.SPOT_PRICE_SCALE, "price")
        contracts = self._contracts(view, body, side, kind, limit)
        if len(body.clientOrderId) > CLIENT_ID_MAX:
            raise bad_parameter("clientOrderId")
        number = spot_order_id(self._core.spot.engine.state.orders_count + 1)
        request = PlaceOrder(
            member.name,
            body.clientOrderId or f"polo{number}",
            view.symbol,
            side,
            contracts,
            kind,
            limit,
            time_in_force,
            False,
        )
        return request, Terms(self_trade=self_trade)

    def _contracts(
        self, view: MarketView, body: SpotPlaceBody, side: Side, kind: OrderType, limit: int
    ) -> int:
        """Return the size in lots; a market order to buy says what it spends instead."""
        one = view.instrument
        if kind is OrderType.MARKET and side is Side.BUY:
            if not body.amount:
                raise ApiError((602, "amount is missing"))
            spend = _units(body.amount, 1, Problem.SPOT_AMOUNT_SCALE, "amount")
            if spend < E8:
                raise ApiError(Problem.SPOT_AMOUNT)
            return max(1, _affordable(view, spend))
        if not body.quantity:
            raise ApiError((602, "quantity is missing"))
        contracts = _units(body.quantity, one.contract_e8, Problem.SPOT_QUANTITY_SCALE, "quantity")
        if contracts <= 0:
            raise ApiError(Problem.SPOT_QUANTITY)
        if limit and one.notional(contracts, limit) < E8:
            raise ApiError(Problem.SPOT_AMOUNT)
        return contracts

    # -- finding and canceling ----------------------------------------------------------------------

    def find(self, member: Member, wire_id: str | int, client_id: str = "") -> Order:
        """Return an order by the venue's id, or by the client's behind `cid:`. Errors: ApiError."""
        text = str(wire_id)
        if text.startswith("cid:"):
            client_id, text = text[4:], ""
        if client_id and not text:
            order = member.orders.get(client_id)
        else:
            number = number_of(text, SPOT_BASE)
            order = self._core.spot.engine.state.open_orders.get(number)
            if order is None or order.request.account != member.name:
                ended = member.wallet.closed.newest_first()
                order = next((one for one in ended if one.number == number), None)
        if order is None:
            raise ApiError(Problem.SPOT_NO_ORDER)
        return order

    def cancel(self, member: Member, order: Order, now_ns: int) -> None:
        """Take a resting order back. Errors: ApiError."""
        spot = self._core.spot
        if order.number not in spot.engine.nodes:
            is_filled = order.state is OrderState.FILLED
            raise ApiError(Problem.SPOT_FILLED if is_filled else Problem.SPOT_CANCELED)
        if self.view(order.request.symbol).status == "PAUSED":
            raise ApiError((21340, "The symbol is under maintenance"))
        asked = CancelOrder(member.name, order.request.client_order_id, order.request.symbol)
        spot.absorb(spot.engine.cancel(asked, now_ns), now_ns)

    def resting(self, member: Member) -> list[Order]:
        """Return an account's open orders, oldest first."""
        nodes = self._core.spot.engine.nodes
        known = [order for order in member.orders.values() if order.number in nodes]
        return sorted(known, key=lambda order: order.number)

    def cancel_all(self, member: Member, symbols: list[str], now_ns: int) -> list[Order]:
        """Cancel all resting orders of some symbols, or of all; return them."""
        wanted = [one for one in self.resting(member) if not symbols or one.request.symbol in symbols]
        gone = []
        for order in wanted:
            if self.view(order.request.symbol).status != "PAUSED":
                self.cancel(member, order, now_ns)
                gone.append(order)
        return gone


def _units(value: Any, unit_e8: int, problem: tuple[int, str], field: str) -> int:
    units, rest = EXACT.divmod(scaled(decimal_of(value, field)), Decimal(unit_e8))
    if rest:
        raise ApiError(problem)
    return int(units)


def _affordable(view: MarketView, spend: int) -> int:
    """Return how many lots an amount of money buys from the book as it is."""
    one: Instrument = view.instrument
    contracts = 0
    for price, offered in levels_of(view.market, Side.SELL, DEPTH_SEARCHED):
        cost = one.notional(1, price)
        taken = min(offered, spend // cost)
        contracts += taken
        spend -= taken * cost
        if taken < offered:
            break
    return contracts

"""What accounts hear of their own spot orders and balances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.domain.money import format_e8
from actors.domain.orders import Side
from actors.exchange.protocol.frames import data_frame
from actors.exchange.protocol.ids import trade_number
from actors.exchange.server.sessions import ALL
from actors.exchange.server.spot_account import account_id
from actors.exchange.server.spot_engine import QUOTE
from actors.exchange.server.spot_rows import fee_amount, quantity_text, spot_order_row
from actors.exchange.server.spot_streams import PRIVATE_PATH
from actors.exchange.state import Order
from actors.messages.venue import OrderAccepted, OrderCanceled, OrderFilled
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["SpotReports"]

MS_NS = 1_000_000
EVENTS = {"place": "place_order", "trade": "match_order", "canceled": "cancel_order"}


class SpotReports:
    """Turns outcomes of the spot engine into private frames."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core
        self._changes = 0

    def tell(self, outcomes: list[Message], now_ns: int) -> None:
        """Tell whoever is concerned and listens."""
        listened = {s.account for s in self._core.hub.sessions.values() if s.kind.path == PRIVATE_PATH}
        for outcome in outcomes:
            if getattr(outcome, "account", "") in listened:
                self._tell_one(outcome, now_ns)

    def _tell_one(self, outcome: Message, now_ns: int) -> None:
        if not isinstance(outcome, OrderAccepted | OrderFilled | OrderCanceled):
            return
        member = self._core.spot.engine.members[outcome.account]
        order = member.orders.get(outcome.client_order_id)
        if order is None:
            return
        if isinstance(outcome, OrderAccepted):
            self._order_frame(order, [], None, "place", now_ns)
        elif isinstance(outcome, OrderCanceled):
            self._order_frame(order, order.fills, None, "canceled", now_ns)
        else:
            found = [(one.trade_id, one.maker) for one in order.fills]
            known = order.fills[: found.index((outcome.trade_id, outcome.maker)) + 1]
            self._order_frame(order, known, outcome, "trade", now_ns)

    def _order_frame(
        self, order: Order, known: list[OrderFilled], fill: OrderFilled | None, event: str, now_ns: int
    ) -> None:
        one = self._core.spot.engine.markets[order.request.symbol].instrument
        row = spot_order_row(order, one)
        filled = sum(each.contracts for each in known)
        ticks = sum(each.contracts * each.price_ticks for each in known)
        state = row["state"]
        if event == "place":
            state = "NEW"
        elif event == "trade":
            state = "FILLED" if filled >= order.request.contracts else "PARTIALLY_FILLED"
        base = one.base if order.request.side is Side.BUY else QUOTE
        wire: dict[str, Any] = {
            "symbol": row["symbol"],
            "type": row["type"],
            "quantity": row["quantity"],
            "orderId": row["id"],
            "tradeFee": format_e8(fee_amount(fill, one)) if fill else "0",
            "clientOrderId": row["clientOrderId"],
            "accountType": "SPOT",
            "feeCurrency": base if fill else "",
            "eventType": event,
            "source": "API",
            "side": row["side"],
            "filledQuantity": quantity_text(one, filled),
            "filledAmount": format_e8(ticks * one.tick_value),
            "matchRole": "TAKER" if (not fill.maker if fill else row["type"] == "MARKET") else "MAKER",
            "state": state,
            "tradeTime": fill.at_ns // MS_NS if fill else 0,
            "tradeAmount": format_e8(one.notional(fill.contracts, fill.price_ticks)) if fill else "0",
            "orderAmount": row["amount"],
            "createTime": row["createTime"],
            "price": row["price"],
            "tradeQty": quantity_text(one, fill.contracts) if fill else "0",
            "tradePrice": one.price_text(fill.price_ticks) if fill else "0",
            "tradeId": str(trade_number(int(fill.trade_id))) if fill else "0",
            "ts": now_ns // MS_NS,
        }
        account = order.request.account
        self._emit("orders", order.request.symbol, account, wire)
        currencies = (one.base, QUOTE) if fill else (QUOTE if order.request.side is Side.BUY else one.base,)
        for currency in currencies:
            self.tell_balance(account, currency, EVENTS[event], now_ns)

    def tell_balance(self, account: str, currency: str, event: str, now_ns: int) -> None:
        """Tell how a currency of an account stands now."""
        if not self._listeners("balances", ALL, account):
            return
        engine = self._core.spot.engine
        member = engine.members[account]
        self._changes += 1
        row = {
            "changeTime": now_ns // MS_NS,
            "accountId": account_id(self._core, account),
            "accountType": "SPOT",
            "eventType": event,
            "available": format_e8(engine.available(member, currency)),
            "currency": currency,
            "id": now_ns // MS_NS * 1_000 + self._changes % 1_000,
            "userId": sorted(engine.members).index(account) + 1,
            "hold": format_e8(engine.held(member, currency)),
            "ts": now_ns // MS_NS,
        }
        self._emit("balances", ALL, account, row)

    def _listeners(self, channel: str, symbol: str, account: str) -> tuple[int, ...]:
        hub = self._core.hub
        sockets = hub.hears(PRIVATE_PATH, channel, symbol)
        return tuple(socket for socket in sockets if hub.sessions[socket].account == account)

    def _emit(self, channel: str, symbol: str, account: str, row: dict[str, Any]) -> None:
        sockets = self._listeners(channel, symbol, account)
        if sockets:
            self._core.hub.emit(sockets, channel, symbol, data_frame(channel, [row]), account)

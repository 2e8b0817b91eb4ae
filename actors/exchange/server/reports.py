"""What accounts hear of their own orders: outcomes of the engine into frames of the private channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.domain.money import E8, format_e8
from actors.exchange.accounts import Standing
from actors.exchange.protocol.frames import data_frame
from actors.exchange.protocol.ids import order_id, trade_number
from actors.exchange.protocol.numbers import ratio_text
from actors.exchange.server.account_rows import balance_row, cancel_reason, fill_type, order_row, state_word
from actors.exchange.server.futures_account import position_of
from actors.exchange.server.futures_streams import PRIVATE_PATH
from actors.exchange.server.sessions import ALL
from actors.exchange.state import Order
from actors.messages.venue import FundingPaid, OrderAccepted, OrderCanceled, OrderFilled
from actors.runtime.messages import Message

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["Reports"]

MS_NS = 1_000_000
# Of a row of the lists, what the stream does not have.
NOT_STREAMED = ("tpTrgPx", "tpPx", "tpTrgPxType", "slTrgPx", "slPx", "slTrgPxType", "lever", "stpMode")
ENDED = ("CANCELED", "PARTIALLY_CANCELED")


class Reports:
    """Turns outcomes into private frames, in the order in which things happened."""

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    def tell(self, outcomes: list[Message], now_ns: int) -> None:
        """Tell whoever is concerned and listens."""
        listened = {s.account for s in self._core.hub.sessions.values() if s.kind.path == PRIVATE_PATH}
        if not listened:
            return
        touched: dict[str, dict[str, Standing]] = {}
        for outcome in outcomes:
            account: str = getattr(outcome, "account", "")
            if account in listened:
                self._tell_one(outcome, touched.setdefault(account, {}), now_ns)
        for account, standings in touched.items():
            for standing in standings.values():
                self.tell_position(standing, now_ns)
            self.tell_account(account, now_ns)

    def _tell_one(self, outcome: Message, touched: dict[str, Standing], now_ns: int) -> None:
        if isinstance(outcome, FundingPaid):
            for standing in self._core.engine.members[outcome.account].positions_in(outcome.symbol):
                touched[standing.key] = standing
            return
        if not isinstance(outcome, OrderAccepted | OrderFilled | OrderCanceled):
            return
        order = self._order(outcome.account, outcome.client_order_id, int(outcome.venue_order_id))
        if order is None:
            return
        if isinstance(outcome, OrderAccepted):
            self._order_frame(order, [], "NEW", None, now_ns)
        elif isinstance(outcome, OrderCanceled):
            self._order_frame(order, order.fills, state_word(order), None, now_ns)
        else:
            self._tell_fill(order, outcome, touched, now_ns)

    def _tell_fill(self, order: Order, fill: OrderFilled, touched: dict[str, Standing], now_ns: int) -> None:
        found = [(one.trade_id, one.maker) for one in order.fills]
        known = order.fills[: found.index((fill.trade_id, fill.maker)) + 1]
        is_whole = sum(one.contracts for one in known) >= order.request.contracts
        self._order_frame(order, known, "FILLED" if is_whole else "PARTIALLY_FILLED", fill, now_ns)
        self._trade_frame(order, fill, now_ns)
        member = self._core.engine.members[fill.account]
        standing = member.standing(self._core.engine.markets[fill.symbol], order.terms.slot)
        touched[standing.key] = standing

    def _order(self, account: str, client_id: str, number: int) -> Order | None:
        member = self._core.engine.members[account]
        order = member.orders.get(client_id) if client_id else None
        if order is not None and order.number == number:
            return order
        return next((one for one in member.wallet.closed.newest_first() if one.number == number), None)

    def _order_frame(
        self, order: Order, known: list[OrderFilled], state: str, fill: OrderFilled | None, now_ns: int
    ) -> None:
        """Tell an order as it was after its first fills."""
        request = order.request
        instrument = self._core.engine.markets[request.symbol].instrument
        row: dict[str, Any] = order_row(order, instrument, 0, is_history=False)
        for name in NOT_STREAMED:
            del row[name]
        filled = sum(one.contracts for one in known)
        ticks = sum(one.contracts * one.price_ticks for one in known)
        is_canceled = state in ENDED
        at_ns = order.closed_at_ns if is_canceled else known[-1].at_ns if known else order.booked_at_ns
        row |= {
            "state": state,
            "cancelReason": cancel_reason(order) if is_canceled else "",
            "execQty": str(filled),
            "execAmt": format_e8(ticks * instrument.tick_value),
            "avgPx": ratio_text(ticks * instrument.tick_e8, filled * E8),
            "feeCcy": "USDT" if known else "",
            "feeAmt": format_e8(sum(one.fee_usdt for one in known)),
            "cTime": order.booked_at_ns // MS_NS,
            "uTime": at_ns // MS_NS,
            "ts": now_ns // MS_NS,
        }
        if fill is not None:
            row |= {"fillSz": str(fill.contracts), "role": "MAKER" if fill.maker else "TAKER"}
        self._emit("orders", request.symbol, request.account, row)

    def _trade_frame(self, order: Order, fill: OrderFilled, now_ns: int) -> None:
        instrument = self._core.engine.markets[fill.symbol].instrument
        row = {
            "symbol": fill.symbol,
            "side": fill.side.name,
            "ordId": order_id(order.number),
            "clOrdId": fill.client_order_id,
            "role": "MAKER" if fill.maker else "TAKER",
            "trdId": str(trade_number(int(fill.trade_id))),
            "feeCcy": "USDT",
            "feeAmt": format_e8(fill.fee_usdt),
            "deductCcy": "",
            "deductAmt": "0",
            "type": fill_type(order),
            "fpx": instrument.price_text(fill.price_ticks),
            "fqty": str(fill.contracts),
            "uTime": fill.at_ns // MS_NS,
            "ts": now_ns // MS_NS,
        }
        self._emit("trade", fill.symbol, fill.account, row)

    def tell_position(self, standing: Standing, now_ns: int) -> None:
        """Tell how a position stands now; a closed one has size 0."""
        symbol, account = standing.market.symbol, standing.member.name
        if not self._listeners("positions", symbol, account):
            return
        if standing.holding.position.net_contracts:
            row = position_of(self._core, standing)
        else:
            row = self._flat_row(standing)
        row["lever"] = int(row["lever"])
        row["cTime"], row["uTime"], row["ts"] = int(row["cTime"]), int(row["uTime"]), now_ns // MS_NS
        del row["lastPx"], row["indexPx"]  # of the list alone
        self._emit("positions", symbol, account, row)

    def _flat_row(self, standing: Standing) -> dict[str, Any]:
        """Return the row of a position that has just been closed."""
        user = self._core.engine.user(standing.member.name)
        ended = next((one for one in user.positions.newest_first() if one.holding == standing.key), None)
        row = position_of(self._core, standing, ended.side if ended is not None else 1)
        if ended is not None:
            note = ended.note
            row |= {
                "oldQty": str(abs(note.size_before)),
                "fee": format_e8(-note.fees_usdt),
                "pnl": format_e8(note.realised_usdt),
                "fpnl": format_e8(note.last_realised_usdt),
                "ffee": format_e8(-note.funding_usdt),
                "state": ended.state,
                "cTime": str(note.opened_at_ns // MS_NS),
                "uTime": str(note.updated_at_ns // MS_NS),
            }
        return row

    def tell_account(self, account: str, now_ns: int) -> None:
        """Tell how an account's money stands now."""
        if self._listeners("account", ALL, account):
            row = balance_row(self._core.engine.members[account], now_ns)
            for part in (row, *row["details"]):
                part["cTime"], part["uTime"] = int(part["cTime"]), int(part["uTime"])
            row["ts"] = now_ns // MS_NS
            self._emit("account", ALL, account, row)

    def _listeners(self, channel: str, symbol: str, account: str) -> tuple[int, ...]:
        hub = self._core.hub
        if channel == "account":
            return tuple(
                session.socket_id
                for session in hub.sessions.values()
                if session.account == account
                and any(topic == "account" for topic, _ in session.subscriptions)
            )
        sockets = hub.hears(PRIVATE_PATH, channel, symbol)
        return tuple(socket for socket in sockets if hub.sessions[socket].account == account)

    def _emit(self, channel: str, symbol: str, account: str, row: dict[str, Any]) -> None:
        sockets = self._listeners(channel, symbol, account)
        if sockets:
            self._core.hub.emit(sockets, channel, symbol, data_frame(channel, [row]), account)

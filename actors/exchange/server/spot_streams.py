"""The spot WebSocket endpoints, with trading on the private one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.domain.orders import Side
from actors.exchange.protocol.envelopes import to_json
from actors.exchange.protocol.errors import ApiError
from actors.exchange.protocol.frames import BadFrame, ClientFrame, data_frame
from actors.exchange.protocol.spot_requests import CancelAllBody, CancelManyBody, SpotPlaceBody
from actors.exchange.server.book_feed import BookFeed
from actors.exchange.server.candles import INTERVALS
from actors.exchange.server.depth import Level
from actors.exchange.server.market_view import MarketView, PublicTrade
from actors.exchange.server.sessions import ALL, Session
from actors.exchange.server.spot_engine import QUOTE
from actors.exchange.server.spot_rows import (
    currency_row,
    market_row,
    plain_currency_row,
    quantity_text,
    spot_candle,
    spot_order_id,
    spot_ticker,
    spot_trade,
)
from actors.exchange.state import Order

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["PRIVATE_PATH", "PUBLIC_PATH", "SpotPrivate", "SpotPublic"]

PUBLIC_PATH, PRIVATE_PATH = "/ws/public", "/ws/private"
MS_NS = 1_000_000
DEPTHS = (5, 10, 20)
CANDLES = {f"candles_{name.lower()}": name for name in INTERVALS}
CHANNELS = frozenset({"symbols", "currencies", "exchange", "ticker", "trades", "book", "book_lv2"})
NOT_FOR_ALL = frozenset({"book_lv2", "book"})


class SpotPublic:
    """`/ws/public`."""

    path = PUBLIC_PATH
    is_private = False

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core
        self._feeds: dict[str, BookFeed] = {}

    def topics(self, frame: ClientFrame, channel: str) -> list[str] | None:
        if channel == "book":
            depth = int(frame.depth or 5) if str(frame.depth or 5).isdigit() else 0
            if depth not in DEPTHS:
                raise BadFrame(f"Invalid depth: {frame.depth}"[:100])
            if frame.event == "unsubscribe" and not frame.depth:
                return [f"book@{one}" for one in DEPTHS]
            return [f"book@{depth}"]
        return [channel] if channel in CHANNELS or channel in CANDLES else None

    def symbols(self, channel: str, wanted: list[str]) -> list[str]:
        if channel in ("exchange", "currencies"):
            return [ALL]
        if ALL in wanted:
            if channel in NOT_FOR_ALL:
                raise BadFrame("All symbols subscription is not allowed")
            return [ALL]
        known = [symbol for symbol in wanted if symbol in self._core.spot.views]
        if not known:
            raise BadFrame("no valid symbols")
        return known

    def command(self, session: Session, frame: ClientFrame, now_ns: int) -> bool:
        return False

    # -- what a new subscriber gets -----------------------------------------------------------------

    def greet(self, session: Session, channel: str, symbols: list[str], now_ns: int) -> None:
        views = self._core.spot.views
        if channel == "exchange":
            self._one(session, channel, ALL, [{"MM": "OFF", "POM": "OFF"}], "snapshot")
            return
        if channel == "currencies":
            coins = [QUOTE, *(view.instrument.base for view in views.values())]
            rows = [
                {"currency": coin, **plain_currency_row(currency_row(number, coin, 8))}
                for number, coin in enumerate(coins, 1)
            ]
            self._one(session, channel, ALL, rows, "snapshot")
            return
        for view in list(views.values()) if symbols == [ALL] else [views[symbol] for symbol in symbols]:
            self._greet_market(session, channel, view, now_ns)

    def _greet_market(self, session: Session, channel: str, view: MarketView, now_ns: int) -> None:
        if channel == "book_lv2":
            self.tell_book(view, now_ns)
            feed = self._feed(view)
            row = self._book_row(view, feed.asks, feed.bids, feed, now_ns)
            self._one(session, channel, view.symbol, [row], "snapshot")
        elif channel == "symbols":
            row = market_row(view)
            row["crossMargin"]["maxLeverage"] = str(row["crossMargin"]["maxLeverage"])  # a number in REST
            self._one(session, channel, view.symbol, [row], "snapshot")
        elif channel == "ticker":
            self._one(session, channel, view.symbol, [spot_ticker(view, now_ns)])
        elif channel == "trades":
            rows = [spot_trade(view, trade, now_ns) for trade in list(view.trades)[-1:]]
            if rows:
                self._one(session, channel, view.symbol, rows)
        elif channel in CANDLES:
            (candle,) = view.candles_of(CANDLES[channel]).between(0, 0, 1, now_ns)
            self._one(session, channel, view.symbol, [spot_candle(view, candle, now_ns)])
        else:
            depths = [int(t.partition("@")[2]) for t, _ in session.subscriptions if t.startswith("book@")]
            self._one(session, channel, view.symbol, [self._whole_book(view, depths[-1], now_ns)])

    def _one(self, session: Session, channel: str, symbol: str, rows: Any, action: str = "") -> None:
        self._core.hub.emit((session.socket_id,), channel, symbol, data_frame(channel, rows, action))

    # -- news ---------------------------------------------------------------------------------------

    def wants_books(self, symbol: str) -> bool:
        """Tell whether anybody follows a book."""
        return bool(self._core.hub.hears(PUBLIC_PATH, "book_lv2", symbol))

    def tell_book(self, view: MarketView, now_ns: int) -> None:
        """Tell how a book has changed since the last time."""
        changed = self._feed(view).advance()
        if changed is not None:
            row = self._book_row(view, changed[0], changed[1], self._feed(view), now_ns)
            self._core.hub.publish(PUBLIC_PATH, "book_lv2", view.symbol, [row], "update")

    def tell_trade(self, view: MarketView, trade: PublicTrade, now_ns: int) -> None:
        """Tell a trade."""
        if self._core.hub.hears(PUBLIC_PATH, "trades", view.symbol):
            rows = [spot_trade(view, trade, now_ns)]
            self._core.hub.publish(PUBLIC_PATH, "trades", view.symbol, rows)

    def tell_often(self, view: MarketView, now_ns: int) -> None:
        """Tell what goes out ten times a second: tickers, whole books, candles that changed."""
        hub = self._core.hub
        if hub.hears(PUBLIC_PATH, "ticker", view.symbol):
            hub.publish(PUBLIC_PATH, "ticker", view.symbol, [spot_ticker(view, now_ns)])
        for depth in DEPTHS:
            if hub.hears(PUBLIC_PATH, f"book@{depth}", view.symbol):
                rows = [self._whole_book(view, depth, now_ns)]
                hub.publish(PUBLIC_PATH, f"book@{depth}", view.symbol, rows)
        for name, candle in view.changed_candles.items():
            channel = f"candles_{name.lower()}"
            if hub.hears(PUBLIC_PATH, channel, view.symbol):
                hub.publish(PUBLIC_PATH, channel, view.symbol, [spot_candle(view, candle, now_ns)])
        view.changed_candles.clear()

    def _feed(self, view: MarketView) -> BookFeed:
        feed = self._feeds.get(view.symbol)
        if feed is None:
            first = (self._core.spot.engine.state.orders_count + 1) << 20
            feed = self._feeds[view.symbol] = BookFeed(view.market, first)
        return feed

    def _book_row(
        self, view: MarketView, asks: list[Level], bids: list[Level], feed: BookFeed, now_ns: int
    ) -> dict[str, Any]:
        one = view.instrument
        rows = {
            side: [[one.price_text(price), quantity_text(one, lots)] for price, lots in levels]
            for side, levels in ((Side.SELL, asks), (Side.BUY, bids))
        }
        return {
            "symbol": view.symbol,
            "createTime": now_ns // MS_NS,
            "asks": rows[Side.SELL],
            "bids": rows[Side.BUY],
            "lastId": feed.last_id,
            "id": feed.id,
            "ts": now_ns // MS_NS,
        }

    def _whole_book(self, view: MarketView, depth: int, now_ns: int) -> dict[str, Any]:
        now = BookFeed(view.market, self._feed(view).id)
        row = self._book_row(view, now.asks[:depth], now.bids[:depth], self._feed(view), now_ns)
        del row["lastId"]
        return row


class SpotPrivate:
    """`/ws/private`: orders, balances, and trading."""

    path = PRIVATE_PATH
    is_private = True

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    def topics(self, frame: ClientFrame, channel: str) -> list[str] | None:
        return [channel] if channel in ("orders", "balances") else None

    def symbols(self, channel: str, wanted: list[str]) -> list[str]:
        if channel == "balances" or ALL in wanted:
            return [ALL]
        known = [symbol for symbol in wanted if symbol in self._core.spot.views]
        if not known:
            raise BadFrame("no valid symbols")
        return known

    def greet(self, session: Session, channel: str, symbols: list[str], now_ns: int) -> None:
        """Nothing: whoever wants the state of things asks REST."""

    def command(self, session: Session, frame: ClientFrame, now_ns: int) -> bool:
        if frame.event not in ("createOrder", "cancelOrders", "cancelAllOrders"):
            return False
        if not session.account:
            raise BadFrame("Please authenticate first")
        try:
            rows = self._trade(session.account, frame, now_ns)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadFrame("Invalid params") from None
        self._core.hub.say(session, to_json({"id": frame.id, "data": rows}).decode())
        return True

    def _trade(self, account: str, frame: ClientFrame, now_ns: int) -> list[dict[str, Any]]:
        if frame.event == "createOrder":
            body = msgspec.json.decode(frame.params, type=SpotPlaceBody)
            return self._create(account, body, now_ns)
        if frame.event == "cancelOrders":
            many = msgspec.json.decode(frame.params, type=CancelManyBody)
            return self._cancel_orders(account, many, now_ns)
        return self._cancel_all(account, msgspec.json.decode(frame.params, type=CancelAllBody), now_ns)

    def _create(self, account: str, body: SpotPlaceBody, now_ns: int) -> list[dict[str, Any]]:
        try:
            return [_done(self._core.spot.desk.place(account, body, now_ns))]
        except ApiError as error:
            return [_refused(error)]

    def _cancel_orders(self, account: str, body: CancelManyBody, now_ns: int) -> list[dict[str, Any]]:
        desk, member = self._core.spot.desk, self._core.spot.engine.members[account]
        rows = []
        for wire, client in [*((one, "") for one in body.orderIds), *(("", c) for c in body.clientOrderIds)]:
            try:
                order = desk.find(member, wire, client)
                desk.cancel(member, order, now_ns)
                rows.append(_done(order))
            except ApiError as error:
                rows.append(_refused(error))
        return rows

    def _cancel_all(self, account: str, body: CancelAllBody, now_ns: int) -> list[dict[str, Any]]:
        member = self._core.spot.engine.members[account]
        return [_done(order) for order in self._core.spot.desk.cancel_all(member, body.symbols, now_ns)]


def _done(order: Order) -> dict[str, Any]:
    client_id = order.request.client_order_id
    return {
        "orderId": int(spot_order_id(order.number)),
        "clientOrderId": client_id,
        "message": "",
        "code": 200,
    }


def _refused(error: ApiError) -> dict[str, Any]:
    return {"orderId": 0, "clientOrderId": None, "message": error.text, "code": error.code}

"""The futures WebSocket endpoints: what their channels hold, and what a new subscriber gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.exchange.protocol.frames import BadFrame, ClientFrame, data_frame
from actors.exchange.server.book_feed import BookFeed
from actors.exchange.server.candles import INTERVALS, Candle
from actors.exchange.server.futures_public import funding_of, open_interest
from actors.exchange.server.market_view import MarketView, PublicTrade
from actors.exchange.server.public_rows import (
    MS_NS,
    candle_row,
    instrument_row,
    level_rows,
    open_interest_text,
    price_candle_row,
    ticker_row,
    trade_row,
)
from actors.exchange.server.sessions import ALL, Session

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["PRIVATE_PATH", "PUBLIC_PATH", "FuturesPrivate", "FuturesPublic"]

PUBLIC_PATH, PRIVATE_PATH = "/ws/v3/public", "/ws/v3/private"
DEPTHS = (5, 10, 20)
FOR_ALL = frozenset({"symbol", "tickers", "index_price", "mark_price", "funding_rate"})
PLAIN = FOR_ALL | {"trades", "limit_price", "open_interest", "liquidation_orders", "book_lv2", "book"}
CANDLES = {f"candles_{name.lower()}": name for name in INTERVALS}
PRICE_CANDLES = {
    f"{prefix}_candles_{name.lower()}": name
    for prefix in ("mark_price", "mark", "index")
    for name in INTERVALS
}
PRIVATE_CHANNELS = frozenset({"orders", "positions", "trade", "account"})


class FuturesPublic:
    """`/ws/v3/public`."""

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
                return [f"book@{depth}" for depth in DEPTHS]
            return [f"book@{depth}"]
        if channel in PLAIN or channel in CANDLES or channel in PRICE_CANDLES:
            return [channel]
        return None

    def symbols(self, channel: str, wanted: list[str]) -> list[str]:
        if ALL in wanted:
            if channel not in FOR_ALL:
                raise BadFrame("All symbols subscription is not allowed")
            return [ALL]
        known = [symbol for symbol in wanted if symbol in self._core.views]
        if not known:
            raise BadFrame("no valid symbols")
        return known

    def command(self, session: Session, frame: ClientFrame, now_ns: int) -> bool:
        return False

    # -- what a new subscriber gets -----------------------------------------------------------------

    def greet(self, session: Session, channel: str, symbols: list[str], now_ns: int) -> None:
        views = self._core.views
        found = list(views.values()) if symbols == [ALL] else [views[symbol] for symbol in symbols]
        sockets = (session.socket_id,)
        for view in found:
            if channel == "book_lv2":
                self._greet_book(session, view, now_ns)
                continue
            row = self._first_row(session, channel, view, now_ns)
            if row is not None:
                action = "snapshot" if channel in ("symbol", "open_interest") else ""
                self._core.hub.emit(sockets, channel, view.symbol, data_frame(channel, [row], action))

    def _first_row(self, session: Session, channel: str, view: MarketView, now_ns: int) -> Any:
        if channel in CANDLES:
            (candle,) = view.candles_of(CANDLES[channel]).between(0, 0, 1, now_ns)
            return _stream_candle(view, candle, now_ns)
        if channel in PRICE_CANDLES:
            return _price_candle(view, INTERVALS[PRICE_CANDLES[channel]], now_ns)
        if channel == "book":
            depths = [int(t.partition("@")[2]) for t, _ in session.subscriptions if t.startswith("book@")]
            return self._whole_book(view, depths[-1], now_ns)
        rows = {
            "symbol": lambda: _specification(view, now_ns // MS_NS),
            "open_interest": lambda: self._interest(view, now_ns),
        }
        make = rows.get(channel) or self._timely(channel, view, now_ns)
        return make() if make is not None else None

    def _timely(self, channel: str, view: MarketView, now_ns: int) -> Any:
        """Return what makes a row of a channel that speaks by the clock, None for the others."""
        text, ts = view.instrument.price_text, now_ns // MS_NS
        return {
            "tickers": lambda: {**ticker_row(view, now_ns), "ts": ts},
            "index_price": lambda: {"ts": ts, "s": view.symbol, "iPx": text(view.index_ticks)},
            "mark_price": lambda: {"ts": ts, "s": view.symbol, "mPx": text(view.mark_ticks)},
            "funding_rate": lambda: {"ts": ts, **funding_of(self._core, view, now_ns)},
            "limit_price": lambda: _limit(view, ts),
        }.get(channel)

    def _greet_book(self, session: Session, view: MarketView, now_ns: int) -> None:
        self.tell_book(view, now_ns)  # the others first, so that the chain of ids goes on for everybody
        feed = self._feed(view)
        row = _book_row(view, feed.asks, feed.bids, feed.last_id, feed.id, now_ns)
        text = data_frame("book_lv2", [row], "snapshot")
        self._core.hub.emit((session.socket_id,), "book_lv2", view.symbol, text)

    def _feed(self, view: MarketView) -> BookFeed:
        feed = self._feeds.get(view.symbol)
        if feed is None:
            # Ids must grow over restarts of the exchange too: the engine's counters do.
            first = (self._core.engine.state.orders_count + 1) << 20
            feed = self._feeds[view.symbol] = BookFeed(view.market, first)
        return feed

    def told_book(self, symbol: str) -> BookFeed | None:
        """Return what the public was last told of a book; None while nobody has asked."""
        return self._feeds.get(symbol)

    # -- news ---------------------------------------------------------------------------------------

    def wants_books(self, symbol: str) -> bool:
        """Tell whether anybody follows a book."""
        return bool(self._core.hub.hears(PUBLIC_PATH, "book_lv2", symbol))

    def tell_book(self, view: MarketView, now_ns: int) -> None:
        """Tell how a book has changed since the last time."""
        changed = self._feed(view).advance()
        if changed is None:
            return
        feed = self._feeds[view.symbol]
        row = _book_row(view, changed[0], changed[1], feed.last_id, feed.id, now_ns)
        self._publish("book_lv2", view, row, "update")

    def tell_trade(self, view: MarketView, trade: PublicTrade, now_ns: int) -> None:
        """Tell a trade."""
        if self._core.hub.hears(PUBLIC_PATH, "trades", view.symbol):
            row = trade_row(trade, view.instrument)
            self._publish("trades", view, {**row, "ts": now_ns // MS_NS, "s": view.symbol})

    def tell_liquidation(self, view: MarketView, row: dict[str, Any], now_ns: int) -> None:
        """Tell that a position was taken over."""
        wire = {"s": view.symbol, **row, "uTime": int(row["uTime"]), "ts": now_ns // MS_NS}
        del wire["symbol"]
        self._publish("liquidation_orders", view, wire)

    def tell_symbol(self, view: MarketView, now_ns: int) -> None:
        """Tell that a symbol's specification or status changed."""
        self._publish("symbol", view, _specification(view, now_ns // MS_NS), "update")

    def tell_often(self, view: MarketView, now_ns: int) -> None:
        """Tell what goes out ten times a second: tickers, whole books, candles that changed."""
        hub = self._core.hub
        wanted = hub.topics(PUBLIC_PATH)
        if "tickers" in wanted and hub.hears(PUBLIC_PATH, "tickers", view.symbol):
            self._publish("tickers", view, {**ticker_row(view, now_ns), "ts": now_ns // MS_NS})
        for depth in DEPTHS:
            if f"book@{depth}" in wanted and hub.hears(PUBLIC_PATH, f"book@{depth}", view.symbol):
                hub.publish(
                    PUBLIC_PATH, f"book@{depth}", view.symbol, [self._whole_book(view, depth, now_ns)]
                )
        for name, candle in view.changed_candles.items():
            channel = f"candles_{name.lower()}"
            if hub.hears(PUBLIC_PATH, channel, view.symbol):
                self._publish(channel, view, _stream_candle(view, candle, now_ns))
        view.changed_candles.clear()

    def tell_each_second(self, view: MarketView, now_ns: int) -> None:
        """Tell prices that go out once a second."""
        hub = self._core.hub
        for channel in ("index_price", "mark_price"):
            if hub.hears(PUBLIC_PATH, channel, view.symbol):
                self._publish(channel, view, self._timely(channel, view, now_ns)())
        if hub.hears(PUBLIC_PATH, "limit_price", view.symbol):
            self._publish("limit_price", view, _limit(view, now_ns // MS_NS), "update")
        if hub.hears(PUBLIC_PATH, "open_interest", view.symbol):
            self._publish("open_interest", view, self._interest(view, now_ns), "update")
        for channel in sorted(hub.topics(PUBLIC_PATH) & PRICE_CANDLES.keys()):
            name = PRICE_CANDLES[channel]
            if hub.hears(PUBLIC_PATH, channel, view.symbol):
                self._publish(channel, view, _price_candle(view, INTERVALS[name], now_ns))

    def tell_each_minute(self, view: MarketView, now_ns: int) -> None:
        """Tell the funding rate."""
        self._publish("funding_rate", view, self._timely("funding_rate", view, now_ns)())

    def _publish(self, channel: str, view: MarketView, row: Any, action: str = "") -> None:
        self._core.hub.publish(PUBLIC_PATH, channel, view.symbol, [row], action)

    def _interest(self, view: MarketView, now_ns: int) -> dict[str, Any]:
        text = open_interest_text(open_interest(self._core, view))
        return {"s": view.symbol, "oInterest": text, "ts": now_ns // MS_NS}

    def _whole_book(self, view: MarketView, depth: int, now_ns: int) -> dict[str, Any]:
        feed = BookFeed(view.market, self._feed(view).id)
        row = _book_row(view, feed.asks[:depth], feed.bids[:depth], 0, self._feed(view).id, now_ns)
        del row["lid"]
        return row


def _book_row(
    view: MarketView, asks: Any, bids: Any, last_id: int, book_id: int, now_ns: int
) -> dict[str, Any]:
    return {
        "asks": level_rows(asks, view.instrument),
        "bids": level_rows(bids, view.instrument),
        "lid": last_id,
        "id": book_id,
        "ts": now_ns // MS_NS,
        "s": view.symbol,
        "cT": now_ns // MS_NS,
    }


def _stream_candle(view: MarketView, candle: Candle, now_ns: int) -> list[Any]:
    row = candle_row(candle, view.instrument)
    return [view.symbol, *row[:6], int(row[6]), int(row[7]), int(row[8]), now_ns // MS_NS]


def _price_candle(view: MarketView, interval_ns: int, now_ns: int) -> list[Any]:
    start = now_ns - now_ns % interval_ns
    row = price_candle_row(view, start, start + interval_ns, now_ns)
    return [view.symbol, *row[:4], int(row[4]), int(row[5]), now_ns // MS_NS]


def _specification(view: MarketView, ts: int) -> dict[str, Any]:
    """Return a contract as the stream has it: with two numbers that REST writes as text."""
    row = instrument_row(view)
    most = {name: int(row[name]) for name in ("limitMaxQty", "marketMaxQty")}
    return {**row, **most, "s": view.symbol, "ts": ts}


def _limit(view: MarketView, ts: int) -> dict[str, Any]:
    market, text = view.market, view.instrument.price_text
    high, low = text(market.band_high_ticks), text(market.band_low_ticks)
    return {"ts": ts, "s": view.symbol, "buyLmt": high, "sellLmt": low}


class FuturesPrivate:
    """`/ws/v3/private`."""

    path = PRIVATE_PATH
    is_private = True

    def __init__(self, core: ExchangeCore) -> None:
        self._core = core

    def topics(self, frame: ClientFrame, channel: str) -> list[str] | None:
        return [channel] if channel in PRIVATE_CHANNELS else None

    def symbols(self, channel: str, wanted: list[str]) -> list[str]:
        if ALL in wanted or (channel == "account" and not wanted):
            return [ALL]
        known = [symbol for symbol in wanted if symbol in self._core.views]
        if not known:
            raise BadFrame("no valid symbols")
        return known

    def greet(self, session: Session, channel: str, symbols: list[str], now_ns: int) -> None:
        """Nothing: whoever wants the state of things asks REST."""

    def command(self, session: Session, frame: ClientFrame, now_ns: int) -> bool:
        return False

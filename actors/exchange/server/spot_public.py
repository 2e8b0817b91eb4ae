"""Spot market data: GET /markets/..., /currencies, for everybody and without an envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.domain.orders import Side
from actors.exchange.protocol.errors import ApiError, Problem
from actors.exchange.protocol.numbers import units_of
from actors.exchange.protocol.requests import from_query
from actors.exchange.protocol.spot_requests import SpotMarketQuery
from actors.exchange.server.candles import INTERVALS
from actors.exchange.server.depth import aggregated, levels_of
from actors.exchange.server.market_view import MarketView
from actors.exchange.server.public_rows import change_text
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.spot_engine import QUOTE
from actors.exchange.server.spot_rows import (
    currency_row,
    market_row,
    plain_currency_row,
    quantity_text,
    spot_candle_row,
    spot_ticker,
    spot_trade,
)

__all__ = ["SPOT_PUBLIC"]

MS_NS = 1_000_000
PLAIN, INTENSIVE = Limit("spot-public", 200), Limit("spot-public-intensive", 10)
DEPTHS = (5, 10, 20, 50, 100, 150)


def _view(call: Call) -> MarketView:
    view = call.core.spot.views.get(call.parts[0])
    if view is None:
        raise ApiError(Problem.SYMBOL)
    return view


def _views(call: Call) -> list[MarketView]:
    return list(call.core.spot.views.values())


def _limit(query: SpotMarketQuery, default: int, most: int) -> int:
    if not 0 <= query.limit <= most:
        raise ApiError(Problem.LIMIT)
    return query.limit or default


def markets(call: Call) -> Any:
    return [market_row(view) for view in _views(call)]


def market(call: Call) -> Any:
    return [market_row(_view(call))]


def _currencies(call: Call) -> list[dict[str, Any]]:
    coins = [QUOTE, *(view.instrument.base for view in _views(call))]
    return [currency_row(number, coin, 8) for number, coin in enumerate(coins, 1)]


def currencies_v2(call: Call) -> Any:
    return _currencies(call)


def currency_v2(call: Call) -> Any:
    for row in _currencies(call):
        if row["coin"] == call.parts[0]:
            return row
    raise ApiError((400, f"Currency not found {call.parts[0]}"))


def currencies(call: Call) -> Any:
    return [{row["coin"]: plain_currency_row(row)} for row in _currencies(call)]


def currency(call: Call) -> Any:
    return {call.parts[0]: plain_currency_row(currency_v2(call))}


def _price(view: MarketView, now_ns: int) -> dict[str, Any]:
    day = view.statistics(now_ns)
    return {
        "symbol": view.symbol,
        "price": view.instrument.price_text(day.close),
        "time": (view.last_at_ns or now_ns) // MS_NS,
        "dailyChange": change_text(day.open, day.close),
        "ts": now_ns // MS_NS,
    }


def prices(call: Call) -> Any:
    return [_price(view, call.now_ns) for view in _views(call)]


def price(call: Call) -> Any:
    return _price(_view(call), call.now_ns)


def _mark(view: MarketView, now_ns: int) -> dict[str, Any]:
    text = view.instrument.price_text(view.mark_ticks)
    return {"symbol": view.symbol, "markPrice": text, "time": str(now_ns // MS_NS)}


def mark_prices(call: Call) -> Any:
    return [_mark(view, call.now_ns) for view in _views(call)]


def mark_price(call: Call) -> Any:
    return _mark(_view(call), call.now_ns)


def mark_components(call: Call) -> Any:
    view = _view(call)
    text = view.instrument.price_text(view.index_ticks)
    part = {
        "symbol": view.symbol,
        "symbolPrice": text,
        "weight": "1",
        "convertPrice": text,
        "exchange": "POLO",
    }
    mark, now_ms = view.instrument.price_text(view.mark_ticks), call.now_ns // MS_NS
    return {"symbol": view.symbol, "markPrice": mark, "ts": now_ms, "components": [part]}


def order_book(call: Call) -> Any:
    view, query = _view(call), from_query(call.query, SpotMarketQuery)
    depth, one = query.limit or 10, view.instrument
    if depth not in DEPTHS:
        raise ApiError(Problem.LIMIT)
    step = units_of(query.scale, one.tick_e8, "scale") if query.scale else 1
    flat: dict[Side, list[str]] = {}
    for side in Side:
        levels = aggregated(levels_of(view.market, side, depth * step), side, step)[:depth]
        flat[side] = [text for p, q in levels for text in (one.price_text(p), quantity_text(one, q))]
    now_ms = call.now_ns // MS_NS
    scale = query.scale or one.price_text(1)
    return {"time": now_ms, "scale": scale, "asks": flat[Side.SELL], "bids": flat[Side.BUY], "ts": now_ms}


def candles(call: Call) -> Any:
    view, query = _view(call), from_query(call.query, SpotMarketQuery)
    if query.interval not in INTERVALS:
        raise ApiError(Problem.INTERVAL)
    if query.startTime < 0 or query.endTime < 0 or max(query.startTime, query.endTime) > 1 << 45:
        raise ApiError(Problem.START_TIME)
    found = view.candles_of(query.interval).between(
        query.startTime * MS_NS, query.endTime * MS_NS, _limit(query, 100, 500), call.now_ns
    )
    return [spot_candle_row(view, candle, query.interval, call.now_ns) for candle in found]


def trades(call: Call) -> Any:
    view, query = _view(call), from_query(call.query, SpotMarketQuery)
    newest = list(view.trades)[::-1][: _limit(query, 500, 1_000)]
    rows = [spot_trade(view, trade, trade.at_ns) for trade in newest]
    for row in rows:  # the stream names the symbol and writes the side small, the list does neither
        del row["symbol"]
        row["takerSide"] = row["takerSide"].upper()
    return rows


def tickers(call: Call) -> Any:
    return [spot_ticker(view, call.now_ns) for view in _views(call)]


def ticker(call: Call) -> Any:
    return spot_ticker(_view(call), call.now_ns)


def collateral(call: Call) -> Any:
    """Nothing can be borrowed here, so nothing is collateral."""
    return []


def collateral_of(call: Call) -> Any:
    coin = currency_v2(call)["coin"]
    rates = dict.fromkeys(("collateralRate", "initialMarginRate", "maintenanceMarginRate"), "0")
    return {"currency": coin, **rates}


def _get(path: str, handler: Callable[[Call], Any], limit: Limit = PLAIN) -> Route:
    return Route("GET", path, handler, limit, bare=True)


SPOT_PUBLIC = (
    _get("/markets", markets, INTENSIVE),
    _get("/markets/price", prices),
    _get("/markets/markPrice", mark_prices),
    _get("/markets/ticker24h", tickers, INTENSIVE),
    _get("/markets/collateralInfo", collateral),
    _get("/markets/borrowRatesInfo", collateral),
    _get("/markets/{coin}/collateralInfo", collateral_of),
    _get("/markets/{symbol}", market),
    _get("/markets/{symbol}/price", price),
    _get("/markets/{symbol}/markPrice", mark_price),
    _get("/markets/{symbol}/markPriceComponents", mark_components),
    _get("/markets/{symbol}/orderBook", order_book),
    _get("/markets/{symbol}/candles", candles),
    _get("/markets/{symbol}/trades", trades, INTENSIVE),
    _get("/markets/{symbol}/ticker24h", ticker),
    _get("/currencies", currencies, INTENSIVE),
    _get("/currencies/{coin}", currency),
    _get("/v2/currencies", currencies_v2, INTENSIVE),
    _get("/v2/currencies/{coin}", currency_v2),
)

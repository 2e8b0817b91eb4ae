"""Futures market data: GET /v3/market/..., for everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.domain.money import format_e8
from actors.domain.orders import Side
from actors.exchange.protocol.errors import ApiError, Problem
from actors.exchange.protocol.numbers import units_of
from actors.exchange.protocol.requests import MarketQuery, from_query
from actors.exchange.server.candles import INTERVALS
from actors.exchange.server.depth import aggregated, levels_of
from actors.exchange.server.market_view import INTEREST_E8, MarketView
from actors.exchange.server.public_rows import (
    MS_NS,
    candle_row,
    funding_row,
    instrument_row,
    level_rows,
    limit_row,
    open_interest_text,
    price_candle_row,
    ticker_row,
    tier_rows,
    trade_row,
)
from actors.exchange.server.routes import Call, Limit, Route
from actors.exchange.server.state import Settlement

if TYPE_CHECKING:
    from actors.exchange.server.core import ExchangeCore

__all__ = ["FUTURES_PUBLIC", "funding_of", "open_interest"]

MARKET = Limit("market", 300)
CANDLES = Limit("candles", 20)
DEPTHS = (5, 10, 20, 100, 150)
HISTORY_DAYS_MAX = 180
SETTLEMENTS_SHOWN_MAX = 1_000
DAY_MS = 86_400_000
# The venue refuses these on the index, mark and premium candles.
NOT_FOR_PRICES = ("MINUTE_10", "HOUR_6", "MONTH_1")
SOURCES = (("Binance", 600), ("OKX", 250), ("Poloniex", 150))  # of the index, in thousandths


def _view(call: Call, query: MarketQuery) -> MarketView:
    view = call.core.views.get(query.symbol)
    if view is None:
        raise ApiError(Problem.SYMBOL)
    return view


def _views(call: Call, query: MarketQuery) -> list[MarketView]:
    if not query.symbol:
        return list(call.core.views.values())
    wanted = [symbol for symbol in query.symbol.split(",") if symbol]
    found = [call.core.views.get(symbol) for symbol in wanted]
    if not all(found):
        raise ApiError(Problem.SYMBOL)
    return [view for view in found if view is not None]


def _limit(query: MarketQuery, default: int, most: int) -> int:
    if query.limit < 0 or query.limit > most:
        raise ApiError(Problem.LIMIT)
    return query.limit or default


def _one_or_all(call: Call, row: Callable[[MarketView], dict[str, Any]]) -> Any:
    """Return one object for a symbol, a list without."""
    query = from_query(call.query, MarketQuery)
    rows = [row(view) for view in _views(call, query)]
    return rows[0] if query.symbol else rows


def all_instruments(call: Call) -> Any:
    return [instrument_row(view) for view in _views(call, from_query(call.query, MarketQuery))]


def instruments(call: Call) -> Any:
    return instrument_row(_view(call, from_query(call.query, MarketQuery)))


def tickers(call: Call) -> Any:
    return [ticker_row(view, call.now_ns) for view in _views(call, from_query(call.query, MarketQuery))]


def order_book(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    view = _view(call, query)
    if (query.limit or 10) not in DEPTHS:
        raise ApiError(Problem.LIMIT)
    depth, one = query.limit or 10, view.instrument
    step = units_of(query.scale, one.tick_e8, "scale") if query.scale else 1
    seen = {side: aggregated(levels_of(view.market, side, depth * step), side, step)[:depth] for side in Side}
    return {
        "asks": level_rows(seen[Side.SELL], one),
        "bids": level_rows(seen[Side.BUY], one),
        "s": query.scale or format_e8(one.tick_e8),
        "ts": call.now_ns // MS_NS,
    }


def candles(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    view = _view(call, query)
    if query.interval not in INTERVALS:
        raise ApiError(Problem.INTERVAL)
    start, end = _times(query)
    found = view.candles_of(query.interval).between(start, end, _limit(query, 100, 500), call.now_ns)
    return [candle_row(candle, view.instrument) for candle in found]


def price_candles(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    view = _view(call, query)
    return [price_candle_row(view, start, end, call.now_ns) for start, end in _bars(call, query)]


def premium_candles(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    view = _view(call, query)
    rows = []
    for start, end in _bars(call, query):
        first, high, low, last = view.premiums.range_over(start, end)
        prices = [format_e8(one) for one in (low, high, first, last)]
        rows.append([*prices, str(start // MS_NS), str(end // MS_NS - 1)])
    return rows


def _bars(call: Call, query: MarketQuery) -> list[tuple[int, int]]:
    """Return the times of the bars that are asked for, oldest first."""
    if query.interval not in INTERVALS or query.interval in NOT_FOR_PRICES:
        raise ApiError(Problem.INTERVAL)
    step = INTERVALS[query.interval]
    start, end = _times(query)
    last = min(end or call.now_ns, call.now_ns) // step * step
    first = max(last - (_limit(query, 100, 500) - 1) * step, -(-start // step) * step)
    return [(at, at + step) for at in range(first, last + 1, step)]


def _times(query: MarketQuery) -> tuple[int, int]:
    if query.sTime < 0 or query.sTime > 1 << 45:
        raise ApiError(Problem.START_TIME)
    if query.eTime < 0 or query.eTime > 1 << 45 or (query.eTime and query.eTime < query.sTime):
        raise ApiError(Problem.END_TIME)
    return query.sTime * MS_NS, query.eTime * MS_NS


def trades(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    view = _view(call, query)
    newest = list(view.trades)[::-1][: _limit(query, 500, 1_000)]
    return [trade_row(trade, view.instrument) for trade in newest]


def liquidation_orders(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    wanted = {view.symbol for view in _views(call, query)}
    rows = [row for row in reversed(call.core.liquidations) if row["symbol"] in wanted]
    return rows[: _limit(query, 10, 100)]


def index_price(call: Call) -> Any:
    return _one_or_all(
        call, lambda view: {"s": view.symbol, "iPx": view.instrument.price_text(view.index_ticks)}
    )


def mark_price(call: Call) -> Any:
    return _one_or_all(
        call, lambda view: {"s": view.symbol, "mPx": view.instrument.price_text(view.mark_ticks)}
    )


def index_components(call: Call) -> Any:
    rows = []
    for view in _views(call, from_query(call.query, MarketQuery)):
        price = view.index_ticks * view.instrument.tick_e8
        parts = [
            {
                "e": name,
                "w": format_e8(weight * 100_000),
                "sPx": format_e8(price),
                "cPx": format_e8(price * weight // 1_000),
            }
            for name, weight in SOURCES
        ]
        rows.append({"s": view.symbol, "px": format_e8(price), "cs": parts})
    return rows


def funding_of(core: ExchangeCore, view: MarketView, now_ns: int) -> dict[str, Any]:
    """Return a symbol's funding row; before the first settlement here the last one is a made-up one."""
    interval = view.instrument.funding_interval_ns
    last_ns = now_ns - now_ns % interval
    kept = core.engine.served.settlements.get(view.symbol)
    last_e8 = kept.newest().rate_e8 if kept is not None and kept.items else INTEREST_E8
    return funding_row(view.symbol, last_e8, last_ns, view.rate_e8, last_ns + interval)


def funding_rate(call: Call) -> Any:
    row = funding_of(call.core, _view(call, from_query(call.query, MarketQuery)), call.now_ns)
    return {**row, "fT": str(row["fT"]), "nFT": str(row["nFT"])}


def funding_history(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    now_ms = call.now_ns // MS_NS
    if query.sT and query.sT < now_ms - HISTORY_DAYS_MAX * DAY_MS:
        text = f"The sTime cannot be greater than {HISTORY_DAYS_MAX} days ago"
        raise ApiError((400, text), data=[])
    limit = _limit(query, 100, 500) if query.sT or query.eT else 1
    until = query.eT or now_ms
    rows = []
    for view in _views(call, query):
        inside = [one for one in _settled(call, view) if query.sT <= one.at_ns // MS_NS <= until]
        rows += [
            {"s": view.symbol, "fR": format_e8(one.rate_e8), "fT": str(one.at_ns // MS_NS)}
            for one in inside[:limit]
        ]
    return rows


def _settled(call: Call, view: MarketView) -> list[Settlement]:
    """Return the settlements of the time that can be asked for, newest first.

    Those from before the exchange began are made up, as its prices of that time are: interest alone.
    """
    kept = call.core.engine.served.settlements.get(view.symbol)
    known = list(kept.newest_first()) if kept is not None else []
    interval = view.instrument.funding_interval_ns
    newest = known[-1].at_ns - interval if known else call.now_ns - call.now_ns % interval
    oldest = call.now_ns - HISTORY_DAYS_MAX * DAY_MS * MS_NS
    made_up = range(newest, oldest, -interval)[:SETTLEMENTS_SHOWN_MAX]
    return [*known, *(Settlement(INTEREST_E8, at_ns) for at_ns in made_up)]


def open_interest(core: ExchangeCore, view: MarketView) -> int:
    """Return how many contracts are held long, which is as many as are held short."""
    longs = 0
    for member in core.engine.members.values():
        for standing in member.positions_in(view.symbol):
            longs += max(0, standing.holding.position.net_contracts)
    return longs + max(0, core.engine.state.markets[view.symbol].net_contracts)


def open_interest_of(call: Call) -> Any:
    view = _view(call, from_query(call.query, MarketQuery))
    return {"s": view.symbol, "oInterest": open_interest_text(open_interest(call.core, view))}


def insurance(call: Call) -> Any:
    fund = call.core.settings.insurance_usdt + call.core.engine.state.insurance_usdt
    return [{"amt": format_e8(fund), "ccy": "USDT", "uTime": str(call.now_ns // MS_NS)}]


def risk_limit(call: Call) -> Any:
    query = from_query(call.query, MarketQuery)
    modes = (query.mgnMode.upper(),) if query.mgnMode else ("CROSS", "ISOLATED")
    rows = tier_rows(_view(call, query).instrument, modes)
    return [row for row in rows if not query.tier or row["tier"] == query.tier]


def limit_price(call: Call) -> Any:
    return [limit_row(view) for view in _views(call, from_query(call.query, MarketQuery))]


def server_time(call: Call) -> Any:
    return {"serverTime": call.now_ns // MS_NS}


def _get(path: str, handler: Callable[[Call], Any], limit: Limit = MARKET, text: str = "Success") -> Route:
    return Route("GET", f"/v3/market/{path}", handler, limit, text=text)


FUTURES_PUBLIC = (
    Route("GET", "/timestamp", server_time, Limit("spot-public", 200), bare=True),
    _get("allInstruments", all_instruments),
    _get("instruments", instruments),
    _get("tickers", tickers),
    _get("orderBook", order_book),
    _get("candles", candles, CANDLES),
    _get("indexPriceCandlesticks", price_candles, CANDLES),
    _get("markPriceCandlesticks", price_candles, CANDLES),
    _get("premiumIndexCandlesticks", premium_candles, CANDLES),
    _get("trades", trades),
    _get("liquidationOrder", liquidation_orders, text="success"),
    _get("indexPrice", index_price),
    _get("markPrice", mark_price),
    _get("indexPriceComponents", index_components),
    _get("fundingRate", funding_rate),
    _get("fundingRate/history", funding_history),
    _get("openInterest", open_interest_of),
    _get("insurance", insurance),
    _get("riskLimit", risk_limit),
    _get("limitPrice", limit_price),
)

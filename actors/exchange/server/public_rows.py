"""Futures market data as rows for JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from actors.domain.orders import Side
from actors.exchange.protocol.ids import trade_number
from actors.exchange.protocol.numbers import ratio_text
from actors.exchange.server.candles import Candle
from actors.exchange.server.depth import Level, levels_of
from actors.exchange.server.market_view import MarketView, PublicTrade

__all__ = [
    "MS_NS",
    "candle_row",
    "change_text",
    "funding_row",
    "instrument_row",
    "level_rows",
    "limit_row",
    "open_interest_text",
    "price_candle_row",
    "ticker_row",
    "tier_rows",
    "trade_row",
]

MS_NS = 1_000_000
LISTED_MS = "1607328129000"  # when our markets claim to have been listed
PRICE_MAX = "1000000"


def instrument_row(view: MarketView) -> dict[str, Any]:
    """Return a contract as `allInstruments` lists it."""
    one = view.instrument
    tick = format_e8(one.tick_e8)
    scales = [format_e8(one.tick_e8 * 10**power) for power in range(5)]
    first = one.tiers[0]
    return {
        "alias": "",
        "bAsset": f".P{one.base[:3]}USDT",
        "bCcy": one.base,
        "ctType": "LINEAR",
        "ctVal": format_e8(one.contract_e8),
        "iM": ratio_text(1, one.leverage_max, 4),
        "lever": str(one.leverage_default),
        "limitMaxQty": str(one.contracts_max_limit),
        "lotSz": 1,
        "mM": format_e8(first.maintenance_e8),
        "mR": str(one.tiers[-1].contracts_max),
        "marketMaxQty": str(one.contracts_max_market),
        "maxLever": str(one.leverage_max),
        "maxPx": PRICE_MAX,
        "maxQty": str(max(one.contracts_max_limit, one.contracts_max_market)),
        "minPx": tick,
        "minQty": str(one.contracts_min),
        "minSz": one.contracts_min,
        "oDate": LISTED_MS,
        "ordPxRange": format_e8(one.price_band_e8),
        "pxScale": ",".join(scales),
        "qCcy": "USDT",
        "sCcy": "USDT",
        "status": view.status,
        "symbol": one.symbol,
        "tSz": tick,
        "tradableStartTime": LISTED_MS,
        "visibleStartTime": LISTED_MS,
    }


def ticker_row(view: MarketView, now_ns: int) -> dict[str, Any]:
    """Return the last day of a symbol and its best prices."""
    one, day = view.instrument, view.statistics(now_ns)
    bids, asks = levels_of(view.market, Side.BUY, 1), levels_of(view.market, Side.SELL, 1)
    text = one.price_text
    return {
        "s": one.symbol,
        "o": text(day.open),
        "l": text(day.low),
        "h": text(day.high),
        "c": text(day.close),
        "qty": str(day.contracts),
        "amt": format_e8(day.amount_usdt),
        "tC": day.trades_count,
        "sT": day.start_ns // MS_NS,
        "cT": (view.last_at_ns or now_ns) // MS_NS,
        "dN": one.symbol.replace("_", "/"),
        "dC": change_text(day.open, day.close),
        "bPx": text(bids[0][0]) if bids else "0",
        "bSz": str(bids[0][1]) if bids else "0",
        "aPx": text(asks[0][0]) if asks else "0",
        "aSz": str(asks[0][1]) if asks else "0",
        "mPx": text(view.mark_ticks),
        "iPx": text(view.index_ticks),
    }


def change_text(before: int, after: int) -> str:
    """Return the relative change with four decimals."""
    return ratio_text(after - before, before, 4)


def level_rows(levels: list[Level], instrument: Instrument) -> list[list[str]]:
    """Return book levels as pairs of text."""
    return [[instrument.price_text(price), str(contracts)] for price, contracts in levels]


def candle_row(candle: Candle, instrument: Instrument) -> list[str]:
    """Return a candle as REST has it: low, high, open, close, amount, contracts, trades, start, end."""
    text = instrument.price_text
    return [
        text(candle.low),
        text(candle.high),
        text(candle.open),
        text(candle.close),
        format_e8(candle.amount_usdt),
        str(candle.contracts),
        str(candle.trades_count),
        str(candle.start_ns // MS_NS),
        str(candle.end_ns // MS_NS - 1),
    ]


def price_candle_row(view: MarketView, start_ns: int, end_ns: int, now_ns: int) -> list[str]:
    """Return a candle of the index or mark price, which has no volume."""
    first, high, low, last = view.path.range_over(start_ns, min(end_ns, now_ns))
    text = view.instrument.price_text
    times = [str(start_ns // MS_NS), str(end_ns // MS_NS - 1)]
    return [text(low), text(high), text(first), text(last), *times]


def trade_row(trade: PublicTrade, instrument: Instrument) -> dict[str, Any]:
    """Return one trade of the market; the side is the taker's."""
    return {
        "id": trade_number(trade.number),
        "side": "buy" if trade.side is Side.BUY else "sell",
        "px": instrument.price_text(trade.price_ticks),
        "qty": str(trade.contracts),
        "amt": format_e8(instrument.notional(trade.contracts, trade.price_ticks)),
        "cT": trade.at_ns // MS_NS,
    }


def funding_row(symbol: str, last_e8: int, last_ns: int, next_e8: int, next_ns: int) -> dict[str, Any]:
    """Return the last settled rate and the one to come. Times are numbers, as streams have them."""
    return {
        "s": symbol,
        "fR": format_e8(last_e8),
        "fT": last_ns // MS_NS,
        "nFR": format_e8(next_e8),
        "nFT": next_ns // MS_NS,
    }


def limit_row(view: MarketView) -> dict[str, Any]:
    """Return the band outside of which no limit is taken; numbers, as the venue sends them."""
    market = view.market
    text = view.instrument.price_text
    return {
        "symbol": view.symbol,
        "buyLmt": msgspec.Raw(text(market.band_high_ticks).encode()),
        "sellLmt": msgspec.Raw(text(market.band_low_ticks).encode()),
    }


def open_interest_text(contracts: int) -> str:
    """Return open interest as the venue writes it."""
    return f"{contracts}.000000000000000000"


def tier_rows(instrument: Instrument, modes: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the risk tiers of a symbol in each margin mode; ours are the same in both."""
    rows, least = [], 1
    for mode in modes:
        least = 1
        for number, tier in enumerate(instrument.tiers, 1):
            rows.append(
                {
                    "symbol": instrument.symbol,
                    "mgnMode": mode,
                    "tier": str(number),
                    "maxLever": str(tier.leverage_max),
                    "mMRatio": format_e8(tier.maintenance_e8),
                    "minSize": str(least),
                    "maxSize": str(tier.contracts_max),
                }
            )
            least = tier.contracts_max + 1
    return rows

"""Spot markets, orders, trades and balances as rows for JSON."""

from __future__ import annotations

from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import E8, format_e8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.codes import CancelReason
from actors.exchange.protocol.ids import SPOT_BASE, trade_number
from actors.exchange.protocol.numbers import ratio_text
from actors.exchange.server.candles import Candle
from actors.exchange.server.depth import levels_of
from actors.exchange.server.market_view import MarketView, PublicTrade
from actors.exchange.server.public_rows import change_text
from actors.exchange.server.spot_engine import QUOTE, price_scale
from actors.exchange.state import Order
from actors.messages.venue import OrderFilled

__all__ = [
    "STATES",
    "currency_row",
    "fee_amount",
    "market_row",
    "plain_currency_row",
    "quantity_text",
    "spot_candle",
    "spot_candle_row",
    "spot_order_id",
    "spot_order_row",
    "spot_ticker",
    "spot_trade",
    "spot_trade_row",
]

MS_NS = 1_000_000
LISTED_MS = 1_659_018_819_512
MIN_AMOUNT = "1"
TYPES = {OrderType.MARKET: "MARKET", OrderType.LIMIT: "LIMIT", OrderType.POST_ONLY: "LIMIT_MAKER"}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
STATES = {
    OrderState.OPEN: "NEW",
    OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderState.FILLED: "FILLED",
    OrderState.CANCELED: "CANCELED",
}
# Numbers of our own: the venue has not published a list.
CANCEL_NUMBERS = {
    CancelReason.REQUESTED: 1,
    CancelReason.POST_ONLY_WOULD_TAKE: 2,
    CancelReason.IOC_REMAINDER: 3,
    CancelReason.FOK_UNFILLED: 4,
    CancelReason.NO_LIQUIDITY: 5,
    CancelReason.SELF_TRADE: 6,
}


def quantity_text(instrument: Instrument, contracts: int) -> str:
    """Return lots as a quantity of the coin."""
    return format_e8(contracts * instrument.contract_e8)


def spot_order_id(number: int) -> str:
    """Return the wire's id of a spot order."""
    return str(SPOT_BASE + number)


def market_row(view: MarketView) -> dict[str, Any]:
    """Return a market as `/markets` lists it."""
    one = view.instrument
    bids, asks = levels_of(view.market, Side.BUY, 1), levels_of(view.market, Side.SELL, 1)
    scale = price_scale(one)
    return {
        "symbol": one.symbol,
        "baseCurrencyName": one.base,
        "quoteCurrencyName": QUOTE,
        "displayName": f"{one.base}/{QUOTE}",
        "state": {"OPEN": "NORMAL", "PAUSED": "PAUSE"}.get(view.status, "POST_ONLY"),
        "visibleStartTime": LISTED_MS,
        "tradableStartTime": LISTED_MS,
        "symbolTradeLimit": {
            "symbol": one.symbol,
            "priceScale": scale,
            "quantityScale": 8 - scale,
            "amountScale": scale,
            "minQuantity": quantity_text(one, one.contracts_min),
            "minAmount": MIN_AMOUNT,
            "maxQuantity": quantity_text(one, one.contracts_max_limit),
            "maxAmount": "1000000",
            "highestBid": one.price_text(bids[0][0]) if bids else "0",
            "lowestAsk": one.price_text(asks[0][0]) if asks else "0",
        },
        "crossMargin": {"supportCrossMargin": False, "maxLeverage": 1},
    }


def currency_row(number: int, coin: str, decimals: int) -> dict[str, Any]:
    """Return a currency as `/v2/currencies` lists it; nothing can be deposited or withdrawn here."""
    network = {
        "id": number,
        "coin": coin,
        "name": coin,
        "currencyType": "address",
        "blockchain": coin,
        "withdrawalEnable": False,
        "depositEnable": False,
        "depositAddress": None,
        "withdrawMin": "0",
        "decimals": decimals,
        "withdrawFee": "0",
        "minConfirm": 1,
        "contractAddress": None,
    }
    return {
        "id": number,
        "coin": coin,
        "delisted": False,
        "tradeEnable": True,
        "name": coin,
        "networkList": [network],
        "supportCollateral": False,
        "supportBorrow": False,
    }


def plain_currency_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a currency in the older shape, of `/currencies` and the stream."""
    network = row["networkList"][0]
    return {
        "id": row["id"],
        "name": row["name"],
        "description": "address",
        "type": "address",
        "withdrawalFee": network["withdrawFee"],
        "minConf": network["minConfirm"],
        "depositAddress": None,
        "blockchain": network["blockchain"],
        "delisted": False,
        "tradingState": "NORMAL",
        "walletState": "DISABLED",
        "walletDepositState": "DISABLED",
        "walletWithdrawalState": "DISABLED",
        "parentChain": None,
        "isMultiChain": False,
        "isChildChain": False,
        "childChains": [],
        "supportCollateral": row["supportCollateral"],
        "supportBorrow": row["supportBorrow"],
    }


def spot_ticker(view: MarketView, now_ns: int) -> dict[str, Any]:
    """Return the last day of a market and its best prices."""
    one, day = view.instrument, view.statistics(now_ns)
    bids, asks = levels_of(view.market, Side.BUY, 1), levels_of(view.market, Side.SELL, 1)
    text = one.price_text
    return {
        "symbol": one.symbol,
        "open": text(day.open),
        "low": text(day.low),
        "high": text(day.high),
        "close": text(day.close),
        "quantity": quantity_text(one, day.contracts),
        "amount": format_e8(day.amount_usdt),
        "tradeCount": day.trades_count,
        "startTime": day.start_ns // MS_NS,
        "closeTime": now_ns // MS_NS,
        "displayName": f"{one.base}/{QUOTE}",
        "dailyChange": change_text(day.open, day.close),
        "bid": text(bids[0][0]) if bids else "0",
        "bidQuantity": quantity_text(one, bids[0][1]) if bids else "0",
        "ask": text(asks[0][0]) if asks else "0",
        "askQuantity": quantity_text(one, asks[0][1]) if asks else "0",
        "ts": now_ns // MS_NS,
        "markPrice": text(view.mark_ticks),
    }


def spot_candle_row(view: MarketView, candle: Candle, interval: str, now_ns: int) -> list[Any]:
    """Return a candle as REST has it."""
    one = view.instrument
    text = one.price_text
    average = ratio_text(candle.amount_usdt, candle.contracts * one.contract_e8, price_scale(one))
    return [
        text(candle.low),
        text(candle.high),
        text(candle.open),
        text(candle.close),
        format_e8(candle.amount_usdt),
        quantity_text(one, candle.contracts),
        format_e8(candle.bought_usdt),
        quantity_text(one, candle.bought_contracts),
        candle.trades_count,
        now_ns // MS_NS,
        average,
        interval,
        candle.start_ns // MS_NS,
        candle.end_ns // MS_NS - 1,
    ]


def spot_candle(view: MarketView, candle: Candle, now_ns: int) -> dict[str, Any]:
    """Return a candle as the stream has it."""
    text = view.instrument.price_text
    return {
        "symbol": view.symbol,
        "amount": format_e8(candle.amount_usdt),
        "high": text(candle.high),
        "quantity": quantity_text(view.instrument, candle.contracts),
        "tradeCount": candle.trades_count,
        "low": text(candle.low),
        "closeTime": candle.end_ns // MS_NS - 1,
        "startTime": candle.start_ns // MS_NS,
        "close": text(candle.close),
        "open": text(candle.open),
        "ts": now_ns // MS_NS,
    }


def spot_trade(view: MarketView, trade: PublicTrade, now_ns: int) -> dict[str, Any]:
    """Return a trade of the market; the side is the taker's."""
    one = view.instrument
    return {
        "symbol": one.symbol,
        "id": str(trade_number(trade.number)),
        "price": one.price_text(trade.price_ticks),
        "quantity": quantity_text(one, trade.contracts),
        "amount": format_e8(one.notional(trade.contracts, trade.price_ticks)),
        "takerSide": trade.side.name.lower(),
        "ts": now_ns // MS_NS,
        "createTime": trade.at_ns // MS_NS,
    }


def spot_order_row(order: Order, instrument: Instrument) -> dict[str, Any]:
    """Return an order as the lists have it."""
    request = order.request
    ticks = sum(fill.contracts * fill.price_ticks for fill in order.fills)
    last = order.fills[-1].at_ns if order.fills else order.booked_at_ns
    state = STATES[order.state]
    if order.state is OrderState.CANCELED and order.filled_contracts:
        state = "PARTIALLY_CANCELED"
    amount = instrument.notional(request.contracts, request.limit_ticks)
    return {
        "id": spot_order_id(order.number),
        "clientOrderId": request.client_order_id,
        "symbol": request.symbol,
        "state": state,
        "accountType": "SPOT",
        "side": request.side.name,
        "type": TYPES[request.order_type],
        "timeInForce": TIMES[request.time_in_force],
        "quantity": quantity_text(instrument, request.contracts),
        "price": instrument.price_text(request.limit_ticks),
        "avgPrice": ratio_text(ticks * instrument.tick_e8, order.filled_contracts * E8),
        "amount": format_e8(amount),
        "filledQuantity": quantity_text(instrument, order.filled_contracts),
        "filledAmount": format_e8(ticks * instrument.tick_value),
        "createTime": order.booked_at_ns // MS_NS,
        "updateTime": max(order.closed_at_ns, last) // MS_NS,
        "orderSource": "API",
        "loan": False,
        "cancelReason": CANCEL_NUMBERS.get(order.reason, 0),
    }


def fee_amount(fill: OrderFilled, instrument: Instrument) -> int:
    """Return the fee in what it was taken in: coins of a purchase, USDT of a sale; in 1e-8."""
    if fill.side is Side.BUY:
        return fill.fee_contracts * instrument.contract_e8 - fill.dust_e8
    return fill.fee_usdt


def spot_trade_row(order: Order, fill: OrderFilled, instrument: Instrument) -> dict[str, Any]:
    """Return one own fill."""
    is_buy = fill.side is Side.BUY
    return {
        "id": str(trade_number(int(fill.trade_id))),
        "symbol": fill.symbol,
        "accountType": "SPOT",
        "orderId": spot_order_id(order.number),
        "side": fill.side.name,
        "type": TYPES[order.request.order_type],
        "matchRole": "MAKER" if fill.maker else "TAKER",
        "createTime": fill.at_ns // MS_NS,
        "price": instrument.price_text(fill.price_ticks),
        "quantity": quantity_text(instrument, fill.contracts),
        "amount": format_e8(instrument.notional(fill.contracts, fill.price_ticks)),
        "feeCurrency": instrument.base if is_buy else QUOTE,
        "feeAmount": format_e8(fee_amount(fill, instrument)),
        "pageId": str(int(fill.trade_id) * 2 + fill.maker),
        "clientOrderId": fill.client_order_id,
    }

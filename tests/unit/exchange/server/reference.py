"""The venue's replies and frames, as the reference lists their fields and types."""

from tests.unit.exchange.server.served_world import BTC, ETH
from tests.unit.exchange.server.shapes import (
    count,
    decimal,
    either,
    flag,
    ms,
    ms_text,
    number,
    of,
    text,
    whole,
    word,
)

SIDE, MODE = either("BUY", "SELL"), either("CROSS", "ISOLATED")
POSITION_SIDE = either("BOTH", "LONG", "SHORT")
STATE = either("NORMAL", "LIQ", "ADL")
TRIGGERS = dict.fromkeys(("tpTrgPx", "tpPx", "tpTrgPxType", "slTrgPx", "slPx", "slTrgPxType"), text)

INSTRUMENT = {
    **dict.fromkeys(("symbol", "bAsset", "bCcy", "qCcy", "sCcy"), word),
    **dict.fromkeys(("visibleStartTime", "tradableStartTime", "oDate"), ms_text),
    **dict.fromkeys(("tSz", "ctVal", "maxPx", "minPx", "iM", "mM", "ordPxRange"), decimal),
    **dict.fromkeys(("minQty", "maxQty", "limitMaxQty", "marketMaxQty", "maxLever", "lever", "mR"), whole),
    **of(pxScale=word, lotSz=number, minSz=number, alias=text),
    "ctType": either("LINEAR"),
    "status": either("OPEN", "PAUSED", "CLOSED", "CANCEL_ONLY", "CANCEL_CLOSE_ONLY"),
}
TICKER = {
    **of(s=word, dN=word, tC=count, sT=ms, cT=ms),
    **dict.fromkeys(("o", "l", "h", "c", "amt", "dC", "bPx", "aPx", "mPx", "iPx"), decimal),
    **dict.fromkeys(("qty", "bSz", "aSz"), whole),
}
LEVELS = [(decimal, whole)]
BOOK = {"asks": LEVELS, "bids": LEVELS, "s": decimal, "ts": ms}
CANDLE = (*[decimal] * 5, whole, whole, ms_text, ms_text)
PRICE_CANDLE = (*[decimal] * 4, ms_text, ms_text)
TRADE = {
    **of(id=count, side=either("buy", "sell"), px=decimal),
    **of(qty=whole, amt=decimal, cT=ms),
}
COMPONENT = {"e": word, "w": decimal, "sPx": decimal, "cPx": decimal}
FUNDING = {"s": word, "fR": decimal, "fT": ms_text, "nFR": decimal, "nFT": ms_text}
LIQUIDATION = {
    **of(symbol=word, posSide=POSITION_SIDE, side=SIDE),
    **of(sz=whole, bkPx=decimal, uTime=ms_text),
}
TIER = {
    **of(symbol=word, mgnMode=MODE, tier=whole, maxLever=whole),
    **of(mMRatio=decimal, minSize=whole, maxSize=whole),
}
MONEY = dict.fromkeys(("eq", "isoEq", "im", "mm", "mmr", "upl"), decimal)
DETAIL_MONEY = dict.fromkeys(("avail", "trdHold", "isoAvail", "isoHold", "isoUpl", "imr"), decimal)


def balance(time) -> dict:
    detail = {"ccy": word, **MONEY, **DETAIL_MONEY, "cTime": time, "uTime": time}
    return {**MONEY, "state": word, "availMgn": decimal, "cTime": time, "uTime": time, "details": [detail]}


BILL_TYPES = ("FEE", "PNL", "MANUAL_MARGIN", "TRANSFER", "LIQ_PNL", "ADL_PNL", "FUNDING_FEE")
BILL = {
    **of(id=whole, actType=either("TRADING"), type=either(*BILL_TYPES), ccy=either("USDT")),
    **of(symbol=text, mgnMode=text, posSide=text, sz=decimal, cTime=ms_text),
}


def order(reduce_only) -> dict:
    return {
        **of(symbol=word, side=SIDE, type=either("MARKET", "LIMIT", "LIMIT_MAKER"), ordId=whole),
        **of(clOrdId=word, mgnMode=MODE, posSide=POSITION_SIDE, px=decimal, sz=whole),
        **of(lever=whole, cancelReason=text, source=word, reduceOnly=reduce_only),
        "state": either("NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "PARTIALLY_CANCELED"),
        "timeInForce": either("GTC", "IOC", "FOK"),
        **TRIGGERS,
        **of(avgPx=decimal, execQty=whole, execAmt=decimal, feeCcy=text, feeAmt=decimal),
        **of(deductCcy=text, deductAmt=decimal, cTime=ms_text, uTime=ms_text),
        "stpMode": either("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"),
        **of(qCcy=either("USDT"), actType=either("TRADING")),
    }


FILL = {
    **of(id=whole, symbol=word, side=SIDE, ordId=whole, clOrdId=text, trdId=whole),
    **of(type=either("TRADE", "LIQUID", "ADL"), mgnMode=MODE, posSide=POSITION_SIDE),
    **of(ordType=either("MARKET", "LIMIT", "LIMIT_MAKER"), role=either("MAKER", "TAKER")),
    **of(px=decimal, qty=whole, value=decimal, feeCcy=either("USDT"), feeAmt=decimal),
    **of(feeRate=decimal, deductCcy=text, deductAmt=decimal, cTime=ms_text, uTime=ms_text),
    **of(actType=either("TRADING"), qCcy=either("USDT")),
}
POSITION = {
    **of(symbol=word, posSide=POSITION_SIDE, side=SIDE, mgnMode=MODE, openAvgPx=decimal),
    **of(qty=whole, availQty=whole, lever=whole, adl=decimal, liqPx=decimal),
    **dict.fromkeys(("im", "mm", "mgn", "maxWAmt", "upl", "uplRatio", "pnl", "mgnRatio"), decimal),
    **of(markPx=decimal, lastPx=decimal, indexPx=decimal, state=STATE),
    **of(actType=either("TRADING"), tpTrgPx=text, slTrgPx=text, cTime=ms_text, uTime=ms_text),
}
CLOSED_POSITION = {
    **of(id=whole, symbol=word, posSide=POSITION_SIDE, side=SIDE, mgnMode=MODE),
    **of(openAvgPx=decimal, closeAvgPx=decimal, qty=either("0"), closedQty=whole),
    **of(availQty=either("0"), pnl=decimal, fee=decimal, fFee=decimal, state=STATE),
    **of(cTime=ms_text, uTime=ms_text),
}
LEVERAGE = {"symbol": word, "lever": whole, "mgnMode": MODE, "posSide": POSITION_SIDE}

# Spot
LIMITS = {
    **of(symbol=word, priceScale=count, quantityScale=count, amountScale=count),
    **dict.fromkeys(
        ("minQuantity", "minAmount", "maxQuantity", "maxAmount", "highestBid", "lowestAsk"), decimal
    ),
}
SPOT_MARKET = {
    **of(symbol=word, baseCurrencyName=word, quoteCurrencyName=word, displayName=word),
    **of(state=either("NORMAL", "PAUSE", "POST_ONLY"), visibleStartTime=ms, tradableStartTime=ms),
    "symbolTradeLimit": LIMITS,
    "crossMargin": {"supportCrossMargin": flag, "maxLeverage": count},
}
SPOT_PRICE = {"symbol": word, "price": decimal, "time": ms, "dailyChange": decimal, "ts": ms}
SPOT_MARK = {"symbol": word, "markPrice": decimal, "time": ms_text}
SPOT_BOOK = {"time": ms, "scale": decimal, "asks": [decimal], "bids": [decimal], "ts": ms}
SPOT_CANDLE = (*[decimal] * 8, count, ms, decimal, word, ms, ms)
SPOT_TRADE = {
    **of(id=word, price=decimal, quantity=decimal, amount=decimal),
    **of(takerSide=SIDE, ts=ms, createTime=ms),
}
SPOT_TICKER = {
    **of(symbol=word, displayName=word, tradeCount=count, startTime=ms, closeTime=ms, ts=ms),
    **dict.fromkeys(("open", "low", "high", "close", "quantity", "amount", "dailyChange"), decimal),
    **dict.fromkeys(("bid", "bidQuantity", "ask", "askQuantity", "markPrice"), decimal),
}
SPOT_ORDER = {
    **of(id=whole, clientOrderId=text, symbol=word, accountType=either("SPOT"), side=SIDE),
    **of(type=either("MARKET", "LIMIT", "LIMIT_MAKER"), timeInForce=either("GTC", "IOC", "FOK")),
    **dict.fromkeys(("quantity", "price", "avgPrice", "amount", "filledQuantity", "filledAmount"), decimal),
    **of(state=word, createTime=ms, updateTime=ms, orderSource=word, loan=flag),
    "cancelReason": count,
}
SPOT_FILL = {
    "id": word,
    "symbol": word,
    "accountType": either("SPOT"),
    "orderId": whole,
    "side": SIDE,
    "type": word,
    **of(matchRole=either("MAKER", "TAKER"), createTime=ms, price=decimal, quantity=decimal),
    **of(amount=decimal, feeCurrency=word, feeAmount=decimal, pageId=word, clientOrderId=text),
}
BALANCE = {"currencyId": whole, "currency": word, "available": decimal, "hold": decimal}
BALANCES = {"accountId": whole, "accountType": either("SPOT"), "balances": [BALANCE]}
TRANSFER = {
    **of(id=whole, fromAccount=either("SPOT", "FUTURES"), toAccount=either("SPOT", "FUTURES")),
    **of(currency=word, amount=decimal, state=either("SUCCESS"), createTime=ms),
}

Q = f"symbol={BTC}"
FUTURES = [
    ("/v3/market/allInstruments", "", [INSTRUMENT]),
    ("/v3/market/instruments", Q, INSTRUMENT),
    ("/v3/market/tickers", Q, [TICKER]),
    ("/v3/market/tickers", "", [TICKER]),
    ("/v3/market/orderBook", Q, BOOK),
    ("/v3/market/candles", f"{Q}&interval=MINUTE_1&limit=20", [CANDLE]),
    ("/v3/market/indexPriceCandlesticks", f"{Q}&interval=HOUR_1&limit=20", [PRICE_CANDLE]),
    ("/v3/market/markPriceCandlesticks", f"{Q}&interval=HOUR_1&limit=20", [PRICE_CANDLE]),
    ("/v3/market/premiumIndexCandlesticks", f"{Q}&interval=HOUR_1&limit=20", [PRICE_CANDLE]),
    ("/v3/market/trades", Q, [TRADE]),
    ("/v3/market/liquidationOrder", f"symbol={ETH}", [LIQUIDATION]),
    ("/v3/market/indexPrice", Q, {"s": word, "iPx": decimal}),
    ("/v3/market/indexPrice", "", [{"s": word, "iPx": decimal}]),
    ("/v3/market/markPrice", Q, {"s": word, "mPx": decimal}),
    ("/v3/market/markPrice", "", [{"s": word, "mPx": decimal}]),
    ("/v3/market/indexPriceComponents", Q, [{"s": word, "px": decimal, "cs": [COMPONENT]}]),
    ("/v3/market/fundingRate", Q, FUNDING),
    ("/v3/market/fundingRate/history", Q, [{"s": word, "fR": decimal, "fT": ms_text}]),
    ("/v3/market/openInterest", Q, {"s": word, "oInterest": decimal}),
    ("/v3/market/insurance", "", [{"amt": decimal, "ccy": word, "uTime": ms_text}]),
    ("/v3/market/riskLimit", Q, [TIER]),
    ("/v3/market/limitPrice", Q, [{"symbol": word, "buyLmt": number, "sellLmt": number}]),
    ("/v3/account/balance", "", balance(ms_text)),
    ("/v3/account/bills", "", [BILL]),
    ("/v3/trade/order/opens", "", [order(flag)]),
    ("/v3/trade/order/history", "", [{**order(either("true", "false")), "clOrdId": text}]),
    ("/v3/trade/order/details", "clOrdId=rests", order(flag)),
    ("/v3/trade/order/trades", "limit=100", [FILL]),
    ("/v3/trade/position/opens", "", [POSITION]),
    ("/v3/trade/position/history", "", [CLOSED_POSITION]),
    ("/v3/position/leverages", f"{Q}&mgnMode=CROSS", [LEVERAGE]),
    ("/v3/position/mode", "", {"posMode": either("ONE_WAY", "HEDGE")}),
    ("/v3/position/riskLimit", f"{Q}&mgnMode=CROSS", [{**TIER, "posSide": POSITION_SIDE}]),
]
SPOT = [
    ("/markets", "", [SPOT_MARKET]),
    ("/markets/BTC_USDT", "", [SPOT_MARKET]),
    ("/timestamp", "", {"serverTime": ms}),
    ("/markets/price", "", [SPOT_PRICE]),
    ("/markets/BTC_USDT/price", "", SPOT_PRICE),
    ("/markets/markPrice", "", [SPOT_MARK]),
    ("/markets/BTC_USDT/markPrice", "", SPOT_MARK),
    ("/markets/BTC_USDT/orderBook", "", SPOT_BOOK),
    ("/markets/BTC_USDT/candles", "interval=MINUTE_5&limit=20", [SPOT_CANDLE]),
    ("/markets/BTC_USDT/trades", "", [SPOT_TRADE]),
    ("/markets/ticker24h", "", [SPOT_TICKER]),
    ("/markets/BTC_USDT/ticker24h", "", SPOT_TICKER),
    ("/accounts", "", [{"accountId": whole, "accountType": word, "accountState": word}]),
    ("/accounts/balances", "", [BALANCES]),
    ("/accounts/transfer", "", [TRANSFER]),
    ("/orders", "", [SPOT_ORDER]),
    ("/orders/cid:s-rests", "", SPOT_ORDER),
    ("/orders/history", "", [SPOT_ORDER]),
    ("/trades", "", [SPOT_FILL]),
]


PLACED = {"ordId": whole, "clOrdId": word}
ROW = {"code": either(200), "msg": text, "ordId": whole, "clOrdId": text}


STREAM_BOOK = {**BOOK, "s": word, "id": count, "cT": ms}
CHANNELS = {
    "symbol": {**INSTRUMENT, "limitMaxQty": count, "marketMaxQty": count, "s": word, "ts": ms},
    "book_lv2": {**STREAM_BOOK, "lid": count},
    "book": STREAM_BOOK,
    "candles_minute_1": (word, *[decimal] * 5, whole, count, ms, ms, ms),
    "mark_price_candles_minute_1": (word, *[decimal] * 4, ms, ms, ms),
    "mark_candles_minute_1": (word, *[decimal] * 4, ms, ms, ms),
    "index_candles_minute_1": (word, *[decimal] * 4, ms, ms, ms),
    "tickers": {**TICKER, "ts": ms},
    "trades": {**TRADE, "s": word, "ts": ms},
    "index_price": {"ts": ms, "s": word, "iPx": decimal},
    "mark_price": {"ts": ms, "s": word, "mPx": decimal},
    "funding_rate": {"ts": ms, "s": word, "fR": decimal, "fT": ms, "nFR": decimal, "nFT": ms},
    "limit_price": {"ts": ms, "s": word, "buyLmt": decimal, "sellLmt": decimal},
    "open_interest": {"s": word, "oInterest": decimal, "ts": ms},
}
STREAM_ORDER = {
    **{name: shape for name, shape in order(flag).items() if name not in (*TRIGGERS, "lever", "stpMode")},
    **of(cTime=ms, uTime=ms, ts=ms),
}
PRIVATE_CHANNELS = {
    "orders": {**STREAM_ORDER, "role": either("TAKER"), "fillSz": whole},
    "trade": {
        **of(symbol=word, side=SIDE, ordId=whole, clOrdId=word, role=word, trdId=whole),
        **of(feeCcy=word, feeAmt=decimal, deductCcy=text, deductAmt=decimal, type=word),
        **of(fpx=decimal, fqty=whole, uTime=ms, ts=ms),
    },
    "positions": {
        **{name: shape for name, shape in POSITION.items() if name not in ("lastPx", "indexPx")},
        **of(oldQty=whole, fee=decimal, fpnl=decimal, ffee=decimal, lever=count),
        **of(cTime=ms, uTime=ms, ts=ms),
    },
    "account": {**balance(ms), "ts": ms},
}


SPOT_CHANNELS = {
    "ticker": {**SPOT_TICKER},
    "trades": {
        **of(symbol=word, amount=decimal, quantity=decimal, takerSide=either("buy", "sell")),
        **of(createTime=ms, price=decimal, id=word, ts=ms),
    },
    "candles_minute_1": {
        **dict.fromkeys(("amount", "high", "quantity", "low", "close", "open"), decimal),
        **of(symbol=word, tradeCount=count, closeTime=ms, startTime=ms, ts=ms),
    },
    "book": {
        **of(symbol=word, createTime=ms, asks=[(decimal, decimal)], bids=[(decimal, decimal)]),
        **of(id=count, ts=ms),
    },
    "book_lv2": {
        **of(symbol=word, createTime=ms, asks=[(decimal, decimal)], bids=[(decimal, decimal)]),
        **of(lastId=count, id=count, ts=ms),
    },
    "symbols": SPOT_MARKET | {"crossMargin": of(supportCrossMargin=flag, maxLeverage=whole)},
}

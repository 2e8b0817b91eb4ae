"""An account's orders, fills, positions and money as rows for JSON."""

from __future__ import annotations

from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import E8, format_e8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.accounts import Member, Standing
from actors.exchange.codes import CancelReason
from actors.exchange.protocol.ids import ORDER_BASE, order_id, trade_number
from actors.exchange.protocol.numbers import ratio_text
from actors.exchange.server.state import Bill, ClosedPosition, Note
from actors.exchange.state import Order
from actors.exchange.terms import SelfTrade, Slot, slot_of
from actors.messages.venue import OrderFilled

__all__ = [
    "MARGIN_MODES",
    "ORDER_TYPES",
    "POSITION_SIDES",
    "balance_row",
    "bill_row",
    "cancel_reason",
    "closed_position_row",
    "fill_row",
    "fill_type",
    "liquidation_price",
    "order_row",
    "position_row",
    "state_word",
]

MS_NS = 1_000_000
MARGIN_MODES = {slot: "ISOLATED" if slot >= Slot.ISOLATED else "CROSS" for slot in Slot}
POSITION_SIDES = {slot: ("BOTH", "LONG", "SHORT")[slot % 3] for slot in Slot}
ORDER_TYPES = {OrderType.MARKET: "MARKET", OrderType.LIMIT: "LIMIT", OrderType.POST_ONLY: "LIMIT_MAKER"}
TIMES_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
SELF_TRADES = {
    SelfTrade.ALLOWED: "NONE",
    SelfTrade.EXPIRE_TAKER: "EXPIRE_TAKER",
    SelfTrade.EXPIRE_MAKER: "EXPIRE_MAKER",
    SelfTrade.EXPIRE_BOTH: "EXPIRE_BOTH",
}
STATES = {
    OrderState.OPEN: "NEW",
    OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderState.FILLED: "FILLED",
    OrderState.CANCELED: "CANCELED",
}
CANCEL_REASONS = {
    CancelReason.REQUESTED: "USER_CANCEL_ORDER_ACTION",
    CancelReason.POST_ONLY_WOULD_TAKE: "LIMIT_MAKER_ORDER_INCORRECT_PRICE_CONDITION",
    CancelReason.IOC_REMAINDER: "LIMIT_MATCH_IOC_OR_FOK_ORDER_PRICE_CANNOT_MATCH",
    CancelReason.FOK_UNFILLED: "LIMIT_MATCH_FOK_ORDER_MAKER_INSUFFICIENT_AVAILABLE_QUANTITY",
    CancelReason.NO_LIQUIDITY: "MARKET_ORDER_NO_OTHER_SIDE_ORDER",
    CancelReason.SELF_TRADE: "LIMIT_MATCH_ORDER_TAKER_SELF_TRADE",
    CancelReason.REDUCE_ONLY: "NO_MARGIN_QUANTITY_GREAT_THAN_POSITION",
    CancelReason.LIQUIDATION: "FL_CANCEL_ORDER_ACTION",
    CancelReason.DELEVERAGED: "RISK_CANCEL_ORDER_ACTION",
}
NO_TRIGGERS = dict.fromkeys(("tpTrgPx", "tpPx", "tpTrgPxType", "slTrgPx", "slPx", "slTrgPxType"), "")


def state_word(order: Order) -> str:
    """Return where an order stands in the venue's words."""
    if order.state is OrderState.CANCELED and order.filled_contracts:
        return "PARTIALLY_CANCELED"
    return STATES[order.state]


def cancel_reason(order: Order) -> str:
    """Return why an order ended unfilled; empty when it did not."""
    if order.state is not OrderState.CANCELED:
        return ""
    if order.reason == CancelReason.IOC_REMAINDER and order.filled_contracts:
        return "LIMIT_MATCH_IOC_ORDER_CANNOT_FILLED"
    return CANCEL_REASONS.get(order.reason, order.reason)


def order_row(order: Order, instrument: Instrument, leverage: int, *, is_history: bool) -> dict[str, Any]:
    """Return an order as the lists of open or of ended orders have it."""
    request = order.request
    ticks = sum(fill.contracts * fill.price_ticks for fill in order.fills)
    fees = sum(fill.fee_usdt for fill in order.fills)
    number = order_id(order.number)
    reduce_only = request.reduce_only
    return {
        "symbol": request.symbol,
        "side": SIDES[request.side],
        "type": ORDER_TYPES[request.order_type],
        "ordId": number,
        "clOrdId": request.client_order_id,
        "mgnMode": MARGIN_MODES[order.terms.slot],
        "posSide": POSITION_SIDES[order.terms.slot],
        "px": instrument.price_text(request.limit_ticks),
        "sz": str(request.contracts),
        "lever": str(leverage),
        "state": state_word(order),
        "cancelReason": cancel_reason(order),
        "source": "API",
        # The venue itself differs between its two lists.
        "reduceOnly": ("true" if reduce_only else "false") if is_history else reduce_only,
        "timeInForce": TIMES_IN_FORCE[request.time_in_force],
        **NO_TRIGGERS,
        "avgPx": ratio_text(ticks * instrument.tick_e8, order.filled_contracts * E8),
        "execQty": str(order.filled_contracts),
        "execAmt": format_e8(ticks * instrument.tick_value),
        "feeCcy": "USDT" if order.fills else "",
        "feeAmt": format_e8(fees),
        "deductCcy": "",
        "deductAmt": "0",
        "stpMode": SELF_TRADES[order.terms.self_trade],
        "cTime": str(order.booked_at_ns // MS_NS),
        "uTime": str(_updated_ns(order) // MS_NS),
        "qCcy": "USDT",
        "actType": "TRADING",
    }


def _updated_ns(order: Order) -> int:
    last = order.fills[-1].at_ns if order.fills else order.booked_at_ns
    return max(order.closed_at_ns, last)


def fill_type(order: Order) -> str:
    """Return what kind of trade an order's fills are."""
    if order.reason == CancelReason.DELEVERAGED and order.state is OrderState.FILLED:
        return "ADL"
    return "LIQUID" if order.fills and order.fills[-1].liquidation else "TRADE"


def fill_row(order: Order, fill: OrderFilled, instrument: Instrument) -> dict[str, Any]:
    """Return one fill as the list of own trades has it."""
    value = instrument.notional(fill.contracts, fill.price_ticks)
    at_ms = str(fill.at_ns // MS_NS)
    return {
        "symbol": fill.symbol,
        "trdId": str(trade_number(int(fill.trade_id))),
        "side": SIDES[fill.side],
        "type": fill_type(order),
        "mgnMode": MARGIN_MODES[order.terms.slot],
        "ordType": "LIMIT" if fill.liquidation else ORDER_TYPES[order.request.order_type],
        "clOrdId": fill.client_order_id,
        "role": "MAKER" if fill.maker else "TAKER",
        "px": instrument.price_text(fill.price_ticks),
        "qty": str(fill.contracts),
        "cTime": at_ms,
        "uTime": at_ms,
        "feeCcy": "USDT",
        "feeAmt": format_e8(fill.fee_usdt),
        "deductCcy": "",
        "deductAmt": "0",
        "feeRate": ratio_text(fill.fee_usdt, value, 8),
        "id": str(ORDER_BASE + int(fill.trade_id) * 2 + fill.maker),
        "posSide": POSITION_SIDES[order.terms.slot],
        "ordId": order_id(order.number),
        "qCcy": "USDT",
        "value": format_e8(value),
        "actType": "TRADING",
    }


def position_row(
    standing: Standing,
    note: Note,
    index_ticks: int,
    last_ticks: int,
    available: int,
    queue: tuple[int, int],
    direction: int = 1,
) -> dict[str, Any]:
    """Return a position. `available` contracts are not promised to closing orders; `queue` is `queue_place`.

    Of a position that has just been closed, `direction` tells what it was.
    """
    market, holding = standing.market, standing.holding
    one, mark = market.instrument, market.reference_ticks
    net, cost = holding.position
    size, text = abs(net), one.price_text
    initial = one.initial_margin(net, mark, standing.leverage)
    entry_margin = abs(cost) * market.tick_value
    margin = holding.margin_usdt if standing.is_isolated else initial
    member, maintenance = standing.member, standing.maintenance_usdt
    if standing.is_isolated:
        ratio = ratio_text(maintenance, standing.equity_usdt, 4)
    else:
        needed = sum(s.maintenance_usdt for s in member.positions() if not s.is_isolated)
        ratio = ratio_text(needed, member.equity_usdt, 4)
    return {
        "symbol": market.symbol,
        "posSide": POSITION_SIDES[standing.slot],
        "side": "BUY" if (net or direction) > 0 else "SELL",
        "mgnMode": MARGIN_MODES[standing.slot],
        "openAvgPx": ratio_text(cost * one.tick_e8, net * E8),
        "qty": str(size),
        "oldQty": str(abs(note.size_before)),
        "availQty": str(available),
        "lever": str(standing.leverage),
        "fee": format_e8(-note.fees_usdt),
        "adl": ratio_text(*queue, 4),
        "liqPx": liquidation_price(standing),
        "mgn": format_e8(margin),
        "im": format_e8(initial),
        "mm": format_e8(maintenance),
        "maxWAmt": format_e8(max(0, margin - initial) if standing.is_isolated else 0),
        "upl": format_e8(standing.unrealised_usdt),
        "uplRatio": ratio_text(standing.unrealised_usdt * standing.leverage, entry_margin, 4),
        "pnl": format_e8(note.realised_usdt),
        "fpnl": format_e8(note.last_realised_usdt),
        "ffee": format_e8(-note.funding_usdt),
        "markPx": text(mark),
        "lastPx": text(last_ticks),
        "indexPx": text(index_ticks),
        "mgnRatio": ratio,
        "state": "NORMAL",
        "actType": "TRADING",
        "tpTrgPx": "",
        "slTrgPx": "",
        "cTime": str(note.opened_at_ns // MS_NS),
        "uTime": str(note.updated_at_ns // MS_NS),
    }


def liquidation_price(standing: Standing) -> str:
    """Return the mark price at which a position would be liquidated, all else equal; "0" for never.

    From the venue's live samples: (entry value - wallet) / (quantity x (1 - maintenance rate)) for a long.
    """
    market, holding = standing.market, standing.holding
    one, (net, cost) = market.instrument, holding.position
    if not net:
        return "0"
    wallet = holding.margin_usdt
    if not standing.is_isolated:
        others = [s for s in standing.member.positions() if not s.is_isolated and s is not standing]
        wallet = standing.member.wallet.cash_usdt
        wallet += sum(s.unrealised_usdt - s.maintenance_usdt for s in others)
    rate = one.tier(net).maintenance_e8
    value = cost * market.tick_value - wallet  # signed with the position
    quantity = net * one.contract_e8  # 1e-8 of the base, signed
    factor = E8 - rate if net > 0 else E8 + rate
    found = value * E8 * E8 // (quantity * factor)  # 1e-8 USDT per unit
    return format_e8(found) if found > 0 else "0"


def closed_position_row(ended: ClosedPosition, instrument: Instrument) -> dict[str, Any]:
    """Return a position that is no more."""
    symbol, slot = slot_of(ended.holding)
    note, tick = ended.note, instrument.tick_e8
    return {
        "id": order_id(ended.number),
        "symbol": symbol,
        "posSide": POSITION_SIDES[slot],
        "side": "BUY" if ended.side > 0 else "SELL",
        "mgnMode": MARGIN_MODES[slot],
        "openAvgPx": ratio_text(note.opened_ticks * tick, note.opened_contracts * E8),
        "closeAvgPx": ratio_text(note.closed_ticks * tick, note.closed_contracts * E8),
        "qty": "0",
        "closedQty": str(-ended.side * note.closed_contracts),
        "availQty": "0",
        "pnl": format_e8(note.realised_usdt),
        "fee": format_e8(-note.fees_usdt),
        "fFee": format_e8(-note.funding_usdt),
        "state": ended.state,
        "cTime": str(note.opened_at_ns // MS_NS),
        "uTime": str(note.updated_at_ns // MS_NS),
    }


def balance_row(member: Member, now_ns: int) -> dict[str, Any]:
    """Return an account's money: equity is what is available plus open profit; isolated money beside it."""
    cash, profit = member.wallet.cash_usdt, member.unrealised_usdt
    equity, initial = cash + profit, member.initial_usdt
    crossed = [s for s in member.positions() if not s.is_isolated]
    isolated = [s for s in member.standings.values() if s.is_isolated]
    maintenance = sum(s.maintenance_usdt for s in crossed)
    held = sum(
        s.market.instrument.initial_margin(s.holding.position[0], s.market.reference_ticks, s.leverage)
        for s in crossed
    )
    isolated_equity = format_e8(sum(s.equity_usdt for s in isolated))
    opened, now = str(member.wallet.opened_at_ns // MS_NS), str(now_ns // MS_NS)
    whole = {
        "eq": format_e8(equity),
        "isoEq": isolated_equity,
        "im": format_e8(initial),
        "mm": format_e8(maintenance),
        "mmr": ratio_text(maintenance, equity),
        "upl": format_e8(profit),
    }
    details = {
        "ccy": "USDT",
        **whole,
        "avail": format_e8(cash),
        "trdHold": format_e8(max(0, initial - held)),
        "isoAvail": format_e8(sum(s.holding.margin_usdt for s in isolated)),
        "isoHold": format_e8(sum(s.initial_usdt for s in isolated)),
        "isoUpl": format_e8(sum(s.unrealised_usdt for s in isolated)),
        "imr": ratio_text(initial, equity),
        "cTime": opened,
        "uTime": now,
    }
    top = {"state": "NORMAL", **whole, "availMgn": format_e8(equity - initial)}
    return {**top, "cTime": opened, "uTime": now, "details": [details]}


def bill_row(bill: Bill) -> dict[str, Any]:
    """Return one change of an account's money."""
    symbol, slot = slot_of(bill.holding) if bill.holding else ("", Slot.CROSS)
    return {
        "id": order_id(bill.number),
        "actType": "TRADING",
        "type": bill.kind,
        "ccy": "USDT",
        "symbol": symbol,
        "mgnMode": MARGIN_MODES[slot] if symbol else "",
        "posSide": POSITION_SIDES[slot] if symbol else "",
        "sz": format_e8(bill.amount_usdt),
        "cTime": str(bill.at_ns // MS_NS),
    }

"""Whether an order may come in at all: what can be said before anybody looks who would trade with it."""

from __future__ import annotations

from actors.domain.money import E8, format_e8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.accounts import Standing
from actors.exchange.codes import Refusal
from actors.exchange.margin import exposures_ticks, initial_margin
from actors.exchange.prices import Market
from actors.messages.venue import PlaceOrder

__all__ = ["Refused", "refuse", "refuse_margin"]

BUY = Side.BUY
MARKET, LIMIT, POST_ONLY = OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY
GTC = TimeInForce.GTC

Refused = tuple[str, str]  # (code, text)

NO_PRICE: Refused = (Refusal.NO_MARKET, "the exchange has no price of this symbol yet")
NO_BOOK: Refused = (Refusal.NO_MARKET, "the exchange has seen no book of this symbol yet")


def refuse(request: PlaceOrder, standing: Standing, open_orders_max: int) -> Refused | None:
    """Return why the order cannot be taken, None when its price, size and kind are in order."""
    market = standing.market
    instrument = market.instrument
    reference = market.reference_ticks
    contracts = request.contracts
    if not reference:
        return NO_PRICE
    if request.order_type is MARKET:
        if not market.is_quoted and not _resting_count(market, request.side):
            return NO_BOOK
        contracts_max = instrument.contracts_max_market
    else:
        limit = request.limit_ticks
        if not market.band_low_ticks <= limit <= market.band_high_ticks:
            return _outside_band(market, limit)
        if request.order_type is POST_ONLY and request.time_in_force is not GTC:
            return (Refusal.BAD_PARAMETER, "a post-only order must be good till canceled")
        if standing.member.open_count >= open_orders_max:
            return (Refusal.TOO_MANY_ORDERS, f"the account has {open_orders_max} open orders")
        contracts_max = instrument.contracts_max_limit
    if not instrument.contracts_min <= contracts <= contracts_max:
        return _bad_size(instrument.contracts_min, contracts_max, contracts)
    if request.reduce_only and request.side * standing.holding.position.net_contracts >= 0:
        return (Refusal.REDUCE_ONLY, "there is no position that the order could reduce")
    if not request.client_order_id:
        return (Refusal.BAD_PARAMETER, "the order has no client_order_id")
    return None


def refuse_margin(request: PlaceOrder, standing: Standing, contracts: int, cost_ticks: int) -> Refused | None:
    """Return why the account cannot carry the order, None when it can.

    `cost_ticks` is its contracts x price_ticks, matched pieces at their prices, the rest at its limit.
    An order that does not raise the symbol's exposure needs no margin: everybody may always reduce.
    """
    market, holding, member = standing.market, standing.holding, standing.member
    mark, tick_value = market.reference_ticks, market.tick_value
    if request.side is BUY:
        reach = holding.position[0] + holding.buy_contracts + contracts
        before, exposure = exposures_ticks(holding, mark, cost_ticks, 0)
        loss = cost_ticks - contracts * mark
    else:
        reach = holding.sell_contracts + contracts - holding.position[0]
        before, exposure = exposures_ticks(holding, mark, 0, cost_ticks)
        loss = contracts * mark - cost_ticks
    if reach > standing.contracts_max:
        return _too_large(standing, reach)
    if exposure <= before:
        return None
    if member.unpriced_count:
        return (Refusal.NO_MARKET, "the account holds a position in a symbol without a price")
    if standing.is_isolated:
        exposure = max(0, exposure - abs(holding.position[0]) * mark)
    needed = initial_margin(exposure, tick_value, standing.leverage_chosen) - standing.initial_usdt
    needed += cost_ticks * tick_value * standing.taker_fee_e8 // E8 + 1  # at most, whoever takes
    if loss > 0:  # a price worse than the mark is an open loss at once
        needed += loss * tick_value
    free = member.wallet.cash_usdt + member.unrealised_usdt - member.initial_usdt
    return None if needed <= free else _no_margin(needed, free)


def _resting_count(market: Market, side: Side) -> int:
    return market.book.asks.count if side is BUY else market.book.bids.count


def _outside_band(market: Market, limit_ticks: int) -> Refused:
    if limit_ticks <= 0:
        return (Refusal.BAD_PARAMETER, "a limit order needs a limit above 0")
    text = market.instrument.price_text
    low, high = text(market.band_low_ticks), text(market.band_high_ticks)
    return (Refusal.PRICE_BAND, f"the limit {text(limit_ticks)} lies outside {low} to {high}")


def _bad_size(least: int, most: int, contracts: int) -> Refused:
    return (Refusal.BAD_SIZE, f"{contracts} contracts; {least} to {most} are possible")


def _too_large(standing: Standing, reach: int) -> Refused:
    leverage, most = standing.leverage_chosen, standing.contracts_max
    return (
        Refusal.RISK_LIMIT,
        f"the position could reach {reach} contracts; leverage {leverage} allows {most}",
    )


def _no_margin(needed_usdt: int, free_usdt: int) -> Refused:
    return (
        Refusal.INSUFFICIENT_MARGIN,
        f"the order needs {format_e8(needed_usdt)} USDT, {format_e8(free_usdt)} are free",
    )

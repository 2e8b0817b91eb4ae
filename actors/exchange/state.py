"""What the exchange remembers: wallets, positions, orders, totals. Plain structs that a snapshot holds.

Nothing here comes from a quote. Amounts are 1e-8 USDT; `..._ticks` that are not a price are sums of
contracts x price_ticks.
"""

from __future__ import annotations

import msgspec

from actors.domain.lifecycle import OrderState
from actors.domain.positions import FLAT, Position
from actors.exchange.ring import Ring
from actors.exchange.terms import PLAIN, Terms
from actors.messages.venue import FundingPaid, OrderFilled, PlaceOrder

__all__ = ["ExchangeState", "Holding", "MarketBooks", "Order", "Wallet"]


class Order(msgspec.Struct, array_like=True, gc=False):
    """One order, from the moment it was accepted until it is forgotten."""

    number: int  # grows with each order: the smaller came first
    venue_order_id: str
    request: PlaceOrder
    booked_at_ns: int
    state: OrderState  # OPEN, PARTIALLY_FILLED, FILLED or CANCELED
    filled_contracts: int = 0
    reason: str = ""  # why it ended unfilled
    closed_at_ns: int = 0
    fills: list[OrderFilled] = []
    terms: Terms = PLAIN


class Holding(msgspec.Struct, array_like=True, gc=False):
    """One account's position in one symbol, and what its resting orders could add to it."""

    position: Position = FLAT
    realised_usdt: int = 0  # before fees and funding
    fees_usdt: int = 0
    funding_usdt: int = 0  # positive was paid
    buy_contracts: int = 0  # resting bids, reduce-only ones left out
    buy_ticks: int = 0
    sell_contracts: int = 0
    sell_ticks: int = 0
    margin_usdt: int = 0  # what stands behind an isolated position; it is no longer in the cash


class Wallet(msgspec.Struct, gc=False):
    """One account: its cash, what it holds, and a bounded memory of what happened to it."""

    cash_usdt: int = 0  # deposits + realised - fees - funding - isolated margin
    deposits_usdt: int = 0  # and transfers in, less transfers out
    opened_at_ns: int = 0
    holdings: dict[str, Holding] = {}  # by `terms.holding_keys`
    closed: Ring[Order] = msgspec.field(default_factory=Ring)
    funding: Ring[FundingPaid] = msgspec.field(default_factory=Ring)
    leverages: dict[str, int] = {}  # chosen, by holding; else the market's
    fees_e8: dict[str, int] = {}  # `maker`, `taker`; else the market's


class MarketBooks(msgspec.Struct, gc=False):
    """The anonymous market as a party: with the other side of every trade and of funding all sums to zero."""

    net_contracts: int = 0
    cash_usdt: int = 0  # all it was paid, less all it paid
    settled_at_ns: int = 0  # last funding


class ExchangeState(msgspec.Struct, gc=False):
    """All of it."""

    wallets: dict[str, Wallet] = {}
    open_orders: dict[int, Order] = {}
    markets: dict[str, MarketBooks] = {}
    fees_usdt: int = 0
    insurance_usdt: int = 0  # what it won, less what it lost; below the floor others are deleveraged
    orders_count: int = 0  # the last order's number
    trades_count: int = 0  # the last trade's number

"""What risk sees when it judges: every number a rule asks for, kept so that looking costs the same always.

The worst case of a symbol is the larger of two positions: all live buys fill and no sell does, or the other
way round. Values are taken at the mark. All amounts are 1e-8 USDT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.messages.grants import Measures
from actors.messages.market import MarkPrice, Quote
from actors.messages.trading import OrderIntent
from actors.risk.settings import RiskSettings
from actors.risk.state import Book, RiskState
from actors.risk.tally import Others, Tally

__all__ = ["Market", "Picture"]


class Market:
    """One symbol: its specification, its prices, and its part in the account's sums."""

    __slots__ = (
        "checks",
        "checks_reducing",
        "cost_ticks",
        "differs_since_ns",
        "exits",
        "exposure_contracts",
        "exposure_usdt",
        "funding_e8",
        "halt_level",
        "instrument",
        "ledger_contracts",
        "ledger_known",
        "leverage",
        "leverage_tier",
        "margin_usdt",
        "mark",
        "quote",
        "stale",
        "symbol",
        "taker_fee_e8",
        "tick_value",
        "tier_from",
        "tier_upto",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.tick_value = instrument.tick_value
        self.taker_fee_e8 = instrument.taker_fee_e8
        self.quote: Quote | None = None
        self.mark: MarkPrice | None = None
        self.stale = ""  # what is wrong with the feed
        self.halt_level = 0  # of halts on this symbol alone
        self.ledger_contracts = 0
        self.ledger_known = False  # the ledger has spoken since our last fill
        self.cost_ticks = 0  # of the ledger's position, signed
        self.funding_e8 = 0  # rate of the next settlement
        self.differs_since_ns = 0
        # What is asked about an order here, as (rule, check): of any order, and of one that only reduces.
        self.checks: tuple[tuple[str, Any], ...] = ()
        self.checks_reducing: tuple[tuple[str, Any], ...] = ()
        self.exits: tuple[tuple[str, Any], ...] = ()  # asked about the position, whenever its price moved
        self.exposure_contracts = 0  # worst case
        self.exposure_usdt = 0
        self.margin_usdt = 0
        self.tier_from = self.tier_upto = -1  # exposures in (from, upto] have the two below
        self.leverage_tier = self.leverage = instrument.leverage_default

    def enter_tier(self, contracts: int) -> None:
        """Look up the catalog's tier of a position, unless it is still the one looked up before."""
        if self.tier_from < contracts <= self.tier_upto:
            return
        below = -1
        for tier in self.instrument.tiers:
            if contracts <= tier.contracts_max:
                break
            below = tier.contracts_max
        self.tier_from, self.tier_upto = below, max(contracts, tier.contracts_max)
        self.leverage_tier = tier.leverage_max
        self.leverage = min(self.instrument.leverage_default, tier.leverage_max)

    @property
    def open_profit_usdt(self) -> int:
        """What the ledger's position has gained at the mark; negative is a loss."""
        return (self.ledger_contracts * self.price_ticks - self.cost_ticks) * self.tick_value

    @property
    def mid_x2(self) -> int:
        """Best bid + best ask; 0 while not both are known."""
        quote = self.quote
        if quote is None or not quote.bid_ticks or not quote.ask_ticks:
            return 0
        return quote.bid_ticks + quote.ask_ticks

    @property
    def price_ticks(self) -> int:
        """The mark, or the middle of the quote while there is none; 0 while nothing is known."""
        if self.mark is not None:
            return self.mark.mark_ticks
        quote = self.quote
        if quote is None:
            return 0
        bid, ask = quote.bid_ticks, quote.ask_ticks
        return (bid + ask) // 2 if bid and ask else bid or ask


class Picture:
    """The account, and the intent in hand. Rules read it; the actor keeps it true."""

    __slots__ = (
        "account_known",
        "book",
        "cancels_full_ns",
        "day_start_ns",
        "equity_usdt",
        "exposure_usdt",
        "exposure_usdt_after",
        "gate_open",
        "halt_level",
        "loss_usdt",
        "margin_usdt",
        "margin_usdt_after",
        "market",
        "markets",
        "now_ns",
        "order_usdt",
        "others",
        "peak_usdt",
        "price_ticks",
        "reduces",
        "reducible_contracts",
        "settings",
        "state",
        "strategy_halts",
        "tally",
        "trades_count",
        "week_loss_usdt",
        "week_start_ns",
        "worst_contracts",
        "worst_usdt",
    )

    def __init__(self, settings: RiskSettings, instruments: Mapping[str, Instrument]) -> None:
        self.settings = settings
        self.markets = {symbol: Market(instrument) for symbol, instrument in instruments.items()}
        self.state = RiskState()
        self.account_known = False
        self.equity_usdt = 0
        self.loss_usdt = 0  # since the day began; negative is a profit
        self.week_loss_usdt = 0
        self.day_start_ns = self.week_start_ns = 0
        self.peak_usdt = 0  # that a drawdown is measured from
        self.cancels_full_ns = 0  # when the bucket of cancel tokens will be full again
        self.tally = Tally()
        self.others = Others()
        self.gate_open = False  # the reconciler found our books to agree with the venue's
        self.halt_level = 0  # of halts on everything or on the account
        self.strategy_halts: dict[str, int] = {}
        self.exposure_usdt = 0  # sum over symbols of the worst case
        self.margin_usdt = 0
        self.trades_count = 0  # symbols whose worst case is not flat
        # The intent in hand, as `look` found it:
        self.now_ns = 0
        self.market: Market
        self.book: Book
        self.reduces = False  # it only reduces the position, whatever else fills
        self.reducible_contracts = 0  # how much of the position its side can close
        self.price_ticks = 0  # it is valued at: the mark, or its limit when that is higher
        self.order_usdt = 0
        self.worst_contracts = 0  # of the symbol, with it
        self.worst_usdt = 0
        self.exposure_usdt_after = 0
        self.margin_usdt_after = 0

    def bind(self, state: RiskState) -> None:
        """Take up a recovered state, and value everything anew."""
        self.state = state
        for symbol, book in state.books.items():
            market = self.markets.get(symbol)
            if market is not None:
                self.revalue(market, book)
        for symbol, stale in state.feeds_stale.items():
            if symbol in self.markets:
                self.markets[symbol].stale = stale

    def look(self, intent: OrderIntent, market: Market, now_ns: int) -> None:
        """Work out what the intent would do, for the rules to read."""
        book = self.state.books.get(market.symbol) or Book()
        contracts, limit_ticks = intent.contracts, intent.limit_ticks
        low = high = book.net_contracts
        if market.ledger_known and market.ledger_contracts != low:
            # They disagree: count with whichever is worse for the question asked.
            low, high = min(low, market.ledger_contracts), max(low, market.ledger_contracts)
        long, short = high + book.buy_contracts, book.sell_contracts - low
        if intent.side > 0:
            reducible, reserved = (-high if high < 0 else 0), book.buy_contracts
            long += contracts
        else:
            reducible, reserved = (low if low > 0 else 0), book.sell_contracts
            short += contracts
        worst = long if long > short else short
        mark = market.mark
        price = market.price_ticks if mark is None else mark.mark_ticks
        if limit_ticks > price:
            price = limit_ticks
        value = price * market.tick_value
        usdt = worst * value
        if not market.tier_from < worst <= market.tier_upto:
            market.enter_tier(worst)
        order_usdt = contracts * value
        self.now_ns, self.market, self.book = now_ns, market, book
        self.reducible_contracts = reducible
        self.reduces = contracts + reserved <= reducible
        self.price_ticks, self.order_usdt = price, order_usdt
        self.worst_contracts, self.worst_usdt = worst, usdt
        self.exposure_usdt_after = self.exposure_usdt - market.exposure_usdt + usdt
        margin = -(-usdt // market.leverage)
        fee = order_usdt * market.taker_fee_e8 // E8
        self.margin_usdt_after = self.margin_usdt - market.margin_usdt + margin + fee

    def reserve(self) -> None:
        """The intent in hand was allowed, and is in the books: what it would do counts from now on."""
        market, worst, usdt = self.market, self.worst_contracts, self.worst_usdt
        if self.price_ticks != market.price_ticks:  # it was judged at its limit; sums are at the mark
            self.revalue(market, self.state.books[market.symbol])
            return
        if not market.exposure_contracts and worst:
            self.trades_count += 1
        margin = -(-usdt // market.leverage)
        market.exposure_contracts, market.exposure_usdt = worst, usdt
        self.exposure_usdt = self.exposure_usdt_after
        self.margin_usdt += margin - market.margin_usdt
        market.margin_usdt = margin

    def revalue(self, market: Market, book: Book) -> None:
        """Put a symbol's worst case at the present price into the account's sums."""
        low = high = book.net_contracts
        if market.ledger_known and market.ledger_contracts != low:
            low, high = min(low, market.ledger_contracts), max(low, market.ledger_contracts)
        long, short = high + book.buy_contracts, book.sell_contracts - low
        worst = long if long > short else short
        if (worst > 0) is not (market.exposure_contracts > 0):
            self.trades_count += 1 if worst > 0 else -1
        market.exposure_contracts = worst
        if not market.tier_from < worst <= market.tier_upto:
            market.enter_tier(worst)
        usdt = worst * market.price_ticks * market.tick_value
        margin = -(-usdt // market.leverage)
        self.exposure_usdt += usdt - market.exposure_usdt
        self.margin_usdt += margin - market.margin_usdt
        market.exposure_usdt, market.margin_usdt = usdt, margin

    # -- sums that few deployments ask for: over the symbols in hand, whatever the number of orders ---------

    def signed_worst(self, market: Market, book: Book) -> int:
        """Return a symbol's worst case in contracts, short ones negative."""
        low = high = book.net_contracts
        if market.ledger_known and market.ledger_contracts != low:
            low, high = min(low, market.ledger_contracts), max(low, market.ledger_contracts)
        long, short = high + book.buy_contracts, book.sell_contracts - low
        return long if long > short else -short

    def net_usdt_with(self, side: int) -> int:
        """Return by how much one side could outweigh the other, should it fill wholly, the intent too."""
        return self.order_usdt + self.net_usdt(side)

    def net_usdt(self, side: int) -> int:
        """Return the same without the intent."""
        total = 0
        for symbol, book in self.state.books.items():
            market = self.markets.get(symbol)
            if market is None:
                continue
            net = side * book.net_contracts
            if market.ledger_known and side * market.ledger_contracts > net:
                net = side * market.ledger_contracts
            reserved = book.buy_contracts if side > 0 else book.sell_contracts
            total += (net + reserved) * market.price_ticks * market.tick_value
        return total

    def correlated_usdt_with(self, intent: OrderIntent) -> int:
        """Return the exposure of all accounts with correlation counted in, the intent included."""
        return self.others.exposure(self._weights_with(intent, dict(self.others.net_by_symbol)))

    def own_correlated_usdt_with(self, intent: OrderIntent) -> int:
        """Return the same of this account alone."""
        return self.others.exposure(self._weights_with(intent, {}))

    def _weights_with(self, intent: OrderIntent, weights: dict[str, int]) -> dict[str, int]:
        self._add_worst(weights, intent.symbol)
        worst = self.worst_contracts
        long = max(self.book.net_contracts, self.market.ledger_contracts if self.market.ledger_known else 0)
        long += self.book.buy_contracts + (intent.contracts if intent.side > 0 else 0)
        signed = self.worst_usdt if worst == long else -self.worst_usdt
        weights[intent.symbol] = weights.get(intent.symbol, 0) + signed
        return weights

    def _add_worst(self, weights: dict[str, int], left_out: str = "") -> None:
        for symbol, book in self.state.books.items():
            market = self.markets.get(symbol)
            if market is not None and symbol != left_out:
                value = market.price_ticks * market.tick_value
                weights[symbol] = weights.get(symbol, 0) + self.signed_worst(market, book) * value

    def used(self) -> Measures:
        """Return what the account comes to in its worst case."""
        weights: dict[str, int] = {}
        self._add_worst(weights)
        net = max(self.net_usdt(1), self.net_usdt(-1), 0)
        return Measures(self.exposure_usdt, net, self.others.exposure(weights))

    def priced(self) -> bool:
        """Tell whether everything that is held or could fill has a price."""
        return all(one.price_ticks for one in self.markets.values() if one.exposure_contracts)

    def strategy_usdt_with(self, intent: OrderIntent) -> int:
        """Return the value of what a strategy's own fills and live orders can add up to, the intent too."""
        held, live = self.state.attributed.get(intent.strategy, {}), self.tally.live.get(intent.strategy, {})
        total = 0
        for symbol in {*held, *live, intent.symbol}:
            market = self.markets[symbol]
            buys, sells = live.get(symbol, (0, 0))
            net = held[symbol].net_contracts if symbol in held else 0
            price = market.price_ticks
            if symbol == intent.symbol:
                price = self.price_ticks
                buys += intent.contracts if intent.side > 0 else 0
                sells += intent.contracts if intent.side < 0 else 0
            total += max(net + buys, sells - net) * price * market.tick_value
        return total

    def strategy_profit_usdt(self, strategy: str) -> int:
        """Return what a strategy's own fills have made since its books began, at the mark."""
        total = 0
        for symbol, held in self.state.attributed.get(strategy, {}).items():
            market = self.markets.get(symbol)
            if market is not None:
                total += (held.net_contracts * market.price_ticks - held.flow_ticks) * market.tick_value
        return total

    def strategy_loss_usdt(self, strategy: str) -> int:
        """Return what a strategy's own fills have lost since the day began; negative is a profit."""
        begun = self.state.strategy_days.get(strategy)
        return (begun.profit_usdt if begun is not None else 0) - self.strategy_profit_usdt(strategy)

"""The matching and margin engine: requests and market data in, events recorded, outcomes out.

It knows nothing of actors. `record` is where events go: by default straight into the state; an actor puts its
journal there, a backtest or a server leaves it or adds a log. Every method that decides returns what has to
be told to whom: messages of `messages.venue`, each with its account. Everything is deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import multiply_e8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.accounts import Standing
from actors.exchange.admission import Refused, refuse, refuse_margin
from actors.exchange.book import Node
from actors.exchange.codes import CancelReason, Refusal
from actors.exchange.events import (
    OrderBooked,
    OrderUnbooked,
    RestingOrderExecuted,
    WalletOpened,
)
from actors.exchange.funding import settle_clock, settle_funding
from actors.exchange.liquidation import liquidate_if_due
from actors.exchange.matching import (
    Match,
    Taking,
    fillable_contracts,
    match_taker,
    reached_by_quotes,
    reached_by_trade,
)
from actors.exchange.outcomes import (
    Outcomes,
    canceled,
    end_reason,
    executions_of,
    rejected,
    told_again,
)
from actors.exchange.prices import Market
from actors.exchange.projection import Projection
from actors.exchange.queue_position import join, look, wait
from actors.exchange.rules import Rules
from actors.exchange.slippage import TradedVolume, slip
from actors.exchange.sparing import is_reducing, next_to_fill, spared_by
from actors.exchange.state import ExchangeState, Order
from actors.exchange.terms import PLAIN, SelfTrade, Terms
from actors.messages.market import BookDepth, FundingRate, FundingSettled, MarkPrice, Quote, Trade
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    OrderAccepted,
    PlaceOrder,
)
from actors.runtime.errors import require
from actors.runtime.messages import Message

__all__ = ["Exchange", "Outcomes"]

BUY = Side.BUY
MARKET, POST_ONLY = OrderType.MARKET, OrderType.POST_ONLY
GTC, FOK = TimeInForce.GTC, TimeInForce.FOK
CANCELED = OrderState.CANCELED
UNTOUCHED = (CancelReason.POST_ONLY_WOULD_TAKE, CancelReason.FOK_UNFILLED)  # ends that trade nothing
NO_MATCHES: list[Match] = []
NO_MAKERS: list[Node] = []
NOTHING: Outcomes = []  # never filled: the answer of the many quotes that change nothing


class Exchange(Projection):
    """The far side of a perpetual-futures venue for any number of accounts."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        rules: Rules | None = None,
        state: ExchangeState | None = None,
    ) -> None:
        super().__init__(instruments, rules or Rules(), state if state is not None else ExchangeState())
        self.record: Callable[[Message], None] = self.apply
        window_ns = self.rules.impact_window_ns
        self._volumes = {symbol: TradedVolume(window_ns) for symbol in self.markets}

    # -- accounts and orders ------------------------------------------------------------------------

    def open_account(self, name: str, deposit_usdt: int, at_ns: int) -> None:
        """Begin an account with a deposit; an account that exists stays as it is."""
        if name not in self.members:
            self.record(WalletOpened(name, deposit_usdt, at_ns))

    def place(self, request: PlaceOrder, at_ns: int, terms: Terms = PLAIN) -> Outcomes:
        """Take an order: refuse it, or book it and say what it traded.

        The same client_order_id again is answered with what is known of it, and changes nothing.
        """
        member = self.members.get(request.account)
        market = self.markets.get(request.symbol)
        if member is None or market is None:
            code = Refusal.UNKNOWN_ACCOUNT if member is None else Refusal.UNKNOWN_SYMBOL
            return rejected(request, (code, "the exchange does not know it"), at_ns)
        known = member.orders.get(request.client_order_id)
        if known is not None:
            return told_again(known)
        rules = self.rules
        standing = member.standing(market, terms.slot)
        refused = refuse(request, standing, rules.open_orders_max)
        if refused is not None:
            return rejected(request, refused, at_ns)
        taking, left = self._match(request, standing, terms.self_trade, at_ns)
        reason = end_reason(request, taking, left) if left or request.order_type is POST_ONLY else ""
        if reason and reason in UNTOUCHED:
            return self._book(request, standing, NO_MATCHES, NO_MAKERS, reason, at_ns, terms)
        if not request.reduce_only:
            contracts, cost = request.contracts, 0
            if reason:
                contracts -= left
            elif left:
                cost = left * request.limit_ticks
            for price, matched, _ in taking.matches:
                cost += price * matched
            refused = self.refuse_funds(request, standing, contracts, cost)
            if refused is not None:
                return rejected(request, refused, at_ns)
        taking.consume()
        if not taking.expired:
            return self._book(request, standing, taking.matches, taking.makers, reason, at_ns, terms)
        outcomes: Outcomes = []
        for node in taking.expired:
            self._unbook(node.order, CancelReason.SELF_TRADE, outcomes, at_ns)
        booked = self._book(request, standing, taking.matches, taking.makers, reason, at_ns, terms)
        return [*booked, *outcomes]

    def refuse_funds(
        self, request: PlaceOrder, standing: Standing, contracts: int, cost_ticks: int
    ) -> Refused | None:
        """Return why the account cannot carry an order, None when it can; see `refuse_margin`."""
        return refuse_margin(request, standing, contracts, cost_ticks)

    def _match(
        self, request: PlaceOrder, standing: Standing, self_trade: SelfTrade, at_ns: int
    ) -> tuple[Taking, int]:
        """Return what the order would trade, and how much of it would be left."""
        market, side, contracts = standing.market, request.side, request.contracts
        limit = request.limit_ticks
        if request.order_type is MARKET:  # even a market order keeps within the price band
            limit = market.band_high_ticks if side is BUY else market.band_low_ticks
        allowed = contracts
        if request.reduce_only:
            allowed = min(contracts, abs(standing.holding.position.net_contracts))
        rules = self.rules
        taking = match_taker(market, standing.member, side, allowed, limit, rules.queue_front, self_trade)
        if rules.slippage_e8 or rules.impact_e8:
            volume = self._volumes[market.symbol].contracts(at_ns)
            matches = slip(taking.matches, side, limit, rules.slippage_e8, rules.impact_e8, volume)
            taking = replace(taking, matches=matches)
        return taking, taking.left + contracts - allowed

    def _book(
        self,
        request: PlaceOrder,
        standing: Standing,
        matches: list[Match],
        makers: list[Node],
        reason: str,
        at_ns: int,
        terms: Terms,
    ) -> Outcomes:
        """Record an accepted order with what it trades, and return what that means to whom."""
        state = self.state
        executions = executions_of(standing, matches, state.trades_count) if matches else ()
        self.record(OrderBooked(state.orders_count + 1, request, executions, reason, at_ns, terms))
        client_order_id = request.client_order_id
        order = standing.member.orders[client_order_id]
        outcomes: Outcomes = [OrderAccepted(request.account, client_order_id, order.venue_order_id, at_ns)]
        outcomes += order.fills
        if reason:
            outcomes.append(canceled(order))
        for node in makers:
            outcomes.append(node.order.fills[-1])
        if self.rules.queue_shown and (own := self.nodes.get(order.number)) is not None:
            join(own, standing.market.bids if request.side is BUY else standing.market.asks)
        if standing.reduce_only:
            self._trim(standing, outcomes, at_ns)
        for node in makers:
            self._trim(node.standing, outcomes, at_ns)
        return outcomes

    def book_canceled(self, request: PlaceOrder, reason: str, at_ns: int, terms: Terms = PLAIN) -> Outcomes:
        """Accept an order only to cancel it at once, as a venue does that has second thoughts."""
        member, market = self.members[request.account], self.markets[request.symbol]
        standing = member.standing(market, terms.slot)
        return self._book(request, standing, NO_MATCHES, NO_MAKERS, reason, at_ns, terms)

    def cancel(self, request: CancelOrder, at_ns: int) -> Outcomes:
        """Take a resting order out of the book; an order that was canceled before is told so again."""
        account, client_order_id = request.account, request.client_order_id
        member = self.members.get(account)
        order = member.orders.get(client_order_id) if member is not None else None
        if order is None:
            code, text = Refusal.UNKNOWN_ORDER, "the exchange knows no such order"
            return [CancelRejected(account, client_order_id, code, text, at_ns)]
        if order.number in self.nodes:
            self.record(OrderUnbooked(order.number, CancelReason.REQUESTED, at_ns))
        if order.state is CANCELED:
            return [canceled(order)]
        code, text = Refusal.ORDER_CLOSED, "the order is filled"
        return [CancelRejected(account, client_order_id, code, text, at_ns)]

    # -- the outside market -------------------------------------------------------------------------

    def quote(self, quote: Quote, at_ns: int) -> Outcomes:
        """Take over the best bid and ask; resting orders they cross trade with them."""
        market = self.markets.get(quote.symbol)
        if market is None:
            return NOTHING
        bid, ask = quote.bid_ticks, quote.ask_ticks
        spared = self._meet_spared(market, at_ns) if market.spared is not None else NOTHING
        market.is_quoted = True
        market.bids.front = (bid, quote.bid_contracts)
        market.asks.front = (ask, quote.ask_contracts)
        if not market.is_marked and bid and ask:
            self._refer(market, (bid + ask) // 2)
        book = market.book
        if not (book.bids.count or book.asks.count):
            return spared
        if self.rules.queue_shown:
            look(book.bids, ((bid, quote.bid_contracts),))
            look(book.asks, ((ask, quote.ask_contracts),))
        return [*spared, *self._cross(market, at_ns)]

    def depth(self, depth: BookDepth, at_ns: int) -> Outcomes:
        """Take over the displayed book; resting orders it crosses trade with it."""
        market = self.markets.get(depth.symbol)
        if market is None:
            return NOTHING
        bids, asks = depth.bids, depth.asks
        market.is_quoted = True
        market.bids.replace(bids)
        market.asks.replace(asks)
        if not market.is_marked and bids and asks:
            self._refer(market, (bids[0][0] + asks[0][0]) // 2)
        book = market.book
        if not (book.bids.count or book.asks.count):
            return NOTHING
        if self.rules.queue_shown:
            look(book.bids, bids)
            look(book.asks, asks)
        return self._cross(market, at_ns)

    def trade(self, trade: Trade, at_ns: int) -> Outcomes:
        """Let a trade of the market fill the resting orders it reached, up to its size, at their limits."""
        market = self.markets.get(trade.symbol)
        if market is None:
            return NOTHING
        if not market.is_marked and not market.reference_ticks:
            self._refer(market, trade.price_ticks)
        rules = self.rules
        if rules.impact_e8:
            self._volumes[market.symbol].add(trade.contracts, at_ns)
        book = market.book
        if not (book.bids.count or book.asks.count):
            return NOTHING
        outcomes = self._meet_spared(market, at_ns) if market.spared is not None else []
        left = trade.contracts
        how = (market, trade.price_ticks, trade.side, rules.queue_front or rules.queue_shown)
        spares = trade.reducing_at_ns > at_ns
        while left > 0:
            node = next_to_fill(*how) if spares else reached_by_trade(*how)
            if node is None:
                break
            if rules.queue_shown and node.price_ticks == trade.price_ticks:
                left = wait(node, left)
                if not left:
                    break
            left -= self._execute(node, left, outcomes, at_ns)
        if spares:
            market.spared = spared_by(*how, left, trade.reducing_at_ns)
        return outcomes

    def _meet_spared(self, market: Market, at_ns: int) -> Outcomes:
        """Fill what the first extreme of a candle reached, if it is time and the orders still rest."""
        spared = market.spared
        outcomes: Outcomes = []
        if spared is None or at_ns < spared.due_ns:
            return outcomes
        market.spared, left = None, spared.contracts
        for number in spared.numbers:
            node = self.nodes.get(number)
            if node is not None and left > 0 and is_reducing(node):
                left -= self._execute(node, left, outcomes, at_ns)
        return outcomes

    def mark(self, mark: MarkPrice, at_ns: int) -> Outcomes:
        """Value everything at a new mark price, and liquidate whoever can no longer carry his positions."""
        market = self.markets.get(mark.symbol)
        if market is None or mark.mark_ticks <= 0:
            return NOTHING
        market.is_marked = True
        self._refer(market, mark.mark_ticks)
        outcomes = self._meet_spared(market, at_ns) if market.spared is not None else []
        outcomes += settle_clock(self, market, at_ns) if self.rules.funding_by_clock else []
        for member in self.members.values():
            if member.positions_in(mark.symbol):
                liquidate_if_due(self, member, outcomes, at_ns)
        return outcomes

    def funding_rate(self, rate: FundingRate, at_ns: int) -> Outcomes:
        """Remember the rate that the next settlement takes if the market does not say another."""
        market = self.markets.get(rate.symbol)
        if market is None:
            return NOTHING
        market.rate_e8, market.is_rated = rate.rate_e8, True
        return settle_clock(self, market, at_ns) if self.rules.funding_by_clock else NOTHING

    def funding_settled(self, settled: FundingSettled, at_ns: int) -> Outcomes:
        """Settle as the market did; a settlement told twice is settled once."""
        market = self.markets.get(settled.symbol)
        if market is None or self.rules.funding_by_clock:
            return NOTHING
        return settle_funding(self, market, settled.rate_e8, settled.mark_ticks, settled.at_ns, at_ns)

    def settle_due(self, at_ns: int) -> Outcomes:
        """Settle every symbol whose funding instant has passed, when the clock decides about funding."""
        outcomes: Outcomes = []
        for market in self.markets.values():
            outcomes += settle_clock(self, market, at_ns)
        return outcomes

    def touch(self, symbol: str) -> tuple[int, int]:
        """Return the best displayed bid and ask, before our takers ate into them; 0 where there is none."""
        market = self.markets[symbol]
        bid, ask = market.bids, market.asks
        bid.ready()
        ask.ready()
        return (bid.levels[0][0] if bid.levels else 0), (ask.levels[0][0] if ask.levels else 0)

    # -- steps --------------------------------------------------------------------------------------

    def cancel_all(self, standings: Iterable[Standing], reason: str, outcomes: Outcomes, at_ns: int) -> None:
        """Take all orders for some of an account's positions out of the book."""
        wanted = set(standings)
        members = {standing.member for standing in wanted}
        known = [self.nodes.get(order.number) for member in members for order in member.orders.values()]
        resting = [node.order for node in known if node is not None and node.standing in wanted]
        for order in sorted(resting, key=_number):
            self._unbook(order, reason, outcomes, at_ns)

    def _refer(self, market: Market, price_ticks: int) -> None:
        if price_ticks == market.reference_ticks:
            return
        is_first = not market.reference_ticks
        market.refer(price_ticks)
        for member in self.members.values():
            for standing in member.standings_by_symbol.get(market.symbol, ()):
                standing.refresh()
            if is_first:
                member.count_unpriced()

    def _cross(self, market: Market, at_ns: int) -> Outcomes:
        outcomes: Outcomes = []
        while (reached := reached_by_quotes(market)) is not None:
            node, ladder = reached
            ladder.take(self._execute(node, ladder.left, outcomes, at_ns) if ladder.left else 0)
        return outcomes

    def _execute(self, node: Node, contracts_max: int, outcomes: Outcomes, at_ns: int) -> int:
        """Let a resting order trade with the anonymous market at its own limit; return how much it did."""
        order, standing = node.order, node.standing
        contracts = min(fillable_contracts(node), contracts_max)
        require(contracts > 0, "a resting order has nothing to trade", number=order.number)
        market = standing.market
        fee = multiply_e8(contracts * node.price_ticks * market.tick_value, standing.maker_fee_e8)
        trade_number = self.state.trades_count + 1
        self.record(RestingOrderExecuted(order.number, trade_number, contracts, fee, at_ns))
        outcomes.append(order.fills[-1])
        self._trim(standing, outcomes, at_ns)
        return contracts

    def _trim(self, standing: Standing, outcomes: Outcomes, at_ns: int) -> None:
        """Cancel the reduce-only orders that no longer have anything to reduce."""
        if not standing.reduce_only:
            return
        net = standing.holding.position.net_contracts
        for order in [*standing.reduce_only.values()]:
            if order.request.side * net >= 0:
                self._unbook(order, CancelReason.REDUCE_ONLY, outcomes, at_ns)

    def _unbook(self, order: Order, reason: str, outcomes: Outcomes, at_ns: int) -> None:
        self.record(OrderUnbooked(order.number, reason, at_ns))
        outcomes.append(canceled(order))


def _number(order: Order) -> int:
    return order.number

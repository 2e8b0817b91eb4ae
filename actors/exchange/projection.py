"""Events into state: the only place where the exchange's books change.

`Projection` folds events into an `ExchangeState` and keeps beside it what makes decisions fast: the books
of resting orders and the members' indexes and sums. All of that follows from the state, so a snapshot needs
the state alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderState
from actors.domain.money import divide_half_even
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.positions import apply_fill
from actors.exchange.accounts import Member, Standing
from actors.exchange.book import Node
from actors.exchange.codes import CancelReason
from actors.exchange.conservation import imbalance
from actors.exchange.events import (
    CashMoved,
    FeesSet,
    FundingCharged,
    LeverageSet,
    MarginMoved,
    OrderBooked,
    OrderUnbooked,
    PositionLiquidated,
    RestingOrderExecuted,
    WalletOpened,
)
from actors.exchange.margin import initial_margin
from actors.exchange.prices import Market
from actors.exchange.rules import Rules
from actors.exchange.state import ExchangeState, Holding, MarketBooks, Order, Wallet
from actors.exchange.terms import PLAIN, Terms
from actors.messages.venue import FundingPaid, OrderFilled, PlaceOrder

__all__ = ["Projection"]

BUY = Side.BUY
OPEN, PARTIALLY_FILLED = OrderState.OPEN, OrderState.PARTIALLY_FILLED
FILLED, CANCELED = OrderState.FILLED, OrderState.CANCELED


class Projection:
    """The exchange's state and its indexes."""

    def __init__(self, instruments: Mapping[str, Instrument], rules: Rules, state: ExchangeState) -> None:
        self.rules = rules
        self.state = state
        self.markets = {symbol: _market(instrument, rules) for symbol, instrument in instruments.items()}
        self.members: dict[str, Member] = {}
        self.nodes: dict[int, Node] = {}  # places of resting orders, by number
        self._appliers: dict[type, Callable[[Any], None]] = {
            WalletOpened: self.apply_wallet_opened,
            OrderBooked: self.apply_order_booked,
            RestingOrderExecuted: self.apply_resting_order_executed,
            OrderUnbooked: self.apply_order_unbooked,
            FundingCharged: self.apply_funding_charged,
            PositionLiquidated: self.apply_position_liquidated,
            LeverageSet: self.apply_leverage_set,
            MarginMoved: self.apply_margin_moved,
            CashMoved: self.apply_cash_moved,
            FeesSet: self.apply_fees_set,
        }
        for symbol in self.markets:
            state.markets.setdefault(symbol, MarketBooks())
        for name, wallet in state.wallets.items():
            self._index_wallet(name, wallet)
        for _, order in sorted(state.open_orders.items()):
            self._index_open_order(order)

    def apply(self, event: Any) -> None:
        """Fold one event into the state. Pure: the same events give the same state."""
        self._appliers[type(event)](event)

    def books_balance(self) -> bool:
        """Tell whether money and contracts are conserved to the last unit."""
        money, contracts = imbalance(self.state, self.markets)
        return money == 0 and not contracts

    def totals(self) -> dict[str, int]:
        """Return the sums of the whole exchange; amounts in 1e-8 USDT."""
        state = self.state
        return {
            "cash_usdt": sum(wallet.cash_usdt for wallet in state.wallets.values()),
            "deposits_usdt": sum(wallet.deposits_usdt for wallet in state.wallets.values()),
            "fees_usdt": state.fees_usdt,
            "insurance_usdt": state.insurance_usdt,
            "open_orders": len(state.open_orders),
            "orders_count": state.orders_count,
            "trades_count": state.trades_count,
        }

    # -- events -------------------------------------------------------------------------------------

    def apply_wallet_opened(self, event: WalletOpened) -> None:
        wallet = Wallet(event.deposit_usdt, event.deposit_usdt, event.at_ns)
        self.state.wallets[event.account] = wallet
        self._index_wallet(event.account, wallet)

    def apply_order_booked(self, event: OrderBooked) -> None:
        number, request, at_ns = event.number, event.request, event.at_ns
        state = self.state
        state.orders_count = number
        member = self.members[request.account]
        terms = event.terms
        standing = member.standing(self.markets[request.symbol], terms.slot)
        order = Order(number, str(number), request, at_ns, OPEN, terms=terms)
        for execution in event.executions:
            trade, price, contracts, fee, maker_number, maker_fee = (
                execution.trade_number,
                execution.price_ticks,
                execution.contracts,
                execution.fee_usdt,
                execution.maker_number,
                execution.maker_fee_usdt,
            )
            state.trades_count = trade
            self._fill(standing, order, contracts, price, fee, False, trade, at_ns)
            if maker_number:
                self._fill_resting(state.open_orders[maker_number], contracts, maker_fee, trade, at_ns)
            else:
                signed = request.side * contracts
                books = state.markets[request.symbol]
                books.net_contracts -= signed
                books.cash_usdt += signed * price * standing.market.tick_value
        member.orders[request.client_order_id] = order
        if order.filled_contracts >= request.contracts:
            self._close(member, order, FILLED, "", at_ns)
        elif event.reason:
            self._close(member, order, CANCELED, event.reason, at_ns)
        else:
            state.open_orders[number] = order
            self._rest(member, standing, order)
        if standing.key not in member.wallet.holdings:
            member.wallet.holdings[standing.key] = standing.holding
        standing.refresh()

    def apply_resting_order_executed(self, event: RestingOrderExecuted) -> None:
        state = self.state
        state.trades_count = event.trade_number
        order = state.open_orders[event.number]
        request = order.request
        signed = request.side * event.contracts
        books = state.markets[request.symbol]
        books.net_contracts -= signed
        books.cash_usdt += signed * request.limit_ticks * self.markets[request.symbol].tick_value
        self._fill_resting(order, event.contracts, event.fee_usdt, event.trade_number, event.at_ns)

    def apply_order_unbooked(self, event: OrderUnbooked) -> None:
        order = self.state.open_orders[event.number]
        standing = self._unrest(order)
        self._close(standing.member, order, CANCELED, event.reason, event.at_ns)
        standing.refresh()

    def apply_funding_charged(self, event: FundingCharged) -> None:
        symbol = event.symbol
        books = self.state.markets[symbol]
        books.settled_at_ns = event.settled_at_ns
        funding_id = f"{symbol}/{event.settled_at_ns}"
        for share in event.shares:
            member = self.members[share.account]
            wallet = member.wallet
            standing = member.standing_of(share.holding or symbol, self.markets)
            if standing.is_isolated:
                standing.holding.margin_usdt -= share.payment_usdt
            else:
                wallet.cash_usdt -= share.payment_usdt
            standing.holding.funding_usdt += share.payment_usdt
            books.cash_usdt += share.payment_usdt
            paid = FundingPaid(
                share.account,
                symbol,
                funding_id,
                share.net_contracts,
                event.mark_ticks,
                event.rate_e8,
                share.payment_usdt,
                event.settled_at_ns,
            )
            wallet.funding.put(paid, self.rules.funding_kept_max)

    def apply_position_liquidated(self, event: PositionLiquidated) -> None:
        state = self.state
        state.orders_count, state.trades_count = event.number, event.trade_number
        member = self.members[event.account]
        market = self.markets[event.symbol]
        standing = member.standing_of(event.holding or event.symbol, self.markets)
        closed, mark = event.closed_contracts, event.mark_ticks
        contracts, price = abs(closed), event.bankruptcy_ticks
        side = Side.SELL if closed > 0 else BUY
        request = PlaceOrder(
            event.account, "", event.symbol, side, contracts, OrderType.MARKET, 0, TimeInForce.IOC, True
        )
        terms = Terms(standing.slot) if event.holding else PLAIN
        order = Order(event.number, str(event.number), request, event.at_ns, OPEN, terms=terms)
        self._fill(standing, order, contracts, price, 0, False, event.trade_number, event.at_ns, True)
        reason = CancelReason.DELEVERAGED if event.deleveraged else ""
        self._close(member, order, FILLED, reason, event.at_ns)
        # The fund buys at the bankruptcy price and passes the position to the market at the mark.
        books = state.markets[event.symbol]
        books.net_contracts += closed
        books.cash_usdt -= closed * mark * market.tick_value
        state.insurance_usdt += closed * (mark - price) * market.tick_value
        standing.refresh()

    def apply_leverage_set(self, event: LeverageSet) -> None:
        member = self.members[event.account]
        member.wallet.leverages[event.holding] = event.leverage
        standing = member.standing_of(event.holding, self.markets)
        standing.choose()
        standing.refresh()

    def apply_margin_moved(self, event: MarginMoved) -> None:
        member = self.members[event.account]
        member.standing_of(event.holding, self.markets).holding.margin_usdt += event.amount_usdt
        member.wallet.cash_usdt -= event.amount_usdt

    def apply_cash_moved(self, event: CashMoved) -> None:
        wallet = self.state.wallets[event.account]
        wallet.cash_usdt += event.amount_usdt
        wallet.deposits_usdt += event.amount_usdt

    def apply_fees_set(self, event: FeesSet) -> None:
        member = self.members[event.account]
        member.wallet.fees_e8 = {"maker": event.maker_e8, "taker": event.taker_e8}
        for standing in member.standings.values():
            standing.choose()

    # -- parts of events ----------------------------------------------------------------------------

    def _fill(
        self,
        standing: Standing,
        order: Order,
        contracts: int,
        price_ticks: int,
        fee_usdt: int,
        maker: bool,
        trade_number: int,
        at_ns: int,
        liquidation: bool = False,
    ) -> None:
        request, holding = order.request, standing.holding
        side = request.side
        before = holding.position
        holding.position, realised, closed, opened = apply_fill(
            before, side * contracts, price_ticks, standing.market.instrument
        )
        if standing.is_isolated:
            _move_isolated(standing, abs(before[0]), closed, opened * price_ticks)
        holding.realised_usdt += realised
        holding.fees_usdt += fee_usdt
        standing.member.wallet.cash_usdt += realised - fee_usdt
        self.state.fees_usdt += fee_usdt
        order.filled_contracts += contracts
        order.fills.append(
            OrderFilled(
                request.account,
                request.client_order_id,
                order.venue_order_id,
                request.symbol,
                str(trade_number),
                side,
                contracts,
                price_ticks,
                fee_usdt,
                maker,
                liquidation,
                at_ns,
            )
        )

    def _fill_resting(self, order: Order, contracts: int, fee_usdt: int, trade: int, at_ns: int) -> None:
        request = order.request
        standing = self.nodes[order.number].standing
        member = standing.member
        price = request.limit_ticks
        if not request.reduce_only:
            _reserve(standing.holding, request.side, -contracts, price)
        self._fill(standing, order, contracts, price, fee_usdt, True, trade, at_ns)
        if order.filled_contracts >= request.contracts:
            self._unrest(order)
            self._close(member, order, FILLED, "", at_ns)
        else:
            order.state = PARTIALLY_FILLED
        standing.refresh()

    def _rest(self, member: Member, standing: Standing, order: Order) -> None:
        request = order.request
        left = request.contracts - order.filled_contracts
        if order.filled_contracts:
            order.state = PARTIALLY_FILLED
        self.nodes[order.number] = standing.market.book.add(order, standing)
        member.open_count += 1
        if request.reduce_only:
            standing.reduce_only[order.number] = order
        else:
            _reserve(standing.holding, request.side, left, request.limit_ticks)

    def _unrest(self, order: Order) -> Standing:
        request = order.request
        node = self.nodes.pop(order.number)
        standing = node.standing
        member = standing.member
        node.side.remove(node)
        del self.state.open_orders[order.number]
        member.open_count -= 1
        if request.reduce_only:
            del standing.reduce_only[order.number]
        else:
            left = request.contracts - order.filled_contracts
            _reserve(standing.holding, request.side, -left, request.limit_ticks)
        return standing

    def _close(self, member: Member, order: Order, state: OrderState, reason: str, at_ns: int) -> None:
        order.state = state
        order.reason = reason
        order.closed_at_ns = at_ns
        forgotten = member.wallet.closed.put(order, member.closed_kept_max)
        if forgotten is not None:
            client_order_id = forgotten.request.client_order_id
            if member.orders.get(client_order_id) is forgotten:
                del member.orders[client_order_id]

    def closed_kept_max(self, name: str) -> int:
        """Return how many ended orders of an account are remembered."""
        return self.rules.closed_orders_kept_max

    # -- indexes after a snapshot -------------------------------------------------------------------

    def _index_wallet(self, name: str, wallet: Wallet) -> None:
        member = self.members[name] = Member(name, wallet, self.closed_kept_max(name))
        wallet.closed.fit(member.closed_kept_max)
        wallet.funding.fit(self.rules.funding_kept_max)
        for key in wallet.holdings:
            member.standing_of(key, self.markets)
        for order in wallet.closed.newest_first():
            if order.request.client_order_id:
                member.orders.setdefault(order.request.client_order_id, order)

    def _index_open_order(self, order: Order) -> None:
        request = order.request
        member = self.members[request.account]
        standing = member.standing(self.markets[request.symbol], order.terms.slot)
        member.orders[request.client_order_id] = order
        self.nodes[order.number] = standing.market.book.add(order, standing)
        member.open_count += 1
        if request.reduce_only:
            standing.reduce_only[order.number] = order


def _reserve(holding: Holding, side: Side, contracts: int, limit_ticks: int) -> None:
    """Count contracts (negative: no longer) among what resting orders could add to the position."""
    if side is BUY:
        holding.buy_contracts += contracts
        holding.buy_ticks += contracts * limit_ticks
    else:
        holding.sell_contracts += contracts
        holding.sell_ticks += contracts * limit_ticks


def _move_isolated(standing: Standing, size: int, closed: int, opened_ticks: int) -> None:
    """Move margin between the cash and an isolated position of `size`: part of it closed, or more opened."""
    holding, wallet = standing.holding, standing.member.wallet
    moved = 0
    if closed:
        moved -= divide_half_even(holding.margin_usdt * closed, size)
    if opened_ticks:
        moved += initial_margin(opened_ticks, standing.market.tick_value, standing.leverage)
    holding.margin_usdt += moved
    wallet.cash_usdt -= moved


def _market(instrument: Instrument, rules: Rules) -> Market:
    leverage = rules.leverage.get(instrument.symbol, instrument.leverage_default)
    maker_fee = rules.fees_e8.get("maker", instrument.maker_fee_e8)
    taker_fee = rules.fees_e8.get("taker", instrument.taker_fee_e8)
    return Market(instrument, leverage, maker_fee, taker_fee)

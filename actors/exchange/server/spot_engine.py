"""The engine settling at once: who buys gets coins for money, who sells money for coins. Nobody borrows.

Matching, orders, self-trades and events are the engine's own; positions stay flat. Contracts are the smallest
lots of a coin. A fee is taken in what the order receives (`Instrument.coin_fee`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from actors.domain.instrument import Instrument, MarketKind, RiskTier
from actors.domain.money import E8, divide_half_even
from actors.domain.orders import Side
from actors.exchange.accounts import Member, Standing
from actors.exchange.admission import Refused
from actors.exchange.codes import Refusal
from actors.exchange.engine import Exchange, Outcomes
from actors.exchange.outcomes import rejected
from actors.exchange.rules import Rules
from actors.exchange.server.served_engine import HOUSE, HOUSE_ORDERS_KEPT
from actors.exchange.server.spot_state import (
    CoinsMoved,
    KillSwitchSet,
    Purse,
    SmartOrderEnded,
    SmartOrderPlaced,
    SpotState,
    Transfer,
)
from actors.exchange.state import Order
from actors.exchange.terms import PLAIN, Terms
from actors.messages.venue import OrderFilled, PlaceOrder

__all__ = ["QUOTE", "SpotEngine", "price_scale", "spot_instruments"]

QUOTE = "USDT"
FEE_E8 = 200_000  # VIP 0: 0.2 %
KEPT_MAX = 1_000
LEVEL_USDT = 500  # what a level of the participants' book is worth, about
SCALE = 8


def price_scale(instrument: Instrument) -> int:
    """Return how many decimals a price has."""
    return SCALE - (len(str(instrument.tick_e8)) - 1)


def spot_instruments(futures: Mapping[str, Instrument]) -> dict[str, Instrument]:
    """Return a spot market for each futures contract of a single coin.

    A lot is as small as it can be with one tick of it still worth a whole number of 1e-8 USDT.
    """
    found = {}
    for one in futures.values():
        if one.base.startswith("1000") or str(one.tick_e8).strip("0") != "1":
            continue
        symbol = f"{one.base}_{QUOTE}"
        lot_e8 = max(1, E8 // one.tick_e8)
        level = LEVEL_USDT * E8 // max(1, one.reference_ticks * one.tick_e8 * lot_e8 // E8)
        most = max(1, level) * 10_000
        found[symbol] = replace(
            one,
            symbol=symbol,
            contract_e8=lot_e8,
            contracts_min=1,
            contracts_max_limit=most,
            contracts_max_market=most,
            price_band_e8=E8 // 2,
            maker_fee_e8=FEE_E8,
            taker_fee_e8=FEE_E8,
            leverage_max=1,
            leverage_default=1,
            tiers=(RiskTier(max(1, level) * 400, 1, 0),),
            market=MarketKind.SPOT,
        )
    return found


class SpotEngine(Exchange):
    """An `Exchange` over a `SpotState`."""

    def __init__(
        self, instruments: Mapping[str, Instrument], rules: Rules, state: SpotState | None = None
    ) -> None:
        self.spot = state if state is not None else SpotState()
        self.changed: set[str] = set()
        super().__init__(instruments, rules, self.spot.engine)
        self._appliers[CoinsMoved] = self.apply_coins_moved
        self._appliers[SmartOrderPlaced] = self.apply_smart_order_placed
        self._appliers[SmartOrderEnded] = self.apply_smart_order_ended
        self._appliers[KillSwitchSet] = self.apply_kill_switch_set

    def place(self, request: PlaceOrder, at_ns: int, terms: Terms = PLAIN) -> Outcomes:
        """Take an order. Selling is all the reducing there is, so `reduce_only` only forbids to buy."""
        if request.reduce_only:
            if request.side is Side.BUY:
                return rejected(request, (Refusal.REDUCE_ONLY, "a purchase reduces nothing"), at_ns)
            request = msgspec.structs.replace(request, reduce_only=False)
        return super().place(request, at_ns, terms)

    def closed_kept_max(self, name: str) -> int:
        return HOUSE_ORDERS_KEPT if name.startswith(HOUSE) else super().closed_kept_max(name)

    # -- money --------------------------------------------------------------------------------------

    def purse(self, account: str) -> Purse:
        """Return an account's coins."""
        purse = self.spot.purses.get(account)
        if purse is None:
            purse = self.spot.purses[account] = Purse()
        return purse

    def held(self, member: Member, currency: str) -> int:
        """Return what resting orders hold of a currency."""
        total = 0
        for standing in member.standings.values():
            market, holding = standing.market, standing.holding
            if currency == QUOTE:
                total += holding.buy_ticks * market.tick_value
            elif market.instrument.base == currency:
                total += holding.sell_contracts * market.instrument.contract_e8
        return total

    def available(self, member: Member, currency: str) -> int:
        """Return what an account may use of a currency."""
        return self.purse(member.name).coins.get(currency, 0) - self.held(member, currency)

    def refuse_funds(
        self, request: PlaceOrder, standing: Standing, contracts: int, cost_ticks: int
    ) -> Refused | None:
        """Return why the account cannot pay, None when it can."""
        instrument = standing.market.instrument
        if request.side is Side.BUY:
            needed, currency = cost_ticks * standing.market.tick_value, QUOTE
        else:
            needed, currency = contracts * instrument.contract_e8, instrument.base
        if needed > self.available(standing.member, currency):
            return (Refusal.INSUFFICIENT_MARGIN, f"not enough {currency}")
        return None

    def coins_balance(self) -> dict[str, int]:
        """Return what there is of each currency in all, fees included: it changes by transfers alone."""
        total = dict(self.spot.fees)
        for purse in self.spot.purses.values():
            for currency, amount in purse.coins.items():
                total[currency] = total.get(currency, 0) + amount
        return total

    def books_balance(self) -> bool:
        """Tell whether every coin and all money came from outside, and is in a purse, a fee or the market."""
        total = self.coins_balance()
        for symbol, books in self.state.markets.items():
            market = self.markets.get(symbol)
            if market is not None:
                base, size = market.instrument.base, books.net_contracts * market.instrument.contract_e8
                total[base] = total.get(base, 0) + size
                total[QUOTE] = total.get(QUOTE, 0) + books.cash_usdt
        moved = self.spot.moved
        return all(total.get(name, 0) == moved.get(name, 0) for name in total.keys() | moved.keys())

    # -- events -------------------------------------------------------------------------------------

    def apply_coins_moved(self, event: CoinsMoved) -> None:
        purse = self.purse(event.account)
        purse.coins[event.currency] = purse.coins.get(event.currency, 0) + event.amount
        self.spot.moved[event.currency] = self.spot.moved.get(event.currency, 0) + event.amount
        self.spot.transfers_count += 1
        row = Transfer(
            self.spot.transfers_count,
            event.currency,
            event.amount,
            event.origin,
            event.destination,
            event.at_ns,
        )
        purse.transfers.put(row, KEPT_MAX)

    def apply_smart_order_placed(self, event: SmartOrderPlaced) -> None:
        order = event.order
        self.spot.smart_count = order.number
        self.purse(order.account).smart[order.number] = order

    def apply_smart_order_ended(self, event: SmartOrderEnded) -> None:
        purse = self.purse(event.account)
        order = purse.smart.pop(event.number)
        # A frozen struct: the ended one is another.
        values = {name: getattr(order, name) for name in order.__struct_fields__}
        values |= {"state": event.state, "order_number": event.order_number, "ended_at_ns": event.at_ns}
        purse.ended_smart.put(type(order)(**values), KEPT_MAX)

    def apply_kill_switch_set(self, event: KillSwitchSet) -> None:
        purse = self.purse(event.account)
        purse.kill_set_at_ns, purse.kill_at_ns = event.at_ns, event.cancel_at_ns

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
        """Settle: coins against money, the fee out of what is received."""
        instrument, request = standing.market.instrument, order.request
        coins = self.purse(request.account).coins
        money = contracts * price_ticks * standing.market.tick_value
        size = contracts * instrument.contract_e8
        sign = int(request.side)
        currency = instrument.base if sign > 0 else QUOTE
        fee = divide_half_even(size * fee_usdt, money) if sign > 0 else fee_usdt
        coins[QUOTE] = coins.get(QUOTE, 0) - sign * money
        coins[instrument.base] = coins.get(instrument.base, 0) + sign * size
        coins[currency] -= fee
        self.spot.fees[currency] = self.spot.fees.get(currency, 0) + fee
        fee_contracts, dust_e8 = instrument.coin_fee(fee) if sign > 0 else (0, 0)
        if sign > 0:
            fee = instrument.notional(fee_contracts, price_ticks)
        order.filled_contracts += contracts
        order.fills.append(
            OrderFilled(
                request.account,
                request.client_order_id,
                order.venue_order_id,
                request.symbol,
                str(trade_number),
                request.side,
                contracts,
                price_ticks,
                fee,
                maker,
                False,
                at_ns,
                fee_contracts,
                dust_e8,
            )
        )

    def _rest(self, member: Member, standing: Standing, order: Order) -> None:
        self.changed.add(order.request.symbol)
        super()._rest(member, standing, order)

    def _unrest(self, order: Order) -> Standing:
        self.changed.add(order.request.symbol)
        return super()._unrest(order)

    def _fill_resting(self, order: Order, contracts: int, fee_usdt: int, trade: int, at_ns: int) -> None:
        self.changed.add(order.request.symbol)
        super()._fill_resting(order, contracts, fee_usdt, trade, at_ns)

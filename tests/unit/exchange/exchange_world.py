"""An exchange to play with: two symbols with round numbers, accounts with deposits, a hand-cranked market."""

from dataclasses import replace

import msgspec

from actors.domain.instrument import Instrument, RiskTier
from actors.domain.money import E8, parse_e8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.engine import Exchange
from actors.exchange.rules import Rules
from actors.exchange.state import ExchangeState
from actors.messages.market import BookDepth, FundingRate, FundingSettled, MarkPrice, Quote, Trade
from actors.messages.venue import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
)

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
START_NS = 20_000 * DAY_NS + HOUR_NS  # 01:00 UTC of some day

# One tick of one contract is 0.01 USDT; 10,000 ticks are 100 USDT.
ALPHA = Instrument(
    symbol="ALPHA",
    base="ALPHA",
    tick_e8=E8 // 100,
    contract_e8=E8,
    contracts_min=1,
    contracts_max_limit=5_000,
    contracts_max_market=2_000,
    leverage_max=20,
    leverage_default=10,
    price_band_e8=E8 // 20,
    maker_fee_e8=20_000,
    taker_fee_e8=60_000,
    funding_interval_ns=8 * HOUR_NS,
    tiers=(
        RiskTier(100, 20, E8 // 100),
        RiskTier(1_000, 10, E8 // 40),
        RiskTier(10_000, 5, E8 // 20),
    ),
)
BETA = replace(ALPHA, symbol="BETA", base="BETA", contract_e8=E8 // 10)
INSTRUMENTS = {"ALPHA": ALPHA, "BETA": BETA}
TICK_VALUE = ALPHA.tick_value

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, POST_ONLY = OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


class World:
    """An engine, its events, and shorthand for what happens to it."""

    def __init__(self, *, accounts=("ann", "bob"), deposit_usdt=10_000, marked=True, rules=None) -> None:
        self.rules = rules or Rules()
        self.exchange = Exchange(INSTRUMENTS, self.rules)
        self.events = []
        self.exchange.record = self._record
        self.now_ns = START_NS
        self.placed_count = 0
        for name in accounts:
            self.exchange.open_account(name, parse_e8(str(deposit_usdt)), self.now_ns)
        if marked:
            for symbol in INSTRUMENTS:
                self.mark(10_000, symbol=symbol)

    def _record(self, event) -> None:
        self.exchange.apply(event)
        self.events.append(event)

    def place(
        self,
        account,
        side,
        contracts,
        limit=0,
        *,
        kind=None,
        tif=GTC,
        reduce_only=False,
        symbol="ALPHA",
        name="",
    ):
        """Place an order; without a limit it is a market order. Return the outcomes."""
        self.placed_count += 1
        kind = kind or (LIMIT if limit else MARKET)
        name = name or f"{account}-{self.placed_count}"
        order = PlaceOrder(account, name, symbol, side, contracts, kind, limit, tif, reduce_only)
        return self.exchange.place(order, self.now_ns)

    def cancel(self, account, name, symbol="ALPHA"):
        return self.exchange.cancel(CancelOrder(account, name, symbol), self.now_ns)

    def quote(self, bid, bid_contracts, ask, ask_contracts, symbol="ALPHA"):
        quote = Quote(symbol, self.now_ns, bid, bid_contracts, ask, ask_contracts)
        return self.exchange.quote(quote, self.now_ns)

    def depth(self, bids, asks, symbol="ALPHA"):
        return self.exchange.depth(BookDepth(symbol, self.now_ns, tuple(bids), tuple(asks)), self.now_ns)

    def trade(self, price, contracts, taker, symbol="ALPHA"):
        return self.exchange.trade(Trade(symbol, self.now_ns, price, contracts, taker, "t"), self.now_ns)

    def mark(self, price, symbol="ALPHA"):
        return self.exchange.mark(MarkPrice(symbol, self.now_ns, price, price), self.now_ns)

    def rate(self, rate_e8, symbol="ALPHA"):
        return self.exchange.funding_rate(FundingRate(symbol, self.now_ns, rate_e8, 0), self.now_ns)

    def settle(self, rate_e8, mark, settled_at_ns, symbol="ALPHA"):
        settled = FundingSettled(symbol, settled_at_ns, rate_e8, mark)
        return self.exchange.funding_settled(settled, self.now_ns)

    def buy_at_market(self, account, contracts, price=10_000, symbol="ALPHA"):
        """Give an account a long position from the anonymous market."""
        self.quote(price - 1, 0, price, contracts, symbol)
        return self.place(account, BUY, contracts, symbol=symbol)

    def sell_at_market(self, account, contracts, price=10_000, symbol="ALPHA"):
        self.quote(price, contracts, price + 1, 0, symbol)
        return self.place(account, SELL, contracts, symbol=symbol)

    def cash(self, account) -> int:
        return self.exchange.state.wallets[account].cash_usdt

    def net(self, account, symbol="ALPHA") -> int:
        holding = self.exchange.state.wallets[account].holdings.get(symbol)
        return holding.position.net_contracts if holding else 0

    def order(self, account, name):
        return self.exchange.members[account].orders[name]


def plain(exchange: Exchange):
    """Return the whole state as plain values, for comparing."""
    return msgspec.to_builtins(exchange.state)


def indexes(exchange: Exchange):
    """Return what the engine keeps beside the state, for comparing."""
    return {
        "books": {
            symbol: [
                [(node.order.number, node.price_ticks) for node in side.walk()]
                for side in (market.book.bids, market.book.asks)
            ]
            for symbol, market in exchange.markets.items()
        },
        "members": {
            name: (
                sorted((client, order.number) for client, order in member.orders.items()),
                member.open_count,
                {
                    symbol: sorted(standing.reduce_only)
                    for symbol, standing in sorted(member.standings.items())
                    if standing.reduce_only
                },
            )
            for name, member in exchange.members.items()
        },
        "nodes": sorted(exchange.nodes),
    }


def rebuilt_from_events(world: World) -> Exchange:
    """Return an engine that has seen nothing but the events, each through its wire form."""
    exchange = Exchange(INSTRUMENTS, world.rules)
    for event in world.events:
        raw = msgspec.msgpack.encode(event)
        exchange.apply(msgspec.msgpack.decode(raw, type=type(event)))
    return exchange


def rebuilt_from_snapshot(world: World) -> Exchange:
    """Return an engine made from the state's wire form."""
    raw = msgspec.msgpack.encode(world.exchange.state)
    return Exchange(INSTRUMENTS, world.rules, msgspec.msgpack.decode(raw, type=ExchangeState))


def fills(outcomes):
    """Return (account, contracts, price, maker) of each fill among the outcomes."""
    return [
        (o.account, o.side * o.contracts, o.price_ticks, o.maker) for o in outcomes if type(o) is OrderFilled
    ]


def kinds(outcomes):
    return [type(outcome) for outcome in outcomes]


def only(outcomes, kind):
    """Return the single outcome of a type."""
    (found,) = [outcome for outcome in outcomes if type(outcome) is kind]
    return found


def refusal(outcomes) -> str:
    """Return the code of a lone rejection."""
    (outcome,) = outcomes
    assert type(outcome) is OrderRejected, outcome
    return outcome.code


def ended(outcomes) -> tuple[str, int]:
    """Return (reason, filled contracts) of the cancelation among the outcomes."""
    canceled = only(outcomes, OrderCanceled)
    return canceled.reason, canceled.filled_contracts


def accepted(outcomes) -> bool:
    return bool(outcomes) and type(outcomes[0]) is OrderAccepted

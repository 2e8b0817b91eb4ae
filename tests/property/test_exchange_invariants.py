"""Whatever traders and the market do, the exchange keeps its promises."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.domain.lifecycle import OrderState
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.events import OrderBooked
from actors.exchange.rules import Rules
from actors.messages.venue import OrderFilled
from tests.unit.exchange.exchange_world import (
    World,
    indexes,
    plain,
    rebuilt_from_events,
    rebuilt_from_snapshot,
)

ACCOUNTS = ("ann", "bob", "cat")
SYMBOLS = ("ALPHA", "BETA")
prices = st.integers(9_960, 10_040)
contracts = st.integers(1, 60)
sides = st.sampled_from(Side)
symbols = st.sampled_from(SYMBOLS)
accounts = st.sampled_from(ACCOUNTS)
sizes = st.integers(0, 40)  # of displayed levels
levels = st.lists(sizes, max_size=4)


class ExchangeMachine(RuleBasedStateMachine):
    """Random traders in a random market; every invariant is checked after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.requests = {}

    @initialize(
        front=st.booleans(),
        deposit=st.sampled_from([300, 5_000]),
        kept=st.sampled_from([1, 3, 50]),
        clock=st.booleans(),
    )
    def begin(self, front, deposit, kept, clock) -> None:
        rules = Rules(queue_front=front, closed_orders_kept_max=kept, funding_by_clock=clock)
        self.world = World(accounts=ACCOUNTS, deposit_usdt=deposit, rules=rules)

    @rule(
        account=accounts,
        symbol=symbols,
        side=sides,
        size=contracts,
        price=prices,
        kind=st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET, OrderType.POST_ONLY]),
        tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        reduce_only=st.booleans(),
        again=st.integers(0, 9),
    )
    def place(self, account, symbol, side, size, price, kind, tif, reduce_only, again) -> None:
        self.count += 1
        name = f"o{self.count - again if again < 3 else self.count}"
        limit = 0 if kind is OrderType.MARKET else price
        known = name in self.world.exchange.members[account].orders
        events_count = len(self.world.events)
        if not known:
            self.requests[account, name] = (side, limit, kind, reduce_only)
        nets = self.nets(symbol)
        outcomes = self.world.place(
            account, side, size, limit, kind=kind, tif=tif, reduce_only=reduce_only, symbol=symbol, name=name
        )
        if known:
            assert len(self.world.events) == events_count
            return
        if kind is OrderType.POST_ONLY:
            assert all(o.maker for o in outcomes if type(o) is OrderFilled)
        if tif is TimeInForce.FOK:
            mine = sum(o.contracts for o in outcomes if type(o) is OrderFilled and not o.maker)
            assert mine in (0, size)
        self.check_fills(outcomes, nets)

    @rule(account=accounts, back=st.integers(0, 8), symbol=symbols)
    def cancel(self, account, back, symbol) -> None:
        self.world.cancel(account, f"o{self.count - back}", symbol)

    @rule(
        symbol=symbols,
        middle=prices,
        spread=st.integers(1, 9),
        bid=st.integers(0, 40),
        ask=st.integers(0, 40),
    )
    def quote(self, symbol, middle, spread, bid, ask) -> None:
        nets = self.nets(symbol)
        outcomes = self.world.quote(middle - spread, bid, middle + spread, ask, symbol)
        self.check_fills(outcomes, nets)

    @rule(symbol=symbols, middle=prices, bids=levels, asks=levels)
    def depth(self, symbol, middle, bids, asks) -> None:
        nets = self.nets(symbol)
        outcomes = self.world.depth(
            [(middle - 1 - 2 * i, size) for i, size in enumerate(bids)],
            [(middle + 1 + 2 * i, size) for i, size in enumerate(asks)],
            symbol,
        )
        self.check_fills(outcomes, nets)

    @rule(symbol=symbols, price=prices, size=contracts, taker=sides)
    def trade(self, symbol, price, size, taker) -> None:
        nets = self.nets(symbol)
        outcomes = self.world.trade(price, size, taker, symbol)
        self.check_fills(outcomes, nets)
        assert sum(o.contracts for o in outcomes if type(o) is OrderFilled) <= size

    @rule(symbol=symbols, mark=st.integers(9_200, 10_800))
    def mark(self, symbol, mark) -> None:
        self.world.mark(mark, symbol)
        self.world.mark(10_000, symbol)  # back, so that the price band stays where the orders are

    @rule(symbol=symbols, rate=st.integers(-E8 // 100, E8 // 100), hours=st.integers(1, 20))
    def fund(self, symbol, rate, hours) -> None:
        self.world.now_ns += hours * 3_600_000_000_000
        self.world.rate(rate, symbol)
        self.world.settle(rate, 10_000, self.world.now_ns, symbol)
        if self.world.rules.funding_by_clock:
            self.world.exchange.settle_due(self.world.now_ns)

    def nets(self, symbol):
        return {account: self.world.net(account, symbol) for account in ACCOUNTS}

    def check_fills(self, outcomes, nets) -> None:
        """No fill is worse than its limit; a reduce-only fill brings the position nearer to zero."""
        for fill in outcomes:
            if type(fill) is not OrderFilled:
                continue
            side, limit, kind, reduce_only = self.requests[fill.account, fill.client_order_id]
            assert fill.side is side
            if kind is not OrderType.MARKET:
                assert fill.price_ticks * side <= limit * side
            before = nets[fill.account]
            after = nets[fill.account] = before + side * fill.contracts
            if reduce_only:
                assert abs(after) < abs(before)
                assert after * before >= 0

    @invariant()
    def money_and_contracts_are_conserved(self) -> None:
        assert self.world.exchange.books_balance()

    @invariant()
    def no_book_is_crossed_or_holds_an_ended_order(self) -> None:
        exchange = self.world.exchange
        for market in exchange.markets.values():
            for side in (market.book.bids, market.book.asks):
                nodes = list(side.walk())
                assert len(nodes) == side.count
                keys = [(-node.price_ticks * side.sign, node.order.number) for node in nodes]
                assert keys == sorted(keys)
                for node in nodes:
                    order = node.order
                    assert exchange.state.open_orders[order.number] is order
                    assert order.state in (OrderState.OPEN, OrderState.PARTIALLY_FILLED)
                    assert 0 <= order.filled_contracts < order.request.contracts
            bid, ask = market.book.bids.best(), market.book.asks.best()
            if bid and ask:
                assert bid.price_ticks < ask.price_ticks
            assert market.bids.left >= 0
            assert market.asks.left >= 0

    @invariant()
    def reservations_are_what_rests_and_reduce_only_orders_have_something_to_reduce(self) -> None:
        exchange = self.world.exchange
        for member in exchange.members.values():
            for symbol, standing in member.standings.items():
                resting = [
                    node.order
                    for node in exchange.nodes.values()
                    if (node.order.request.account, node.order.request.symbol) == (member.name, symbol)
                ]
                plain_orders = [o for o in resting if not o.request.reduce_only]
                left = {
                    side: [
                        (o.request.contracts - o.filled_contracts, o.request.limit_ticks)
                        for o in plain_orders
                        if o.request.side is side
                    ]
                    for side in Side
                }
                holding = standing.holding
                assert holding.buy_contracts == sum(n for n, _ in left[Side.BUY])
                assert holding.buy_ticks == sum(n * p for n, p in left[Side.BUY])
                assert holding.sell_contracts == sum(n for n, _ in left[Side.SELL])
                assert holding.sell_ticks == sum(n * p for n, p in left[Side.SELL])
                for order in resting:
                    if order.request.reduce_only:
                        assert order.request.side * holding.position.net_contracts < 0

    @invariant()
    def sums_of_a_member_are_those_of_its_standings(self) -> None:
        for member in self.world.exchange.members.values():
            for standing in member.standings.values():
                standing_before = (standing.unrealised_usdt, standing.initial_usdt)
                standing.refresh()
                assert (standing.unrealised_usdt, standing.initial_usdt) == standing_before
            assert member.unrealised_usdt == sum(s.unrealised_usdt for s in member.standings.values())
            assert member.initial_usdt == sum(s.initial_usdt for s in member.standings.values())

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for rebuilt in (rebuilt_from_events(self.world), rebuilt_from_snapshot(self.world)):
            assert plain(rebuilt) == plain(self.world.exchange)
            assert indexes(rebuilt) == indexes(self.world.exchange)
        numbers = [e.number for e in self.world.events if type(e) is OrderBooked]
        assert numbers == sorted(set(numbers))


TestExchange = ExchangeMachine.TestCase

TestExchange.settings = settings(max_examples=60, stateful_step_count=50)

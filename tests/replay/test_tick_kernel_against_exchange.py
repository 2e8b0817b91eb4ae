"""The tick kernel and the exchange's engine over one market: the same fills, or within what a queue allows.

Orders of one contract: one rests at the touch in every window of steps, a market order goes out now and then.
What is sent depends on the market and on an own fill in the window alone, so both can be held to each other.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pytest

from actors.backtest.tick_kernel import TickKernel
from actors.backtest.tick_kernel_events import ASK, BID, BOUGHT, StartBook, TickEvents, synthetic
from actors.backtest.tick_kernel_loop import TickSeen, TickWish
from actors.backtest.tick_kernel_orders import LAST_IN_LINE, POST_ONLY, PROPORTIONAL, TickTerms
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.exchange.engine import Exchange
from actors.exchange.rules import Rules
from actors.messages.market import BookDepth, Trade
from actors.messages.venue import CancelOrder, OrderCanceled, OrderFilled, PlaceOrder
from tests.unit.exchange.exchange_world import ALPHA, INSTRUMENTS

STEP_NS, WINDOW, MARKET_EVERY = 10_000_000, 20, 7
DEPOSIT = 10**17
LEVELS = 30

Fill = tuple[int, int, int, int, int]  # ns, signed lots, price, fee, is_maker


class Memory(NamedTuple):
    steps: int
    net: int  # when the window began, market orders included
    price: int


class Params(NamedTuple):
    window: int
    market_every: int


def windows(memory: Memory, params: Params, seen: TickSeen) -> tuple[Memory, TickWish]:
    """Rest one lot at the touch until the window ends or it fills; send one to the market now and then."""
    place = memory.steps % params.window
    buys = memory.steps // params.window % 2 == 0
    net, price = memory.net, memory.price
    if place == 0:
        net, price = seen.net_lots, (seen.bid_ticks if buys else seen.ask_ticks)
    takes = 1 if memory.steps % params.market_every == 3 else 0
    has_filled = seen.net_lots != net
    lots = 0 if has_filled or place == params.window - 1 else 1
    wish = TickWish(price, lots if buys else 0, price, 0 if buys else lots, POST_ONLY, takes)
    return Memory(memory.steps + 1, net + takes, price), wish


@cache
def market() -> tuple[StartBook, TickEvents]:
    return synthetic(2_500, np.random.default_rng(5), feed_latency_ns=0, mid_ticks=10_000)


def of_kernel(queue: int, latency_ns: int, market_every: int) -> list[Fill]:
    start, events = market()
    terms = TickTerms(ALPHA.tick_value, ALPHA.maker_fee_e8, ALPHA.taker_fee_e8, queue, STEP_NS, DEPOSIT)
    kernel = TickKernel(
        windows, start, events, terms, compile_it=False, entry_latency_ns=latency_ns, response_latency_ns=0
    )
    result = kernel.run(Params(WINDOW, market_every), Memory(0, 0, 0), fills_max=10_000)
    return [tuple(int(row[place]) for place in range(5)) for row in result.fills.T]  # type: ignore[misc]


class Venue:
    """The engine, fed event by event, and orders that take as long to arrive as the kernel's."""

    def __init__(self, rules: Rules, latency_ns: int, market_every: int) -> None:
        self.exchange = Exchange(INSTRUMENTS, rules)
        self.exchange.open_account("ann", DEPOSIT, 0)
        self.latency_ns, self.market_every = latency_ns, market_every
        self.under_way: list[tuple[int, int, int, Any]] = []  # arrival, orders before cancels, number
        self.count, self.net = 0, 0
        self.resting: tuple[int, int, str] | None = None  # side, price, name
        self.fills: list[Fill] = []
        start, _ = market()
        self.bids = dict(zip(start.bid_ticks.tolist(), start.bid_size.tolist(), strict=True))
        self.asks = dict(zip(start.ask_ticks.tolist(), start.ask_size.tolist(), strict=True))

    def touch(self) -> tuple[int, int]:
        return max(self.bids), min(self.asks)

    def happen(self, rows: list[tuple[int, int, int]], now: int) -> None:
        """Show the book once after all its changes of an instant, as `feed.replay` does; then the trades."""
        changes = [(kind, price, size) for kind, price, size in rows if kind in (BID, ASK)]
        for kind, price, size in changes:
            book = self.bids if kind == BID else self.asks
            book.pop(price, None)
            if size:
                book[price] = size
        if changes:
            bids = tuple(sorted(self.bids.items(), reverse=True)[:LEVELS])
            asks = tuple(sorted(self.asks.items())[:LEVELS])
            self.take(self.exchange.depth(BookDepth("ALPHA", now, bids, asks), now))
        for kind, price, size in rows[len(changes) :]:
            side = Side.BUY if kind == BOUGHT else Side.SELL
            self.take(self.exchange.trade(Trade("ALPHA", now, price, size, side, "t"), now))

    def take(self, outcomes: list[Any]) -> None:
        for one in outcomes:
            if type(one) is OrderCanceled and self.resting is not None:
                self.resting = None if one.client_order_id == self.resting[2] else self.resting
            if type(one) is OrderFilled:
                signed = int(one.side) * one.contracts
                self.net += signed
                self.fills.append((one.at_ns, signed, one.price_ticks, one.fee_usdt, int(one.maker)))
                if self.resting is not None and one.client_order_id == self.resting[2]:
                    self.resting = None

    def arrive(self, until: int) -> None:
        """Let what has arrived by an instant meet the book, in order of time, orders before cancels."""
        while self.under_way and min(self.under_way)[0] <= until:
            first = min(self.under_way)
            self.under_way.remove(first)
            at, _, _, request = first
            if isinstance(request, PlaceOrder):
                self.take(self.exchange.place(request, at))
            else:
                self.take(self.exchange.cancel(request, at))

    def obey(self, wish: TickWish, now: int) -> None:
        buys = wish.bid_lots > 0
        wanted = None
        if wish.bid_lots or wish.ask_lots:
            wanted = (int(Side.BUY if buys else Side.SELL), wish.bid_ticks if buys else wish.ask_ticks)
        if self.resting is not None and self.resting[:2] != wanted:
            self.send(CancelOrder("ann", self.resting[2], "ALPHA"), now, 1)
            self.resting = None
        if wanted is not None and self.resting is None:
            name = f"r{self.count}"
            self.resting = (*wanted, name)
            how = (Side(wanted[0]), 1, OrderType.POST_ONLY, wanted[1], TimeInForce.GTC, False)
            self.send(PlaceOrder("ann", name, "ALPHA", *how), now, 0)
        if wish.market_lots:
            how = (Side.BUY, 1, OrderType.MARKET, 0, TimeInForce.IOC, False)
            self.send(PlaceOrder("ann", f"m{self.count}", "ALPHA", *how), now, 0)

    def send(self, request: Any, now: int, rank: int) -> None:
        self.count += 1
        self.under_way.append((now + self.latency_ns, rank, self.count, request))

    def run(self) -> list[Fill]:
        _, events = market()
        memory, params = Memory(0, 0, 0), Params(WINDOW, self.market_every)
        wanted_at = int(events.at_ns[0]) + STEP_NS
        columns = (events.at_ns, events.kind, events.price_ticks, events.size)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for now, group in groupby(rows, itemgetter(0)):
            while wanted_at < now:
                self.arrive(wanted_at)
                bid, ask = self.touch()
                seen = TickSeen(wanted_at, bid, ask, self.bids[bid], self.asks[ask], self.net)
                memory, wish = windows(memory, params, seen)
                self.obey(wish, wanted_at)
                wanted_at += STEP_NS
            self.arrive(now - 1)
            self.happen([row[1:] for row in group], now)
        return self.fills


def of_exchange(rules: Rules, latency_ns: int, market_every: int) -> list[Fill]:
    return Venue(rules, latency_ns, market_every).run()


NEVER = 1 << 40


@pytest.mark.parametrize("latency_ns", [0, 3_000_000, 25_000_000])
def test_in_proportion_the_kernel_has_the_fills_of_the_exchange(latency_ns: int) -> None:
    """Price, size, fee, instant, and who made it: resting orders and those to the market."""
    found = of_kernel(PROPORTIONAL, latency_ns, MARKET_EVERY)
    assert found == of_exchange(Rules(queue_shown=True), latency_ns, MARKET_EVERY)
    assert sum(fill[4] for fill in found) > 15
    assert sum(not fill[4] for fill in found) > 80


def filled(fills: list[Fill]) -> dict[int, int]:
    """Return the instant of the fill in each window that had one."""
    return {at // (STEP_NS * WINDOW): at for at, *_ in fills}


def test_the_queue_lies_between_the_extremes_of_the_exchange() -> None:
    """Whoever fills at the back of the queue fills in every model, and no later at its front."""
    ways = [
        filled(of_exchange(Rules(), 0, NEVER)),
        filled(of_kernel(LAST_IN_LINE, 0, NEVER)),
        filled(of_kernel(PROPORTIONAL, 0, NEVER)),
        filled(of_exchange(Rules(queue_front=True), 0, NEVER)),
    ]
    for harder, easier in pairwise(ways):
        assert harder.keys() <= easier.keys()
        assert all(easier[window] <= at for window, at in harder.items())
    assert len(ways[0]) < len(ways[3])

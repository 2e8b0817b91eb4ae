"""Long busy days at the exchange, from a seed: dense trading of four accounts in two symbols."""

import random

import msgspec
import pytest

from actors.domain.money import E8
from actors.domain.orders import Side
from actors.exchange.rules import Rules
from actors.messages.venue import OrderFilled
from tests.unit.exchange.exchange_world import (
    FOK,
    GTC,
    IOC,
    POST_ONLY,
    World,
    indexes,
    plain,
    rebuilt_from_events,
    rebuilt_from_snapshot,
)

ACCOUNTS = ("ann", "bob", "cat", "dan")


class Day:
    """One seed's traders and market."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        rules = Rules(queue_front=seed % 2 == 0, closed_orders_kept_max=40, funding_kept_max=5)
        self.world = World(
            accounts=ACCOUNTS, deposit_usdt=self.random.choice([500, 3_000, 50_000]), rules=rules
        )
        self.middles = {"ALPHA": 10_000, "BETA": 10_000}
        self.outcomes = []

    def run(self, steps: int) -> None:
        for step in range(steps):
            self.world.now_ns += 1_000_000
            symbol = self.random.choice(("ALPHA", "BETA"))
            self.outcomes += self.step(step, symbol)
            if step % 50 == 0:
                assert self.world.exchange.books_balance()

    def step(self, step: int, symbol: str):
        draw, world, middle = self.random, self.world, self.middles[symbol]
        what = draw.random()
        if what < 0.55:
            side = draw.choice((Side.BUY, Side.SELL))
            limit = 0 if draw.random() < 0.3 else middle + draw.randint(-15, 15)
            return world.place(
                draw.choice(ACCOUNTS),
                side,
                draw.randint(1, 30),
                limit,
                kind=POST_ONLY if limit and draw.random() < 0.1 else None,
                tif=draw.choice((GTC, GTC, GTC, IOC, FOK)),
                reduce_only=draw.random() < 0.3,
                symbol=symbol,
                name=f"o{step}",
            )
        if what < 0.65:
            resting = [node.order.request for _, node in sorted(world.exchange.nodes.items())]
            if not resting:
                return world.cancel("ann", f"o{step}", symbol)
            request = draw.choice(resting)
            return world.cancel(request.account, request.client_order_id, request.symbol)
        if what < 0.80:
            bids = [(middle - 2 - 3 * i, draw.randint(0, 20)) for i in range(3)]
            return world.depth(bids, [(middle + 2 + 3 * i, draw.randint(0, 20)) for i in range(3)], symbol)
        if what < 0.85:
            return world.quote(middle - 1, draw.randint(0, 9), middle + 1, draw.randint(0, 9), symbol)
        if what < 0.92:
            return world.trade(
                middle + draw.randint(-9, 9), draw.randint(1, 40), draw.choice(tuple(Side)), symbol
            )
        if what < 0.99:
            self.middles[symbol] = max(2_000, middle + draw.choice((-1, 1)) * int(draw.expovariate(0.004)))
            return world.mark(self.middles[symbol], symbol)
        return world.settle(draw.randint(-E8, E8) // 200, middle, world.now_ns, symbol)


@pytest.mark.parametrize("seed", range(8))
def test_after_a_busy_day_the_books_balance_and_can_be_rebuilt(seed) -> None:
    day = Day(seed)
    day.run(1_500)
    exchange = day.world.exchange
    assert exchange.books_balance()
    for rebuilt in (rebuilt_from_events(day.world), rebuilt_from_snapshot(day.world)):
        assert plain(rebuilt) == plain(exchange)
        assert indexes(rebuilt) == indexes(exchange)
    for account in ACCOUNTS:
        assert len(exchange.state.wallets[account].closed.items) <= 40
        assert len(exchange.state.wallets[account].funding.items) <= 5


def test_the_days_hold_what_they_are_meant_to_try() -> None:
    days = [Day(seed) for seed in range(8)]
    for day in days:
        day.run(1_500)
    found = [outcome for day in days for outcome in day.outcomes]
    reasons = {getattr(outcome, "reason", "") for outcome in found}
    codes = {getattr(outcome, "code", "") for outcome in found}
    assert {"LIQUIDATION", "SELF_TRADE", "REDUCE_ONLY", "POST_ONLY_WOULD_TAKE", "FOK_UNFILLED"} <= reasons
    assert {"INSUFFICIENT_MARGIN", "REDUCE_ONLY"} <= codes
    fills = [outcome for outcome in found if type(outcome) is OrderFilled]
    assert any(fill.liquidation for fill in fills)
    assert len([fill for fill in fills if fill.maker]) > 200


def test_the_same_seed_gives_the_same_events_and_outcomes() -> None:
    first, second = Day(3), Day(3)
    for day in (first, second):
        day.run(800)
    assert msgspec.msgpack.encode(first.world.events) == msgspec.msgpack.encode(second.world.events)
    assert first.outcomes == second.outcomes


def test_a_restart_in_the_middle_changes_nothing_once_prices_are_back() -> None:
    """Only displayed liquidity is forgotten, so the day goes on with a fresh book on both sides."""
    through, restarted = Day(5), Day(5)
    for day in (through, restarted):
        day.run(600)
    world = restarted.world
    world.exchange = rebuilt_from_events(world)
    world.exchange.record = world._record
    for day in (through, restarted):
        for symbol, middle in day.middles.items():
            day.world.mark(middle, symbol)
            day.world.depth([], [], symbol)
        day.run(400)
    assert plain(through.world.exchange) == plain(restarted.world.exchange)

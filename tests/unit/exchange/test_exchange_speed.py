"""How long one order takes through the actor: engine, event, state and outcomes, without a node."""

import gc
import time

import pytest

from actors.domain.money import E8
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.settings import ExchangeSettings
from actors.messages.market import BookDepth, MarkPrice
from actors.messages.venue import CancelOrder, PlaceOrder
from tests.unit.exchange.exchange_world import BUY, GTC, INSTRUMENTS, IOC, LIMIT, MARKET, SELL

BATCH = 500
BATCHES = 60
MICROSECONDS_MAX = 10.0


class BareContext:
    """What a turn gives at least: a clock, a journal in memory, a mailbox."""

    def __init__(self, actor: ExchangeActor) -> None:
        self.apply = actor.apply
        self.now_ns = 1_760_000_000_000_000_000
        self.events = []
        self.sent = []

    def record(self, event) -> None:
        self.apply(event)
        self.events.append(event)

    def send(self, address, message) -> None:
        self.sent.append((address, message))


def market_orders(first: int):
    for number in range(first, first + BATCH):
        side = BUY if number % 2 == 0 else SELL
        yield PlaceOrder("main", f"o{number}", "ALPHA", side, 3, MARKET, 0, IOC, False)


def limit_orders_and_cancels(first: int):
    for number in range(first, first + BATCH):
        side, limit = (BUY, 9_990) if number % 2 == 0 else (SELL, 10_010)
        yield PlaceOrder("main", f"o{number}", "ALPHA", side, 3, LIMIT, limit, GTC, False)
        yield CancelOrder("main", f"o{number}", "ALPHA")


@pytest.mark.bench
@pytest.mark.parametrize("flow", [market_orders, limit_orders_and_cancels])
def test_an_order_through_the_actor_takes_less_than_ten_microseconds(flow) -> None:
    place = Place("bench", "exchange/main", "paper", instruments=INSTRUMENTS)
    actor = ExchangeActor(ExchangeSettings(accounts={"main": 1_000_000 * E8}), place)
    actor.state = actor.initial_state()
    context = BareContext(actor)
    actor.started(context)
    actor.receive(MarkPrice("ALPHA", 0, 10_000, 10_000), context)
    levels = [[(10_000 + sign * (1 + step), 10**9) for step in range(20)] for sign in (-1, 1)]
    actor.receive(BookDepth("ALPHA", 0, tuple(levels[0]), tuple(levels[1])), context)
    best = float("inf")
    for batch in range(BATCHES):
        messages = list(flow(batch * BATCH))
        context.events.clear()
        context.sent.clear()
        gc.collect()
        start = time.perf_counter()
        for message in messages:
            actor.receive(message, context)
        best = min(best, (time.perf_counter() - start) / BATCH * 1e6)
    print(f"{flow.__name__}: {best:.2f} us")
    assert actor.exchange.books_balance()
    assert best < MICROSECONDS_MAX

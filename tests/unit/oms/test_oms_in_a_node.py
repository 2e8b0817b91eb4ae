"""OMS, ledger, reconciler, venue and exchange in one real node: over a bad line, killed, and killed again."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from actors.domain.lifecycle import TERMINAL, OrderState
from actors.domain.money import E8
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.settings import ExchangeSettings
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.control import FlattenPositions, ReconcileFinished
from actors.messages.market import BookDepth, MarkPrice, Quote
from actors.messages.trading import CancelOrders, OrderIntent, OrderUpdate, SubmitOrder
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings
from tests.unit.exchange.exchange_world import ALPHA, INSTRUMENTS, START_NS

MS, SECOND = 1_000_000, 1_000_000_000
PRICE = 10_000
QUIET = SimulatedVenueSettings(answer_timeout=SECOND)
BAD_LINE = SimulatedVenueSettings(
    latency=5 * MS,
    latency_jitter=20 * MS,
    answer_timeout=SECOND,
    lose_request_fraction=E8 // 20,
    lose_answer_fraction=E8 // 20,
    lose_event_fraction=E8 // 10,
    duplicate_fraction=E8 // 10,
)


class Desk(Behaviour):
    """Stands for strategies, risk and the feed: publishes what it is told, remembers what it hears."""

    EMITS = (SubmitOrder, CancelOrders, FlattenPositions, Quote, BookDepth, MarkPrice)
    ACCEPTS = (*EMITS, OrderUpdate, ReconcileFinished)

    def __init__(self) -> None:
        self.verdicts: list[ReconcileFinished] = []

    def receive(self, message: Message, context: Context) -> None:
        if isinstance(message, ReconcileFinished):
            self.verdicts.append(message)
        elif not isinstance(message, OrderUpdate):
            context.publish(message)

    on_submit_order = on_cancel_orders = on_flatten_positions = on_quote = receive
    on_book_depth = on_mark_price = on_order_update = on_reconcile_finished = receive


class World:
    """A journal and a clock that outlive the nodes."""

    def __init__(self, line: SimulatedVenueSettings, seed: int = 1) -> None:
        self.store, self.clock, self.line = MemoryStore(), VirtualClock(START_NS), line
        self.chance = Random(seed)
        self.intents_count = 0
        self.boot()

    def boot(self) -> None:
        """Start a node on the journal; the one before is simply forgotten, as after kill -9."""

        def at(address: str, **variables: str) -> Place:
            return Place("test", address, "paper", 7, variables, INSTRUMENTS)

        oms = OmsSettings(answer_timeout=2 * SECOND, absent_after=2 * SECOND, query_backoff_min=100 * MS)
        every = ReconcilerSettings(every=2 * SECOND, answer_timeout=SECOND)
        desk, exchange = "desk/main", "exchange/main"
        makers: dict[str, tuple[Any, tuple[str, ...]]] = {
            exchange: (lambda: ExchangeActor(ExchangeSettings(), at(exchange)), ("venue/main", desk)),
            "venue/main": (
                lambda: SimulatedVenue(self.line, at("venue/main", account="main")),
                ("oms/main", "reconciler/main", exchange),
            ),
            "oms/main": (
                lambda: OmsActor(oms, at("oms/main", account="main")),
                (desk, "venue/main", "reconciler/main"),
            ),
            "ledger/main": (
                lambda: LedgerActor(LedgerSettings(), at("ledger/main", account="main")),
                ("oms/main", "venue/main", "reconciler/main", desk),
            ),
            "reconciler/main": (
                lambda: ReconcilerActor(every, at("reconciler/main", account="main")),
                ("venue/main", "oms/main", "ledger/main"),
            ),
            desk: (Desk, ("oms/main", "reconciler/main")),
        }
        cells = tuple(CellSpec(name, make, reads=reads) for name, (make, reads) in makers.items())
        self.node = Node(cells, (SupervisorSpec("root"),), self.store, self.clock)
        self.node.start()
        self.market(PRICE)

    def run(self, span_ns: int) -> None:
        """Let time pass in small steps."""
        for _ in range(max(1, span_ns // (10 * MS))):
            self.clock.advance_to(self.clock.now_ns() + 10 * MS)
            while self.node.turn():
                pass

    def tell(self, message: Message) -> None:
        self.node.tell("desk/main", message)

    def market(self, ticks: int) -> None:
        now_ns = self.clock.now_ns()
        self.tell(MarkPrice("ALPHA", now_ns, ticks, ticks))
        levels = tuple((ticks - n, 50) for n in range(1, 20)), tuple((ticks + n, 50) for n in range(1, 20))
        self.tell(BookDepth("ALPHA", now_ns, *levels))

    def submit(self, side: Side, contracts: int, offset: int | None = None) -> None:
        """Submit a limit order so far from the price, or a market order."""
        self.intents_count += 1
        market = offset is None
        intent = OrderIntent(
            f"desk/main#1.{self.intents_count}",
            "desk/main",
            "main",
            "ALPHA",
            side,
            contracts,
            OrderType.MARKET if market else OrderType.LIMIT,
            0 if offset is None else PRICE - side * offset,
            TimeInForce.IOC if market else TimeInForce.GTC,
            False,
            PRICE,
            self.clock.now_ns(),
        )
        self.tell(SubmitOrder(intent, self.clock.now_ns()))

    def trade_at_random(self, steps: int) -> None:
        for _ in range(steps):
            chance = self.chance
            what = chance.randrange(10)
            side = chance.choice([Side.BUY, Side.SELL])
            if what < 3:
                self.submit(side, chance.randrange(1, 9))
            elif what < 7:
                self.submit(side, chance.randrange(1, 9), chance.randrange(-3, 12))
            elif what < 8:
                self.tell(CancelOrders("main", "", "", "", "at random"))
            self.market(PRICE + chance.randrange(-8, 9))
            self.run(chance.randrange(300) * MS)

    def behaviour(self, address: str) -> Any:
        return self.node.cell(address).behaviour

    def settle(self) -> None:
        """Let everything come to rest; the line is good from now on."""
        self.line = QUIET
        self.boot()
        self.run(30 * SECOND)

    def faults(self) -> list[str]:
        """Return on what the exchange and our books differ, seen from outside."""
        wallet = self.behaviour("exchange/main").exchange.members["main"]
        oms, ledger = self.behaviour("oms/main").state, self.behaviour("ledger/main").state
        theirs = {s.market.symbol: s.holding.position.net_contracts for s in wallet.positions()}
        booked = {symbol: h.net_contracts for symbol, h in ledger.holdings.items() if h.net_contracts}
        net = {symbol: count for symbol, count in oms.net_contracts.items() if count}
        found = [] if theirs == booked == net else [f"positions {theirs} {booked} {net}"]
        # What is realised already depends on the order of booking; cash less the cost of the open does not.
        cost = sum(s.holding.position.cost_ticks for s in wallet.positions()) * ALPHA.tick_value
        our_cost = sum(h.cost_ticks for h in ledger.holdings.values()) * ALPHA.tick_value
        if wallet.wallet.cash_usdt - cost != ledger.cash_usdt - our_cost:
            found.append(f"cash {wallet.wallet.cash_usdt} - {cost}, {ledger.cash_usdt} - {our_cost}")
        for name, order in (oms.live | oms.closed).items():
            shown = wallet.orders.get(name)
            ours = (order.state, order.filled_contracts)
            seen = (shown.state, shown.filled_contracts) if shown else None
            # The exchange forgets what it refused at once.
            if seen != ours and (seen or order.state not in (OrderState.REJECTED, OrderState.ABSENT)):
                found.append(f"{name}: theirs {seen}, ours {ours}")
        found += [f"{name} is only at the exchange" for name in wallet.orders if oms.order(name) is None]
        return found


def test_a_quiet_day_agrees_at_once() -> None:
    world = World(QUIET)
    world.trade_at_random(100)
    world.run(5 * SECOND)
    assert world.faults() == []
    assert world.behaviour("oms/main").state.fills_count > 20
    verdicts = world.behaviour("desk/main").verdicts
    assert len(verdicts) > 3
    assert all(verdict.agrees for verdict in verdicts)
    assert not world.behaviour("oms/main").state.anomalies_count


@pytest.mark.parametrize("seed", range(4))
def test_over_a_bad_line_and_through_kills_the_books_still_agree(seed: int) -> None:
    world = World(BAD_LINE, seed)
    for _ in range(4):
        world.trade_at_random(25)
        world.boot()
    world.settle()
    assert world.faults() == []
    oms = world.behaviour("oms/main").state
    assert oms.fills_count > 20
    assert Counter(order.state for order in oms.live.values() if order.state in TERMINAL) == Counter()
    assert world.behaviour("desk/main").verdicts[-1].agrees


def test_each_intent_reaches_the_exchange_at_most_once() -> None:
    world = World(BAD_LINE, 9)
    for _ in range(3):
        world.trade_at_random(20)
        world.boot()
    world.settle()
    exchange = world.behaviour("exchange/main").exchange
    assert 0 < len(exchange.members["main"].orders) <= world.intents_count


def test_a_flattened_account_is_flat_at_the_exchange() -> None:
    world = World(BAD_LINE, 3)
    world.trade_at_random(40)
    world.submit(Side.BUY, 9)
    world.submit(Side.BUY, 9, 11)
    world.run(100 * MS)
    world.tell(FlattenPositions("main", "", "end of day"))
    world.run(60 * SECOND)
    world.settle()
    assert world.faults() == []
    assert list(world.behaviour("exchange/main").exchange.members["main"].positions()) == []
    oms = world.behaviour("oms/main").state
    assert (oms.live, oms.flattening) == ({}, {})


def test_a_failing_message_costs_the_oms_nothing_else() -> None:
    world = World(QUIET)
    world.submit(Side.BUY, 5, 10)
    world.run(SECOND)
    before = world.behaviour("oms/main")
    world.node.restart("oms/main")
    world.run(SECOND)
    world.submit(Side.BUY, 5)
    world.run(5 * SECOND)
    assert world.behaviour("oms/main") is not before
    assert world.faults() == []
    assert len(world.behaviour("oms/main").state.live) == 1
    assert ALPHA.symbol in world.behaviour("oms/main").state.net_contracts

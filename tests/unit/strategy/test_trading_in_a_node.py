"""The whole chain in one real node: synthetic market, strategy, risk, OMS, exchange, ledger, reconciler."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.domain.money import E8
from actors.domain.place import Place
from actors.exchange.actor import ExchangeActor
from actors.exchange.settings import ExchangeSettings
from actors.feed.settings import SyntheticSettings
from actors.feed.synthetic import SyntheticFeed
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.control import Halt, HaltLevel, Resume
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.journal import read_turns
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.strategy.actor import StrategyActor
from actors.strategy.library.pulse import PulseSettings
from actors.strategy.library.trend_follow import TrendFollowSettings
from actors.strategy.settings import StrategySettings
from actors.venue.simulated import SimulatedVenue, SimulatedVenueSettings
from tests.unit.strategy.strategy_bench import BTC, CATALOG, SECOND, START

NAME = f"robot/{BTC}"
FEED = f"feed/{BTC}"
TREND = TrendFollowSettings(bar=SECOND, fast=2, slow=5, atr=3, atr_filter=0, atr_stop=2 * E8)


class World:
    """A journal and a clock that outlive the nodes."""

    def __init__(self, strategy: StrategySettings, limits: RiskSettings | None = None) -> None:
        self.store, self.clock = MemoryStore(), VirtualClock(START)
        self.strategy, self.limits = strategy, limits or RiskSettings()
        self.boot()

    def boot(self) -> None:
        """Start a node on the journal; the one before is simply forgotten, as after kill -9."""

        def at(address: str, **variables: str) -> Place:
            return Place("test", address, "paper", 7, variables, CATALOG)

        account, symbol = {"account": "main"}, {"symbol": BTC}
        risk, oms, venue, ledger = "risk/main", "oms/main", "venue/main", "ledger/main"
        reconciler, exchange = "reconciler/main", "exchange/main"
        feed = SyntheticSettings(tick=100_000_000)
        makers: dict[str, tuple[Any, tuple[str, ...]]] = {
            FEED: (lambda: SyntheticFeed(feed, at(FEED, **symbol)), (NAME,)),
            exchange: (lambda: ExchangeActor(ExchangeSettings(), at(exchange)), (venue, FEED)),
            venue: (
                lambda: SimulatedVenue(SimulatedVenueSettings(), at(venue, **account)),
                (oms, reconciler, exchange),
            ),
            oms: (lambda: OmsActor(OmsSettings(), at(oms, **account)), (risk, venue, reconciler, FEED)),
            ledger: (
                lambda: LedgerActor(LedgerSettings(), at(ledger, **account)),
                (oms, venue, reconciler, FEED),
            ),
            reconciler: (
                lambda: ReconcilerActor(ReconcilerSettings(), at(reconciler, **account)),
                (venue, oms, ledger),
            ),
            risk: (
                lambda: RiskActor(self.limits, at(risk, **account)),
                (NAME, ledger, FEED, oms, reconciler),
            ),
            NAME: (lambda: StrategyActor(self.strategy, at(NAME, **symbol)), (FEED, risk, oms)),
        }
        cells = tuple(CellSpec(name, make, reads=reads) for name, (make, reads) in makers.items())
        self.node = Node(cells, (SupervisorSpec("root"),), self.store, self.clock)
        self.node.start()

    def run(self, seconds: int) -> None:
        for _ in range(seconds * 10):
            self.clock.advance_to(self.clock.now_ns() + SECOND // 10)
            for _ in range(100):
                if not self.node.turn():
                    break

    def tell(self, address: str, message: Message) -> None:
        self.node.tell(address, message)

    def behaviour(self, address: str) -> Any:
        return self.node.cell(address).behaviour

    def positions(self) -> set[int]:
        """Return the position as each of those who keep one sees it."""
        holding = self.behaviour("ledger/main").state.holdings.get(BTC)
        return {
            self.behaviour(NAME).state.net_contracts,
            self.behaviour("risk/main").peek(BTC).net_contracts,
            self.behaviour("oms/main").state.net_contracts.get(BTC, 0),
            holding.net_contracts if holding else 0,
        }

    def events(self) -> list[tuple[int, int, str, str]]:
        """Return (sequence, cause, cell, type) of everything journaled."""
        found = []
        for record in read_turns(self.store):
            for number, entry in enumerate(record.entries):
                name = msgspec.msgpack.decode(entry.event)[0]
                found.append((record.first_sequence + number, entry.cause, entry.cell, name))
        return found

    @property
    def failures(self) -> int:
        return self.node.loop.counters.failures


def test_a_trend_follower_trades_and_everybody_sees_the_same_position() -> None:
    world = World(TREND)
    world.run(120)
    assert world.failures == 0
    risk = world.behaviour("risk/main").state
    assert risk.allowed_count >= 5
    assert risk.denied_count == 0
    assert risk.reserved == {}
    assert len(world.positions()) == 1


def test_an_order_can_be_followed_back_to_its_reasons() -> None:
    world = World(TREND)
    world.run(60)
    events = {sequence: (cause, cell, name) for sequence, cause, cell, name in world.events()}
    submitted = [sequence for sequence, (_, _, name) in events.items() if name == "OrderSubmitted"]
    assert submitted
    for sequence in submitted:
        chain = []
        while sequence:
            sequence, cell, name = events[sequence]
            chain.append((cell, name))
        # What comes before, if anything: the fill of the closing half of a turn-around.
        assert chain[:3] == [
            ("oms/main", "OrderSubmitted"),
            ("risk/main", "IntentAllowed"),
            (NAME, "SignalDecided"),
        ]


def test_killed_and_started_again_it_goes_on() -> None:
    world = World(TREND)
    for _ in range(6):
        world.run(17)
        before = world.behaviour(NAME).state.intents_count
        world.boot()
        world.run(8)
        assert world.behaviour(NAME).state.intents_count >= before
        assert len(world.positions()) == 1
    assert world.failures == 0
    risk = world.behaviour("risk/main").state
    assert risk.reserved == {}
    assert risk.allowed_count >= 5


@pytest.mark.parametrize("orders_at_once", [1, 4])
def test_pulse_trades_on_every_quote_and_a_halt_stops_it(orders_at_once: int) -> None:
    limits = RiskSettings(max_orders_per_second=0, daily_loss_usdt=0)
    world = World(PulseSettings(orders_at_once=orders_at_once), limits)
    world.run(20)
    risk = world.behaviour("risk/main").state
    assert risk.allowed_count >= 150
    world.tell("risk/main", Halt("all", HaltLevel.FLATTEN, "ann", "drill"))
    world.run(5)
    allowed = risk.allowed_count
    world.run(5)
    assert risk.allowed_count == allowed
    assert risk.denied_count > 0
    assert world.positions() == {0}
    assert world.failures == 0


def test_after_a_flatten_everybody_knows_that_the_position_is_gone_and_a_resume_goes_on() -> None:
    world = World(TREND, RiskSettings(daily_loss_usdt=0))
    while not world.behaviour(NAME).state.net_contracts:
        world.run(1)
    world.tell("risk/main", Halt("all", HaltLevel.FLATTEN, "ann", "drill"))
    world.run(10)
    assert world.positions() == {0}
    allowed = world.behaviour("risk/main").state.allowed_count
    world.tell("risk/main", Resume("all", "ann", "over"))
    world.run(20)
    assert world.behaviour("risk/main").state.allowed_count > allowed
    assert len(world.positions()) == 1
    assert world.failures == 0


@pytest.mark.parametrize("address", [NAME, "risk/main"])
def test_a_restart_of_one_actor_loses_nothing(address: str) -> None:
    world = World(TREND)
    for _ in range(5):
        world.run(15)
        world.node.restart(address)
    world.run(15)
    assert world.node.cell(address).restarts_count == 5
    assert len(world.positions()) == 1
    assert world.behaviour("risk/main").state.allowed_count >= 5

"""From a halt inside the node to its last cancel sent: 500 orders resting, a venue that answers 429 at times.

Real actors, the real exchange behind a simulated line, and virtual time: what is measured is the venue's
limits and our way of living with them, not this machine. Each sample is a world halted at another moment.
"""

from __future__ import annotations

import json
from functools import partial
from typing import ClassVar

from actors.cli.benchmarks.kill_switch import BTC, ORDERS, percentile
from actors.cli.benchmarks.resting import Resting
from actors.cli.benchmarks.world import (
    CATALOG,
    DEPOSIT,
    DEPTH_CONTRACTS,
    MINUTE_NS,
    RESTING,
    UNLIMITED,
    Market,
)
from actors.domain.catalog import load_catalog
from actors.domain.instrument import Instrument
from actors.domain.place import Place
from actors.exchange.server.faults import Fault
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.ledger.actor import LedgerActor
from actors.ledger.settings import LedgerSettings
from actors.messages.control import Halt, HaltLevel
from actors.messages.market import MarkPrice, Quote
from actors.oms.actor import OmsActor
from actors.oms.settings import OmsSettings
from actors.reconciler.actor import ReconcilerActor
from actors.reconciler.settings import ReconcilerSettings
from actors.risk.actor import RiskActor
from actors.risk.settings import RiskSettings
from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.errors import require
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.pumps.messages import HttpRequest
from actors.runtime.simulation import START_NS
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.wire import Wire
from actors.simulation.exchange_side import ExchangeSide, Sink
from actors.simulation.world import SimulatedWorld
from actors.venue.poloniex.actor import PoloniexVenue
from actors.venue.poloniex.settings import PoloniexVenueSettings

__all__ = ["halt_samples", "kill_switch_node_s"]

HOST = "127.0.0.1:9443"
WORLDS = 100
MS_NS, SECOND_NS = 1_000_000, 1_000_000_000
PER_STEP, STEP_NS = 6, 300 * MS_NS  # so that none waits for its turn at the venue
REFUSED_EVERY = 3
LATER_NS = 37 * MS_NS  # one world's halt after another's: it meets other requests on their way


def kill_switch_node_s() -> float:
    """Return the p99 in s of virtual time, a third of all answers being 429."""
    return percentile(halt_samples(WORLDS), 99)


def halt_samples(count: int) -> list[float]:
    """Return the seconds from the halt to the last cancel that leaves, of so many worlds."""
    return [HaltedWorld(seed).measure() for seed in range(count)]


class Look(Message, frozen=True):
    """Time to say the prices again."""


class StandingMarket(Market):
    """Says the same prices every second."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (*Market.ACCEPTS, Look)

    def __init__(self, symbol: str, ticks: int) -> None:
        super().__init__(symbol)
        self._ticks = ticks

    def started(self, context: Context) -> None:
        super().started(context)
        self.on_look(Look(), context)

    def on_look(self, message: Look, context: Context) -> None:
        symbol, now_ns, ticks = self._symbol, context.now_ns, self._ticks
        context.publish(MarkPrice(symbol, now_ns, ticks, ticks))
        context.publish(Quote(symbol, now_ns, ticks - 1, DEPTH_CONTRACTS, ticks + 1, DEPTH_CONTRACTS))
        context.schedule(SECOND_NS, message)


class HaltedWorld:
    """A node with one account at the exchange. `measure()` once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._instruments: dict[str, Instrument] = {BTC: load_catalog(json.loads(CATALOG.read_text()))[BTC]}
        account = AccountSettings(key="key", secret="secret", usdt=DEPOSIT, name="main")
        served = ServerSettings(accounts=(account,), symbols=(BTC,), participants=False)
        self._far = ExchangeSide(served, self._instruments, has_spot=False)
        wire = Wire({HOST: self._far}, Sink(), seed)
        wire.on_leave.append(self._leaving)
        self._last_ns = 0
        self._world = SimulatedWorld(self._make, wire, START_NS)
        self._far.start(wire)

    def measure(self) -> float:
        """Let 500 orders rest, halt, wait until none is left; return the seconds to the last cancel."""
        world, resting = self._world, self._far.core.engine.state.open_orders
        world.run_until(lambda: len(resting) == ORDERS, MINUTE_NS)
        rule = self._far.core.faults.add(Fault(kind="rate_limit", path="/v3/trade", every=REFUSED_EVERY))
        rule.seen = self._seed % REFUSED_EVERY
        world.run_for(SECOND_NS + self._seed * LATER_NS)
        began_ns = world.now_ns
        world.tell("risk/main", Halt("all", HaltLevel.CANCEL_ALL, "bench", "measured"))
        live = world.node.cell("oms/main").behaviour.state.live
        world.run_until(lambda: not resting and not live, MINUTE_NS)
        require(self._last_ns >= began_ns, "no cancel left")
        return (self._last_ns - began_ns) / SECOND_NS

    def _leaving(self, address: str, request: HttpRequest) -> None:
        if request.method == "DELETE":
            self._last_ns = self._world.now_ns

    def _make(self, store: MemoryStore, clock: VirtualClock) -> Node:
        ticks = self._instruments[BTC].reference_ticks
        host, at = HOST, partial(Place, "bench", mode="paper", instruments=self._instruments)
        venue = PoloniexVenueSettings(
            key="key", secret="secret", rest_url=f"http://{host}", stream_url=f"ws://{host}/ws/v3/private"
        )
        risk = RiskSettings(
            max_orders_per_second=UNLIMITED,
            daily_loss_usdt=UNLIMITED,
            max_open_orders=UNLIMITED,
            max_open_trades=UNLIMITED,
        )
        oms, main = OmsSettings(), {"account": "main"}
        ledger = LedgerSettings(initial_usdt=DEPOSIT)
        feed, v, o, n, r, k = (
            f"feed/{BTC}",
            *(f"{kind}/main" for kind in ("venue", "oms", "ledger", "reconciler", "risk")),
        )
        rest = partial(Resting, RESTING, [(BTC, ticks)], ORDERS, per_step=PER_STEP, step_ns=STEP_NS)
        specs = (
            CellSpec(feed, lambda: StandingMarket(BTC, ticks), ()),
            CellSpec(v, lambda: PoloniexVenue(venue, at(v, variables=main)), (o, r)),
            CellSpec(o, lambda: OmsActor(oms, at(o, variables=main)), (k, v, r)),
            CellSpec(n, lambda: LedgerActor(ledger, at(n, variables=main)), (o, v, r, feed)),
            CellSpec(r, lambda: ReconcilerActor(ReconcilerSettings(), at(r, variables=main)), (v, o, n)),
            CellSpec(k, lambda: RiskActor(risk, at(k, variables=main)), (o, n, r, feed, RESTING)),
            CellSpec(RESTING, rest, (k, o)),
        )
        return Node(specs, (SupervisorSpec("root"),), store, clock)

"""The served exchange at the far end of a simulated network: a tape moves its market, bytes bring orders."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from actors.deployment.assemble import assemble
from actors.deployment.topology import Topology
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.messages.market import FundingRate, FundingSettled, MarkPrice, Quote, Trade
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.wire import Wire
from actors.simulation.exchange_side import ExchangeSide, Sink
from actors.simulation.far_sides import exchange_of, hosts_of, secrets_for
from actors.simulation.world import SimulatedWorld

DEPOSIT_USDT = 10_000 * 100_000_000


class TapeExchange(ExchangeSide):
    """The served exchange with nobody in it but us: its prices are those of the tape."""

    def start(self, wire: Wire) -> None:
        """Open the account; no pulse, so that no price of its own ever moves."""
        self._wire = wire
        core = self.core
        core.engine.rules = replace(core.engine.rules, funding_by_clock=False)
        for one in core.settings.accounts:
            core.engine.open_account(one.account, one.usdt, wire.world.now_ns)

    def market(self, message: Any, now_ns: int) -> None:
        """Let the outside market do what the tape says."""
        engine = self.core.engine
        act = {
            Quote: engine.quote,
            Trade: engine.trade,
            MarkPrice: engine.mark,
            FundingRate: engine.funding_rate,
            FundingSettled: engine.funding_settled,
        }[type(message)]
        outcomes = act(message, now_ns)
        if outcomes:
            self.core.absorb(outcomes, now_ns)
            self._wire.flush(self)


class TapeReader(Behaviour):
    """Carries what the feeds play to the far exchange, at the instant at which they play it."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (Quote, Trade, MarkPrice, FundingRate, FundingSettled)
    PHASE = Phase.SOURCE

    def __init__(self, far: TapeExchange) -> None:
        self._far = far

    def _carry(self, message: Message, context: Context) -> None:
        self._far.market(message, context.now_ns)

    on_quote = on_trade = on_mark_price = on_funding_rate = on_funding_settled = _carry


class EvenWire(Wire):
    """A line on which everything travels equally long, as with `venue.simulated` without jitter."""

    def __init__(self, far: TapeExchange, hosts: set[str], latency_ns: int) -> None:
        super().__init__(dict.fromkeys(hosts, far), Sink(), seed=0)
        self._latency_ns = latency_ns

    def _latency(self) -> int:
        return self._latency_ns


def run_over_bytes(topology: Topology, latency_ns: int, start_ns: int, duration_ns: int) -> SimulatedWorld:
    """Run a deployment with `feed.replay` and `venue.poloniex` over its tape."""
    found = exchange_of(topology, seed=0)
    assert found is not None
    accounts = tuple(replaced(one) for one in found.core.settings.accounts)
    settings = ServerSettings(
        accounts=accounts, symbols=tuple(found.core.views), participants=False, rate_limits=0
    )
    far = TapeExchange(settings, topology.instruments, has_spot=False)
    wire = EvenWire(far, hosts_of(topology), latency_ns)
    secrets = secrets_for(topology)
    feeds = tuple(plan.address for plan in topology.actors if plan.kind == "feed.replay")
    reader = CellSpec("tape", partial(TapeReader, far), reads=feeds)

    def make(store: MemoryStore, clock: VirtualClock) -> Node:
        return assemble(topology, store, clock, (reader,), secrets)

    world = SimulatedWorld(make, wire, start_ns)
    far.start(wire)
    world.run_for(duration_ns)
    assert not world.ends
    assert far.core.engine.books_balance()
    return world


def replaced(one: AccountSettings) -> AccountSettings:
    return AccountSettings(key=one.key, secret=one.secret, usdt=DEPOSIT_USDT, name=one.account)

"""One seed: a deployment runs for a while with its faults, comes to rest, and is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from actors.deployment.assemble import assemble
from actors.deployment.topology import ActorPlan, Topology
from actors.exchange.events import OrderBooked
from actors.exchange.server.price_path import PricePath
from actors.exchange.state import ExchangeState
from actors.feed.settings import SyntheticSettings
from actors.messages.control import HaltLevel
from actors.messages.parity import PARITY_PORT
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.ports import TapeWriter
from actors.runtime.simulation import START_NS
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape import SilentPumps
from actors.runtime.wire import Wire
from actors.secrets.desk import PORT as SECRETS
from actors.secrets.desk import SecretDesk
from actors.simulation.agreement import AgreementWatch
from actors.simulation.beginning import AS_WRITTEN, Beginning
from actors.simulation.exchange_side import Sink
from actors.simulation.far_sides import exchange_of, hosts_of, names_of, secrets_for
from actors.simulation.faults import BY_HAND, Fault, Ground
from actors.simulation.quarrels import (
    books_quarrels,
    halted_quarrels,
    halted_spot_quarrels,
    halts_quarrels,
    journal_quarrels,
    market_quarrels,
    spot_quarrels,
)
from actors.simulation.secret_store import SimulatedStore
from actors.simulation.striking import Striker
from actors.simulation.watchers import Violation, Watchers
from actors.simulation.world import SimulatedWorld

__all__ = ["Outcome", "SeedRun", "ground_of"]

SECOND_NS = 1_000_000_000
LOOK_NS = 30 * SECOND_NS
SETTLED_NS = SECOND_NS // 4  # after a fault: what was under way has arrived
REST_NS_MAX = 900 * SECOND_NS  # in which everything must come to agree once the faults are over


class Outcome(NamedTuple):
    """What became of a seed."""

    seed: int
    digest: str
    violations: tuple[Violation, ...]
    faults: tuple[Fault, ...]
    simulated_ns: int
    orders_count: int
    fills_count: int
    amends_count: int  # orders placed for the rest of another one
    deaths_count: int
    denied: tuple[tuple[str, int], ...] = ()  # wishes by the rule that spoke against them, the most first


def ground_of(topology: Topology) -> Ground:
    """Return what a deployment offers to faults."""
    has_line = bool(hosts_of(topology))
    can_lose_power = not has_line or topology.journal.durability == "disk"
    return Ground(tuple(plan.address for plan in topology.actors), has_line, can_lose_power)


def seeded(topology: Topology, seed: int) -> Topology:
    """Return the deployment with another made-up market for each seed; 0 leaves it the one it has."""

    def market_of(plan: ActorPlan) -> ActorPlan:
        if not isinstance(plan.settings, SyntheticSettings):
            return plan
        return replace(plan, settings=structs.replace(plan.settings, seed=plan.settings.seed + seed))

    return replace(topology, actors=tuple(map(market_of, topology.actors)))


class SeedRun:
    """Builds the world of a seed, runs it and judges it. `run()` once."""

    def __init__(
        self,
        topology: Topology,
        seed: int,
        faults: Sequence[Fault],
        duration_ns: int,
        tape: TapeWriter | None = None,
        *,
        start_ns: int = START_NS,
        paths: Mapping[str, PricePath] | None = None,
        beginning: Beginning = AS_WRITTEN,
    ) -> None:
        self.topology = topology = seeded(topology, seed)
        self.seed = seed
        self.faults = tuple(faults)
        self._duration_ns = duration_ns
        self._start_ns = start_ns
        self._tape = tape
        self._secrets = secrets_for(topology)
        self._names = names_of(topology)
        self.far = exchange_of(topology, seed, paths, beginning.cash_usdt)
        hosts = dict.fromkeys(sorted(hosts_of(topology)), self.far) if self.far else {}
        self.wire = Wire(hosts, Sink(), seed)  # type: ignore[arg-type]
        self.wire.ports[PARITY_PORT] = SilentPumps()  # nobody measures a simulation against its model
        self.wire.ports[SECRETS] = SimulatedStore(SecretDesk(self._secrets), self.wire)
        policies = [plan.settings.manual_trades for plan in topology.actors if plan.kind == "reconciler"]
        self.watchers = Watchers(self._limits(), hands_stop=set(policies) == {"stop"})
        self._digest = sha256()
        durability = topology.journal.durability
        store = MemoryStore(syncs_commits=durability == "disk", lags_one=durability == "disk_lazy_meta")
        self.world = SimulatedWorld(self.make_node, self.wire, start_ns, store)
        self.world.on_power_cut.append(self._journal_went_back)
        if durability == "process":
            self.world.sync_every(topology.journal.sync_interval)
        self.striker = Striker(self.world, self.far, faults)
        if beginning.is_resumed:
            self.world.after(SECOND_NS, self.striker.resume_beginning)
        self.striker.on_end.append(lambda: self.world.after(SETTLED_NS, self.look))
        if self.far is not None:
            self.far.on_event.append(self._exchange_event)
            self.far.on_house.append(self.watchers.books.booked)  # it may have met orders of ours
            self.far.start(self.wire)
            self.agreement = AgreementWatch()
            self.world.after(SECOND_NS, self._sample)
        self.wire.on_leave.append(self._leaving)

    def _limits(self) -> dict[str, Any]:
        plans = self.topology.actors
        return {plan.place.variables["account"]: plan.settings for plan in plans if plan.kind == "risk"}

    def make_node(self, store: MemoryStore, clock: VirtualClock) -> Node:
        """Return a node on a disk: the first one, or the next after an end."""
        node = assemble(self.topology, store, clock, (), self._secrets)
        node.loop.seed = self.topology.seed * 1_000_003 + self.seed
        node.loop.tape = self._tape
        return node

    # -- watching ------------------------------------------------------------------------------------

    def _leaving(self, address: str, request: Any) -> None:
        self.watchers.now_ns = self.world.now_ns
        self.watchers.leaving(self.world.store, request)

    def _journal_went_back(self) -> None:
        """A power cut took back commits; an exchange among the actors went back with them."""
        self.watchers.forget_journal()
        if self.far is None:
            self.watchers.forget_exchange()

    def _exchange_event(self, event: Message) -> None:
        self._digest.update(msgspec.msgpack.encode(event))
        self.watchers.now_ns = self.world.now_ns
        self.watchers.exchange_event(event)
        is_ours = isinstance(event, OrderBooked) and not event.request.client_order_id.startswith(BY_HAND)
        if isinstance(event, OrderBooked) and is_ours and self.far is not None:
            engine = self.far.core.engine
            account, symbol = event.request.account, event.request.symbol
            market = engine.markets.get(symbol)
            if market is not None and account in engine.members:
                held = engine.state.wallets[account].holdings.get(symbol)
                if held is not None:
                    net = held.position.net_contracts
                    worst = max(abs(net + held.buy_contracts), abs(net - held.sell_contracts))
                    value = market.reference_ticks * market.tick_value
                    self.watchers.exchange_position(account, symbol, worst, value, event)

    # -- running -------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Run, come to rest, judge."""
        world, watchers = self.world, self.watchers
        end_ns = world.now_ns + self._duration_ns
        try:
            while world.now_ns < end_ns and not watchers.violations:
                world.run_for(min(LOOK_NS, end_ns - world.now_ns))
                self.look()
            if not watchers.violations:
                self._rest()
        except Exception as error:
            watchers.now_ns = world.now_ns
            watchers.tell("the node's code holds", f"{type(error).__name__}: {error}")
        return self._outcome()

    def look(self) -> None:
        """Hold the node against its journal and against what the exchange told it, at any moment."""
        world, watchers = self.world, self.watchers
        watchers.now_ns = world.now_ns
        watchers.read(world.store)
        if world.ended:
            return
        for quarrel in halts_quarrels(world.node, watchers.halts):
            watchers.tell("a halt outlives a restart", quarrel)
        watchers.look_at_parents(world.node)
        if self.far is not None:
            for quarrel in market_quarrels(world.node, self.far.core):
                watchers.tell("strategies see the exchange's book", quarrel)

    def _sample(self) -> None:
        """Look every second whether somebody agrees over a difference."""
        world, far = self.world, self.far
        world.after(SECOND_NS, self._sample)
        if world.ended or far is None:
            self.agreement.forget()
            return
        for account, name in self._names.items():
            for quarrel in self.agreement.look(world.node, account, name, far.core.engine.state):
                self.watchers.now_ns = world.now_ns
                self.watchers.tell("nobody agrees over a difference", quarrel)

    def _rest(self) -> None:
        """End all faults and halt everything amid what they left; in time all agrees and nothing rests."""
        self.striker.end_all()
        end_ns = self.world.now_ns + REST_NS_MAX
        quarrels = left = ["it never ran"]
        level = HaltLevel.FLATTEN if self.seed % 2 else HaltLevel.CANCEL_ALL
        while (quarrels or left) and self.world.now_ns < end_ns:
            self.striker.halt_for_good(level)
            if not self.world.ended:
                for plan in self.topology.actors:
                    if plan.kind.startswith("strategy."):
                        self.world.node.suspend(plan.address)
            self.world.run_for(5 * SECOND_NS)
            quarrels = ["the node is away"] if self.world.ended else self.quarrels()
            left = list(self._left(is_flat=level is HaltLevel.FLATTEN))
        self.look()
        for quarrel in quarrels:
            self.watchers.tell("venue and books agree once quiet", quarrel)
        for quarrel in left:
            self.watchers.tell("a halt leaves nothing behind", quarrel)
        if not self.world.ended:
            make = partial(assemble, self.topology, extra=(), secrets=self._secrets)
            for quarrel in journal_quarrels(self.topology, self.world.node, self.world.store, make):
                self.watchers.tell("the journal gives the same state again", quarrel)

    def quarrels(self) -> list[str]:
        """Return on what the exchange and our books differ now."""
        self.watchers.read(self.world.store)  # which fills were told late
        node = self.world.node
        found: list[str] = []
        for plan in self.topology.actors:
            if plan.kind == "venue.poloniex_spot" and self.far is not None:
                account = plan.place.variables["account"]
                found += spot_quarrels(node, account, self._names[account], self.far.core.spot.engine)
            elif plan.kind == "oms":
                account = plan.place.variables["account"]
                state, markets = self._exchange_of(account)
                name, told = self._names.get(account, account), self.watchers
                if state is not None:
                    found += books_quarrels(
                        node, account, name, state, markets, told.corrected, told.disordered
                    )
        return found

    def _left(self, *, is_flat: bool) -> Iterator[str]:
        """Yield what the exchange still has of our accounts although everything is halted."""
        for plan in self.topology.actors:
            account = plan.place.variables.get("account", "")
            if plan.kind == "venue.poloniex_spot" and self.far is not None:
                engine = self.far.core.spot.engine
                yield from halted_spot_quarrels(self._names[account], engine, is_flat=is_flat)
            elif plan.kind == "oms" and not self.world.ended:
                state, _ = self._exchange_of(account)
                if state is not None:
                    yield from halted_quarrels(self._names.get(account, account), state, is_flat=is_flat)

    def _exchange_of(self, account: str) -> tuple[ExchangeState | None, Any]:
        kinds = {plan.address: plan.kind for plan in self.topology.actors}
        venue = kinds.get(f"venue/{account}", "")
        if venue == "venue.poloniex" and self.far is not None:
            return self.far.core.engine.state, self.far.core.engine.markets
        for address, kind in kinds.items():
            if kind == "exchange" and venue == "venue.simulated":
                behaviour: Any = self.world.node.cell(address).behaviour
                if account in behaviour.state.wallets:
                    return behaviour.state, behaviour.exchange.markets
        return None, None

    def _outcome(self) -> Outcome:
        world, watchers = self.world, self.watchers
        last = world.store.last("events")
        self._digest.update(last[1] if last else b"")
        self._digest.update(str((world.crashes_count, world.ends, self.wire.carried)).encode())
        for violation in watchers.violations:
            self._digest.update(str(violation[:3]).encode())
        return Outcome(
            self.seed,
            self._digest.hexdigest(),
            tuple(watchers.violations),
            self.faults,
            world.now_ns - self._start_ns,
            len(watchers.submitted),
            len(watchers.fills),
            watchers.amended_count,
            world.crashes_count,
            tuple(watchers.denied.most_common()),
        )

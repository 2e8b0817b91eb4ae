"""`config/paper.yaml` as it is, in virtual time: watched from outside, and made to fail on demand.

Nothing of the deployment is changed. Only what makes a behaviour is wrapped, so that a test sees with which
state a behaviour starts and what it handles, and can have one message raise after it has done all its work:
the hardest case, because everything that the message did has to be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from actors.deployment.assemble import assemble
from actors.deployment.loader import load
from actors.deployment.topology import Topology
from actors.oms.events import OrderFillApplied, OrderSubmitted
from actors.runtime.behaviour import Behaviour, Context, Persistence
from actors.runtime.cell import Cell, CellState
from actors.runtime.clock import VirtualClock
from actors.runtime.codec import decoder_for, message_name
from actors.runtime.journal import read_turns
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.recovery import recover
from actors.runtime.simulation import Simulation
from actors.runtime.store_memory import MemoryStore
from actors.venue.simulated import SimulatedVenueSettings

REPOSITORY = Path(__file__).resolve().parents[2]
MS, SECOND, MINUTE, HOUR = 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000

M = TypeVar("M", bound=Message)


@cache
def paper_topology() -> Topology:
    return load(REPOSITORY / "config" / "paper.yaml", environment={"POLYTRADE_STATE": "never-written"})


def paper_addresses() -> list[str]:
    return [plan.address for plan in paper_topology().actors]


# -- what is in a journal, and in the books ------------------------------------------------------------


def recorded(store: MemoryStore, *kinds: type[M]) -> list[M]:
    """Return the events of some types, in order; those of the node itself are among them."""
    tags = {message_name(kind) for kind in kinds}
    decode = decoder_for(kinds).decode
    return [
        decode(entry.event)
        for turn in read_turns(store)
        for entry in turn.entries
        if msgspec.msgpack.decode(entry.event, type=list[Any])[0] in tags
    ]


def state_of(behaviour: Behaviour) -> bytes:
    """Return a state to the byte; empty for an actor that keeps none."""
    if behaviour.PERSISTENCE is Persistence.EPHEMERAL:
        return b""
    return msgspec.msgpack.encode(behaviour.state)


def states_in_journal(topology: Topology, store: MemoryStore) -> dict[str, bytes]:
    """Return every state as a node that opened a copy of this journal now would find it."""
    node = assemble(topology, store.clone(), VirtualClock(0))
    recover(node.journal, node.loop.cells.values())
    return {name: state_of(cell.behaviour) for name, cell in node.loop.cells.items()}


def states_in_memory(node: Node) -> dict[str, bytes]:
    return {name: state_of(cell.behaviour) for name, cell in node.loop.cells.items()}


def quarrels(node: Node, account: str = "main") -> list[str]:
    """Return everything on which the exchange and one of our actors differ, to the last unit.

    Ledger: cash, and by symbol position with cost, realised profit, fees, funding. OMS, risk and the
    strategies: positions (every symbol of these deployments has one strategy). The exchange: no money and no
    contract comes from nowhere.
    """
    exchange = node.cell("exchange").behaviour
    ledger = node.cell(f"ledger/{account}").behaviour
    found = []
    if not exchange.exchange.books_balance():  # type: ignore[attr-defined]
        found.append("the exchange lost or made money")
    if not ledger.books_balance():  # type: ignore[attr-defined]
        found.append("the ledger does not balance")
    wallet, books = exchange.state.wallets[account], ledger.state
    if wallet.cash_usdt != books.cash_usdt:
        found.append(f"cash: exchange {wallet.cash_usdt}, ledger {books.cash_usdt}")
    nobody = type("Nobody", (), {"realised_usdt": 0, "fees_usdt": 0, "funding_usdt": 0, "net_contracts": 0})
    for symbol in sorted(wallet.holdings.keys() | books.holdings.keys()):
        theirs, ours = wallet.holdings.get(symbol), books.holdings.get(symbol, nobody)
        if theirs is None:
            found.append(f"{symbol}: known to the ledger only")
            continue
        position = (ours.net_contracts, getattr(ours, "cost_ticks", 0))
        if tuple(theirs.position) != position:
            found.append(f"{symbol}: exchange holds {theirs.position}, ledger {position}")
        for name in ("realised_usdt", "fees_usdt", "funding_usdt"):
            if getattr(theirs, name) != getattr(ours, name):
                found.append(f"{symbol} {name}: {getattr(theirs, name)} and {getattr(ours, name)}")
    found += _position_quarrels(node, account, positions(node, account))
    return found


def _position_quarrels(node: Node, account: str, held: dict[str, int]) -> Iterator[str]:
    oms, risk = node.cell(f"oms/{account}").behaviour.state, node.cell(f"risk/{account}").behaviour.state
    views = {
        "oms": dict(oms.net_contracts),
        "risk": {symbol: book.net_contracts for symbol, book in risk.books.items()},
        "strategies": {
            cell.spec.name.rpartition("/")[2]: cell.behaviour.state.net_contracts
            for cell in node.loop.cells.values()
            if cell.kind.startswith("strategy.")
        },
    }
    for name, view in views.items():
        ours = {symbol: net for symbol, net in view.items() if net}
        if ours != held:
            yield f"positions: exchange {held}, {name} {ours}"


def orders_that_add_risk(store: MemoryStore, after_ns: int = 0) -> list[OrderSubmitted]:
    """Return what the OMS sent out after an instant and what could have made a position larger."""
    net: dict[str, int] = {}
    found: list[OrderSubmitted] = []
    events: list[Any] = recorded(store, OrderSubmitted, OrderFillApplied)
    for event in events:
        held = net.get(event.symbol, 0)
        if isinstance(event, OrderFillApplied):
            net[event.symbol] = held + event.signed_contracts
        elif event.at_ns > after_ns and not (held * event.side < 0 and event.contracts <= abs(held)):
            found.append(event)
    return found


def positions(node: Node, account: str = "main") -> dict[str, int]:
    """Return what the exchange holds for an account."""
    holdings = node.cell("exchange").behaviour.state.wallets[account].holdings
    held = {symbol: holding.position.net_contracts for symbol, holding in holdings.items()}
    return {symbol: net for symbol, net in held.items() if net}


def fills_count(node: Node) -> int:
    return int(node.cell("ledger/main").behaviour.state.fills_count)


# -- watching and failing ------------------------------------------------------------------------------


class Poisoned(Exception):
    """What a poisoned message raises."""


@dataclass(slots=True)
class Poison:
    """Lets the first message that suits raise, after its handler has done its work, so many times."""

    kind: type[Message]
    times: int
    suits: Callable[[Any], bool] = lambda message: True
    is_bug: bool = False  # then it is every message of the kind, and no end of it
    message: Message | None = None  # the one that was bitten
    handled: int = 0  # how often it was tried
    states_before: list[bytes] = field(default_factory=list)  # of the reader, before each try that failed

    def bites(self, message: Message) -> bool:
        if self.is_bug:
            return type(message) is self.kind
        if self.message is None and type(message) is self.kind and self.suits(message):
            self.message = message
        if message is not self.message:
            return False
        self.handled += 1
        return self.handled <= self.times


@dataclass(slots=True)
class Watched:
    """One address: every behaviour that ever lived there."""

    found: list[bytes] = field(default_factory=list)  # the state with which each of them started
    handled: list[Message] = field(default_factory=list)
    poison: Poison | None = None

    def wrap(self, make: Callable[[], Behaviour]) -> Callable[[], Behaviour]:
        def made() -> Behaviour:
            behaviour = make()
            own: Any = behaviour
            own.HANDLERS = {kind: self._wrapped(handle) for kind, handle in behaviour.HANDLERS.items()}
            started = behaviour.started

            def watched_start(context: Context) -> None:
                self.found.append(state_of(behaviour))
                started(context)

            own.started = watched_start
            return behaviour

        return made

    def _wrapped(self, handle: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
        def watched_handler(behaviour: Behaviour, message: Message, context: Context) -> None:
            self.handled.append(message)
            poison = self.poison
            if poison is None or not poison.bites(message):
                handle(behaviour, message, context)
                return
            poison.states_before.append(state_of(behaviour))
            handle(behaviour, message, context)
            raise Poisoned("poisoned")

        return watched_handler


def over_line(topology: Topology, line: SimulatedVenueSettings) -> Topology:
    """Return the deployment with another line between it and the exchange."""
    actors = [replace(plan, settings=line) if plan.name == "venue" else plan for plan in topology.actors]
    return replace(topology, actors=tuple(actors))


class Paper:
    """The paper deployment, running; as it is, unless another line to the exchange is asked for."""

    def __init__(self, line: SimulatedVenueSettings | None = None) -> None:
        self.topology = paper_topology() if line is None else over_line(paper_topology(), line)
        self.watched = {address: Watched() for address in paper_addresses()}
        self.at_death: dict[str, bytes] = {}  # every state in the memory of the node before this one
        self.sim: Simulation | Any = None
        self.sim = Simulation(self._make)

    def _make(self, store: MemoryStore, clock: VirtualClock) -> Node:
        if self.sim is not None:
            self.at_death = states_in_memory(self.sim.node)
        node = assemble(self.topology, store, clock)
        for cell in node.loop.cells.values():
            cell.spec = replace(cell.spec, make=self.watched[cell.name].wrap(cell.spec.make))
        return node

    @property
    def node(self) -> Node:
        return self.sim.node

    @property
    def store(self) -> MemoryStore:
        return self.sim.store

    def cell(self, address: str) -> Cell:
        return self.node.cell(address)

    def recorded(self, *kinds: type[M]) -> list[M]:
        return recorded(self.store, *kinds)

    def trade_on(self, fills: int = 1) -> None:
        """Run until so many more fills are in the ledger's books."""
        wanted = fills_count(self.node) + fills
        self.sim.run_until(lambda: fills_count(self.node) >= wanted, 15 * MINUTE)

    def kill_until(self, address: str, condition: Callable[[], bool], timeout_ns: int = 5 * MINUTE) -> None:
        """Kill an actor whenever it runs, until something has come of it."""

        def strike() -> bool:
            if condition():
                return True
            if self.cell(address).state is CellState.RUNNING:
                self.node.kill(address)
            return False

        self.sim.run_until(strike, timeout_ns)

"""The world of one test: its deployment in virtual time, what it does to it, what it sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from actors.deployment.config_tests.notation import with_instants
from actors.deployment.config_tests.steps import (
    Advance,
    ConfigTest,
    Expectation,
    Restart,
    SendMessage,
    SetMarket,
    Strike,
    WishOrder,
)
from actors.deployment.fault_kinds import EXCHANGE_KINDS, HAND_KINDS
from actors.deployment.topology import instant_ns
from actors.messages.market import Quote
from actors.messages.trading import OrderIntent
from actors.runtime.cell import Cell
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.wire_faults import LINE_KINDS
from actors.simulation.beginning import Beginning
from actors.simulation.config_tests.market import Prices, scripted
from actors.simulation.config_tests.record import Record
from actors.simulation.faults import Fault
from actors.simulation.run import SeedRun

__all__ = ["CannotDo", "Stage"]

QUOTE = Quote.__name__
BEYOND = {**LINE_KINDS, **EXCHANGE_KINDS, **HAND_KINDS}  # faults of the line, or behind it


class CannotDo(Exception):
    """A step cannot be done; the text says why."""


class Stage(SeedRun):
    """A run that goes step by step instead of by the clock. Watchers look on, as in every simulation."""

    def __init__(self, test: ConfigTest) -> None:
        self.test = test
        self.record = Record(step.deed for step in test.steps if isinstance(step.deed, Expectation))
        self._prices = Prices(test.market)
        self._intents = 0
        self._strikes = 0
        topology, paths = scripted(test.topology, self._prices)
        start_ns = instant_ns(test.given.start)
        cash = dict(test.given.cash or {})
        super().__init__(
            topology, test.given.seed, (), 0, start_ns=start_ns, paths=paths, beginning=Beginning(cash)
        )
        self.world.after_turn.append(lambda: self.record.read(self.world.store))
        self.wire.on_leave.append(
            lambda address, request: self.record.left(self.world.now_ns, address, request)
        )
        if self.far is not None:
            self.far.on_event.append(lambda event: self.record.booked(self.world.now_ns, event))

    # -- watching ------------------------------------------------------------------------------------

    def make_node(self, store: MemoryStore, clock: VirtualClock) -> Node:
        """Return a node that tells what its actors take in and what it announces."""
        node = super().make_node(store, clock)
        loop, record, announce = node.loop, self.record, node.loop.announce

        def tell(message: Message, cause: int) -> None:
            record.announced(loop.now_ns, message)
            announce(message, cause)

        loop.tap, loop.announce = self._tapped, tell
        for cell in loop.cells.values():
            if any(fnmatchcase(cell.name, pattern) for pattern in self.test.given.suspended):
                cell.is_suspended = True
        return node

    def _tapped(self, cell: Cell, handlers: dict[type, Any]) -> dict[type, Any]:
        record, loop, context = self.record, cell.context.loop, cell.context
        asked = record.messages | {QUOTE}

        def wrapped(handle: Any) -> Any:
            def take(message: Any, given: Any) -> None:
                record.handled(loop.now_ns, message, str(context.sender), cell.name)
                handle(message, given)

            return take

        return {
            kind: wrapped(handle) if kind.__name__ in asked else handle for kind, handle in handlers.items()
        }

    # -- doing ---------------------------------------------------------------------------------------

    def do(self, deed: Any) -> None:
        """Do what a step says. Errors: CannotDo."""
        world = self.world
        match deed:
            case Advance():
                world.run_for(deed.duration_ns)
                return
            case SetMarket():
                self._prices.ticks.update(deed.prices)
            case Strike():
                self._strike(deed)
            case SendMessage():
                self._send(deed)
            case WishOrder():
                self._wish(deed)
            case Restart():
                world.node.restart(deed.address)
        world.run_for(0)

    def _strike(self, deed: Strike) -> None:
        if self.far is None and deed.kind in BEYOND:
            raise CannotDo(
                f"{deed.kind!r} needs an exchange beyond the line, and this deployment has its own"
            )
        if deed.kind == "crash_cell" and deed.target not in self._node().loop.cells:
            raise CannotDo(f"the deployment has no actor {deed.target!r} to fail")
        self._strikes += 1
        fault = Fault(
            number=self._strikes,
            kind=deed.kind,
            at_ms=0,
            for_ms=deed.lasts_ns // 1_000_000,
            share_ppm=deed.share_ppm,
            value=deed.value,
            target=deed.target,
        )
        self.striker.strike(fault)

    def _send(self, deed: SendMessage) -> None:
        message = with_instants(deed.message, self.world.now_ns)
        if deed.to:
            self._bring(deed.to, message, deed.by)
            return
        readers = self._node().cell(deed.by).context.routes.get(type(message), ())
        if not readers:
            raise CannotDo(f"nobody reads {type(message).__name__} of {deed.by}")
        for reader in readers:
            self._bring(reader.name, message, deed.by)

    def _node(self) -> Node:
        if self.world.ended:
            raise CannotDo(f"the node does not run: {self.world.ended}")
        return self.world.node

    def _bring(self, address: str, message: Any, by: str) -> None:
        node = self._node()
        if by:
            node.loop.deliver(node.cell(address), message, 0, by)
        else:
            node.tell(address, message)

    def _wish(self, deed: WishOrder) -> None:
        instrument = self.topology.instruments[deed.symbol]
        bid, ask = self.record.quotes.get(deed.symbol, (0, 0))
        price = deed.limit_ticks or (bid + ask) // 2
        contracts = deed.contracts
        if not contracts:
            if not price:
                raise CannotDo(f"no price of {deed.symbol} is known yet, so 'usdt' says no size")
            contracts = -(-deed.usdt // (price * instrument.tick_value))
        self._intents += 1
        intent = OrderIntent(
            intent_id=deed.intent_id or f"test/{deed.strategy}#1.{self._intents}",
            strategy=deed.strategy,
            account=deed.account,
            symbol=deed.symbol,
            side=deed.side,
            contracts=contracts,
            order_type=deed.order_type,
            limit_ticks=deed.limit_ticks,
            time_in_force=deed.time_in_force,
            reduce_only=deed.reduce_only,
            decision_ticks=price,
            decided_at_ns=self.world.now_ns,
            mid_x2=bid + ask if bid and ask else 0,
        )
        self._bring(deed.risk, intent, "")

    # -- what holds now ------------------------------------------------------------------------------

    def now(self, asked: Expectation) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what `position`, `halt` or `state` speaks of, each with the actor that shows it."""
        if self.world.ended:
            return
        for address, cell in self.world.node.loop.cells.items():
            if asked.form.by and not fnmatchcase(address, asked.form.by):
                continue
            behaviour: Any = cell.behaviour
            if asked.subject == "state" and address == asked.name:
                yield address, behaviour.describe()
            elif asked.subject == "halt" and cell.kind == "risk":
                for scope, halt in behaviour.state.halts.items():
                    if fnmatchcase(scope, asked.name):
                        names = halt.__struct_fields__
                        yield f"{address} {scope}", {name: getattr(halt, name) for name in names}
            elif asked.subject == "position" and cell.kind == "ledger":
                held = {one["symbol"]: one for one in behaviour.describe()["positions"]}
                flat = {"symbol": asked.name, "net_contracts": 0, "cost_ticks": 0}
                yield address, held.get(asked.name, flat)

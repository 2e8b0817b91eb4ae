"""A node: cells wired to each other, supervised, recovered from a journal, run by one loop."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from actors.runtime.behaviour import Phase
from actors.runtime.cell import Cell, CellSpec, CellState
from actors.runtime.clock import Clock, VirtualClock
from actors.runtime.codec import decode_message
from actors.runtime.errors import NodeStopped, RuntimeFault, require
from actors.runtime.journal import Journal
from actors.runtime.loop import Loop
from actors.runtime.messages import Message
from actors.runtime.ports import TapedTurn
from actors.runtime.recovery import join_members, recover, restore_held, restore_timers
from actors.runtime.reshape import Reshape, Reshaper, no_shape
from actors.runtime.revival import Revival, needs_no_waiting
from actors.runtime.store import Store
from actors.runtime.supervision import SupervisionTree, SupervisorSpec
from actors.runtime.turn import LoopLimits

__all__ = ["GC_THRESHOLDS", "Node", "NodeStarted", "NodeStopping"]

ADDRESS_BYTES_MAX = 100  # it is part of keys on the disk
NODE = "node"  # the address under which the node itself records facts
# Messages and events die young and hold no circles: looking at them every 700 allocations costs 10%.
GC_THRESHOLDS = (50_000, 20, 50)
END_GRACE_NS = 2_000_000_000  # between an exhausted root and the end, for actions to go out
QUIET_TURNS_MAX = 10_000  # turns given to actors that stop, beside their time-outs


class NodeStarted(Message, frozen=True):
    """A node opened this journal and recovered."""

    epoch: int
    deployment: str
    configuration_hash: str
    events_folded: int
    recovery_ns: int
    version: str = ""  # of the code


class NodeStopping(Message, frozen=True):
    """A node stops in order."""

    reason: str


class Node:
    """Holds the cells of one process. Build it, `start()` it, then call `run()` or drive `loop.turn()`."""

    def __init__(
        self,
        cells: Iterable[CellSpec],
        supervisors: tuple[SupervisorSpec, ...],
        store: Store,
        clock: Clock,
        *,
        seed: int = 0,
        limits: LoopLimits | None = None,
        facts: dict[str, str] | None = None,
    ) -> None:
        self.journal = Journal(store)
        self.loop = Loop(self.journal, clock, seed=seed, limits=limits)
        self.tree = SupervisionTree(self, supervisors, seed)
        self.loop.guardian = self.tree
        self.loop.announce = self._announce
        self.facts = facts or {}
        self.ended = ""  # why the node ended by itself, if it did
        self.phase = -1
        self.recovery_ns = 0
        self.events_folded = 0
        self._stop_requested = False
        self._last_phase = max(Phase)
        self.revival = Revival(self.loop, self._note)
        self._commands: dict[str, Callable[[Any], None]] = {
            "restart": lambda address: self.revival.revive([self.cell(address)]),
            "suspend": lambda address: self._set_suspended(self.cell(address), True),
            "resume": lambda address: self._set_suspended(self.cell(address), False),
            "stop": lambda address: self.tree.stop_asked(self.cell(address)),
            "kill": lambda address: self._kill(self.cell(address)),
            "note": self._note,
            "reshape": lambda generation: self.reshaper.apply(self.shape_of(generation)),
        }
        self.loop.command = self.command
        self.reshaper = Reshaper(self)
        self.shape_of: Callable[[int], Reshape] = no_shape  # what a generation makes of this node
        for spec in cells:
            self._add(spec)
        self.wire()

    # -- building ------------------------------------------------------------------------------------

    def _add(self, spec: CellSpec) -> None:
        require(spec.name not in self.loop.cells, "two actors share an address", name=spec.name)
        require(len(spec.name.encode()) <= ADDRESS_BYTES_MAX, "an address is too long", name=spec.name)
        require(spec.name != NODE, "the node itself has this address", name=spec.name)
        cell = Cell(spec, self.loop, spec.make())
        self.loop.cells[spec.name] = cell
        self.tree.adopt(cell)

    def wire(self) -> None:
        """Connect who reads whom, as the cells' specs say."""
        cells = self.loop.cells
        for cell in cells.values():
            cell.context.routes = dict.fromkeys(cell.behaviour.EMITS, ())
            cell.context.peers.clear()
        for reader in cells.values():
            for address in dict.fromkeys(reader.spec.reads):
                require(address in cells, f"{reader.name} reads {address}, which is not there")
                source = cells[address]
                source.context.peers[reader.name] = reader
                for kind in source.behaviour.EMITS:
                    if kind in reader.behaviour.HANDLERS:
                        source.context.routes[kind] += (reader,)
        self._listeners: dict[type[Message], tuple[Cell, ...]] = {}

    def cell(self, address: str) -> Cell:
        """Return a cell. Errors: KeyError."""
        return self.loop.cells[address]

    # -- starting ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Recover every state from the journal and let the first phase start."""
        clock = self.loop.clock
        began = clock.reading_ns()
        self.loop.now_ns = max(clock.now_ns(), self.journal.at_ns)
        self.journal.open_epoch(self.facts, self.loop.now_ns)
        if self.loop.tape is not None or self.loop.script is not None:
            self.loop.taped_count = int(self.journal.store.get("meta", b"taped") or 0)
        if self.loop.tape is not None:
            self.loop.tape.started(self.loop.now_ns, self.journal.sequence, self.loop.taped_count)
        # A simulated process starts nodes by the thousand: their memory must stay collectable.
        is_real = not isinstance(clock, VirtualClock)
        if is_real:
            gc.disable()
        try:
            join_members(self.journal, self.loop.cells)
            self.events_folded = recover(self.journal, self.loop.cells.values())
            restore_timers(self.journal, self.loop.timers, self.loop.cells)
            restore_held(self.journal, self.loop.cells)
            self.journal.take_over(self.facts.get("version", ""))
        finally:
            if is_real:
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLDS)
                gc.enable()
        self.recovery_ns = self.loop.took_ns(began)
        names = ("deployment", "configuration_hash", "version")
        deployment, configuration, version = (self.facts.get(name, "") for name in names)
        counted = (self.events_folded, self.recovery_ns)
        self.record(NodeStarted(self.journal.epoch, deployment, configuration, *counted, version))
        for cell in self.loop.cells.values():
            # A new life draws other numbers than the one before, which may have used them for ids.
            cell.context.random.seed(f"{self.loop.seed}/{cell.name}/{self.journal.epoch}")
            cell.actor.join()
        self._hand_over_outbox()
        self._next_phase()

    def _hand_over_outbox(self) -> None:
        """Give the pumps what they may not have done, in the order in which it was asked for."""
        waiting = []
        for key, stored in self.journal.store.items("outbox"):
            number, port, raw = msgspec.msgpack.decode(stored, type=tuple[int, str, bytes])
            waiting.append((number, port, raw, key.decode().partition("\0")[0]))
        for number, port, raw, address in sorted(waiting):
            self.loop.effects_count = number
            if port in self.loop.pumps:
                self.loop.pumps[port].put(decode_message(raw), address)

    def _next_phase(self) -> None:
        """Start the next phase, and those after it that have nobody to wait for."""
        while True:
            self.phase += 1
            self.revival.phase = self.phase
            for cell in self.loop.cells.values():
                if cell.phase == self.phase and cell.state is CellState.WAITING:
                    self.revival.set_running(cell)
            if self.phase >= self._last_phase or not self._phase_is_ready():
                return

    @property
    def has_begun(self) -> bool:
        """Every phase has started."""
        return self.phase >= self._last_phase

    @property
    def is_ready(self) -> bool:
        """Every phase has started and every cell of it is ready."""
        return self.phase >= self._last_phase and self._phase_is_ready()

    def _phase_is_ready(self) -> bool:
        return all(needs_no_waiting(cell) for cell in self.loop.cells.values() if cell.phase <= self.phase)

    # -- running -------------------------------------------------------------------------------------

    def turn(self) -> bool:
        """Run one turn and whatever it makes possible; return whether there was anything to do."""
        worked = self.loop.turn()
        if self.phase < self._last_phase and self._phase_is_ready():
            self._next_phase()
            return True
        return worked

    def run(self, longest_wait_ns: int = 250_000_000, beat: Callable[[], bool] | None = None) -> None:
        """Run until `request_stop` or until the node ends by itself; then stop in order.

        `beat` is called after every turn; when it returns False nobody is left who would restart this node,
        and it stops.
        """
        is_virtual = isinstance(self.loop.clock, VirtualClock)  # it jumps at once, without a turn to no end
        while not (self._stop_requested or self.ended):
            if not self.turn() or (is_virtual and self.loop.is_quiet):
                self._idle(longest_wait_ns)
            if beat is not None and not beat():
                self.stop("its heart is gone")
                return
        self.stop(self.ended or "asked to stop")

    def _idle(self, longest_wait_ns: int) -> None:
        """Wait for something to do; a virtual clock jumps to the next timer instead."""
        clock = self.loop.clock
        if not isinstance(clock, VirtualClock):
            self.loop.wait(longest_wait_ns)
            return
        due_ns = self.loop.timers.next_due_ns()
        if due_ns is None:
            self._stop_requested = True  # nothing will ever happen again
        else:
            clock.advance_to(due_ns)

    def request_stop(self) -> None:
        """Have `run` return; callable from any thread and from a signal handler."""
        self._stop_requested = True
        self.loop.call(lambda: None)

    def stop(self, reason: str) -> None:
        """Stop in reverse start order, write final snapshots, close the journal."""
        self.loop.now_ns = max(self.loop.clock.now_ns(), self.journal.at_ns)
        if self.loop.tape is not None:
            self.loop.tape.stopped(self.loop.now_ns, reason)
            self.loop.tapes_idle_turns = True
        self.record(NodeStopping(reason))
        cells = list(self.loop.cells.values())
        for phase in reversed(Phase):
            for cell in reversed([cell for cell in cells if cell.phase == phase]):
                if cell.state is CellState.RUNNING:
                    self.loop.run_hook(cell, cell.behaviour.stopping)
            self._run_until_quiet(max((c.spec.stop_timeout_ns for c in cells if c.phase == phase), default=0))
        self.loop.inlet.accepting = False
        self.snapshot_all()
        self.loop.close(f"the node has stopped: {reason}")
        self.journal.store.close()
        gc.unfreeze()  # libraries of C++ call what is still frozen at the exit a leak, on stderr

    def abandon(self) -> None:
        """Leave as a killed process does: nothing is written, and nobody gets an answer."""
        for cell in self.loop.cells.values():
            cell.actor.leave()

    def _run_until_quiet(self, timeout_ns: int) -> None:
        deadline = self.loop.clock.reading_ns() + timeout_ns
        for _ in range(QUIET_TURNS_MAX):
            if not self.loop.turn():
                return
            if self.loop.clock.reading_ns() > deadline:
                break
        # Reads as quiet when the tape is played.
        self.loop.tape_turn(TapedTurn(self.loop.now_ns, True, False, False, [], []))

    def snapshot_all(self) -> None:
        """Write a snapshot of every event-sourced state that changed since its last one."""
        self.journal.events_since_snapshot = self.loop.limits.snapshot_events
        self.loop.writer.takes_all = True
        self.loop.touched = True
        self.loop.turn()

    # -- the edge ------------------------------------------------------------------------------------

    def tell(self, address: str, message: Message) -> None:
        """Send from outside the loop. Errors: KeyError, NodeStopped, NotAccepted, MailboxFull."""
        self.loop.inlet.put(self.loop.cells[address], message)

    def deliver_from_outside(self, address: str, message: Message) -> None:
        """Bring in a pump's answer; an actor that is gone, or a node that stops, wants it no more."""
        cell = self.loop.cells.get(address)
        if cell is not None and self.loop.accepting:
            self.loop.inlet.put(cell, message)

    def ask(self, address: str, message: Message, timeout_s: float | None = 5.0) -> Any:
        """Send from another thread and wait for `context.reply`.

        Errors: KeyError, NodeStopped, NotAccepted, MailboxFull, pykka.Timeout, pykka.ActorDeadError, and
        whatever the behaviour raised.
        """
        if not self.loop.accepting:
            raise NodeStopped("the node is stopping and takes no more messages")
        return self.loop.cells[address].actor.actor_ref.ask(message, timeout=timeout_s)

    def restart(self, address: str) -> None:
        """Rebuild one actor from the journal, as an operator asks; it does not count against its limits."""
        self._call("restart", address)

    def suspend(self, address: str) -> None:
        """Have an actor keep its messages until `resume`, restarts or not; a new process starts without."""
        self._call("suspend", address)

    def resume(self, address: str) -> None:
        """Let a suspended actor go on."""
        self._call("resume", address)

    def kill(self, address: str) -> None:
        """Have a running actor fail as if it had raised; its supervisor sees to it."""
        self._call("kill", address)

    def _call(self, name: str, address: str) -> None:
        require(address in self.loop.cells, "no actor has this address", address=address)
        self.loop.call(lambda: self.command(name, address))

    def command(self, name: str, argument: Any) -> None:
        """Do what somebody outside asks of the node itself, in the loop's thread; the tape is told."""
        loop = self.loop
        if loop.tape is not None:
            loop.commands.append((name, argument))
        is_hosting, loop.is_hosting = loop.is_hosting, False  # what follows from it is the node's own doing
        self._commands[name](argument)
        loop.is_hosting = is_hosting

    def _set_suspended(self, cell: Cell, suspended: bool) -> None:
        cell.is_suspended = suspended
        if suspended and cell.state is CellState.RUNNING:
            cell.state = CellState.SUSPENDED
        elif not suspended and cell.state is CellState.SUSPENDED:
            cell.state = CellState.RUNNING
            self.revival.go_on(cell)

    def _kill(self, cell: Cell) -> None:
        if cell.state is CellState.RUNNING or cell.state is CellState.SUSPENDED:
            self.loop.fail(cell, RuntimeFault("killed on request"))

    def act_later(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Run an action in the loop's thread, between two turns, after a while."""
        self.loop.act_later(delay_ns, action, is_hosted=True)

    # -- House: what supervision needs -----------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The loop's time."""
        return self.loop.now_ns

    def revive(self, cells: list[Cell]) -> None:
        """Rebuild these actors now, from the loop's thread between two turns; see `restart`."""
        for cell in cells:
            self.command("restart", cell.name)

    def retire(self, cell: Cell) -> None:
        """Take a cell out of service."""
        self.loop.stop_cell(cell)

    def later(self, delay_ns: int, cells: list[Cell]) -> None:
        """Revive these cells after a while."""
        self.revival.later(delay_ns, cells)

    def note(self, event: Message) -> None:
        """Journal a fact about the node and tell whoever accepts it."""
        if self.loop.is_turning and not self.loop.is_hosting:
            self._note(event)
        else:  # a fact from outside is an input
            self.command("note", event)

    def _note(self, event: Message) -> None:
        self.record(event)
        self._announce(event, 0)

    def record(self, event: Message) -> None:
        """Journal a fact about the node with the next turn."""
        self.loop.records.append((NODE, 0, event.VERSION, event))
        self.loop.touched = True

    def end(self, reason: str) -> None:
        """The root is exhausted: let the announced action go out, then end."""
        self.loop.act_later(END_GRACE_NS, lambda: setattr(self, "ended", reason), is_hosted=False)

    def _announce(self, message: Message, cause: int) -> None:
        kind = type(message)
        listeners = self._listeners.get(kind)
        if listeners is None:
            cells = self.loop.cells.values()
            listeners = tuple(cell for cell in cells if kind in cell.behaviour.HANDLERS)
            self._listeners[kind] = listeners
        for cell in listeners:
            self.loop.deliver_control(cell, message, cause, NODE)

"""A simulated process: a node on a virtual clock and a disk in memory, killed and reopened at will.

Everything the real process has runs here without a thread: turns, commits, timers, supervision, recovery. The
clock jumps to the next instant at which something happens. What lies beyond the pumps is the test's world; it
keeps its own appointments with `after`, and it survives the node.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any

from actors.runtime.clock import DriftingClock, VirtualClock
from actors.runtime.errors import InvariantError, require
from actors.runtime.messages import Message
from actors.runtime.node import Node
from actors.runtime.ports import Pump
from actors.runtime.pykka_port import is_answered
from actors.runtime.store_memory import MemoryStore

__all__ = ["Killed", "Simulation"]

START_NS = 1_760_000_000_000_000_000
TURNS_AT_ONCE_MAX = 1_000_000  # at one instant; more means that two things keep each other busy without end
ASK_WITHIN_NS = 60_000_000_000


class Killed(BaseException):
    """The process dies here. Not an Exception, so that nothing on the way handles it."""


class Simulation:
    """Drives the node that `make` builds from a store and a clock, as often as it has to be built again."""

    def __init__(
        self,
        make: Callable[[MemoryStore, VirtualClock], Node],
        *,
        pumps: Mapping[str, Pump] | None = None,
        store: MemoryStore | None = None,
        start_ns: int = START_NS,
    ) -> None:
        self._make = make
        self._pumps = dict(pumps or {})
        self._appointments: list[tuple[int, int, Callable[[], None]]] = []
        self._appointments_count = 0
        self._commits_left = 0  # until the process is killed; 0 for never
        self._dies_written = False
        self.store = store or MemoryStore()
        self.store.on_commit = self._on_commit
        self.clock = VirtualClock(start_ns)  # the world's
        self.node_clock = DriftingClock(self.clock)
        self.crashes_count = 0
        self.ended = ""  # why the node ended by itself, if it did
        self.after_turn: list[Callable[[], None]] = []  # watchers, called after every turn that did something
        self.node: Node
        self.open()

    # -- time ----------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The virtual instant."""
        return self.clock.now_ns()

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Have the world outside do something later; a crash of the node does not keep it from it."""
        self._appointments_count += 1
        heapq.heappush(self._appointments, (self.now_ns + delay_ns, self._appointments_count, action))

    def step(self) -> bool:
        """Run one turn; return whether there was anything to do."""
        if self.ended:
            return False
        try:
            worked = self.node.turn()
            if self.node.ended:
                self.stop(self.node.ended)
                worked = True
        except Killed:
            self.crash()
            worked = True
        if worked:
            for watch in self.after_turn:
                watch()
        return worked

    def settle(self) -> None:
        """Run turns until nothing is left to do at this instant."""
        for _ in range(TURNS_AT_ONCE_MAX):
            if not self.step():
                return
        raise InvariantError(f"{TURNS_AT_ONCE_MAX} turns have not brought this instant to its end")

    def run_for(self, duration_ns: int) -> None:
        """Let virtual time pass, with everything that happens on the way."""
        self._run(self.now_ns + duration_ns, lambda: False)

    def run_until(self, condition: Callable[[], bool], timeout_ns: int = 3_600_000_000_000) -> None:
        """Run until a condition holds after a turn. Errors: InvariantError when time runs out first."""
        require(self._run(self.now_ns + timeout_ns, condition), "the condition did not come true in time")

    def wait_for(self, condition: Callable[[], bool], within_ns: int) -> bool:
        """Run until a condition holds after a turn, at most so long; return whether it does."""
        return self._run(self.now_ns + within_ns, condition)

    def _run(self, end_ns: int, condition: Callable[[], bool]) -> bool:
        while True:
            while not condition():
                if self.node.loop.is_quiet or not self.step():
                    break
            else:
                return True
            due_ns = self._next_due_ns()
            if due_ns is None or due_ns > end_ns:
                self.clock.advance_to(end_ns)
                return condition()
            self.clock.advance_to(due_ns)
            self._keep_appointments()

    def _next_due_ns(self) -> int | None:
        due_ns = self._appointments[0][0] if self._appointments else None
        timer_ns = None if self.ended else self.node.loop.timers.next_due_ns()
        if timer_ns is None:
            return due_ns
        timer_ns = self.node_clock.world_ns(timer_ns)
        return timer_ns if due_ns is None or timer_ns < due_ns else due_ns

    def _keep_appointments(self) -> None:
        appointments, clock = self._appointments, self.clock
        while appointments and appointments[0][0] <= clock.now_ns():
            heapq.heappop(appointments)[2]()

    # -- the edge ------------------------------------------------------------------------------------

    def tell(self, address: str, message: Message) -> None:
        """Send from outside. Errors: as Node.tell."""
        self.node.tell(address, message)

    def ask(self, address: str, message: Message) -> Any:
        """Send from outside and run until the answer is there. Errors: whatever the behaviour raised."""
        future = self.node.cell(address).actor.actor_ref.ask(message, block=False)
        self._run(self.now_ns + ASK_WITHIN_NS, lambda: is_answered(future))
        return future.get(timeout=0)

    # -- life and death ------------------------------------------------------------------------------

    def open(self) -> None:
        """Start a node on the disk as it is: the first one, or one more after a stop or an end."""
        while True:
            self.ended = ""
            self.node = self._make(self.store, self.node_clock)
            self.node.loop.pumps.update(self._pumps)
            try:
                self.node.start()
                return
            except Killed:
                self._bury()

    def crash(self, *, power_cut: bool = False) -> None:
        """Kill the process between two turns and start it again; a power cut loses what was not synced."""
        self._bury()
        if power_cut:
            self.store.lose_unsynced()
        self.open()

    def _bury(self) -> None:
        self.crashes_count += 1
        self._commits_left = 0
        self.node.abandon()

    def kill_at_commit(self, number: int, *, written: bool = False) -> None:
        """Kill the process at the n-th commit from now on, before its write or between that and release."""
        require(number > 0, "commits are counted from 1")
        self._commits_left, self._dies_written = number, written

    def _on_commit(self, is_written: bool) -> None:
        if self._commits_left == 0:
            return
        if is_written == self._dies_written:
            self._commits_left -= 1
            if self._commits_left == 0:
                raise Killed

    def stop(self, reason: str = "the simulation is over") -> None:
        """Stop the node in order; the disk stays, and `open` starts the next node on it."""
        try:
            self.node.stop(reason)
        except Killed:
            self._bury()
        self.ended = reason

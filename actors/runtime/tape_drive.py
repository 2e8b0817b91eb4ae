"""A tape as nothing but inputs: given to another node at the instants at which they came.

`play` repeats a run to the byte: each turn takes exactly what it took. Here the node decides itself what a
turn takes; only what came from outside, and when, is the tape's. So a node with another far side, or other
code, can live through the same day.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.runtime.clock import VirtualClock
from actors.runtime.errors import MailboxFull, NodeStopped, NotAccepted
from actors.runtime.node import Node
from actors.runtime.store_memory import MemoryStore
from actors.runtime.tape import SilentPumps, read_tape, taped_input, taped_message

__all__ = ["TapeDrive"]

# What a person or the machine did to a node. What its supervisors did, its own supervisors will do.
PASSED_ON = frozenset({"note", "suspend", "resume", "stop"})
TURNS_MAX = 100_000  # at one instant; a node that needs more never comes to rest


class TapeDrive:
    """Drives nodes that `make` builds, one for each start on the tape, all on one disk in memory.

    `wants` says which addresses still take inputs from the tape. With `runs_between` timers fire when they
    are due, as they must when the far side is another one; without, only at the instants of the tape.
    """

    def __init__(
        self,
        make: Callable[[MemoryStore, VirtualClock], Node],
        wants: Callable[[str], bool] = lambda address: True,
        *,
        runs_between: bool = False,
    ) -> None:
        self._make = make
        self._wants = wants
        self._runs_between = runs_between
        self._clock = VirtualClock(0)
        self._is_stopped = True
        self.store = MemoryStore()
        self.node: Node | None = None
        self.refused_count = 0  # inputs that the other node has no use for

    def run(self, directory: str | Path, until_ns: int = 0) -> None:
        """Drive to the end of the tape, or to an instant. Errors: whatever the node's code raises."""
        for entry in read_tape(directory):
            now_ns = entry[1]
            if until_ns and now_ns > until_ns:
                break
            if entry[0] == "start":
                self._start(now_ns)
            elif self.node is None:
                continue
            elif entry[0] == "turn":
                self._turn(self.node, now_ns, entry[5], entry[6])
            else:
                self._let_pass(self.node, now_ns)
                self.node.stop(entry[2])
                self._is_stopped = True
        if self.node is not None and not self._is_stopped:
            self._let_pass(self.node, max(until_ns, self._clock.now_ns()))

    def _start(self, now_ns: int) -> None:
        if self.node is not None and not self._is_stopped:
            self.node.abandon()
        self._clock.advance_to(now_ns)
        self.node = node = self._make(self.store, self._clock)
        node.loop.pumps = SilentPumps()
        node.start()
        self._is_stopped = False

    def _turn(self, node: Node, now_ns: int, commands: list[Any], chunks: list[Any]) -> None:
        self._let_pass(node, now_ns)
        for name, argument in commands:
            if name in PASSED_ON and (name == "note" or argument in node.loop.cells):
                node.command(name, taped_message(argument) if name == "note" else argument)
        for _, inputs in chunks:
            for address, *rest in inputs:
                cell = node.loop.cells.get(address)
                if cell is None or not self._wants(address):
                    continue
                try:
                    node.loop.inlet.put(*taped_input(cell, *rest))
                except (NotAccepted, MailboxFull, NodeStopped):
                    self.refused_count += 1
        node.turn()
        if self._runs_between:
            self._settle(node)

    def _let_pass(self, node: Node, now_ns: int) -> None:
        """Let time pass, and what is due on the way happen."""
        timers, clock = node.loop.timers, self._clock
        while self._runs_between:
            self._settle(node)
            due_ns = timers.next_due_ns()
            if due_ns is None or due_ns >= now_ns:
                break
            clock.advance_to(max(due_ns, clock.now_ns()))
        clock.advance_to(max(now_ns, clock.now_ns()))

    def _settle(self, node: Node) -> None:
        for _ in range(TURNS_MAX):
            if not node.turn():
                return

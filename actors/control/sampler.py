"""What the control thread knows of the node: taken from the loop in small bites, kept for everyone who asks.

Counters of all cells are read in one bite. `describe()` may cost more, so it is called at most once a second
per actor, never longer than one bite at a time, and rarely for an actor whose description is expensive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.control.door import Door
from actors.control.fields import masked, plain
from actors.runtime.cell import Cell
from actors.runtime.clock import monotonic_ns
from actors.runtime.node import Node

__all__ = ["ActorSample", "Sample", "Sampler", "SupervisorSample", "describe", "read_gauges"]

BITE_NS = 1_000_000  # of the loop's time in one go; half of what a view may cost
FRESH_NS = 1_000_000_000  # a sample, and a description, is not taken again before
COST_SHARE = 100  # a description may cost the loop one part in so many


@dataclass(slots=True)
class ActorSample:
    """One cell's counters at one instant."""

    address: str
    kind: str
    supervisor: str
    phase: int
    state: str
    ready: bool
    waiting: int
    capacity: int
    handled: int
    failures: int
    restarts: int
    refused: int
    recovery_ns: int
    last_error: str


@dataclass(slots=True)
class SupervisorSample:
    """One supervisor at one instant."""

    name: str
    parent: str
    strategy: str
    restarts: int  # within the period
    intensity: int
    exhausted: bool


@dataclass(slots=True)
class Sample:
    """The node at one instant."""

    taken_ns: int  # monotonic
    at_ns: int
    ready: bool
    phase: int
    sequence: int
    turn: int
    written_at_ns: int  # when the newest record was written, by the loop's clock
    counters: dict[str, int]
    disk_bytes: int
    disk_bytes_max: int
    actors: list[ActorSample]
    supervisors: list[SupervisorSample]
    descriptions: dict[str, Any] = field(default_factory=dict)
    gauges: dict[str, dict[str, float]] = field(default_factory=dict)
    loop_delay_ns: int = 0


@dataclass(slots=True)
class _Description:
    raw: bytes = b"{}"
    due_ns: int = 0  # monotonic


class Sampler:
    """Takes samples; hands the last one out while it is fresh."""

    def __init__(self, node: Node, door: Door, now: Callable[[], int] = monotonic_ns) -> None:
        self._node = node
        self._door = door
        self._now = now
        self._descriptions = {name: _Description() for name in node.loop.cells}
        self._asking = asyncio.Lock()
        self.last: Sample | None = None
        self.taken_count = 0
        self._usage = (0, 0)  # of the disk, as last seen: a stopped node has closed its journal

    async def sample(self) -> Sample:
        """Return a sample that is at most a second old. Errors: TimeoutError when the loop is stuck."""
        async with self._asking:
            if self.last is None or self._now() - self.last.taken_ns >= FRESH_NS:
                sample = await self._door.run(self.take_counters)
                while not await self._door.run(self.describe_some):
                    pass
                return self._complete(sample)
            return self.last

    def forget(self) -> None:
        """Have the next question look anew: an order has just changed what the last sample says."""
        self.last = None
        for description in self._descriptions.values():
            description.due_ns = 0

    def sample_now(self) -> Sample:
        """Take a sample on the spot; only when the loop does not run, or from inside it."""
        self.forget()
        sample = self.take_counters()
        while not self.describe_some():
            pass
        return self._complete(sample)

    def _complete(self, sample: Sample) -> Sample:
        sample.descriptions = {name: _decoded(d.raw) for name, d in self._descriptions.items()}
        sample.gauges = {name: read_gauges(cell) for name, cell in self._node.loop.cells.items()}
        sample.loop_delay_ns = self._door.delay_ns
        self.last = sample
        self.taken_count += 1
        return sample

    # -- inside the loop ---------------------------------------------------------------------------------

    def take_counters(self) -> Sample:
        """Return a sample without descriptions."""
        node, loop = self._node, self._node.loop
        journal = loop.journal
        used, limit = self._usage = journal.store.usage() if loop.accepting else self._usage
        counters = loop.counters
        return Sample(
            taken_ns=self._now(),
            at_ns=loop.clock.now_ns(),
            ready=node.is_ready,
            phase=node.phase,
            sequence=journal.sequence,
            turn=journal.turn,
            written_at_ns=journal.at_ns,
            counters={name: getattr(counters, name) for name in counters.__slots__},
            disk_bytes=used,
            disk_bytes_max=limit,
            actors=[self.actor(cell) for cell in loop.cells.values()],
            supervisors=[self._supervisor(name) for name in node.tree.supervisors],
        )

    def actor(self, cell: Cell) -> ActorSample:
        """Return one cell's counters."""
        return ActorSample(
            address=cell.name,
            kind=cell.kind,
            supervisor=cell.spec.supervisor,
            phase=cell.phase,
            state=cell.state.value,
            ready=cell.is_ready,
            waiting=cell.waiting_count,
            capacity=cell.capacity,
            handled=cell.handled_count,
            failures=cell.failures_count,
            restarts=cell.restarts_count,
            refused=cell.refused_count,
            recovery_ns=cell.recovery_ns,
            last_error=cell.last_error,
        )

    def _supervisor(self, name: str) -> SupervisorSample:
        supervisor = self._node.tree.supervisors[name]
        spec = supervisor.spec
        return SupervisorSample(
            name=name,
            parent=spec.parent or "",
            strategy=spec.strategy.value,
            restarts=len(supervisor.restarts),
            intensity=spec.intensity,
            exhausted=supervisor.is_exhausted,
        )

    def describe_some(self) -> bool:
        """Renew descriptions that are due until the bite is used up; True when none is left."""
        began = self._now()
        cells = self._node.loop.cells
        if self._descriptions.keys() != cells.keys():  # the node has become another one
            self._descriptions = {name: self._descriptions.get(name, _Description()) for name in cells}
        for name, description in self._descriptions.items():
            now = self._now()
            if now - began > BITE_NS:
                return False
            if now >= description.due_ns:
                description.raw = describe(cells[name])
                cost = self._now() - now
                description.due_ns = now + max(FRESH_NS, cost * COST_SHARE)
        return True


def describe(cell: Cell) -> bytes:
    """Return an actor's description as JSON; what goes wrong in it is an answer too.

    Encoded on the spot: the actor changes its state as soon as the loop goes on.
    """
    try:
        return msgspec.json.encode(cell.behaviour.describe(), enc_hook=plain)
    except Exception as error:
        return msgspec.json.encode({"describe_failed": f"{type(error).__name__}: {error}"})


def read_gauges(cell: Cell) -> dict[str, float]:
    """Return an actor's gauges; they are made to be read from another thread."""
    try:
        return dict(cell.behaviour.gauges())
    except Exception as error:  # a scrape must not fail as a whole because of one actor
        return {"gauges_failed": float(bool(error))}


def _decoded(raw: bytes) -> Any:
    return masked(msgspec.json.decode(raw))

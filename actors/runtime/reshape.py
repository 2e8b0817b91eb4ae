"""A running node becomes another one between two turns: cells come, go, are rebuilt, are told new settings.

What does not change goes on as if nothing had happened. `prepare` builds everything new beside the old and
has its state rebuilt from the journal, so that what cannot live is known before anything has been touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.runtime.behaviour import Behaviour
from actors.runtime.cell import Cell, CellSpec, CellState
from actors.runtime.errors import RuntimeFault, require
from actors.runtime.messages import Message
from actors.runtime.preparation import Preparation, ReshapeRefused
from actors.runtime.recovery import join_members, recover

if TYPE_CHECKING:
    from actors.runtime.node import Node

__all__ = ["NodeReshaped", "Reshape", "ReshapeRefused", "Reshaper", "no_shape"]


class NodeReshaped(Message, frozen=True):
    """The actors of a node changed while it ran."""

    generation: int
    created: tuple[str, ...]
    restarted: tuple[str, ...]
    told: tuple[str, ...]  # new settings, without a restart
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reshape:
    """Every cell of the new shape, and what becomes of those that are, will or shall not be there."""

    generation: int
    specs: Mapping[str, CellSpec]  # all of them, by address, in start order
    create: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None  # by address: told to a behaviour that goes on
    remove: tuple[str, ...] = ()


class Reshaper:
    """Works in the loop's thread, between two turns."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._prepared: tuple[int, Preparation] | None = None  # of which generation

    def check(self, change: Reshape) -> None:
        """Try whether the new shape can live, at once. Errors: ReshapeRefused."""
        preparation = self.prepare(change)
        while preparation.advance():
            pass

    def prepare(self, change: Reshape) -> Preparation:
        """Build the new shape beside the old; advance its states between turns until they are there.

        Errors: ReshapeRefused, also when advancing.
        """
        cells, specs = self._node.loop.cells, change.specs
        for name in change.create:
            require(name not in cells, "an actor of this address is there already", name=name)
        for name in (*change.restart, *change.remove, *(change.settings or {})):
            require(name in cells, "no actor has this address", name=name)
        require(
            set(specs) == (set(cells) | set(change.create)) - set(change.remove),
            "the new shape names each of its actors",
        )
        for spec in specs.values():
            for address in spec.reads:
                require(address in specs, f"{spec.name} reads {address}, which is not there")
            require(spec.supervisor in self._node.tree.supervisors, "no supervisor", name=spec.supervisor)
        preparation = Preparation(self._node.journal)
        new = (*change.create, *change.restart, *(change.settings or {}))
        preparation.add([self._made(specs[name]) for name in new])
        self._prepared = change.generation, preparation
        return preparation

    def _made(self, spec: CellSpec) -> Cell:
        try:
            return Cell(spec, self._node.loop, spec.make())
        except Exception as error:
            raise ReshapeRefused(spec.name, f"{type(error).__name__}: {error}") from error

    def _take_prepared(self, change: Reshape) -> dict[str, tuple[Behaviour, int]]:
        """Return what is ready of the states of cells that restart; the rest is rebuilt at once."""
        prepared, self._prepared = self._prepared, None
        if prepared is None or prepared[0] != change.generation:
            return {}
        ready = prepared[1].ready()
        return {name: ready[name] for name in change.restart if name in ready}

    def apply(self, change: Reshape) -> None:
        """Make the node what `check` has tried."""
        for name in reversed(change.remove):
            self._remove(self._node.cell(name))
        for name in change.create:
            self._add(change.specs[name])
        moved = [self._respecify(self._node.cell(name), spec) for name, spec in change.specs.items()]
        if change.create or change.remove or any(moved):
            self._node.wire()  # of a thousand actors: 8 ms, for which everybody would wait
        join_members(self._node.journal, self._node.loop.cells)
        for name, settings in (change.settings or {}).items():
            cell = self._node.cell(name)
            self._node.loop.run_hook(cell, partial(cell.behaviour.reconfigured, settings))
        beside = self._take_prepared(change)
        self._node.revival.revive([self._node.cell(name) for name in change.restart], beside)
        self._begin([self._node.cell(name) for name in change.create])
        told = tuple(change.settings or ())
        self._node.note(NodeReshaped(change.generation, change.create, change.restart, told, change.remove))

    def _remove(self, cell: Cell) -> None:
        loop = self._node.loop
        if cell.state is CellState.RUNNING:
            loop.run_hook(cell, cell.behaviour.stopping)
        loop.stop_cell(cell)
        self._node.tree.release(cell)
        del loop.cells[cell.name]

    def _add(self, spec: CellSpec) -> None:
        cell = Cell(spec, self._node.loop, spec.make())
        self._node.loop.cells[spec.name] = cell
        self._node.tree.adopt(cell)

    def _respecify(self, cell: Cell, spec: CellSpec) -> bool:
        """Give a cell its new spec; return whether it hears others from now on."""
        is_moved = spec.reads != cell.spec.reads
        if spec.supervisor != cell.spec.supervisor:
            self._node.tree.release(cell)
            cell.spec = spec
            self._node.tree.adopt(cell)
        cell.spec = spec
        cell.capacity = spec.mailbox_capacity
        cell.conflate_at = max(cell.capacity, cell.conflate_at)
        return is_moved

    def _begin(self, cells: list[Cell]) -> None:
        """Start cells as the node's start does."""
        loop, revival = self._node.loop, self._node.revival
        recover(self._node.journal, cells)
        for cell in cells:
            cell.context.random.seed(f"{loop.seed}/{cell.name}/{self._node.journal.epoch}")
            cell.actor.join()
            if cell.phase <= revival.phase:
                revival.set_running(cell)


def no_shape(generation: int) -> Reshape:
    """Return nothing: a node that nobody has told of generations has one."""
    raise RuntimeFault(f"this node knows no generation {generation}")

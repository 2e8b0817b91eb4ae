"""Bringing behaviours back: rebuilt from the journal inside the cells that outlive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from actors.runtime.behaviour import Behaviour
from actors.runtime.cell import Cell, CellState
from actors.runtime.messages import ActorRestarted, Message
from actors.runtime.recovery import NOTHING_BESIDE, recover
from actors.runtime.turn import forget_timers

if TYPE_CHECKING:
    from actors.runtime.loop import Loop

__all__ = ["Revival", "needs_no_waiting"]

Beside = Mapping[str, tuple[Behaviour, int]]


class Revival:
    """Runs in the loop's thread between two turns, when nothing is uncommitted."""

    def __init__(self, loop: Loop, note: Callable[[Message], None]) -> None:
        self._loop = loop
        self._note = note
        self._newest: dict[str, int] = {}  # cell -> number of the revival that it waits for
        self._count = 0
        self.phase = -1  # the node's; cells of later ones wait for it

    def later(self, delay_ns: int, cells: list[Cell]) -> None:
        """Revive these cells after a while, unless they have been revived or have failed again by then."""
        self._count += 1
        number = self._count
        self._newest.update((cell.name, number) for cell in cells)

        def act() -> None:
            waiting = [cell for cell in cells if self._newest.get(cell.name) == number]
            self.revive([cell for cell in waiting if cell.state is CellState.BACKING_OFF])

        self._loop.act_later(delay_ns, act, is_hosted=False)

    def revive(self, cells: list[Cell], beside: Beside = NOTHING_BESIDE) -> None:
        """Rebuild these cells' behaviours from the journal and let them run, in this order.

        `beside`: see recovery.recover.
        """
        began = self._loop.clock.reading_ns()
        for cell in cells:
            forget_timers(self._loop, cell)
        for cell in self._recover(cells, beside):
            cell.restarts_count += 1
            cell.recovery_ns = self._loop.took_ns(began)
            cell.actor.join()
            if cell.phase > self.phase:
                cell.state = CellState.WAITING
                continue
            self.set_running(cell)
            if cell.state is not CellState.FAILED:
                now_ns = self._loop.now_ns
                self._note(ActorRestarted(cell.name, cell.restarts_count, cell.recovery_ns, now_ns))

    def _recover(self, cells: list[Cell], beside: Beside = NOTHING_BESIDE) -> list[Cell]:
        """Rebuild behaviours, all in one pass; a cell for which that fails has failed once more."""
        try:
            recover(self._loop.journal, cells, beside)
            return cells
        except Exception as error:
            if len(cells) > 1:
                return [cell for cell in cells if self._recover([cell])]
            self._loop.fail(cells[0], error)
            return []

    def set_running(self, cell: Cell) -> None:
        """Let a behaviour start and handle what waits for it."""
        cell.state = CellState.RUNNING
        if self._loop.run_hook(cell, cell.behaviour.started):
            if not cell.behaviour.EXPLICIT_READY:
                cell.is_ready = True
            if cell.is_suspended:
                cell.state = CellState.SUSPENDED
        self.go_on(cell)

    def go_on(self, cell: Cell) -> None:
        """Have the loop look at a cell that may handle its messages again."""
        self._loop.held.add(cell)
        if cell.waiting_count and not cell.queued:
            cell.queued = True
            self._loop.ready.append(cell)


def needs_no_waiting(cell: Cell) -> bool:
    """Tell whether later phases need not wait for a cell: it is ready, or it will not come back."""
    return cell.state is CellState.STOPPED or (
        cell.is_ready and cell.state in (CellState.RUNNING, CellState.SUSPENDED)
    )

"""Supervision with OTP's words and meaning: who is restarted with whom, how often, and what then.

Restarts are counted per supervisor: more than `intensity` within `period` exhausts it. It then stops its
children, tells everyone who listens which action its settings ask for (`SupervisorExhausted`), and fails
upwards: its parent restarts it, under the parent's own limits. The root has no parent: the node ends.
"""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from actors.runtime.cell import Cell, CellState, Restart
from actors.runtime.errors import require
from actors.runtime.messages import ActorFailed, ActorStopped, Message, SupervisorExhausted

__all__ = ["House", "Strategy", "SupervisionTree", "Supervisor", "SupervisorSpec"]

MAX_DOUBLINGS = 16  # of the back-off; the maximum is reached long before


class Strategy(enum.Enum):
    """Who is restarted when one child fails."""

    ONE_FOR_ONE = "one_for_one"  # the child
    ONE_FOR_ALL = "one_for_all"  # all children
    REST_FOR_ONE = "rest_for_one"  # the child and those started after it


@dataclass(frozen=True, slots=True)
class SupervisorSpec:
    """What an operator says about one supervisor."""

    name: str
    parent: str | None = None
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 5  # restarts allowed
    period_ns: int = 60_000_000_000  # within this time
    exhausted: str = "stop"  # the action announced past the limit; its meaning is the application's
    backoff_ns_min: int = 50_000_000
    backoff_ns_max: int = 10_000_000_000


class House(Protocol):
    """What supervision needs of the node."""

    @property
    def now_ns(self) -> int:
        """The loop's time."""
        ...

    def retire(self, cell: Cell) -> None:
        """Take a cell out of service."""
        ...

    def later(self, delay_ns: int, cells: list[Cell]) -> None:
        """Revive these cells after a while."""
        ...

    def note(self, event: Message) -> None:
        """Journal a fact about the node and tell whoever accepts it."""
        ...

    def end(self, reason: str) -> None:
        """The root is exhausted: the node must end."""
        ...


class Supervisor:
    """One node of the tree. Children are cells and supervisors in start order."""

    def __init__(self, spec: SupervisorSpec) -> None:
        self.spec = spec
        self.parent: Supervisor | None = None
        self.children: list[Cell | Supervisor] = []
        self.restarts: deque[int] = deque()  # instants, within the period
        self.failures_in_row = 0
        self.last_failure_ns = 0
        self.is_exhausted = False

    def cells(self) -> Iterator[Cell]:
        """Yield all cells below, in start order."""
        for child in self.children:
            if isinstance(child, Supervisor):
                yield from child.cells()
            else:
                yield child

    def supervisors(self) -> Iterator[Supervisor]:
        """Yield all supervisors below."""
        for child in self.children:
            if isinstance(child, Supervisor):
                yield child
                yield from child.supervisors()

    def affected_by(self, failed: Cell | Supervisor) -> list[Cell]:
        """Return the cells that go down with a child that fails, in start order; it is among them."""
        strategy = self.spec.strategy
        position = self.children.index(failed)
        if strategy is Strategy.ONE_FOR_ONE:
            chosen = [failed]
        elif strategy is Strategy.ONE_FOR_ALL:
            chosen = self.children
        else:
            chosen = self.children[position:]
        found: list[Cell] = []
        for child in chosen:
            found.extend(child.cells() if isinstance(child, Supervisor) else [child])
        return [cell for cell in found if cell.state is not CellState.STOPPED]

    def count(self, now_ns: int) -> bool:
        """Count one restart; return whether it is still within the limit."""
        restarts, spec = self.restarts, self.spec
        while restarts and restarts[0] <= now_ns - spec.period_ns:
            restarts.popleft()
        if now_ns - self.last_failure_ns > spec.period_ns:
            self.failures_in_row = 0
        self.last_failure_ns = now_ns
        self.failures_in_row += 1
        restarts.append(now_ns)
        return len(restarts) <= spec.intensity

    def backoff_ns(self, chance: random.Random) -> int:
        """Return how long to wait before the next restart: doubling, capped, with jitter in (1/2, 1]."""
        doublings = min(self.failures_in_row - 1, MAX_DOUBLINGS)
        longest = min(self.spec.backoff_ns_max, self.spec.backoff_ns_min << doublings)
        return longest - chance.randrange(longest // 2 + 1)


class SupervisionTree:
    """All supervisors of a node; the loop's Guardian."""

    def __init__(self, house: House, specs: tuple[SupervisorSpec, ...], seed: int) -> None:
        self._house = house
        self._random = random.Random(f"{seed}/supervision")
        self.supervisors = {spec.name: Supervisor(spec) for spec in specs}
        self._of_cell: dict[str, Supervisor] = {}
        roots = []
        for spec in specs:
            supervisor = self.supervisors[spec.name]
            if spec.parent is None:
                roots.append(supervisor)
            else:
                require(spec.parent in self.supervisors, "a supervisor's parent is missing", name=spec.name)
                supervisor.parent = self.supervisors[spec.parent]
                supervisor.parent.children.append(supervisor)
        require(len(roots) == 1, "a node has exactly one root supervisor", found=len(roots))
        self.root = roots[0]
        below = {self.root.spec.name, *(supervisor.spec.name for supervisor in self.root.supervisors())}
        lost = sorted(set(self.supervisors) - below)
        require(not lost, "supervisors are each other's parents in a circle", names=lost)

    def adopt(self, cell: Cell) -> None:
        """Put a cell under its supervisor, behind those already there."""
        name = cell.spec.supervisor
        require(name in self.supervisors, "no supervisor of this name", name=name, actor=cell.name)
        supervisor = self.supervisors[name]
        supervisor.children.append(cell)
        self._of_cell[cell.name] = supervisor

    def release(self, cell: Cell) -> None:
        """Look after a cell no longer."""
        self._of_cell.pop(cell.name).children.remove(cell)

    def supervisor_of(self, cell: Cell) -> Supervisor:
        """Return who looks after a cell."""
        return self._of_cell[cell.name]

    # -- Guardian ------------------------------------------------------------------------------------

    def failed(self, cell: Cell, error: BaseException, item: Any, *, retried: bool) -> None:
        """A behaviour raised: restart it with whom it belongs, or give up on it."""
        now_ns = self._house.now_ns
        message_type = type(item[0]).__name__ if item is not None else ""
        attempt = 1 if retried or item is None else 2
        text = f"{type(error).__name__}: {error}"
        self._house.note(ActorFailed(cell.name, text, message_type, attempt, now_ns))
        if cell.state is not CellState.FAILED:
            return  # one that failed in the same turn has taken it along
        if cell.spec.restart is Restart.TEMPORARY:
            self._take_down([cell], text)
        else:
            self._restart(self._of_cell[cell.name], cell, text)

    def stop_asked(self, cell: Cell) -> None:
        """Somebody outside asked an actor to stop: one that is permanent comes back, as after a failure."""
        reason = "asked to stop"
        if cell.spec.restart is Restart.PERMANENT:
            self._restart(self._of_cell[cell.name], cell, reason)
        else:
            self._house.retire(cell)
            self._house.note(ActorStopped(cell.name, reason, self._house.now_ns))

    def cannot_keep_up(self, cell: Cell, message: Message) -> None:
        """Messages that may not be dropped pile up: say so, as loudly as an exhausted supervisor does."""
        supervisor = self._of_cell[cell.name]
        reason = f"{cell.waiting_count} messages wait, more than its capacity of {cell.capacity}"
        self._tell(supervisor, cell.name, reason)

    def _restart(self, supervisor: Supervisor, failed: Cell | Supervisor, reason: str) -> None:
        if not supervisor.count(self._house.now_ns):
            self._exhaust(supervisor, failed, reason)
            return
        name = failed.name if isinstance(failed, Cell) else failed.spec.name
        coming_back = self._take_down(supervisor.affected_by(failed), f"went down with {name}")
        self._house.later(supervisor.backoff_ns(self._random), coming_back)

    def _take_down(self, cells: list[Cell], reason: str) -> list[Cell]:
        """Stop cells in reverse order; return those that will come back, in start order."""
        coming_back = []
        for cell in reversed(cells):
            if cell.spec.restart is Restart.TEMPORARY:
                self._house.retire(cell)
                self._house.note(ActorStopped(cell.name, reason, self._house.now_ns))
            else:
                cell.state = CellState.BACKING_OFF
                coming_back.append(cell)
        return coming_back[::-1]

    def _exhaust(self, supervisor: Supervisor, failed: Cell | Supervisor, reason: str) -> None:
        name = failed.name if isinstance(failed, Cell) else failed.spec.name
        self._tell(supervisor, name, f"{len(supervisor.restarts)} restarts in the period; last: {reason}")
        supervisor.restarts.clear()
        if supervisor.parent is None:
            supervisor.is_exhausted = True
            self._house.end(f"supervisor {supervisor.spec.name} is exhausted: {reason}")
            return
        self._restart(supervisor.parent, supervisor, reason)

    def _tell(self, supervisor: Supervisor, name: str, reason: str) -> None:
        spec = supervisor.spec
        self._house.note(SupervisorExhausted(spec.name, name, spec.exhausted, reason, self._house.now_ns))

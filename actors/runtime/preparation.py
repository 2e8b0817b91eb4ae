"""Behaviours rebuilt from the journal beside those that run, a few events at a time.

So a planned restart holds the others up for what happened since, not for everything since the last snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.behaviour import Behaviour, Persistence
from actors.runtime.cell import Cell
from actors.runtime.errors import RuntimeFault
from actors.runtime.journal import Entry, Journal
from actors.runtime.recovery import folder_of, rebuild

__all__ = ["Preparation", "ReshapeRefused"]

EVENTS_AT_ONCE = 500  # read between two turns: about a millisecond


class ReshapeRefused(RuntimeFault):
    """A cell of the new shape cannot be made or recovered. Nothing has been touched."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address


@dataclass(slots=True)
class _Rebuilt:
    behaviour: Behaviour
    covered: int  # sequence up to which it knows the journal
    fold: Callable[[Entry], None] | None  # None: its state is in its snapshot alone


class Preparation:
    """Call `advance` between turns until it says that nothing is left; in the loop's thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rebuilt: dict[str, _Rebuilt] = {}
        self._next = 0  # sequence to read from

    def add(self, cells: Sequence[Cell]) -> None:
        """Make these behaviours from their newest snapshots. Errors: ReshapeRefused."""
        for cell in cells:
            try:
                behaviour, covered = rebuild(self._journal, cell)
                is_folded = behaviour.PERSISTENCE is Persistence.EVENT_SOURCED and behaviour.EVENTS
                fold = folder_of(cell.name, behaviour) if is_folded else None
            except Exception as error:
                raise ReshapeRefused(cell.name, f"{type(error).__name__}: {error}") from error
            self._rebuilt[cell.name] = _Rebuilt(behaviour, covered, fold)
        starts = [one.covered + 1 for one in self._rebuilt.values() if one.fold is not None]
        self._next = min(starts, default=self._journal.sequence + 1)

    def advance(self, events_max: int = EVENTS_AT_ONCE) -> bool:
        """Fold in the next events; return whether more are left. Errors: ReshapeRefused."""
        if self._next > self._journal.sequence:
            return False
        read = 0
        for record in self._journal.turns(self._next):
            sequence = record.first_sequence - 1
            for entry in record.entries:
                sequence += 1
                self._take(entry, sequence)
            self._next = sequence + 1
            read += len(record.entries)
            if read >= events_max:
                break
        return self._next <= self._journal.sequence

    def _take(self, entry: Entry, sequence: int) -> None:
        found = self._rebuilt.get(entry.cell)
        if found is None or found.fold is None or sequence <= found.covered:
            return
        try:
            found.fold(entry)
        except Exception as error:
            raise ReshapeRefused(entry.cell, f"{type(error).__name__}: {error}") from error

    def ready(self) -> dict[str, tuple[Behaviour, int]]:
        """Return what need not be rebuilt again, each with the sequence up to which it knows the journal.

        What a snapshot has overtaken meanwhile is not among it: events before it may be gone, and rebuilding
        is quick again.
        """
        known = self._next - 1
        return {
            name: (one.behaviour, max(known, one.covered))
            for name, one in self._rebuilt.items()
            if one.fold is not None and self._snapshot_at(name) <= max(known, one.covered)
        }

    def _snapshot_at(self, name: str) -> int:
        snapshot = self._journal.snapshot(name)
        return max(snapshot.sequence if snapshot is not None else 0, self._journal.floor_of(name))

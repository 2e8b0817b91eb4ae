"""Turns what a turn recorded and asked for into one write for the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from actors.runtime.cell import Cell, CellState
from actors.runtime.store import TurnWrite
from actors.runtime.store_passing import PassingStore
from actors.runtime.turn import TurnOutput, held_writes

if TYPE_CHECKING:
    from actors.runtime.loop import Loop

__all__ = ["PassingWriter", "TurnWriter", "writer_for"]

# What a snapshot may cost, in bytes per event since the one before: larger states are written less often.
SNAPSHOT_BYTES_PER_EVENT = 25
SEEN = b"\x01"
ENDED_IN_ORDER = (b"ended", b"yes")
IN_DOUBT = (CellState.FAILED, CellState.BACKING_OFF, CellState.STOPPED)


NOTHING = TurnWrite()


def writer_for(loop: Loop) -> TurnWriter | PassingWriter:
    """Return what ends the turns of a loop, by what its store keeps."""
    store = loop.journal.store
    return PassingWriter(loop, store) if isinstance(store, PassingStore) else TurnWriter(loop)


class PassingWriter:
    """In the place of TurnWriter where the past is not kept: nothing is encoded, nothing written."""

    keeps_states = False
    is_due = False
    takes_all = False

    def __init__(self, loop: Loop, store: PassingStore) -> None:
        self._loop = loop
        self._store = store

    def write(self, out: TurnOutput, held: Iterable[Cell]) -> TurnWrite:
        """Show the turn's events to whoever listens."""
        loop, records = self._loop, self._loop.records
        loop.timers.writes.clear()
        if out.seen:
            self._store.remember(out.seen, loop.limits.dedupe_ids_kept)
        if records:
            loop.counters.events += len(records)
            loop.journal.passed(loop.now_ns, len(records))
            self._store.pass_by(loop.now_ns, records)
            records.clear()
        return NOTHING


class TurnWriter:
    """Builds the write of each turn of one loop; decides when snapshots are due."""

    keeps_states = True

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        store = loop.journal.store
        last = store.last("dead_letters")
        self._dedupe_count = store.seen_count()
        self._snapshot_bytes: dict[str, int] = {}  # size of each state when it was written last
        self.takes_all = False  # whatever it costs, as the node stops
        self._dead_letter_number = int(last[0]) + 1 if last else 0

    @property
    def is_due(self) -> bool:
        """Whether snapshots are due, even if the turn recorded nothing."""
        return self._loop.journal.events_since_snapshot >= self._loop.limits.snapshot_events

    def write(self, out: TurnOutput, held: Iterable[Cell]) -> TurnWrite:
        """Return everything this turn makes durable."""
        loop = self._loop
        journal, records = loop.journal, loop.records
        after = journal.sequence + len(records)
        snapshots = [
            (name.encode(), journal.snapshot_bytes(after, version, msgspec.Raw(state)))
            for name, (version, state) in out.saves.items()
        ]
        meta: tuple[tuple[bytes, bytes], ...] = ()
        if journal.events_since_snapshot + len(records) >= self._loop.limits.snapshot_events:
            meta = self._snapshot_into(snapshots, after)
        if self.takes_all:
            meta = (*meta, ENDED_IN_ORDER)
        timers: tuple[tuple[bytes, bytes | None], ...] = ()
        if loop.timers.writes:
            timers, loop.timers.writes = tuple(loop.timers.writes.items()), {}
        return TurnWrite(  # in order of its fields: most turns fill one or two of them
            (journal.record(loop.now_ns, records),) if records else (),
            tuple(snapshots),
            tuple(out.outbox.items()) if out.outbox else (),
            timers,
            tuple([(key, SEEN) for key in out.seen]) if out.seen else (),
            held_writes(held) if held else (),
            self._dead_letter_writes(out.dead_letters) if out.dead_letters else (),
            meta,
            self._rotates_dedupe(len(out.seen)),
        )

    def _snapshot_into(
        self, snapshots: list[tuple[bytes, bytes]], sequence: int
    ) -> tuple[tuple[bytes, bytes], ...]:
        """Add a snapshot of every event-sourced state that changed since its last one; return the new floor.

        The floor says that every state is as its snapshot tells up to there. A changed state that is in
        doubt, as its cell waits for a restart or is stopped, is not written: its cell keeps its floor. So
        does a state so large that it is not worth writing yet.
        """
        journal = self._loop.journal
        event_sourced = [cell for cell in self._loop.cells.values() if cell.context.appliers is not None]
        changed = [cell for cell in event_sourced if cell.dirty]
        kept_back = {
            cell.name: journal.floor_of(cell.name)
            for cell in changed
            if cell.state in IN_DOUBT or self._is_early(cell, sequence)
        }
        for cell in changed:
            if cell.name not in kept_back:
                behaviour = cell.behaviour
                raw = journal.snapshot_bytes(sequence, behaviour.STATE_VERSION, behaviour.state)
                snapshots.append((cell.name.encode(), raw))
                self._snapshot_bytes[cell.name] = len(raw)
                cell.dirty = False
        journal.events_since_snapshot = -len(self._loop.records)
        journal.snapshot_floor = sequence
        floor = (b"snapshot_floor", b"%d" % sequence)
        if not journal.floors and not kept_back:
            return (floor,)
        journal.members.update(dict.fromkeys(journal.floors, -1) | kept_back)
        journal.floors = kept_back
        return (floor, journal.members_entry())

    def _is_early(self, cell: Cell, sequence: int) -> bool:
        """Tell whether too little has happened since a state was written last for its size."""
        events_count = sequence - self._loop.journal.floor_of(cell.name)
        size = self._snapshot_bytes.get(cell.name, 0)
        return size > events_count * SNAPSHOT_BYTES_PER_EVENT and not self.takes_all

    def _dead_letter_writes(self, letters: list[bytes]) -> tuple[tuple[bytes, bytes | None], ...]:
        """Append letters under growing numbers; each one beyond the bound takes the place of the oldest."""
        writes: list[tuple[bytes, bytes | None]] = []
        for letter in letters:
            number = self._dead_letter_number
            writes.append((b"%012d" % number, letter))
            if number >= self._loop.limits.dead_letters_kept:
                writes.append((b"%012d" % (number - self._loop.limits.dead_letters_kept), None))
            self._dead_letter_number += 1
        return tuple(writes)

    def _rotates_dedupe(self, added: int) -> bool:
        self._dedupe_count += added
        if self._dedupe_count < self._loop.limits.dedupe_ids_kept:
            return False
        self._dedupe_count = added
        return True

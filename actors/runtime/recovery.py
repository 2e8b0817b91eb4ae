"""From the journal back to behaviours: starting is the same code as recovering.

A state is its newest snapshot with the later events of its cell folded in. One pass over the journal serves
all cells of a node; the restart of one actor reads the same records and skips the others' events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from actors.runtime.behaviour import Behaviour, Persistence
from actors.runtime.cell import FROM_DURABLE_TIMER, Cell
from actors.runtime.codec import decode_message, decoder_for
from actors.runtime.errors import JournalNotUnderstood
from actors.runtime.journal import Entry, Journal, Snapshot
from actors.runtime.messages import Message
from actors.runtime.store import TurnWrite
from actors.runtime.timers import Timers

__all__ = [
    "NOTHING_BESIDE",
    "folder_of",
    "join_members",
    "rebuild",
    "recover",
    "restore_held",
    "restore_timers",
]

NOTHING_BESIDE: Mapping[str, tuple[Behaviour, int]] = {}


def recover(
    journal: Journal, cells: Iterable[Cell], beside: Mapping[str, tuple[Behaviour, int]] = NOTHING_BESIDE
) -> int:
    """Rebuild the behaviours of some cells and install them; return how many events were folded in.

    `beside`: behaviours that were rebuilt already, each with the sequence up to which it knows the journal.
    """
    waiting: dict[str, tuple[int, Any, Cell]] = {}
    for cell in cells:
        behaviour, covered = beside.get(cell.name) or rebuild(journal, cell)
        cell.install(behaviour)
        if behaviour.PERSISTENCE is Persistence.EVENT_SOURCED and behaviour.EVENTS:
            waiting[cell.name] = (covered, folder_of(cell.name, behaviour), cell)
    return _fold(journal, waiting) if waiting else 0


def rebuild(journal: Journal, cell: Cell) -> tuple[Behaviour, int]:
    """Return a new behaviour as its newest snapshot knows it, and the sequence that covers."""
    behaviour = cell.spec.make()
    behaviour.state = behaviour.initial_state()
    if behaviour.PERSISTENCE is Persistence.EPHEMERAL:
        return behaviour, 0
    floor = journal.floor_of(cell.name)
    snapshot = journal.snapshot(cell.name)
    if snapshot is None:
        return behaviour, floor
    if snapshot.version > behaviour.STATE_VERSION:
        raise JournalNotUnderstood(
            f"{cell.name}: its snapshot has version {snapshot.version}, "
            f"the code knows {behaviour.STATE_VERSION}"
        )
    is_older = snapshot.version < behaviour.STATE_VERSION
    if behaviour.STATE is None or (is_older and behaviour.PERSISTENCE is Persistence.EVENT_SOURCED):
        return behaviour, 0  # an older shape: the events rebuild the state from the start
    try:
        behaviour.state = _state_of(behaviour, snapshot, is_older)
    except msgspec.MsgspecError as error:
        raise JournalNotUnderstood(f"{cell.name}: its snapshot cannot be read: {error}") from error
    except NotImplementedError as error:
        raise JournalNotUnderstood(
            f"{cell.name}: its saved state has version {snapshot.version}, and the code, which knows "
            f"{behaviour.STATE_VERSION}, does not say how to upgrade it"
        ) from error
    return behaviour, max(snapshot.sequence, floor)


def _state_of(behaviour: Behaviour, snapshot: Snapshot, is_older: bool) -> Any:
    kind: Any = behaviour.STATE
    if not is_older:
        return msgspec.msgpack.decode(snapshot.state, type=kind)
    plain = behaviour.upgrade(msgspec.msgpack.decode(snapshot.state), snapshot.version)
    return msgspec.convert(plain, kind)


def folder_of(name: str, behaviour: Behaviour) -> Any:
    """Return a function that folds one stored event into a behaviour's state."""
    decode = decoder_for(behaviour.EVENTS).decode
    apply = behaviour.apply

    def fold(entry: Entry) -> None:
        try:
            event = decode(entry.event)
        except msgspec.MsgspecError as error:
            shown = msgspec.msgpack.decode(entry.event)
            raise JournalNotUnderstood(f"{name}: the event {shown!r} cannot be read: {error}") from error
        if entry.version != event.VERSION:
            event = _upgraded(name, event, entry.version)
        try:
            apply(event)
        except Exception as error:
            raise JournalNotUnderstood(f"{name}: the event {event!r} cannot be applied: {error!r}") from error

    return fold


def _upgraded(name: str, event: Message, version: int) -> Message:
    known = event.VERSION
    if version > known:
        raise JournalNotUnderstood(
            f"{name}: an event {type(event).__name__} has version {version}, the code knows {known}"
        )
    return event.upgraded_from(version)


def _fold(journal: Journal, waiting: dict[str, tuple[int, Any, Cell]]) -> int:
    count = 0
    start = min(covered for covered, _, _ in waiting.values()) + 1
    for record in journal.turns(start):
        sequence = record.first_sequence - 1
        for entry in record.entries:
            sequence += 1
            found = waiting.get(entry.cell)
            if found is not None and sequence > found[0]:
                found[1](entry)
                found[2].dirty = True  # its snapshot lags behind
                count += 1
    return count


def join_members(journal: Journal, cells: dict[str, Cell]) -> None:
    """Settle from where each cell's events must be folded when cells come and go between starts.

    The snapshot floor speaks for the cells of the node that raised it. A cell that left keeps the floor of
    that day; one that comes back starts from it; one never seen before has no events at all.
    """
    members = journal.members
    known = bool(members)
    for name, floor in members.items():
        if floor < 0 and name not in cells:
            members[name] = journal.snapshot_floor
    for name, cell in cells.items():
        floor = members.setdefault(name, journal.sequence if known else 0)
        if floor >= 0:  # its floor is its own until the next snapshot
            journal.floors[name] = floor
            cell.dirty = True
    journal.store.commit(TurnWrite(meta=(journal.members_entry(),)))


def restore_timers(journal: Journal, timers: Timers, cells: dict[str, Cell]) -> None:
    """Arm the durable timers that were pending."""
    for key, stored in journal.store.items("timers"):
        name, _, timer_key = key.decode().partition("\0")
        if name in cells:
            timers.restore(cells[name], timer_key, stored)


def restore_held(journal: Journal, cells: dict[str, Cell]) -> None:
    """Put back the messages that cells kept when the node ended."""
    for key, stored in journal.store.items("held"):
        name, _, number = key.decode().partition("\0")
        cell = cells.get(name)
        if cell is None:
            continue
        for lane, raw, cause, sender in msgspec.msgpack.decode(
            stored, type=list[tuple[int, bytes, int, str]]
        ):
            if lane:
                cell.control.append((decode_message(raw), cause, sender or FROM_DURABLE_TIMER))
            else:
                cell.data.append((decode_message(raw), cause, sender))
        cell.held_chunks = int(number) + 1
        cell.held_data, cell.held_control = len(cell.data), len(cell.control)

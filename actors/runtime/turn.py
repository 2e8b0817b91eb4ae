"""What one turn wants besides its events, and how that becomes one write."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from actors.runtime.cell import Ask, Cell, CellState, is_fleeting
from actors.runtime.codec import encode_message
from actors.runtime.messages import Message
from actors.runtime.pykka_port import answer

if TYPE_CHECKING:
    from actors.runtime.loop import Loop

__all__ = [
    "LoopCounters",
    "LoopLimits",
    "TurnOutput",
    "dead_letter",
    "forget_timers",
    "held_key",
    "held_writes",
    "release",
]


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Bounds of a turn and of what the journal keeps."""

    inputs_max: int = 1024  # messages from outside and timers taken into one turn
    turn_ns_max: int = 5_000_000  # no further inputs are taken once a turn has lasted this long
    inlet_max: int = 100_000  # messages from outside waiting for a turn, from which on edges are refused
    snapshot_events: int = 20_000  # journaled events between two snapshots of the states that changed
    dedupe_ids_kept: int = 100_000  # external ids remembered at least (at most twice as many)
    dead_letters_kept: int = 1_000


@dataclass(slots=True)
class LoopCounters:
    """Plain ints that a metrics collector reads from another thread."""

    turns: int = 0
    inputs: int = 0
    messages: int = 0
    commits: int = 0
    events: int = 0
    commit_ns: int = 0
    commit_ns_last: int = 0
    syncs: int = 0  # of the disk, beside the loop, where commits do not sync; counted by the thread that does
    sync_ns: int = 0
    busy_ns: int = 0
    failures: int = 0
    conflated: int = 0
    refused: int = 0
    dropped: int = 0
    dead_letters: int = 0

    def committed(self, duration_ns: int) -> None:
        """Count one commit and what it took."""
        self.commits += 1
        self.commit_ns_last = duration_ns
        self.commit_ns += duration_ns

    def synced(self, duration_ns: int) -> None:
        """Count one sync beside the loop and what it took."""
        self.sync_ns += duration_ns
        self.syncs += 1


@dataclass(slots=True)
class TurnOutput:
    """Collected while a turn runs; made durable or released when it ends."""

    saves: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # cell -> (version, encoded state)
    replies: list[tuple[Any, Any]] = field(default_factory=list)
    effects: list[tuple[str, Message, str]] = field(default_factory=list)
    outbox: dict[bytes, bytes | None] = field(default_factory=dict)
    seen: dict[bytes, None] = field(default_factory=dict)
    logs: list[tuple[str, str, dict[str, object], int]] = field(default_factory=list)
    failures: list[tuple[Cell, BaseException, Any, bool]] = field(default_factory=list)
    overflows: dict[str, tuple[Cell, Message]] = field(default_factory=dict)
    dead_letters: list[bytes] = field(default_factory=list)

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be written or released."""
        return bool(
            self.saves
            or self.replies
            or self.effects
            or self.outbox
            or self.seen
            or self.logs
            or self.failures
            or self.overflows
            or self.dead_letters
        )


def release(loop: Loop, out: TurnOutput) -> None:
    """Let out what waited for the commit."""
    for port, message, address in out.effects:
        loop.pumps[port].put(message, address)
    for future, reply in out.replies:
        answer(future, reply)
    for line in out.logs:
        loop.log_sink(*line)
    if loop.guardian is not None:
        for cell, message in out.overflows.values():
            loop.guardian.cannot_keep_up(cell, message)
        for cell, error, item, retried in out.failures:
            loop.guardian.failed(cell, error, item, retried=retried)


def forget_timers(loop: Loop, cell: Cell) -> None:
    """A behaviour has ended: its timers end with it, but for durable ones."""
    loop.timers.drop_of(cell)
    if any(is_fleeting(item) for item in cell.control):
        kept = [item for item in cell.control if not is_fleeting(item)]
        cell.control.clear()
        cell.control.extend(kept)
        cell.held_stale = True


def dead_letter(at_ns: int, cell: Cell, item: Any, retried: bool) -> bytes:
    """Return the record of a failed message: instant, cell, type, error, tried again?, cause, message."""
    message = item[0]
    try:
        raw = encode_message(message)
    except (TypeError, ValueError, OverflowError):  # that may be why it failed
        raw = repr(message).encode()
    letter = (at_ns, cell.name, type(message).__name__, cell.last_error, retried, item[1], raw)
    return msgspec.msgpack.encode(letter)


def held_writes(cells: Iterable[Cell]) -> tuple[tuple[bytes, bytes | None], ...]:
    """Return what keeps the messages that a cell could not handle in this turn beyond the process.

    Each turn adds one entry with what is new, so a long backlog costs no more than what comes in. Questions
    from the edge are left out: whoever asked is gone when they would be read again.
    """
    writes: list[tuple[bytes, bytes | None]] = []
    for cell in sorted(cells, key=lambda cell: cell.name):
        keeps = cell.state is not CellState.RUNNING and cell.state is not CellState.STOPPED
        shorter = len(cell.data) < cell.held_data or len(cell.control) < cell.held_control
        if not keeps or cell.held_stale or shorter:
            writes.extend((held_key(cell.name, number), None) for number in range(cell.held_chunks))
            cell.held_chunks = cell.held_data = cell.held_control = 0
            cell.held_stale = False
        if keeps:
            new = _newer(cell.data, cell.held_data, 0) + _newer(cell.control, cell.held_control, 1)
            cell.held_data, cell.held_control = len(cell.data), len(cell.control)
            if new:
                writes.append((held_key(cell.name, cell.held_chunks), msgspec.msgpack.encode(new)))
                cell.held_chunks += 1
    return tuple(writes)


def held_key(cell: str, number: int) -> bytes:
    """Return the key under which a part of a cell's mailbox is kept."""
    return f"{cell}\0{number:08d}".encode()


def _newer(lane: deque[tuple[Any, int, str]], known: int, number: int) -> list[tuple[int, bytes, int, str]]:
    """Return what stands behind the first `known` items: (lane, message, cause, sender)."""
    items = [lane[-back] for back in range(len(lane) - known, 0, -1)]
    return [
        (number, encode_message(item[0]), item[1], str(item[2]))
        for item in items
        if type(item[2]) is not Ask and not (number and is_fleeting(item))
    ]

"""What one turn wants besides its events, and how that becomes one write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.runtime.cell import Ask, Cell
from actors.runtime.codec import encode_message
from actors.runtime.messages import Message

__all__ = ["LoopCounters", "LoopLimits", "TurnOutput", "dead_letter", "held_writes"]


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Bounds of a turn and of what the journal keeps."""

    inputs_max: int = 1024  # messages from outside and timers taken into one turn
    turn_ns_max: int = 5_000_000  # no further inputs are taken once a turn has lasted this long
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
    busy_ns: int = 0
    failures: int = 0
    conflated: int = 0
    refused: int = 0
    dropped: int = 0
    dead_letters: int = 0


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


def dead_letter(at_ns: int, cell: Cell, item: Any, retried: bool) -> bytes:
    """Return the record of a failed message: instant, cell, type, error, tried again?, cause, message."""
    message = item[0]
    raw = encode_message(message) if isinstance(message, Message) else repr(message).encode()
    letter = (at_ns, cell.name, type(message).__name__, cell.last_error, retried, item[1], raw)
    return msgspec.msgpack.encode(letter)


def held_writes(cells: Iterable[Cell]) -> tuple[tuple[bytes, bytes | None], ...]:
    """Return what keeps the messages that a cell could not handle in this turn beyond the process."""
    writes: list[tuple[bytes, bytes | None]] = []
    for cell in sorted(cells, key=lambda cell: cell.name):
        kept = [
            (encode_message(message), cause, sender)
            for message, cause, sender in cell.data
            if isinstance(message, Message) and type(sender) is not Ask
        ]
        if kept or cell.held_stored:
            writes.append((cell.name.encode(), msgspec.msgpack.encode(kept) if kept else None))
            cell.held_stored = bool(kept)
    return tuple(writes)

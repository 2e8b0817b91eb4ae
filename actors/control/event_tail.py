"""The newest events of the journal, followed from inside the loop in small bites and decoded outside it."""

from __future__ import annotations

from collections import deque
from typing import Any

from actors.control.fields import FieldNames, masked
from actors.runtime.clock import monotonic_ns
from actors.runtime.journal import TurnRecord, read_turns
from actors.runtime.node import Node

__all__ = ["EventTail", "event_entry", "read_records"]

BITE_NS = 1_000_000
RECORDS_PER_BITE = 200
EVENTS_KEPT = 100
EVENTS_BEHIND_MAX = 1_000  # further behind than this the tail jumps to the end


def read_records(node: Node, from_sequence: int) -> tuple[list[TurnRecord], int]:
    """Return records from a sequence on, as many as a bite allows, and the sequence to go on from.

    Runs inside the loop. An LMDB file may not grow while another thread reads it, hence no reading beside it.
    """
    if not node.loop.accepting or from_sequence > node.journal.sequence:
        return [], from_sequence
    began, found = monotonic_ns(), []
    for record in read_turns(node.journal.store, from_sequence):
        found.append(record)
        from_sequence = record.first_sequence + len(record.entries)
        if len(found) >= RECORDS_PER_BITE or monotonic_ns() - began > BITE_NS:
            break
    return found, from_sequence


def event_entry(record: TurnRecord, index: int, names: FieldNames) -> dict[str, Any]:
    """Return one event of a record as plain values."""
    entry = record.entries[index]
    kind, fields = names.event(entry.event)
    return {
        "sequence": record.first_sequence + index,
        "turn": record.turn,
        "at_ns": record.at_ns,
        "actor": entry.cell,
        "cause": entry.cause,
        "type": kind,
        "fields": masked(fields),
    }


class EventTail:
    """Keeps the last events. `take` runs inside the loop, `add` on the control thread."""

    def __init__(self, node: Node, names: FieldNames) -> None:
        self._node = node
        self._names = names
        self._next = 0
        self.events: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)

    def take(self) -> list[TurnRecord]:
        """Return what was written since the last call, or only the end of it when that is much."""
        behind = self._node.journal.sequence - self._next + 1
        if behind > EVENTS_BEHIND_MAX:
            self._next = max(1, self._node.journal.sequence - EVENTS_KEPT + 1)
        found, self._next = read_records(self._node, self._next)
        return found

    def add(self, records: list[TurnRecord]) -> None:
        """Decode and keep the last of these events."""
        for record in records:
            for index in range(max(0, len(record.entries) - EVENTS_KEPT), len(record.entries)):
                if not self.events or record.first_sequence + index > self.events[-1]["sequence"]:
                    self.events.append(event_entry(record, index, self._names))

"""Why an order exists and what became of it: the chain of events from the signal to its last fill.

The ids are looked for in the stored bytes, and only records that hold one of them are decoded. Ids that turn
up beside the one asked for (the intent of an order, the order of an intent) are followed from there on; what
led to an event is found by the `cause` each event carries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.control.event_tail import event_entry
from actors.control.journal_reader import JournalReader
from actors.runtime.clock import monotonic_ns

__all__ = ["Chain", "why"]

ID_FIELDS = ("client_order_id", "intent_id")
ID_PATTERNS = (re.compile(r"[a-z2-7]{6}-\d+-\d+", re.ASCII), re.compile(r"\S+#\d+\.\d+", re.ASCII))
IDS_MAX = 32  # an order has two, one with its replacements a few more
CAUSES_DEPTH_MAX = 6  # further back it is another order's story
EVENTS_MAX = 2_000


@dataclass
class Chain:
    """The story of one order."""

    asked: str
    ids: list[str]
    events: list[dict[str, Any]] = field(default_factory=list)  # by sequence; `why` says how each got in
    scanned_events: int = 0
    took_ms: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "asked": self.asked,
            "ids": self.ids,
            "events": self.events,
            "scanned_events": self.scanned_events,
            "took_ms": self.took_ms,
        }


def why(reader: JournalReader, wanted: str) -> Chain:
    """Return the story of a client_order_id or intent_id; without events when the journal never saw it."""
    began = monotonic_ns()
    search = _Search(reader, wanted)
    search.scan()
    search.follow_causes()
    chain = search.chain
    chain.events = [search.found[sequence] for sequence in sorted(search.found)]
    chain.took_ms = round((monotonic_ns() - began) / 1e6, 1)
    return chain


class _Search:
    """One pass forward for the ids, then back along the causes."""

    def __init__(self, reader: JournalReader, wanted: str) -> None:
        self._reader = reader
        self.chain = Chain(wanted, [wanted])
        self.found: dict[int, dict[str, Any]] = {}
        self._needles = [needle(wanted)]

    def scan(self) -> None:
        """Collect every event that names one of the ids."""
        needles = self._needles
        for records in self._reader.raw_chunks():
            # One look at many records at once: a million of them one by one would cost a second.
            blob = b"".join([raw for _, raw in records])
            if any(wanted in blob for wanted in needles):
                for _, raw in records:
                    if any(wanted in raw for wanted in needles):
                        self._take(raw)
            if len(self.found) >= EVENTS_MAX:
                break
        self.chain.scanned_events = self._reader.last_sequence

    def _take(self, raw: bytes) -> None:
        record = self._reader.decode(raw)
        known = 0
        while known != len(
            self._needles
        ):  # an id learned from one event may be in an earlier one of the turn
            known = len(self._needles)
            for index, entry in enumerate(record.entries):
                sequence, stored = record.first_sequence + index, bytes(entry.event)
                if sequence not in self.found and any(found in stored for found in self._needles):
                    event = event_entry(record, index, self._reader.names)
                    self.found[sequence] = {**event, "why": "names the order"}
                    self._learn(event["fields"])

    def _learn(self, fields: dict[str, Any]) -> None:
        for name in related_ids(fields):
            if name not in self.chain.ids and len(self.chain.ids) < IDS_MAX:
                self.chain.ids.append(name)
                self._needles.append(needle(name))

    def follow_causes(self) -> None:
        """Add what led to the events found, step by step back."""
        waiting = {event["cause"] for event in self.found.values()}
        for _ in range(CAUSES_DEPTH_MAX):
            missing = sorted(waiting - self.found.keys() - {0})
            if not missing or len(self.found) >= EVENTS_MAX:
                return
            waiting = set()
            for sequence in missing:
                record = self._reader.record_of(sequence)
                if record is not None:
                    event = event_entry(record, sequence - record.first_sequence, self._reader.names)
                    self.found[sequence] = {**event, "why": "led to it"}
                    waiting.add(event["cause"])


def needle(text: str) -> bytes:
    """Return an id as it stands in the journal: with its length before it, so `x-1` is not in `x-12`."""
    return msgspec.msgpack.encode(text)


def related_ids(fields: Any) -> Iterator[str]:
    """Yield the ids of orders and intents in an event, by the field's name or, nameless, by form."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            if not isinstance(value, str):
                yield from related_ids(value)
            elif value and (name in ID_FIELDS or (name.isdigit() and _looks_like_an_id(value))):
                yield value
    elif isinstance(fields, list):
        for value in fields:
            if isinstance(value, str) and _looks_like_an_id(value):
                yield value
            elif not isinstance(value, str):
                yield from related_ids(value)


def _looks_like_an_id(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in ID_PATTERNS)

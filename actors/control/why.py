"""Why something happened: the chain of events from a signal to its last fill, of a denial, of a halt.

The ids are looked for in the stored bytes, and only records that hold one of them are decoded: a million
events take a fraction of a second, whatever kinds of ids there are, and no index costs the journal's writer
anything. Ids that turn up beside the one asked for (the intent of an order, the order of a fill, the parent
of a child) are followed too; what led to an event is found by the `cause` each event carries, and so is what
followed from a halt.
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
from actors.runtime.journal import TurnRecord

__all__ = ["Chain", "why"]

ID_FIELDS = ("client_order_id", "intent_id")
FAMILY_WORDS = ("parent", "replace", "amend")  # in names of fields that tie orders to each other
ID_PATTERNS = (
    re.compile(r"[a-z2-7]{6}(-[a-z2-7]{9})?-\d+-\d+", re.ASCII),
    re.compile(r"\S+#\d+\.\d+", re.ASCII),
)
VENUE_FIELDS = ("trade_id", "venue_order_id")  # short numbers of the venue: they count under these names only
NUMBER = re.compile(r"#(\d+)", re.ASCII)  # of an event
HALT = re.compile(r"halt(?::(\S+))?")
LATCHED, RELEASED = "HaltLatched", "HaltReleased"
IDS_MAX = 32  # an order has two, one with its replacements a few more
CAUSES_DEPTH_MAX = 6  # further back it is another order's story
FAMILY_PASSES_MAX = 2  # from a fill to its order, from there to the intent
EVENTS_MAX = 2_000
EVENTS_AFTER_MAX = 50_000  # behind a halt or another event, in which to look for what followed from it
LONG_RECORD_BYTES = 2_000


@dataclass
class Chain:
    """The story of one order, denial, fill or halt."""

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
    """Return the story of an id, of `#SEQUENCE`, or of `halt[:SCOPE]`; without events when there is none.

    Ids are those of orders, intents, parents, fills (trade_id) and the venue's of orders.
    """
    began = monotonic_ns()
    search = _Search(reader, wanted)
    number, halt = NUMBER.fullmatch(wanted), HALT.fullmatch(wanted)
    if number is not None:
        search.begin_with(int(number[1]))
    elif halt is not None:
        search.begin_with_halt(halt[1] or "")
    else:
        search.scan_by_name()
    search.look_back_for_family()
    search.follow_causes()
    chain = search.chain
    chain.events = [search.found[sequence] for sequence in sorted(search.found)]
    chain.scanned_events = reader.last_sequence
    chain.took_ms = round((monotonic_ns() - began) / 1e6, 1)
    return chain


class _Search:
    """One pass forward for the ids, one more for ids that began earlier, then back along the causes."""

    def __init__(self, reader: JournalReader, wanted: str) -> None:
        self._reader = reader
        self.chain = Chain(wanted, [wanted])
        self.found: dict[int, dict[str, Any]] = {}
        self._needles = [needle(wanted)]
        self._fields: tuple[str, ...] = ()  # under which the id asked for counts; any if empty
        self._family: list[str] = []  # ids that may have begun before the events that told of them

    # -- by id ---------------------------------------------------------------------------------------------

    def scan_by_name(self) -> None:
        """Collect every event that names the id: ours anywhere, the venue's under their own name only."""
        if _looks_like_an_id(self.chain.asked):
            self.scan()
            return
        for name in VENUE_FIELDS:
            if not self.found:
                self._fields = (name,)
                self.scan()
        if not self.found:
            self._fields = ()
            self.scan()

    def scan(self) -> None:
        """Collect every event that names one of the ids."""
        for raw in self._records_with(self._needles):
            self._take(raw)
            if len(self.found) >= EVENTS_MAX:
                break

    def _records_with(self, needles: list[bytes]) -> Iterator[bytes]:
        for records in self._reader.raw_chunks():
            # One look at many short records at once: a million of them one by one would cost a second.
            if sum([len(raw) for _, raw in records]) < LONG_RECORD_BYTES * len(records):
                blob = b"".join([raw for _, raw in records])
                if not any(wanted in blob for wanted in needles):
                    continue
            for _, raw in records:
                if any(wanted in raw for wanted in needles):
                    yield raw

    def _take(self, raw: bytes) -> None:
        record = self._reader.decode(raw)
        known = 0
        while known != len(self._needles):  # what one event taught may be in an earlier one of the turn
            known = len(self._needles)
            for index, entry in enumerate(record.entries):
                sequence, stored = record.first_sequence + index, bytes(entry.event)
                if sequence not in self.found and any(found in stored for found in self._needles):
                    self._add(record, index)

    def _add(self, record: TurnRecord, index: int) -> None:
        event = event_entry(record, index, self._reader.names)
        names = set(self.chain.ids[1:]) if self._fields else set()
        if self._fields and not _names_any(event["fields"], names) and not self._is_asked(event["fields"]):
            return
        self.found[event["sequence"]] = {**event, "why": "names the order"}
        self._learn(event["fields"])

    def _is_asked(self, fields: dict[str, Any]) -> bool:
        return any(fields.get(name) == self.chain.asked for name in self._fields)

    def _learn(self, fields: dict[str, Any]) -> None:
        for name, is_family in related_ids(fields):
            if name not in self.chain.ids and len(self.chain.ids) < IDS_MAX:
                self.chain.ids.append(name)
                self._needles.append(needle(name))
                if is_family or self._fields:
                    self._family.append(name)

    def look_back_for_family(self) -> None:
        """Collect what other events say of orders that one told of: of a fill, of a parent."""
        if self._family:
            self._learn_from_causes()
        needles = [needle(name) for name in self._family]
        for _ in range(FAMILY_PASSES_MAX):
            if not needles or not self.found:
                return
            known = len(self._needles)
            for raw in self._records_with(needles):
                self._take(raw)
                if len(self.found) >= EVENTS_MAX:
                    return
            needles = self._needles[known:]

    def _learn_from_causes(self) -> None:
        """A fill's causes name its intent: one pass for both ids instead of two."""
        for event in list(self.found.values()):
            for _ in range(CAUSES_DEPTH_MAX):
                record = self._reader.record_of(event["cause"]) if event["cause"] else None
                if record is None:
                    break
                event = event_entry(record, event["cause"] - record.first_sequence, self._reader.names)
                if _names_any(event["fields"], set(self.chain.ids)):
                    self._learn(event["fields"])

    # -- by event ------------------------------------------------------------------------------------------

    def begin_with(self, sequence: int) -> None:
        """Start from one event: the story of the order that it names, or what followed from it."""
        record = self._reader.record_of(sequence)
        if record is None:
            return
        event = event_entry(record, sequence - record.first_sequence, self._reader.names)
        self.chain.ids = [self.chain.asked]
        self._fields = ()
        self._learn(event["fields"])
        if len(self.chain.ids) > 1:
            self._needles = self._needles[1:]
            self.scan()
        self.found[sequence] = {**event, "why": "asked for"}
        self._follow_effects(sequence, "")

    def begin_with_halt(self, scope: str) -> None:
        """Start from the newest halt of a scope, or of any."""
        newest: dict[str, Any] | None = None
        for raw in self._records_with([needle(LATCHED)]):
            record = self._reader.decode(raw)
            for index in range(len(record.entries)):
                event = event_entry(record, index, self._reader.names)
                if event["type"] == LATCHED and scope in ("", event["fields"].get("scope")):
                    newest = event
        if newest is not None:
            self.found[newest["sequence"]] = {**newest, "why": "asked for"}
            self._follow_effects(newest["sequence"], str(newest["fields"].get("scope", "")))

    def _follow_effects(self, start: int, scope: str) -> None:
        """Add what followed from an event, and the release of a halt in that scope."""
        causes = {start}
        for first, raw in self._reader.raw_records(start):
            if first > start + EVENTS_AFTER_MAX or len(self.found) >= EVENTS_MAX:
                return
            record = self._reader.decode(raw)
            for index, entry in enumerate(record.entries):
                sequence = first + index
                if entry.cause in causes and sequence > start:
                    causes.add(sequence)
                    event = event_entry(record, index, self._reader.names)
                    self.found.setdefault(sequence, {**event, "why": "followed from it"})
                elif scope and sequence > start and RELEASED.encode() in bytes(entry.event)[:20]:
                    event = event_entry(record, index, self._reader.names)
                    if event["fields"].get("scope") == scope:
                        self.found[sequence] = {**event, "why": "ended it"}
                        return

    # -- backwards -----------------------------------------------------------------------------------------

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


def related_ids(fields: Any) -> Iterator[tuple[str, bool]]:
    """Yield the ids of orders and intents in an event, by the field's name or, nameless, by form.

    With each, whether it is of another order that this one is tied to.
    """
    if isinstance(fields, dict):
        for name, value in fields.items():
            if not isinstance(value, str):
                yield from related_ids(value)
                continue
            is_family = any(word in name for word in FAMILY_WORDS)
            named = name in ID_FIELDS or (is_family and _looks_like_an_id(value))
            if value and (named or (name.isdigit() and _looks_like_an_id(value))):
                yield value, is_family
    elif isinstance(fields, list):
        for value in fields:
            if isinstance(value, str) and _looks_like_an_id(value):
                yield value, False
            elif not isinstance(value, str):
                yield from related_ids(value)


def _names_any(fields: dict[str, Any], names: set[str]) -> bool:
    return bool(names) and any(name in names for name, _ in related_ids(fields))


def _looks_like_an_id(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in ID_PATTERNS)

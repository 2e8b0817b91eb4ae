"""Reads a node's journal from outside, while the node writes it or long after: for people and their tools.

Needs none of the classes that wrote the events: MessagePack says everything but the names of the fields. Read
transactions are short, so a reader never makes the journal grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import lmdb
import msgspec

from actors.control.event_tail import event_entry
from actors.control.fields import FieldNames, masked
from actors.runtime.errors import JournalError
from actors.runtime.journal import ChainBreak, TurnRecord, chain_of, check_format, sequence_key, verify_chain

__all__ = ["JournalReader", "Verdict"]

MAP_BYTES = 1 << 38  # address space only; above what a journal may be by default, so it can grow meanwhile
RECORDS_PER_LOOK = 2_000  # read in one transaction; a long one would keep old pages alive
RECORDS_PER_STEP = 50
BYTES_PER_LOOK = 16 << 20  # the record of one turn may hold a megabyte
TABLES = ("events", "snapshots", "outbox", "timers", "held", "dead_letters", "meta")
READ_FLAGS: dict[str, Any] = {"readonly": True, "max_dbs": 16, "readahead": True}


class Verdict(NamedTuple):
    """What checking a journal's chain found."""

    records: int
    last_sequence: int  # up to which everything is as it was written
    chain: str  # hash of that record; kept elsewhere, it proves later that nothing was cut off or rewritten
    fault: ChainBreak | None


class _Stored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    chain: bytes
    body: msgspec.Raw


_decode_stored = msgspec.msgpack.Decoder(_Stored).decode
_decode_turn = msgspec.msgpack.Decoder(TurnRecord).decode


class JournalReader:
    """One journal, opened for reading. Errors: JournalError when there is none, or it cannot be read."""

    def __init__(self, directory: str | Path, names: FieldNames | None = None) -> None:
        self.directory = Path(directory)
        self._names = names
        if not (self.directory / "data.mdb").is_file():
            raise JournalError(
                f"{self.directory}: there is no journal here; a deployment makes one when it first runs"
            )
        try:
            self._environment = self._open()
            self._tables = {name: table for name in TABLES if (table := self._table(name)) is not None}
        except lmdb.Error as error:
            raise JournalError(f"{self.directory}: the journal cannot be read: {error}") from error
        try:
            meta = dict(self.items("meta"))
            release = meta.get(b"release", b"").decode()
            check_format(meta.get(b"schema_version", b"").decode(), release)
        except JournalError:
            self.close()
            raise

    def _open(self) -> Any:
        size = (self.directory / "data.mdb").stat().st_size
        faults: list[lmdb.Error] = []
        # Without a lock file, as in a copy on read-only media, nobody can be writing.
        for map_size, lock in ((MAP_BYTES, True), (max(size, 1 << 20), True), (max(size, 1 << 20), False)):
            try:
                return lmdb.open(str(self.directory), map_size=map_size, lock=lock, **READ_FLAGS)
            except lmdb.Error as error:
                faults.append(error)
        raise faults[0]

    def _table(self, name: str) -> Any:
        try:
            return self._environment.open_db(name.encode(), create=False)
        except lmdb.NotFoundError:
            return None

    def close(self) -> None:
        """Release the file."""
        self._environment.close()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def names(self) -> FieldNames:
        """Names of fields, as far as this process knows the types."""
        if self._names is None:
            self._names = FieldNames()
        return self._names

    # -- raw -----------------------------------------------------------------------------------------------

    def raw_records(self, from_sequence: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (first sequence, stored bytes) of records, from the one that holds a sequence on."""
        for found in self.raw_chunks(from_sequence):
            yield from ((int.from_bytes(key, "big"), raw) for key, raw in found)

    def raw_chunks(self, from_sequence: int = 0) -> Iterator[list[tuple[bytes, bytes]]]:
        """Yield the same as lists of (key, stored bytes), each read in one transaction."""
        start = sequence_key(max(0, from_sequence))
        at_or_before = True
        while True:
            found = self._look(start, at_or_before)
            if not found:
                return
            yield found
            start, at_or_before = sequence_key(int.from_bytes(found[-1][0], "big") + 1), False

    def _look(self, start: bytes, at_or_before: bool) -> list[tuple[bytes, bytes]]:
        if "events" not in self._tables:
            return []
        with self._environment.begin(db=self._tables["events"]) as transaction:
            cursor = transaction.cursor()
            if not cursor.set_range(start):
                if not (at_or_before and cursor.last()):
                    return []
            elif at_or_before and cursor.key() != start:
                cursor.prev() or cursor.first()
            return _bounded(cursor.iternext())

    def items(self, table: str) -> list[tuple[bytes, bytes]]:
        """Return all entries of a small table."""
        if table not in self._tables:
            return []
        with self._environment.begin(db=self._tables[table]) as transaction:
            return list(transaction.cursor())

    def decode(self, raw: bytes) -> TurnRecord:
        """Return a stored record. Errors: JournalError."""
        try:
            return _decode_turn(_decode_stored(raw).body)
        except msgspec.MsgspecError as error:
            raise JournalError(f"{self.directory}: a record cannot be read: {error}") from error

    @property
    def begins_at(self) -> int:
        """The first event that is still here: earlier ones may have been archived."""
        forgotten = dict(self.items("meta")).get(b"forgotten")
        return int.from_bytes(forgotten[:8], "big") if forgotten else 1

    @property
    def identity(self) -> str:
        """The name that the journal got when it began; empty in one of an older version."""
        return dict(self.items("meta")).get(b"identity", b"").decode("utf-8", "replace")

    @property
    def last_sequence(self) -> int:
        """The number of the newest event; 0 in an empty journal."""
        if "events" not in self._tables:
            return 0
        with self._environment.begin(db=self._tables["events"]) as transaction:
            cursor = transaction.cursor()
            if not cursor.last():
                return 0
            record = self.decode(cursor.value())
        return record.first_sequence + len(record.entries) - 1

    # -- for people ----------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """Return what the journal holds, without reading the events."""
        meta = {key.decode(): value for key, value in self.items("meta")}
        first = next(iter(self.raw_records()), None)
        last = self.last_sequence
        newest = self.record_of(last) if last else None
        shown = (
            "deployment",
            "configuration_hash",
            "schema_version",
            "release",
            "identity",
            "epoch",
            "clock",
            "snapshot_floor",
        )
        with self._environment.begin() as transaction:
            counts = {name: transaction.stat(table)["entries"] for name, table in self._tables.items()}
        return {
            "directory": str(self.directory),
            **{name: meta[name].decode("utf-8", "replace") for name in shown if name in meta},
            "events": last,
            "records": counts.get("events", 0),
            "turns": newest.turn if newest else 0,
            "first_at_ns": self.decode(first[1]).at_ns if first else 0,
            "last_at_ns": newest.at_ns if newest else 0,
            "bytes": (self.directory / "data.mdb").stat().st_size,
            "snapshots": [self._snapshot(key, raw) for key, raw in self.items("snapshots")],
            "outbox": counts.get("outbox", 0),
            "timers": counts.get("timers", 0),
            "held": counts.get("held", 0),
            "dead_letters": counts.get("dead_letters", 0),
        }

    def _snapshot(self, key: bytes, raw: bytes) -> dict[str, Any]:
        sequence, version, _ = msgspec.msgpack.decode(raw, type=tuple[int, int, msgspec.Raw])
        return {"actor": key.decode(), "sequence": sequence, "version": version, "bytes": len(raw)}

    def record_of(self, sequence: int) -> TurnRecord | None:
        """Return the record that holds an event."""
        found = self._look(sequence_key(sequence), True)[:1]
        if not found:
            return None
        record = self.decode(found[0][1])
        return record if 0 <= sequence - record.first_sequence < len(record.entries) else None

    def events(
        self, from_sequence: int = 1, to_sequence: int | None = None, *, actor: str = "", kind: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Yield events as plain values, of one actor and one type if asked."""
        for first, raw in self.raw_records(from_sequence):
            if to_sequence is not None and first > to_sequence:
                return
            record = self.decode(raw)
            for index, entry in enumerate(record.entries):
                sequence = first + index
                if sequence < from_sequence or (actor and entry.cell != actor):
                    continue
                if to_sequence is not None and sequence > to_sequence:
                    return
                event = event_entry(record, index, self.names)
                if not kind or event["type"] == kind:
                    yield event

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return the messages that failed their reader and were kept, oldest first."""
        found = []
        for _, raw in self.items("dead_letters"):
            at_ns, actor, kind, error, retried, cause, message = msgspec.msgpack.decode(raw)
            found.append(
                {
                    "at_ns": at_ns,
                    "actor": actor,
                    "type": kind,
                    "error": error,
                    "tried_again": retried,
                    "cause": cause,
                    "fields": masked(self._letter_fields(message)),
                }
            )
        return sorted(found, key=lambda letter: letter["at_ns"])

    def _letter_fields(self, raw: bytes) -> dict[str, Any]:
        try:
            return self.names.event(raw)[1]
        except msgspec.MsgspecError:  # it was no message of ours: what Python shows of it
            return {"text": raw.decode("utf-8", "replace")}

    def verify(
        self,
        from_sequence: int = 0,
        to_sequence: int = 0,
        seen: Callable[[int, bytes], None] = lambda sequence, chain: None,
    ) -> Verdict:
        """Recompute the chain of hashes, of the whole journal or of a part; stop at the first break.

        See verify_chain. Errors: JournalError when the file itself cannot be read.
        """
        base = self.base_of(from_sequence) if from_sequence > 1 else None
        try:
            records, fault = verify_chain(_AsStore(self), base, to_sequence, seen)  # type: ignore[arg-type]
        except lmdb.Error as error:
            raise JournalError(f"{self.directory}: the journal's file is damaged: {error}") from error
        last = fault.sequence - 1 if fault is not None else self._last_of(to_sequence)
        return Verdict(records, last, self._chain_of(last), fault)

    def _last_of(self, to_sequence: int) -> int:
        record = self.record_of(to_sequence) if to_sequence else None
        return self.last_sequence if record is None else record.first_sequence + len(record.entries) - 1

    def base_of(self, sequence: int) -> tuple[int, bytes] | None:
        """Return the first sequence of the record that holds an event, and the chain before that record.

        None when it is the first the journal holds, or not there.
        """
        found = self._look(sequence_key(sequence), True)[:1]
        before = self._look(sequence_key(int.from_bytes(found[0][0]) - 1), True)[:1] if found else []
        if not before or before[0][0] == found[0][0] or not self._holds(found[0][1], sequence):
            return None
        return int.from_bytes(found[0][0], "big"), chain_of(before[0][1])

    def _holds(self, raw: bytes, sequence: int) -> bool:
        try:
            record = self.decode(raw)
        except JournalError:
            return True  # its own check says so
        return sequence < record.first_sequence + len(record.entries)

    def sequence_at(self, at_ns: int) -> int:
        """Return the last event at or before an instant; 0 when there is none. Time never goes back in it."""
        low, high = 0, self.last_sequence
        while low < high:
            middle = (low + high + 1) // 2
            record = self.record_of(middle)
            if record is not None and record.at_ns > at_ns:
                high = record.first_sequence - 1
            else:  # before the first that is still kept, too
                low = middle if record is None else record.first_sequence + len(record.entries) - 1
        return min(low, high)

    def _chain_of(self, sequence: int) -> str:
        found = self._look(sequence_key(sequence), True)[:1]
        try:
            return _decode_stored(found[0][1]).chain.hex() if found and sequence else ""
        except msgspec.MsgspecError:
            return ""


class _AsStore:
    """What the runtime's check of the chain needs of a store; of a Store it only reads."""

    def __init__(self, reader: JournalReader) -> None:
        self._reader = reader

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield entries in key order."""
        if database != "events":
            yield from self._reader.items(database)
            return
        for records in self._reader.raw_chunks(int.from_bytes(start, "big")):
            yield from (record for record in records if record[0] >= start)

    def get(self, database: str, key: bytes) -> bytes | None:
        """Return one value of a small table."""
        return dict(self._reader.items(database)).get(key)


def _bounded(items: Iterator[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return as many records as fit into one look."""
    found: list[tuple[bytes, bytes]] = []
    size = 0
    while len(found) < RECORDS_PER_LOOK and size < BYTES_PER_LOOK:
        part = list(islice(items, RECORDS_PER_STEP))
        if not part:
            break
        found += part
        size += sum([len(raw) for _, raw in part])
    return found

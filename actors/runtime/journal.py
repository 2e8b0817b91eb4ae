"""The journal: what every turn recorded, in order, chained by hash, and what recovery reads back.

One record per turn that recorded anything, under the sequence of its first event:
`[chain, [turn, at_ns, first_sequence, [[cell, cause, version, [type, field, ...]], ...]]]` in MessagePack.
`chain` is SHA-256 over the previous chain and the bytes of the second item, so a record that was altered,
removed or inserted breaks every later one. The n-th event of a record has sequence first_sequence + n.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from actors.runtime.errors import EventsArchived, InvariantError, JournalError, JournalNotUnderstood
from actors.runtime.messages import Message
from actors.runtime.store import Store, TurnWrite

__all__ = [
    "GENESIS",
    "ChainBreak",
    "Entry",
    "Journal",
    "Snapshot",
    "TurnRecord",
    "chain_of",
    "check_format",
    "forgotten_entry",
    "read_turns",
    "sequence_key",
    "verify_chain",
]

SCHEMA_VERSION = 2  # 1 kept the ids of what was seen in another form, which is read still
GENESIS = bytes(32)
RECORD_HEAD = b"\x92\xc4\x20"  # MessagePack: array of two, then 32 bytes of bin; the body follows as it is
_key = struct.Struct(">Q")
_encode = msgspec.msgpack.Encoder().encode


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event as it was recorded."""

    cell: str
    cause: int  # sequence of the event that led to this one; 0 when it came from outside
    version: int
    event: msgspec.Raw


class TurnRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All events of one turn."""

    turn: int
    at_ns: int
    first_sequence: int
    entries: tuple[Entry, ...]


class Snapshot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A cell's state and the sequence up to which it holds."""

    sequence: int
    version: int
    state: msgspec.Raw


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    chain: bytes
    body: msgspec.Raw


class ChainBreak(NamedTuple):
    """Where a journal stops being believable."""

    sequence: int
    reason: str
    kind: str = ""  # hash | order | gap | decoding | tail
    at_ns: int = 0  # as the record says, or the one before it when this one cannot be read or is missing
    actor: str = ""  # whose event is the first of the record; empty when that cannot be read


_decode_record = msgspec.msgpack.Decoder(_Record).decode
_decode_turn = msgspec.msgpack.Decoder(TurnRecord).decode
_decode_snapshot = msgspec.msgpack.Decoder(Snapshot).decode


def _unwritable(entries: list[tuple[str, int, int, Message]], error: Exception) -> InvariantError:
    for cell, _, _, event in entries:
        try:
            _encode(event)
        except (TypeError, ValueError, OverflowError) as own:
            return InvariantError(f"{cell} recorded {type(event).__name__}, which cannot be written: {own}")
    return InvariantError(f"a turn cannot be written: {error}")


def check_format(text: str, release: str) -> int:
    """Return the format of a journal, which is ours when it has none yet. Errors: JournalNotUnderstood."""
    found = int(text or SCHEMA_VERSION)
    if found > SCHEMA_VERSION:
        by = f"; polytrade {release} wrote it last" if release else ""
        raise JournalNotUnderstood(f"this journal has format {found}, the code knows {SCHEMA_VERSION}{by}")
    return found


def sequence_key(sequence: int) -> bytes:
    """Return the key of a sequence: 8 bytes, big-endian, so that byte order is number order."""
    return _key.pack(sequence)


def identity_of(born_ns: int) -> str:
    """Return the name of a journal born at an instant: nine base32 letters of its milliseconds.

    They last until the year 3084.
    """
    return base64.b32encode((born_ns // 1_000_000 << 3).to_bytes(6))[:9].decode("ascii").lower()


class Journal:
    """Writes turns to a store and knows where it stands."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sequence = 0  # of the last event written
        self.turn = 0  # number of the last turn that wrote anything
        self.at_ns = 0
        self.chain = GENESIS
        self.events_since_snapshot = 0
        self.epoch = int(store.get("meta", b"epoch") or b"0")
        # Older versions did not write it down: of them nobody knows.
        self.was_cut_off = store.get("meta", b"ended") == b"no"  # the node before did not end in order
        self.identity = (store.get("meta", b"identity") or b"").decode("ascii")  # "" of an older version's
        self.snapshot_floor = int(store.get("meta", b"snapshot_floor") or b"0")
        self.floors: dict[str, int] = {}  # of cells that the common floor does not speak for yet
        members = store.get("meta", b"members")
        self.members: dict[str, int] = msgspec.msgpack.decode(members, type=dict[str, int]) if members else {}
        self.release = (store.get("meta", b"release") or b"").decode()  # the last that went on from it
        self.format = check_format((store.get("meta", b"schema_version") or b"").decode(), self.release)
        self._find_end()

    def _find_end(self) -> None:
        last = self.store.last("events")
        if last is None:
            return
        record, body = _decoded(*last)
        self.chain = record.chain
        self.turn, self.at_ns = body.turn, body.at_ns
        self.sequence = body.first_sequence + len(body.entries) - 1
        self.events_since_snapshot = self.sequence - self.snapshot_floor

    def open_epoch(self, facts: dict[str, str], now_ns: int) -> int:
        """Count one more start of a node on this journal and keep a few facts about it; return the epoch.

        The first start names the journal after its instant: one that begins anew has another name.
        """
        if not self.epoch:
            self.identity = identity_of(now_ns)
        self.epoch += 1
        meta = {
            "epoch": str(self.epoch),
            "schema_version": str(self.format),
            "identity": self.identity,
            "ended": "no",
            **facts,
        }
        self._note(meta)
        return self.epoch

    def take_over(self, release: str) -> None:
        """Everything was understood: from now on the journal has this code's format.

        Not before: a release that cannot go on from it must leave it to the one that can.
        """
        if (self.format, self.release) != (SCHEMA_VERSION, release):
            self.format, self.release = SCHEMA_VERSION, release
            self._note({"schema_version": str(SCHEMA_VERSION), "release": release})

    def _note(self, meta: dict[str, str]) -> None:
        self.store.commit(TurnWrite(meta=tuple((k.encode(), v.encode()) for k, v in meta.items())))

    def record(self, at_ns: int, entries: list[tuple[str, int, int, Message]]) -> tuple[bytes, bytes]:
        """Return (key, value) of a turn's record. The journal moves on only in `written`.

        Errors: InvariantError that names the actor whose event cannot be written.
        """
        try:
            body = _encode((self.turn + 1, at_ns, self.sequence + 1, entries))
        except (TypeError, ValueError, OverflowError) as error:
            raise _unwritable(entries, error) from error
        chain = sha256(self.chain + body).digest()
        self._next = (chain, at_ns, len(entries))
        return _key.pack(self.sequence + 1), RECORD_HEAD + chain + body

    def written(self) -> None:
        """The record made last is durable."""
        self.chain, self.at_ns, count = self._next
        self.turn += 1
        self.sequence += count
        self.events_since_snapshot += count

    def passed(self, at_ns: int, count: int) -> None:
        """A turn has recorded so many events that are not to be written."""
        self.at_ns = at_ns
        self.turn += 1
        self.sequence += count

    def snapshot_bytes(self, sequence: int, version: int, state: Any) -> bytes:
        """Return a snapshot entry."""
        return _encode((sequence, version, state))

    def floor_of(self, cell: str) -> int:
        """Return the sequence up to which a cell's state is what its newest snapshot (or its start) says."""
        return self.floors.get(cell, self.snapshot_floor)

    def members_entry(self) -> tuple[bytes, bytes]:
        """Return the meta entry that tells whom the snapshot floor speaks for (-1), and the others' own."""
        return b"members", _encode(self.members)

    def snapshot(self, cell: str) -> Snapshot | None:
        """Return the newest snapshot of a cell."""
        raw = self.store.get("snapshots", cell.encode())
        if raw is None:
            return None
        try:
            return _decode_snapshot(raw)
        except msgspec.MsgspecError as error:
            raise JournalError(f"{cell}: its snapshot cannot be read: {error}") from error

    @property
    def begins(self) -> tuple[int, bytes]:
        """The first event that is still here, and the chain before it."""
        forgotten = self.store.get("meta", b"forgotten")
        return (_key.unpack(forgotten[: _key.size])[0], forgotten[_key.size :]) if forgotten else (1, GENESIS)

    def turns(self, from_sequence: int = 1) -> Iterator[TurnRecord]:
        """Yield the records from the one that holds `from_sequence` on.

        Errors: EventsArchived when it was let go: a state folded from the rest would be another one.
        """
        begins = self.begins[0]
        if from_sequence < begins:
            text = f"events {from_sequence} to {begins - 1} are needed, and not in this journal any more"
            raise EventsArchived(text)
        return read_turns(self.store, from_sequence)


def read_turns(store: Store, from_sequence: int = 1) -> Iterator[TurnRecord]:
    """Yield turn records in order, from the first that ends at or after a sequence."""
    for key, raw in store.items("events", sequence_key(_start_of(store, from_sequence))):
        record = _decoded(key, raw)[1]
        if record.first_sequence + len(record.entries) > from_sequence:
            yield record


def _decoded(key: bytes, raw: bytes) -> tuple[_Record, TurnRecord]:
    try:
        record = _decode_record(raw)
        return record, _decode_turn(record.body)
    except msgspec.MsgspecError as error:
        sequence = _key.unpack(key)[0]
        raise JournalError(f"the record of event {sequence} cannot be read: {error}") from error


def _start_of(store: Store, sequence: int) -> int:
    """Return the key at or before a sequence: its record may have begun earlier."""
    if sequence <= 1:
        return 0
    step = 1
    while True:  # records are short: look back in growing steps until one begins before the sequence
        start = max(0, sequence - step)
        first = next(iter(store.items("events", sequence_key(start))), None)
        if first is not None and _key.unpack(first[0])[0] <= sequence:
            return _last_key_not_after(store, start, sequence)
        if start == 0:
            return 0
        step *= 8


def _last_key_not_after(store: Store, start: int, sequence: int) -> int:
    found = start
    for key, _ in store.items("events", sequence_key(start)):
        at = _key.unpack(key)[0]
        if at > sequence:
            break
        found = at
    return found


def chain_of(raw: bytes) -> bytes:
    """Return the chain up to and with a record, as it is stored in it."""
    return raw[len(RECORD_HEAD) : len(RECORD_HEAD) + len(GENESIS)]


def forgotten_entry(sequence: int, chain: bytes) -> tuple[bytes, bytes]:
    """Return the meta entry that says: events before a sequence were let go, and this is their chain."""
    return b"forgotten", _key.pack(sequence) + chain


def verify_chain(
    store: Store,
    base: tuple[int, bytes] | None = None,
    to_sequence: int = 0,
    seen: Callable[[int, bytes], None] = lambda sequence, chain: None,
) -> tuple[int, ChainBreak | None]:
    """Recompute the chain of what the journal still holds; return (records read, first break or None).

    `base` is the first sequence to read and the chain before it, which is believed; `to_sequence` 0 reads to
    the end. `seen` hears the last sequence and the chain of every sound record. What cannot be seen is a
    journal whose last records are gone, unless a snapshot still knows of them.
    """
    forgotten = store.get("meta", b"forgotten")
    if base is None and forgotten:
        base = _key.unpack(forgotten[: _key.size])[0], forgotten[_key.size :]
    (expected, chain), count, at_ns = base or (1, GENESIS), 0, 0
    start = sequence_key(expected) if base is not None else b""
    for key, raw in store.items("events", start):
        sequence = _key.unpack(key)[0]
        if to_sequence and sequence > to_sequence:
            return count, None
        kind, reason, chain, body = _check(sequence, raw, chain, expected)
        at_ns = body.at_ns if body is not None else at_ns
        if kind or body is None:
            actor = body.entries[0].cell if body is not None and body.entries else ""
            return count, ChainBreak(sequence, reason, kind, at_ns, actor)
        expected = sequence + len(body.entries)
        count += 1
        seen(expected - 1, chain)
    newest = max([int(store.get("meta", b"snapshot_floor") or 0), *_snapshot_sequences(store)])
    if newest >= expected and not to_sequence:
        reason = f"events {expected} to {newest} are missing at the end"
        return count, ChainBreak(expected, reason, "tail", at_ns)
    return count, None


def _check(
    sequence: int, raw: bytes, chain: bytes, expected: int
) -> tuple[str, str, bytes, TurnRecord | None]:
    """Return what is wrong with one record ("" for nothing) and in words, its chain, and what it holds."""
    try:
        record = _decode_record(raw)
        body = _decode_turn(record.body)
    except msgspec.MsgspecError as error:
        return "decoding", f"the record cannot be read: {error}", chain, None
    if sequence > expected:
        return "gap", f"events {expected} to {sequence - 1} are missing", chain, body
    if sequence < expected:
        reason = f"events up to {expected - 1} came before: this record was put in later"
        return "order", reason, chain, body
    stored = bytes(record.body)
    chain = sha256(chain + stored).digest()
    if body.first_sequence != sequence:
        reason = f"the record of event {body.first_sequence} is not the one that was written here"
        return "order", reason, chain, body
    if raw != RECORD_HEAD + chain + stored or not body.entries:
        return "hash", "the record is not the one that was written (its hash differs)", chain, body
    return "", "", chain, body


def _snapshot_sequences(store: Store) -> Iterator[int]:
    for _, raw in store.items("snapshots"):
        try:
            yield _decode_snapshot(raw).sequence
        except msgspec.MsgspecError:  # recovery refuses it by name; it says nothing about the events
            continue

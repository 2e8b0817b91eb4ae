"""A journal as it was after one of its events: recovery rebuilds from it the states of that moment."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from actors.control.journal_reader import JournalReader
from actors.runtime.errors import JournalError
from actors.runtime.journal import GENESIS, chain_of
from actors.runtime.store import TurnWrite

__all__ = ["AsOfStore", "plain_state"]


class AsOfStore:
    """A store for reading. Later events are hidden, and so are snapshots that cover any of them.

    The snapshot floor and the members are hidden always: a snapshot and every later event of its actor say
    the same, only slower. So states are right for actors that come, go and come back, too.
    """

    def __init__(self, reader: JournalReader, sequence: int) -> None:
        self._reader = reader
        self.sequence = sequence
        self._meta = dict(reader.items("meta"))
        self._snapshots = dict(reader.items("snapshots"))

    def commit(self, write: TurnWrite) -> None:
        """Nothing is written into the past. Errors: JournalError."""
        raise JournalError("a journal of the past is for reading only")

    def get(self, database: str, key: bytes) -> bytes | None:
        """See Store.get."""
        if database == "meta":
            return None if key in (b"snapshot_floor", b"members") else self._meta.get(key)
        found = self._snapshots.get(key) if database == "snapshots" else None
        return found if found is not None and self.covers(found) else None

    def covers(self, snapshot: bytes) -> bool:
        """Tell whether a snapshot holds nothing that came later."""
        return bool(msgspec.msgpack.decode(snapshot, type=tuple[int, int, msgspec.Raw])[0] <= self.sequence)

    def snapshot_sequence(self, actor: str) -> int:
        """Return what an actor's newest snapshot covers; 0 without one."""
        found = self._snapshots.get(actor.encode())
        return msgspec.msgpack.decode(found, type=tuple[int, int, msgspec.Raw])[0] if found else 0

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items. A record that goes beyond the moment is cut to what happened by then."""
        if database != "events":
            return
        for first, raw in self._reader.raw_records(int.from_bytes(start, "big") if start else 0):
            key = first.to_bytes(8, "big")
            if key < start:
                continue
            if first > self.sequence:
                return
            record = self._reader.decode(raw)
            kept = self.sequence - first + 1
            if kept < len(record.entries):
                cut = msgspec.structs.replace(record, entries=record.entries[:kept])
                yield key, msgspec.msgpack.encode((GENESIS, cut))
                return
            yield key, raw

    def last(self, database: str) -> tuple[bytes, bytes] | None:
        """See Store.last."""
        record = self._reader.record_of(self.sequence) if database == "events" and self.sequence else None
        if record is None:
            return None
        raw = next(self._reader.raw_records(record.first_sequence))[1]
        return record.first_sequence.to_bytes(8, "big"), msgspec.msgpack.encode((chain_of(raw), record))

    def seen(self, key: bytes) -> bool:
        """See Store.seen."""
        return False

    def seen_count(self) -> int:
        """See Store.seen_count."""
        return 0

    def usage(self) -> tuple[int, int]:
        """See Store.usage."""
        return 0, 1

    def sync(self) -> None:
        """See Store.sync."""

    def close(self) -> None:
        """See Store.close; the reader is its opener's to close."""


def plain_state(value: object) -> object:
    """Return a state as plain values with the names of its fields, whatever is nested in it."""
    if isinstance(value, msgspec.Struct):
        return {name: plain_state(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {_key(key): plain_state(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_state(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((plain_state(inner) for inner in value), key=str)
    if value is None or isinstance(value, str | bool | float) or type(value) is int:
        return value
    if hasattr(value, "__dict__") and not hasattr(value, "value"):
        return {name: plain_state(inner) for name, inner in vars(value).items()}
    inner = getattr(value, "value", value)  # an enumeration
    if isinstance(inner, int | str):
        return inner
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: plain_state(getattr(value, name, None)) for name in slots} or str(value)


def _key(key: object) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(getattr(key, "value", key))

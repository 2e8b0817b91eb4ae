"""A store that lets somebody read along: every event is shown once its turn is written.

Nothing is asked of the actors for it, so a run that is recorded is the run that would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from actors.runtime.journal import TurnRecord
from actors.runtime.store import Store, TurnWrite
from actors.runtime.store_memory import MemoryStore

__all__ = ["TappedStore"]


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    chain: bytes
    turn: TurnRecord


_decode = msgspec.msgpack.Decoder(_Record).decode


class TappedStore:
    """Passes everything to the store below. With `forgets`, events that snapshots cover are let go."""

    def __init__(self, below: Store, listen: Callable[[TurnRecord], None], *, forgets: bool) -> None:
        self._below = below
        self._listen = listen
        self._memory = below if forgets and isinstance(below, MemoryStore) else None
        self._floor = 0
        self.get = below.get
        self.last = below.last
        self.seen = below.seen
        self.seen_count = below.seen_count
        self.usage = below.usage
        self.sync = below.sync
        self.close = below.close
        self.events_count = 0

    def commit(self, write: TurnWrite) -> None:
        """See Store.commit."""
        self._below.commit(write)
        for _, raw in write.events:
            turn = _decode(raw).turn
            self.events_count += len(turn.entries)
            self._listen(turn)
        if self._memory is not None and write.meta:
            self._forget(self._memory, dict(write.meta))

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items."""
        return self._below.items(database, start)

    def _forget(self, memory: MemoryStore, meta: dict[bytes, bytes]) -> None:
        """A new snapshot floor without an exception to it: nobody reads what lies below any more."""
        if b"snapshot_floor" in meta and b"members" not in meta:
            memory.forget_events(int(meta[b"snapshot_floor"]))

"""A store that does not grow for ever: it lets go of events that snapshots cover, as nobody reads that past.

The events since the snapshot before the newest stay, so that what led to the present can still be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from actors.runtime.journal import GENESIS, chain_of, forgotten_entry
from actors.runtime.store import Store, TurnWrite

__all__ = ["Forgetful", "ForgettingStore"]


class Forgetful(Store, Protocol):
    """A store that can let go of events."""

    def forget_events(self, until_sequence: int) -> None:
        """Let go of the records before a sequence; the newest record stays, for its chain."""
        ...


class ForgettingStore:
    """Passes everything to the store below, and has it forget. See Store."""

    def __init__(self, below: Forgetful) -> None:
        self._below = below
        newest = below.last("events")
        self._chain = chain_of(newest[1]) if newest is not None else GENESIS
        self._covered: tuple[int, bytes] | None = None  # first event the last snapshots lack; chain up to it
        self.get = below.get
        self.last = below.last
        self.seen = below.seen
        self.seen_count = below.seen_count
        self.usage = below.usage
        self.sync = below.sync
        self.close = below.close

    def commit(self, write: TurnWrite) -> None:
        """See Store.commit."""
        self._below.commit(write)
        if write.events:
            self._chain = chain_of(write.events[-1][1])
        if write.meta:
            self._take_floor(dict(write.meta))

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items."""
        return self._below.items(database, start)

    def _take_floor(self, meta: dict[bytes, bytes]) -> None:
        """Forget what the snapshots before these ones cover, unless an actor's own snapshot is older."""
        if b"snapshot_floor" not in meta:
            return
        floor = int(meta[b"snapshot_floor"])
        members = msgspec.msgpack.decode(meta.get(b"members", b"\x80"), type=dict[str, int])
        if any(0 <= own < floor for own in members.values()):
            return
        if self._covered is not None:
            # The mark first: a death in between leaves records that nobody reads, never a hole.
            self._below.commit(TurnWrite(meta=(forgotten_entry(*self._covered),)))
            self._below.forget_events(self._covered[0])
        self._covered = (floor + 1, self._chain)

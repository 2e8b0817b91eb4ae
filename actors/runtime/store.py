"""What a journal needs of a disk: one atomic write a turn, and reads to start from.

`LmdbStore` keeps it in a file; `MemoryStore` models the same in memory for tests and simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

__all__ = ["KEY_BYTES_MAX", "Store", "TurnWrite"]

KEY_BYTES_MAX = 511  # LMDB's limit, which every store keeps so that a simulation meets it too


class TurnWrite(NamedTuple):
    """Everything one turn makes durable. Keys and values are bytes; empty parts cost nothing."""

    events: tuple[tuple[bytes, bytes], ...] = ()  # first sequence of the turn (8 bytes, big-endian) -> record
    snapshots: tuple[tuple[bytes, bytes], ...] = ()
    outbox: tuple[tuple[bytes, bytes | None], ...] = ()  # None forgets the entry
    timers: tuple[tuple[bytes, bytes | None], ...] = ()
    dedupe: tuple[tuple[bytes, bytes], ...] = ()
    held: tuple[tuple[bytes, bytes | None], ...] = ()
    dead_letters: tuple[tuple[bytes, bytes | None], ...] = ()
    meta: tuple[tuple[bytes, bytes], ...] = ()
    rotate_dedupe: bool = False


class Store(Protocol):
    """A transactional store of named databases: events, snapshots, outbox, timers, dedupe, held, ..."""

    def commit(self, write: TurnWrite) -> None:
        """Write all of it or nothing. Errors: JournalError."""
        ...

    def get(self, database: str, key: bytes) -> bytes | None:
        """Return one value."""
        ...

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) in key order, from the first key at or after `start`."""
        ...

    def last(self, database: str) -> tuple[bytes, bytes] | None:
        """Return the entry with the greatest key."""
        ...

    def seen(self, key: bytes) -> bool:
        """Tell whether a dedupe key is in the current or the previous generation."""
        ...

    def seen_count(self) -> int:
        """Return how many dedupe keys the current generation holds."""
        ...

    def usage(self) -> tuple[int, int]:
        """Return (bytes used, bytes that may be used before writes fail)."""
        ...

    def sync(self) -> None:
        """Make everything committed so far survive a power cut."""
        ...

    def close(self) -> None:
        """Release files and locks."""
        ...

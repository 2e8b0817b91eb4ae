"""The journal's disk in memory: same port as LMDB, plus the ways in which disks and processes fail."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from actors.runtime.errors import JournalError, JournalFull
from actors.runtime.store import KEY_BYTES_MAX, TurnWrite

__all__ = ["MemoryStore"]

DATABASES = ("events", "snapshots", "outbox", "timers", "held", "dead_letters", "meta")


class _Table:
    """A sorted map of bytes; appends in key order cost O(1)."""

    __slots__ = ("keys", "values")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.values: dict[bytes, bytes] = {}

    def put(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            if self.values.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]
        else:
            if key not in self.values:
                if self.keys and key < self.keys[-1]:
                    insort(self.keys, key)
                else:
                    self.keys.append(key)
            self.values[key] = value

    def copy(self) -> _Table:
        other = _Table()
        other.keys, other.values = list(self.keys), dict(self.values)
        return other


class MemoryStore:
    """Tables in memory.

    `fail_commits` makes that many coming commits fail; `capacity_bytes` models a full disk; `on_commit` is
    called before (False) and after (True) each write, and may raise to kill the process there. With
    `syncs_commits=False` a power cut (`lose_unsynced`) takes back what was not synced; that is the
    last commit with `lags_one`.
    """

    def __init__(
        self, *, capacity_bytes: int = 1 << 40, syncs_commits: bool = True, lags_one: bool = False
    ) -> None:
        self.capacity_bytes = capacity_bytes
        self.fail_commits = 0
        self.commits_count = 0
        self.used_bytes = 0  # written so far: like LMDB's file, it does not shrink
        self.on_commit: Callable[[bool], None] = lambda is_written: None
        self._syncs_commits = syncs_commits
        self._tables = {name: _Table() for name in DATABASES}
        self._dedupe: list[set[bytes]] = [set(), set()]
        self._lags_one = lags_one
        self._undo: list[Callable[[], None]] = []  # how to take back what was written since the last sync

    def commit(self, write: TurnWrite) -> None:
        """See Store.commit."""
        self.on_commit(False)
        if self.fail_commits:
            self.fail_commits -= 1
            raise JournalError("the disk refused the write (simulated)")
        parts: list[tuple[str, Any]] = [
            (name, part) for name, part in zip(TurnWrite._fields[:8], write, strict=False) if part
        ]
        size = longest = 0
        for _, part in parts:
            for key, value in part:
                size += len(key) + len(value or b"")
                longest = max(longest, len(key))
        if self.used_bytes + size > self.capacity_bytes:
            raise JournalFull("the disk is full (simulated); free space, then start again")
        if longest > KEY_BYTES_MAX:
            raise JournalError(
                f"a key of {longest} bytes is longer than the {KEY_BYTES_MAX} that a disk takes"
            )
        if self._lags_one:
            self.sync()
        self.used_bytes += size
        self.commits_count += 1
        if not self._syncs_commits:
            self._note_undo(write, parts)
        if write.rotate_dedupe:
            self._dedupe = [set(), self._dedupe[0]]
        for name, part in parts:
            if name == "dedupe":
                self._dedupe[0].update(key for key, _ in part)
                continue
            table = self._tables[name]
            for key, value in part:
                table.put(key, value)
        self.on_commit(True)

    def _note_undo(self, write: TurnWrite, parts: list[tuple[str, Any]]) -> None:
        """Remember what a write replaces."""
        if write.rotate_dedupe:
            self._undo.append(partial(setattr, self, "_dedupe", self._dedupe))
        newest = set() if write.rotate_dedupe else self._dedupe[0]
        for name, part in parts:
            if name == "dedupe":
                self._undo.append(partial(self._forget_seen, {key for key, _ in part} - newest))
                continue
            table = self._tables[name]
            for key, _ in part:
                self._undo.append(partial(table.put, key, table.values.get(key)))

    def _forget_seen(self, keys: set[bytes]) -> None:
        self._dedupe[0] -= keys

    def get(self, database: str, key: bytes) -> bytes | None:
        """See Store.get."""
        return self._tables[database].values.get(key)

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items."""
        table = self._tables[database]
        for key in table.keys[bisect_left(table.keys, start) :]:
            yield key, table.values[key]

    def last(self, database: str) -> tuple[bytes, bytes] | None:
        """See Store.last."""
        table = self._tables[database]
        return (table.keys[-1], table.values[table.keys[-1]]) if table.keys else None

    def seen(self, key: bytes) -> bool:
        """See Store.seen."""
        return key in self._dedupe[0] or key in self._dedupe[1]

    def seen_count(self) -> int:
        """See Store.seen_count."""
        return len(self._dedupe[0])

    def usage(self) -> tuple[int, int]:
        """See Store.usage."""
        return self.used_bytes, self.capacity_bytes

    def sync(self) -> None:
        """See Store.sync."""
        self._undo.clear()

    def close(self) -> None:
        """Nothing to release; the same object can be opened again, as a disk after a crash."""
        self.sync()

    def forget_events(self, until_sequence: int) -> None:
        """Let go of events up to one that snapshots cover; the newest record stays, for its chain."""
        table = self._tables["events"]
        covered = bisect_left(table.keys, until_sequence.to_bytes(8, "big"))
        gone = table.keys[: min(covered, len(table.keys) - 1)]
        for key in gone:
            if not self._syncs_commits:
                self._undo.append(partial(table.put, key, table.values[key]))
            del table.values[key]
        del table.keys[: len(gone)]

    def clone(self) -> MemoryStore:
        """Return an independent copy, as a disk image taken now."""
        other = MemoryStore(capacity_bytes=self.capacity_bytes)
        other._take_content(self)
        return other

    def lose_unsynced(self) -> None:
        """Go back to what was synced last, as a power cut does; nothing is lost when commits are synced."""
        for take_back in reversed(self._undo):
            take_back()
        self._undo.clear()

    def _take_content(self, other: MemoryStore) -> None:
        self.used_bytes = other.used_bytes
        self._tables = {name: table.copy() for name, table in other._tables.items()}
        self._dedupe = [set(generation) for generation in other._dedupe]

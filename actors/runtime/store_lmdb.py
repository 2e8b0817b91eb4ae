"""The journal's disk: one LMDB environment per node, one writer, one transaction a turn."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb

from actors.runtime.errors import JournalError, JournalFull, JournalInUse
from actors.runtime.store import TurnWrite

__all__ = ["Durability", "LmdbStore", "journal_owner"]

MAP_BYTES_START = 1 << 28  # grows by doubling; only address space until written
MAP_FILL_LIMIT = 0.75  # of the map, after which it doubles
READ_AT_ONCE = 512  # entries in one read transaction
RECORDS_PUT_BACK = 2_000  # in one transaction
CHECK_EVERY_COMMITS = 64  # how often the fill is read; a commit is far smaller than a quarter of the map
TABLES = ("events", "snapshots", "outbox", "timers", "held", "dead_letters", "meta")
SEEN_BEFORE_NUMBERS = b"\x01"
_number = struct.Struct(">Q")
PUT_ORDER = ("outbox", "timers", "held", "dead_letters", "meta", "snapshots")


class Durability(Enum):
    """What a commit survives."""

    DISK = "disk"  # a power cut
    DISK_LAZY_META = "disk_lazy_meta"  # a power cut, but for perhaps the last commit
    PROCESS = "process"  # the death of the process; a power cut may lose the last `sync_interval`


class LmdbStore:
    """See Store. The folder is locked for as long as the store is open for writing."""

    def __init__(
        self,
        directory: str | Path,
        durability: Durability = Durability.DISK,
        *,
        size_bytes_max: int = 1 << 40,
        readonly: bool = False,
    ) -> None:
        self.directory = Path(directory)
        self.size_bytes_max = size_bytes_max
        self._readonly = readonly
        self._lock_file = -1
        self._closing = threading.Lock()
        self._is_open = True
        self._commits_to_check = CHECK_EVERY_COMMITS
        if not readonly:
            self._make_directory()
            self._lock()
        self._map_bytes = min(MAP_BYTES_START, size_bytes_max)
        try:
            self._open(durability)
        except (lmdb.Error, OSError) as error:
            self._unlock()
            if os.strerror(errno.ENOSPC) in str(error):
                raise self._disk_full() from error
            raise JournalError(f"{self.directory}: the journal cannot be opened: {error}") from error

    # -- opening ----------------------------------------------------------------------------------

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise self._disk_full() from error
            raise JournalError(
                f"{self.directory}: the journal's folder cannot be made: {error.strerror}; "
                "choose another `journal: {path: ...}` or fix its permissions"
            ) from error

    def _lock(self) -> None:
        path = self.directory / "owner"
        try:
            self._lock_file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise self._disk_full() from error
            raise JournalError(f"{path}: cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _written_owner(path) or "an unknown process"
            os.close(self._lock_file)
            self._lock_file = -1
            raise JournalInUse(
                f"{self.directory}: this journal is in use by {owner}; "
                "stop that node first, or give this deployment a journal path of its own"
            ) from error
        os.ftruncate(self._lock_file, 0)
        os.write(self._lock_file, f"process {os.getpid()}\n".encode())

    def _unlock(self) -> None:
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def _open(self, durability: Durability) -> None:
        existing = self.directory / "data.mdb"
        size = existing.stat().st_size if existing.exists() else 0
        while self._map_bytes < min(size * 2, self.size_bytes_max):
            self._map_bytes = min(self._map_bytes * 2, self.size_bytes_max)
        self._environment = lmdb.open(
            str(self.directory),
            map_size=self._map_bytes,
            max_dbs=16,
            sync=durability is not Durability.PROCESS,
            metasync=durability is Durability.DISK,
            readonly=self._readonly,
            lock=True,
            readahead=False,
            mode=0o600,
        )
        make = not self._readonly
        self._tables: dict[str, Any] = {}
        for name in (*TABLES, "dedupe_0", "dedupe_1"):
            try:
                self._tables[name] = self._environment.open_db(name.encode(), create=make)
            except lmdb.NotFoundError:
                continue
        flag = self._get("meta", b"dedupe_current")
        self._dedupe_current = int(flag) if flag else 0
        self._dedupe_number = 0  # of the id that was remembered last
        self._dedupe: list[set[bytes]] = [self._seen_in(name) for name in ("dedupe_0", "dedupe_1")]

    def _seen_in(self, database: str) -> set[bytes]:
        """Return the ids of one generation, each under a number: together they lie on one page of the disk.

        Journals of schema version 1 hold them under themselves.
        """
        ids: set[bytes] = set()
        for key, value in self.items(database):
            if value == SEEN_BEFORE_NUMBERS:
                ids.add(key)
            else:
                ids.add(value)
                self._dedupe_number = max(self._dedupe_number, _number.unpack(key)[0])
        return ids

    # -- writing ----------------------------------------------------------------------------------

    def commit(self, write: TurnWrite) -> None:
        """See Store.commit."""
        self._commits_to_check -= 1
        if self._commits_to_check <= 0:
            self._grow_if_filling()
        for _ in range(24):  # each round doubles the map, so this bounds nothing real
            try:
                self._write(write)
                self._remember(write)
                return
            except lmdb.MapFullError as error:
                if not self._grow():
                    raise JournalFull(
                        f"{self.directory}: the journal is at its limit of {self.size_bytes_max} bytes; "
                        "raise `journal: {size_max: ...}` or archive old events"
                    ) from error
            except lmdb.Error as error:
                raise self._explained(error) from error
        raise JournalError(f"{self.directory}: the journal does not take this turn however large its map is")

    def _write(self, write: TurnWrite) -> None:
        tables = self._tables
        with self._environment.begin(write=True, buffers=False) as transaction:
            if write.events:
                cursor = transaction.cursor(tables["events"])
                cursor.putmulti(write.events, append=True)
            for name in PUT_ORDER:
                for key, value in getattr(write, name):
                    if value is None:
                        transaction.delete(key, db=tables[name])
                    else:
                        transaction.put(key, value, db=tables[name])
            current = self._dedupe_current
            if write.rotate_dedupe:
                current = 1 - current
                transaction.drop(tables[f"dedupe_{current}"], delete=False)
                transaction.put(b"dedupe_current", b"%d" % current, db=tables["meta"])
            if write.dedupe:
                numbered = enumerate(write.dedupe, self._dedupe_number + 1)
                cursor = transaction.cursor(tables[f"dedupe_{current}"])
                cursor.putmulti([(_number.pack(number), key) for number, (key, _) in numbered])

    def forget_events(self, until_sequence: int) -> None:
        """Let go of the records before a sequence; the newest record stays, for its chain.

        Their space is used again; the file does not shrink.
        """
        with self._environment.begin(db=self._tables["events"], write=True) as transaction:
            cursor = transaction.cursor()
            if not cursor.last():
                return
            until = min(until_sequence.to_bytes(8, "big"), cursor.key())
            found = cursor.first()
            while found and cursor.key() < until:
                found = cursor.delete()

    def remember_events(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Put records back that were let go. Until the mark is moved nobody reads them."""
        for begin in range(0, len(rows), RECORDS_PUT_BACK):
            self._grow_if_filling()
            with self._environment.begin(db=self._tables["events"], write=True) as transaction:
                for key, raw in rows[begin : begin + RECORDS_PUT_BACK]:
                    transaction.put(key, raw)

    def _remember(self, write: TurnWrite) -> None:
        """Keep the ids in memory too: nearly every look-up is for an id that is not there."""
        if write.rotate_dedupe:
            self._dedupe_current = 1 - self._dedupe_current
            self._dedupe[self._dedupe_current].clear()
        if write.dedupe:
            self._dedupe_number += len(write.dedupe)
            self._dedupe[self._dedupe_current].update([key for key, _ in write.dedupe])

    def _grow_if_filling(self) -> None:
        self._commits_to_check = CHECK_EVERY_COMMITS
        used, _ = self.usage()
        if used > self._map_bytes * MAP_FILL_LIMIT:
            self._grow()

    def _grow(self) -> bool:
        larger = min(self._map_bytes * 2, self.size_bytes_max)
        if larger <= self._map_bytes:
            return False
        self._environment.set_mapsize(larger)
        self._map_bytes = larger
        return True

    def _disk_full(self) -> JournalFull:
        return JournalFull(f"{self.directory}: the disk is full; free space, then start again")

    def _explained(self, error: lmdb.Error) -> JournalError:
        text = str(error)
        if os.strerror(errno.ENOSPC) in text:
            return self._disk_full()
        return JournalError(f"{self.directory}: the journal cannot be written: {text}")

    # -- reading ----------------------------------------------------------------------------------

    def _get(self, database: str, key: bytes) -> bytes | None:
        if database not in self._tables:
            return None
        with self._reading(database) as transaction:
            value: bytes | None = transaction.get(key)
            return value

    def _reading(self, database: str) -> Any:
        """Begin a read. None may stay open: while one is, the map cannot grow and old pages pile up."""
        try:
            return self._environment.begin(db=self._tables[database])
        except lmdb.MapResizedError:  # the writer, another process, has made the map larger
            self._environment.set_mapsize(0)
            return self._environment.begin(db=self._tables[database])

    def get(self, database: str, key: bytes) -> bytes | None:
        """See Store.get."""
        return self._get(database, key)

    def items(self, database: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See Store.items."""
        while database in self._tables:
            with self._reading(database) as transaction:
                cursor = transaction.cursor()
                found = cursor.set_range(start) if start else cursor.first()
                batch = list(islice(cursor, READ_AT_ONCE)) if found else []
            yield from batch
            if len(batch) < READ_AT_ONCE:
                return
            start = batch[-1][0] + b"\0"  # the least key behind it

    def last(self, database: str) -> tuple[bytes, bytes] | None:
        """See Store.last."""
        if database not in self._tables:
            return None
        with self._reading(database) as transaction:
            cursor = transaction.cursor()
            item: tuple[bytes, bytes] | None = cursor.item() if cursor.last() else None
            return item

    def seen(self, key: bytes) -> bool:
        """See Store.seen."""
        return key in self._dedupe[0] or key in self._dedupe[1]

    def seen_count(self) -> int:
        """See Store.seen_count."""
        return len(self._dedupe[self._dedupe_current])

    def usage(self) -> tuple[int, int]:
        """See Store.usage."""
        information = self._environment.info()
        return (information["last_pgno"] + 1) * self._environment.stat()["psize"], self.size_bytes_max

    # -- closing ----------------------------------------------------------------------------------

    def sync(self) -> None:
        """See Store.sync. May be called from another thread than the one that commits."""
        with self._closing:
            if self._is_open and not self._readonly:
                self._environment.sync(True)

    def close(self) -> None:
        """See Store.close."""
        self.sync()
        with self._closing:
            self._is_open = False
            self._environment.close()
            self._unlock()


def journal_owner(directory: Path) -> str:
    """Return which process has a journal open for writing; empty for none.

    The lock of a journal whose owner is dead is not touched: a node may just be taking it.
    """
    path = directory / "owner"
    try:
        owner = _written_owner(path)
        if not os.path.exists(f"/proc/{owner.removeprefix('process ')}"):
            return ""
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return owner
    except OSError:
        return ""
    return ""


def _written_owner(path: Path) -> str:
    return path.read_text(errors="replace").strip()

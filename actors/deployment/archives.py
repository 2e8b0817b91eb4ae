"""Old events out of a journal into a file beside it, and back: nothing is dropped, the chain goes on.

Only what no start needs is taken: events before the snapshots of every actor. The file holds the stored
records as they are, in MessagePack, packed with gzip: a head, then `[key, record]` for each. It is on the
disk and was read back before the journal lets go of anything.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from actors.runtime.journal import GENESIS, Journal, chain_of, forgotten_entry, sequence_key, verify_chain
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import LmdbStore

__all__ = ["Archive", "ArchiveRefused", "archive_events", "read_archive", "unarchive_events"]

FORMAT = 1
SUFFIX = ".events.gz"
DIGITS = 12


class ArchiveRefused(Exception):
    """Nothing was moved."""

    def __init__(self, reason: str, help: str = "") -> None:
        super().__init__(reason)
        self.help = help


class Archive(msgspec.Struct, frozen=True):
    """The head of an archive: whose events these are, and between which heads of the chain."""

    format: int
    deployment: str
    journal: str
    first_sequence: int
    next_sequence: int  # of the first event that stayed
    base: bytes  # the chain before the first record
    chain: bytes  # and after the last one
    records: int
    first_at_ns: int
    last_at_ns: int


def archive_events(folder: Path, before_ns: int, into: Path) -> tuple[Path, Archive]:
    """Move what is older than an instant, as far as snapshots cover it, out of a journal that nobody writes.

    Errors: ArchiveRefused, JournalError (in use, or not to be believed), OSError.
    """
    store = LmdbStore(folder)
    try:
        fault = verify_chain(store)[1]
        if fault is not None:
            raise ArchiveRefused(
                f"the journal's chain is broken: {fault.reason}", "see docs/disaster-recovery.md"
            )
        head, rows = _chosen(store, Journal(store), before_ns)
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{head.deployment or 'journal'}-{head.journal}-{head.first_sequence:0{DIGITS}d}{SUFFIX}"
        path = into / name
        if path.exists():
            raise ArchiveRefused(f"{path} is there already", "choose another folder")
        _write(path, head, rows)
        if read_archive(path)[0] != head:
            raise ArchiveRefused(f"{path} is not what was written", "the disk is not to be trusted")
        # The mark first: a death in between leaves records that nobody reads, never a hole.
        store.commit(TurnWrite(meta=(forgotten_entry(head.next_sequence, head.chain),)))
        store.forget_events(head.next_sequence)
        store.sync()
    finally:
        store.close()
    return path, head


def _chosen(store: LmdbStore, journal: Journal, before_ns: int) -> tuple[Archive, list[tuple[bytes, bytes]]]:
    floors = [floor for floor in journal.members.values() if floor >= 0]
    limit = min([journal.snapshot_floor, *floors])
    begin, base = journal.begins
    rows: list[tuple[bytes, bytes]] = []
    times: list[int] = []
    following = begin
    for turn, (key, raw) in zip(
        journal.turns(begin), store.items("events", sequence_key(begin)), strict=True
    ):
        after = turn.first_sequence + len(turn.entries)
        if turn.at_ns >= before_ns or after > limit + 1 or after > journal.sequence:
            break
        rows.append((key, raw))
        times.append(turn.at_ns)
        following = after
    if not rows:
        text = f"no event is older than that and covered by all snapshots (up to {limit})"
        raise ArchiveRefused(
            text, "choose a later --before; snapshots are written as events come, and at a stop"
        )
    deployment = (store.get("meta", b"deployment") or b"").decode()
    chain = chain_of(rows[-1][1])
    names = (deployment, journal.identity, begin, following, base, chain, len(rows))
    return Archive(FORMAT, *names, times[0], times[-1]), rows


def _write(path: Path, head: Archive, rows: list[tuple[bytes, bytes]]) -> None:
    beside = path.with_name(f".{path.name}.new")
    encode = msgspec.msgpack.encode
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
            for item in (encode(head), *(encode(row) for row in rows)):
                packed.write(len(item).to_bytes(4) + item)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def read_archive(path: Path) -> tuple[Archive, list[tuple[bytes, bytes]]]:
    """Return an archive's head and records, whose chain holds. Errors: ArchiveRefused."""
    try:
        with gzip.open(path) as file:
            items = list(_items(file.read()))
        head = msgspec.msgpack.decode(items[0], type=Archive)
        rows = [msgspec.msgpack.decode(item, type=tuple[bytes, bytes]) for item in items[1:]]
    except (OSError, EOFError, IndexError, msgspec.MsgspecError) as error:
        raise ArchiveRefused(
            f"{path} is no archive, or damaged: {error}", "take another copy of it"
        ) from error
    chain, body = head.base, len(GENESIS) + 3  # MessagePack's head of a record, and the chain
    for _, raw in rows:
        chain = sha256(chain + raw[body:]).digest()
        if chain != chain_of(raw):
            raise ArchiveRefused(
                f"{path} is damaged: a record is not the one that was written", "take another copy"
            )
    if head.format > FORMAT or chain != head.chain or len(rows) != head.records:
        raise ArchiveRefused(f"{path} does not hold what its head says", "take another copy of it")
    return head, rows


def _items(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4])
        yield raw[at + 4 : at + 4 + size]
        at += 4 + size


def unarchive_events(folder: Path, path: Path) -> Archive:
    """Put the events of an archive back into the journal that they are from; the newest archive goes first.

    Errors: ArchiveRefused, JournalError.
    """
    head, rows = read_archive(path)
    store = LmdbStore(folder)
    try:
        journal = Journal(store)
        if journal.identity != head.journal:
            raise ArchiveRefused(
                f"{path} is of journal {head.journal}, this is {journal.identity}", "name its journal"
            )
        if journal.begins != (head.next_sequence, head.chain):
            begins = journal.begins[0]
            text = f"this journal begins at event {begins}, the archive ends before {head.next_sequence}"
            raise ArchiveRefused(text, "put archives back one by one, the newest first")
        store.remember_events(rows)
        store.commit(TurnWrite(meta=(forgotten_entry(head.first_sequence, head.base),)))
        store.sync()
    finally:
        store.close()
    return head

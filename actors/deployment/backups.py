"""Copies of a journal: made while its node runs, proven before they count.

A backup is a folder: the journal's database as one read transaction sees it, the generations, the latch of
halts, and a manifest with a digest of each file. It is complete or absent. What is restored is another
journal: it takes a name of its own, so that no order of its future has the name of one that was sent after
the backup; and it begins halted.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import lmdb
import msgspec

from actors.deployment.generations import FOLDER as GENERATIONS
from actors.direct.latch import HALT, LATCH_FILE, LatchLine, append, latch_path
from actors.runtime.errors import JournalError
from actors.runtime.journal import Journal, identity_of, verify_chain
from actors.runtime.messages import Message
from actors.runtime.store import TurnWrite
from actors.runtime.store_lmdb import LmdbStore

__all__ = ["MANIFEST", "BackupRefused", "JournalRestored", "Manifest", "back_up", "check_backup", "restore"]

MANIFEST, DATA = "manifest.json", "data.mdb"
LAST_BACKUP = "last_backup.json"  # in the journal's folder
FORMAT = 1
NODE = "node"
SECOND_NS = 1_000_000_000
CHUNK = 1 << 20
HALTED = "restored from a backup: the venue has moved on since; look at it, then resume"


class BackupRefused(Exception):
    """No backup was made, or none restored. Nothing half-done is left."""

    def __init__(self, reason: str, help: str = "") -> None:
        super().__init__(reason)
        self.help = help


class JournalRestored(Message, frozen=True):
    """This journal was restored from a backup, and goes on under a name of its own."""

    backup_at_ns: int
    journal: str  # the name of the one that was backed up
    sequence: int  # the last event that the backup has
    actor: str
    reason: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. Times in ns; digests are SHA-256 by file."""

    format: int
    at_ns: int
    deployment: str
    journal: str  # its name
    epoch: int
    sequence: int
    chain: str  # hexadecimal: the head of the chain of hashes
    records: int
    files: dict[str, str]


def back_up(
    journal: Path, into: Path, now_ns: int, stamp: str, *, note: bool = True, as_evidence: bool = False
) -> tuple[Path, Manifest]:
    """Copy a journal, whether its node runs or not, into a new folder below `into`; prove the copy.

    With `note` the journal's folder remembers that it was backed up. A copy `as_evidence` may have a chain
    that is broken: it shows what is wrong, and nobody trades on with it.

    Errors: BackupRefused.
    """
    if not (journal / DATA).is_file():
        raise BackupRefused(f"there is no journal in {journal}", "name a deployment that has run")
    beside = into / f".{stamp}.partial"
    try:
        beside.mkdir(parents=True, mode=0o700)
        _copy_database(journal, beside)
        _copy_rest(journal, beside)
        manifest = _described(beside, now_ns, as_evidence)
        path = into / f"{manifest.deployment or 'journal'}-{stamp}"
        if path.exists():
            raise BackupRefused(f"{path} is there already", "wait a second")
        _write(beside / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        beside.rename(path)
        _sync(into)
        if note:
            _write(
                journal / LAST_BACKUP, msgspec.json.encode({"at_ns": now_ns, "path": str(path.absolute())})
            )
    except (OSError, lmdb.Error, JournalError) as error:
        raise _refused(error, into) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return path, manifest


def _copy_database(journal: Path, into: Path) -> None:
    """Copy as one read transaction sees it; writers go on meanwhile."""
    environment = lmdb.open(str(journal), readonly=True, lock=True, max_dbs=16, readahead=False)
    try:
        environment.copy(str(into), compact=True)
    finally:
        environment.close()
    (into / DATA).chmod(0o600)
    _sync(into / DATA)


def _copy_rest(journal: Path, into: Path) -> None:
    """Generations are whole files; a latch that grows meanwhile is copied up to some line."""
    if (journal / GENERATIONS).is_dir():
        (into / GENERATIONS).mkdir(mode=0o700)
        for path in sorted((journal / GENERATIONS).glob("*.json")):
            shutil.copy2(path, into / GENERATIONS / path.name)
    if (journal / LATCH_FILE).is_file():
        shutil.copy2(journal / LATCH_FILE, into / LATCH_FILE)
    for path in _files(into):
        _sync(path)


def _described(folder: Path, now_ns: int, as_evidence: bool) -> Manifest:
    """Return the manifest of a copy whose chain holds. Errors: BackupRefused, JournalError."""
    store = LmdbStore(folder, readonly=True)
    try:
        records, fault = verify_chain(store)
        if fault is not None and not as_evidence:
            raise BackupRefused(
                f"the journal's chain of hashes is broken: {fault}",
                "`polytrade audit verify` names the place",
            )
        journal = Journal(store)
        deployment = (store.get("meta", b"deployment") or b"").decode()
    finally:
        store.close()
    (folder / "lock.mdb").unlink(missing_ok=True)
    files = {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}
    return Manifest(
        FORMAT,
        now_ns,
        deployment,
        journal.identity,
        journal.epoch,
        journal.sequence,
        journal.chain.hex(),
        records,
        files,
    )


def check_backup(backup: Path) -> Manifest:
    """Return the manifest of a backup whose files are those it was made with. Errors: BackupRefused."""
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        text = f"{backup} is no backup: {MANIFEST}: {error.strerror}"
        raise BackupRefused(text, "name a folder that `polytrade backup` made") from error
    except msgspec.MsgspecError as error:
        raise BackupRefused(f"{backup / MANIFEST} cannot be read: {error}", "take another backup") from error
    if manifest.format > FORMAT:
        raise BackupRefused(f"{backup} has format {manifest.format}", "restore it with a newer release")
    there = {str(path.relative_to(backup)) for path in _files(backup)} - {MANIFEST, "lock.mdb"}
    for name, digest in manifest.files.items():
        if name not in there or _digest(backup / name) != digest:
            state = "differs from what was backed up" if name in there else "is missing"
            raise BackupRefused(f"{backup / name} {state}", "take another backup")
    if extra := sorted(there - set(manifest.files)):
        raise BackupRefused(f"{backup / extra[0]} does not belong to the backup", "take another backup")
    return manifest


def restore(
    backup: Path, journal: Path, now_ns: int, actor: str, reason: str, *, aside: str = ""
) -> Manifest:
    """Put a backup in a journal's place, under a new name and halted.

    `aside` is what the folder that is there now is renamed to; without it there may be none.
    Errors: BackupRefused.
    """
    manifest = check_backup(backup)
    is_there = journal.exists() and any(journal.iterdir())
    if is_there and not aside:
        raise BackupRefused(f"{journal} is not empty", "keep what is there with --aside")
    beside = journal.with_name(f".{journal.name}.restoring")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True, mode=0o700)
        for name in manifest.files:
            (beside / name).parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copy2(backup / name, beside / name)
            _sync(beside / name)
        _rename_journal(beside, manifest, now_ns, actor, reason)
        if is_there:
            _keep_aside(journal, journal.with_name(aside))
        elif journal.exists():
            journal.rmdir()
        beside.rename(journal)
        _sync(journal.parent)
    except (OSError, lmdb.Error, JournalError) as error:
        raise _refused(error, journal) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return manifest


def _rename_journal(folder: Path, manifest: Manifest, now_ns: int, actor: str, reason: str) -> None:
    store = LmdbStore(folder)
    try:
        journal = Journal(store)
        identity = identity_of(max(now_ns, manifest.at_ns + SECOND_NS))
        event = JournalRestored(manifest.at_ns, manifest.journal, manifest.sequence, actor, reason)
        record = journal.record(max(now_ns, journal.at_ns), [(NODE, 0, event.VERSION, event)])
        store.commit(TurnWrite((record,), meta=((b"identity", identity.encode()),)))
        store.sync()
    finally:
        store.close()
    for name in ("owner", "lock.mdb"):
        (folder / name).unlink(missing_ok=True)
    line = LatchLine(
        kind=HALT,
        deployment=manifest.deployment,
        scope="all",
        level="no_new_risk",
        actor=actor,
        reason=HALTED,
        at_ns=now_ns,
    )
    append(latch_path(folder), line)


def _keep_aside(journal: Path, aside: Path) -> None:
    """Move what is there, when no node writes to it. Errors: BackupRefused, JournalInUse."""
    if aside.exists():
        raise BackupRefused(f"{aside} is there already", "choose another name for --aside")
    if (journal / DATA).exists():
        LmdbStore(journal).close()
    journal.rename(aside)


# -- files -----------------------------------------------------------------------------------------------


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _write(path: Path, raw: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(error: Exception, where: Path) -> BackupRefused:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return BackupRefused(f"{where}: the disk is full", "make room for it, or choose another disk")
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BackupRefused(f"{where}: {text}", "nothing has been changed")

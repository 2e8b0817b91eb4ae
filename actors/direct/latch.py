"""The latch beside a journal: what was ordered from outside a node, one line each, chained and synced.

A node takes in every line it has not taken, when it starts and while it runs. Nothing here releases a halt. A
line names the hash of the line before it, so a line that was changed, removed or cut short shows.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

__all__ = ["HALT", "LATCH_FILE", "PROOF", "LatchLine", "Latched", "append", "latch_path", "read_latches"]

LATCH_FILE = "halts.jsonl"
HALT, PROOF = "halt", "proof"
BYTES_MAX = 16 << 20  # more than anybody will ever order; a longer file is not ours
TEXT_MAX = 2_000


class LatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `kind` is `halt` (what is ordered) or `proof` (what the venue showed afterwards)."""

    kind: str
    deployment: str
    scope: str
    level: str  # no_new_risk | cancel_all | flatten
    actor: str
    reason: str
    at_ns: int
    text: str = ""  # of a proof: what the venue showed
    previous: str = ""  # hash of the line before


class Latched(NamedTuple):
    """A line as it was found. `fault` says why it cannot be believed; then only its number counts."""

    number: int  # of the line in the file, from 1
    digest: str  # SHA-256 of the line as it is written
    line: LatchLine | None
    fault: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LatchLine).decode


def latch_path(journal: Path) -> Path:
    """Return where the latch of a journal lies."""
    return journal / LATCH_FILE


def append(path: Path, line: LatchLine) -> Latched:
    """Write one line behind the others and sync it, file and folder; several processes may.

    Errors: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        before = os.pread(descriptor, BYTES_MAX, 0)
        lines = before.split(b"\n")
        torn = lines[-1] != b""  # somebody died while writing it
        count = len(lines) - (not torn)
        last = lines[count - 1] if count else b""
        text = _encode(msgspec.structs.replace(line, previous=_digest(last) if count else ""))
        written = b"\n" * torn + text + b"\n"
        while written:
            written = written[os.write(descriptor, written) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)
    return Latched(count + 1, _digest(text), line)


def read_latches(path: Path) -> list[Latched]:
    """Return every line of a latch, those that cannot be believed with their fault; nothing without a file.

    A last line that is not complete yet is left out: whoever writes it may still be at it.
    Errors: OSError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX)
    except FileNotFoundError:
        return []
    return list(_checked(content.split(b"\n")[:-1]))


def _checked(lines: Iterable[bytes]) -> Iterable[Latched]:
    previous = ""
    for number, raw in enumerate(lines, 1):
        digest = _digest(raw)
        try:
            line = _decode(raw)
        except msgspec.MsgspecError as error:
            yield Latched(number, digest, None, f"it cannot be read: {error}")
        else:
            if line.previous == previous:
                yield Latched(number, digest, line)
            else:
                yield Latched(number, digest, None, "it does not follow the line before it")
        previous = digest


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

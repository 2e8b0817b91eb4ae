"""Heads of the journal's chain, kept outside the journal: what makes a cut or rewritten journal show.

A chain proves that its records fit each other, not that they are the ones that were written: whoever can
write the journal can cut its end, or hash everything anew. An anchor is the chain up to one event, appended
to a file in another folder, as one JSON object a line. It proves as much as that file is out of their reach.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import msgspec

from actors.runtime.errors import JournalError
from actors.runtime.journal import Journal
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.node import Node
from actors.runtime.store import Store

__all__ = ["Anchor", "AnchorFile", "Anchoring", "SigningFailed", "keep_anchoring", "read_anchors"]


class Anchor(msgspec.Struct, frozen=True):
    """The head of one journal's chain at an instant."""

    at_ns: int
    journal: str  # the journal's name, which it got at its first start
    epoch: int
    sequence: int  # of the last event written by then
    chain: str  # hexadecimal, up to and with that event
    signature: str = ""  # of `signed_text`, by a key that is not ours; empty when nobody signs

    @property
    def signed_text(self) -> str:
        """What a signature is of."""
        return f"polytrade anchor {self.at_ns} {self.journal} {self.epoch} {self.sequence} {self.chain}"


class SigningFailed(Exception):
    """An anchor could not be signed; the text says why."""


def read_anchors(path: str | Path) -> list[Anchor]:
    """Return all anchors of a file, oldest first. Errors: JournalError with the line that is none."""
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise JournalError(f"{path}: the anchors cannot be read: {error.strerror}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Anchor))
        except msgspec.MsgspecError as error:
            if number == len(lines):
                continue  # the process was killed while it wrote the last one
            raise JournalError(f"{path}, line {number}: this is no anchor: {error}") from error
    return found


class AnchorFile:
    """Appends anchors; each is on the disk when `append` returns. Errors: OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, anchor: Anchor) -> None:
        """Add one anchor behind what is there, also behind half a line."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(file).st_size
            is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            os.write(file, b"\n" * is_torn + msgspec.json.encode(anchor) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)


class Anchoring:
    """Writes anchors on a thread of its own: neither this disk nor a slow one elsewhere holds the loop up.

    The journal is synced before its head is anchored, so that no power cut makes an anchor accuse an honest
    journal. `sign` may block and raises SigningFailed: then the anchor is written without a signature, which
    is better than none.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        tell: Callable[[Message], None],
        sign: Callable[[str], str] | None = None,
        was_failing: bool = False,
    ) -> None:
        self._store = store
        self._file = AnchorFile(path)
        self._tell = tell
        self._sign = sign
        self._sequence = 0  # of the anchor that was taken last
        self._is_failing = was_failing  # as the node before this one had told
        self._waiting: SimpleQueue[Anchor | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-anchors", daemon=True)
        self._thread.start()

    def take(self, journal: Journal, now_ns: int) -> None:
        """Anchor the head, unless it has not moved. Called between turns, or when the node has ended."""
        if journal.sequence == self._sequence:
            return
        self._sequence = journal.sequence
        chain = journal.chain.hex()
        self._waiting.put(Anchor(now_ns, journal.identity, journal.epoch, journal.sequence, chain))

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        while (anchor := self._waiting.get()) is not None:
            fault = self._written(anchor)
            if fault:
                self._fails(anchor.at_ns, fault)
            elif self._is_failing:
                self._is_failing = False
                self._tell(AlertResolved("AnchorsFailing", "", "node", anchor.at_ns))

    def _written(self, anchor: Anchor) -> str:
        """Return what went wrong; empty for nothing."""
        fault, signature = "", ""
        if self._sign is not None:
            try:
                signature = self._sign(anchor.signed_text)
            except SigningFailed as error:
                fault = f"it is not signed: {error}"
        try:
            self._store.sync()
            self._file.append(msgspec.structs.replace(anchor, signature=signature))
        except OSError as error:
            return f"{self._file.path}: {error.strerror}"
        return fault

    def _fails(self, at_ns: int, why: str) -> None:
        self._sequence = 0  # try again though the head has not moved
        if not self._is_failing:
            self._is_failing = True
            text = f"the journal's head is not anchored as it should be: {why}"
            self._tell(AlertRaised("AnchorsFailing", "", Severity.TICKET, text, "node", at_ns))


def keep_anchoring(anchoring: Anchoring, node: Node, every_ns: int) -> None:
    """Anchor the head now and every so often, between the turns of a node."""

    def look() -> None:
        anchoring.take(node.journal, node.now_ns)
        node.act_later(every_ns, look)

    look()

"""Proves the journal's chain beside the node: its end at each start, all of it now and then.

`python -m actors.deployment.chain_watch FOLDER ANCHORS FROM` reads a journal in a process of its own, with
little priority, and writes the first event that cannot be believed to stdout: the loop never waits for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from actors.runtime.errors import JournalError

__all__ = ["ChainWatch", "fault_of"]

NICENESS = 15
TAIL_EVENTS = 20_000  # proven at each start: what was written around the end of the node before
START_S = 5.0  # after a start, before the look at its end: first decisions first
SETTLE_S = 60.0  # after a start, before the first look at all of it
BROKEN = "the journal cannot be believed from event "


class ChainWatch:
    """A thread that waits for such a process. `tell` gets what is wrong, "" for nothing."""

    def __init__(
        self,
        journal: Path,
        anchors: Path | None,
        last_sequence: int,
        every_s: float,
        tell: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._anchors = anchors
        self._tail = max(1, last_sequence - TAIL_EVENTS)
        self._every_s = every_s
        self._tell = tell
        self._over = threading.Event()
        self._worker: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="chain-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what is running."""
        self._over.set()
        if self._worker is not None:
            self._worker.kill()
        self._thread.join(5.0)

    def _run(self) -> None:
        if self._over.wait(START_S):
            return
        if broken := self._prove(self._tail):
            self._tell(broken)
        wait_s = min(SETTLE_S, self._every_s)
        while not self._over.wait(wait_s):
            wait_s = self._every_s
            found = self._prove(1)
            if found is not None:
                self._tell(found)

    def _prove(self, from_sequence: int) -> str | None:
        """Return what is wrong, "" for nothing; None when nobody could look, which proves nothing."""
        command = [sys.executable, "-m", "actors.deployment.chain_watch", str(self._journal)]
        command += [str(self._anchors or ""), str(from_sequence)]
        try:
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
                self._worker = worker
                said = worker.communicate()[0].strip()
                return said if worker.returncode == 0 and not self._over.is_set() else None
        except OSError:
            return None
        finally:
            self._worker = None


def fault_of(journal: Path, anchors: Path | None, from_sequence: int) -> str:
    """Return the first thing that is wrong with a journal, "" for nothing. Errors: JournalError."""
    from actors.audit.verify import verify
    from actors.control.fields import FieldNames
    from actors.control.journal_reader import JournalReader
    from actors.runtime.anchors import read_anchors

    known = read_anchors(anchors) if anchors is not None and anchors.exists() else []
    with JournalReader(journal, FieldNames({})) as reader:
        fault = verify(reader, known, from_sequence).fault
    return f"{BROKEN}{fault.sequence} on: {fault.reason}" if fault is not None else ""


def main() -> int:
    """Answer once; 0 when somebody could look."""
    os.nice(NICENESS)
    journal, anchors, from_sequence = sys.argv[1:4]
    try:
        print(fault_of(Path(journal), Path(anchors) if anchors else None, int(from_sequence)))
    except JournalError as error:
        print(f"polytrade: the chain was not proven: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Tells when the newest backup of the journal is older than the deployment wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.deployment.backups import LAST_BACKUP
from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity
from actors.runtime.node import Node

__all__ = ["BackupWatch", "keep_looking"]

LOOK_NS = 60_000_000_000
HOUR_NS = 3_600_000_000_000
MISSING = "BackupMissing"


class BackupWatch:
    """Call `look` now and then. It tells once when a backup is overdue, and once when there is one."""

    def __init__(self, journal: Path, within_ns: int, tell: Callable[[Message], None]) -> None:
        self._note = journal / LAST_BACKUP
        self.within_ns = within_ns
        self._tell = tell
        self._told: str | None = None

    def look(self, now_ns: int) -> None:
        """Compare the age of the newest backup with what is allowed."""
        at_ns = self._newest_ns()
        if now_ns - at_ns <= self.within_ns:
            if self._told != "":  # also the first time: the node before may have left its alert behind
                self._told = ""
                self._tell(AlertResolved(MISSING, "", "node", now_ns))
            return
        if self._told:
            return
        age = f"{(now_ns - at_ns) // HOUR_NS} h old" if at_ns else "not there"
        self._told = f"the newest backup of the journal is {age}; one is wanted every {self._wanted()}"
        self._tell(AlertRaised(MISSING, "", Severity.TICKET, self._told, "node", now_ns))

    def _wanted(self) -> str:
        hours = self.within_ns / HOUR_NS
        return f"{hours:g} h"

    def _newest_ns(self) -> int:
        """Return when the newest backup was made; 0 when none was, or its note cannot be read."""
        try:
            found = msgspec.json.decode(self._note.read_bytes())
            return int(found["at_ns"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def keep_looking(watch: BackupWatch, node: Node) -> None:
    """Have a watch look now and once a minute, between the turns of a node; more often at a short time."""
    every_ns = min(LOOK_NS, watch.within_ns // 4)

    def look() -> None:
        watch.look(node.now_ns)
        node.act_later(every_ns, look)

    look()

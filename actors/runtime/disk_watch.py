"""Looks at the room the journal has left, so that a full disk stops new risk before it stops the journal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity, SupervisorExhausted
from actors.runtime.node import Node
from actors.runtime.store import Store

__all__ = ["DiskWatch", "keep_looking"]

LOOK_NS = 5_000_000_000
USED_FRACTION_MAX = 0.9  # of the journal's own limit


class DiskWatch:
    """Call `look` every few seconds. It tells once when room runs out, and once when there is room again."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        *,
        free_bytes_min: int,
        action: str,
        tell: Callable[[Message], None],
        was_low: bool = False,
        free_bytes: Callable[[Path], int] = lambda directory: shutil.disk_usage(directory).free,
    ) -> None:
        self._store = store
        self._directory = directory
        self._free_bytes_min = free_bytes_min
        self._action = action
        self._tell = tell
        self._free_bytes = free_bytes
        self.is_low = was_low  # as the node before this one had told

    def look(self, now_ns: int) -> None:
        """Compare the room with the limits."""
        reason = self._shortage()
        if reason and not self.is_low:
            self.is_low = True
            self._tell(AlertRaised("DiskFilling", "", Severity.PAGE, reason, "node", now_ns))
            self._tell(SupervisorExhausted("journal", "node", self._action, reason, now_ns))
        elif not reason and self.is_low:
            self.is_low = False
            self._tell(AlertResolved("DiskFilling", "", "node", now_ns))
            # What it stood for is over; the halt that came of it waits for a person.
            self._tell(AlertResolved("SupervisorExhausted", "node", "node", now_ns))

    def _shortage(self) -> str:
        used, limit = self._store.usage()
        if used > limit * USED_FRACTION_MAX:
            return f"the journal uses {used >> 20} MiB of the {limit >> 20} MiB it may"
        free = self._free_bytes(self._directory)
        if free < self._free_bytes_min:
            least = self._free_bytes_min >> 20
            return f"only {free >> 20} MiB are free at {self._directory}, less than {least} MiB"
        return ""


def keep_looking(watch: DiskWatch, node: Node) -> None:
    """Have a watch look now and every few seconds, between the turns of a node."""

    def look() -> None:
        watch.look(node.now_ns)
        node.act_later(LOOK_NS, look)

    look()

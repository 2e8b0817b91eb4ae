"""Looks at the room the journal has left, so that a full disk stops new risk before it stops the journal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from actors.runtime.messages import AlertRaised, AlertResolved, Message, Severity, SupervisorExhausted
from actors.runtime.node import Node
from actors.runtime.store import Store

__all__ = ["DiskWatch", "keep_looking", "lack_of_room"]

LOOK_NS = 5_000_000_000
USED_FRACTION_MAX = 0.9  # of the journal's own limit
START_BYTES_MIN = 1 << 20  # free on the disk, and below the journal's limit; less, and a start is refused


def _free_bytes(directory: Path) -> int:
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent  # it will be made there
    return shutil.disk_usage(directory).free


def lack_of_room(
    directory: Path, store: Store | None = None, free_bytes: Callable[[Path], int] = _free_bytes
) -> str:
    """Return why a node should not even begin on this disk, or with this journal; "" when it may.

    What dies of a full disk a second after each start only writes its end again and again.
    """
    free = free_bytes(directory)
    if free < START_BYTES_MIN:
        return f"{directory}: the disk is full ({free >> 10} KiB are free); free space, then start again"
    used, limit = store.usage() if store is not None else (0, 0)
    if store is not None and limit - used < min(START_BYTES_MIN, limit // 100):
        return (
            f"{directory}: the journal is at its limit of {limit} bytes; "
            "raise `journal: {size_max: ...}` or archive old events"
        )
    return ""


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

"""Looks at the memory of the process: how near it is to what it may have, and whether it only ever grows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["MemoryWatch", "allowed_bytes", "resident_bytes"]

NEAR_FRACTION = 0.9  # of what it may have
BACK_FRACTION = 0.9  # of a limit that was met: below it, it is over
LOOK_NS = 10_000_000_000
STATM = Path("/proc/self/statm")
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
MIB = 1 << 20


def resident_bytes() -> int:
    """Return the memory that the process holds; 0 where nobody tells. No disk is touched."""
    try:
        return int(STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def allowed_bytes(limits: Iterable[Path] = CGROUP_LIMITS) -> int:
    """Return what the machine, or the container around the process, lets it have."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in limits:
        try:
            found = min(found, int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return found


class MemoryWatch:
    """`wrong` is "" while all is well.

    `bytes_max`: what the process may have; it is told at nine tenths of it. `growth_max`: by how much it may
    grow beyond what it held `settle_ns` after its start, when caches and books are full; 0 turns it off.
    """

    def __init__(
        self, bytes_max: int, growth_max: int, settle_ns: int, read: Callable[[], int] = resident_bytes
    ) -> None:
        self._near = int(bytes_max * NEAR_FRACTION)
        self._bytes_max = bytes_max
        self._growth_max = growth_max
        self._settle_ns = settle_ns
        self._every_ns = min(LOOK_NS, settle_ns)
        self._read = read
        self._began_ns: int | None = None
        self._base = 0  # what it held when it had settled
        self._next_ns = 0
        self._last = ""

    def wrong(self, reading_ns: int) -> str:
        """Return what is wrong at a look; memory is read every ten seconds, or as often as it settles."""
        if reading_ns < self._next_ns:
            return self._last
        self._next_ns = reading_ns + self._every_ns
        if self._began_ns is None:
            self._began_ns = reading_ns
        held = self._read()
        if not self._base and reading_ns - self._began_ns >= self._settle_ns:
            self._base = held
        self._last = self._judge(held)
        return self._last

    def _judge(self, held: int) -> str:
        slack = BACK_FRACTION if self._last else 1.0
        if held >= self._near * slack:
            return f"the node holds {held // MIB} MiB of the {self._bytes_max // MIB} MiB that it may have"
        grown = held - self._base
        if self._base and self._growth_max and grown >= self._growth_max * slack:
            return (
                f"the node holds {held // MIB} MiB, {grown // MIB} MiB more than when it had settled: "
                "something is kept that should be let go"
            )
        return ""

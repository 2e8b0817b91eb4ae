"""When each drill passed last, from the history that drills write; read again only when it has changed."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

__all__ = ["HISTORY", "DrillAges"]

# Below the folder that one works in, as `polytrade drill` leaves it: one JSON object a line.
HISTORY = Path("var/drills/history.jsonl")
BYTES_MAX = 16 << 20  # of the end of the file; a history that is longer has old runs at its beginning
DRILLS_MAX = 100


class _Run(msgspec.Struct, frozen=True):
    """What matters here about one run; a line has more."""

    drill: str
    began_ns: int
    passed: bool


class DrillAges:
    """Looks at one history file."""

    def __init__(self, path: Path = HISTORY) -> None:
        self._path = path
        self._seen = (0, 0)  # size and time of change of what was read
        self._passed: dict[str, float] = {}

    def passed_at_s(self) -> dict[str, float]:
        """Return when each drill passed last, in seconds since 1970; nothing when there is no history."""
        try:
            stat = self._path.stat()
            if (stat.st_size, stat.st_mtime_ns) != self._seen:
                self._passed = self._read()
                self._seen = (stat.st_size, stat.st_mtime_ns)
        except OSError:
            return {}
        return self._passed

    def _read(self) -> dict[str, float]:
        found: dict[str, float] = {}
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - BYTES_MAX))
            lines = file.read().splitlines()
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError):  # half a line, or another version's
                run = msgspec.json.decode(line, type=_Run)
                if run.passed and (run.drill in found or len(found) < DRILLS_MAX):
                    found[run.drill] = max(found.get(run.drill, 0.0), run.began_ns / 1e9)
        return found

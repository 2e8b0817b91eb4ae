"""Probes of processes: one has ended."""

from __future__ import annotations

from typing import Any

from actors.drills.processes import is_alive
from actors.drills.stage import stage_of
from actors.drills.wire import until

__all__ = ["has_ended"]

Given = dict[str, Any] | None


def has_ended(process: str = "node", within: float = 60.0, configuration: Given = None) -> bool:
    """Wait until a process that the stage started has ended; `node` is `polytrade up`."""
    stage = stage_of(configuration)
    pid = stage.pids[process]
    return until(lambda: not is_alive(pid), within, f"{process} has ended")

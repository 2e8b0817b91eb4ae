"""How long a journal of a million events takes to be copied and proven, and to be put back."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from actors.cli.benchmarks.stories import BORN_NS, EVENTS, EVENTS_PER_ORDER, history
from actors.deployment.backups import back_up, restore

__all__ = ["backup_million_s", "bare_copy_s", "restore_million_s"]


def backup_million_s() -> float:
    """Return the seconds of one backup: the copy, its chain computed anew, its digests, its syncs."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _, manifest = back_up(history(), Path(folder), BORN_NS, "bench", note=False)
        seconds = time.perf_counter() - began
    _require_all(manifest.sequence)
    return seconds


def restore_million_s() -> float:
    """Return the seconds of one restore: digests checked, files copied and synced, renamed, halted."""
    with tempfile.TemporaryDirectory() as folder:
        path, _ = back_up(history(), Path(folder), BORN_NS, "bench", note=False)
        began = time.perf_counter()
        manifest = restore(path, Path(folder) / "again", BORN_NS * 2, "bench", "bench")
        seconds = time.perf_counter() - began
    _require_all(manifest.sequence)
    return seconds


def bare_copy_s() -> float:
    """Return the seconds in which the machine copies the same file and syncs it."""
    source = history() / "data.mdb"
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        shutil.copyfile(source, Path(folder) / "copy")
        with (Path(folder) / "copy").open("rb+") as file:
            os.fsync(file.fileno())
        return time.perf_counter() - began


def _require_all(sequence: int) -> None:
    if sequence != EVENTS // EVENTS_PER_ORDER * EVENTS_PER_ORDER:
        raise RuntimeError(f"the copy holds {sequence} events")

"""Gathers what a page of drills shows: drills, their last runs and records, what the runbooks promise."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from actors.drills.experiments import Drill
from actors.drills.history import Entry, newest, read_history
from actors.drills.report_page import Row, page
from actors.drills.running import Budget

__all__ = ["RUNS", "budget_of", "write_page"]

RUNS = "runs"  # folder of the records, beside the history


def write_page(drills: list[Drill], history: Path, out: Path) -> int:
    """Write the page; return its bytes. Errors: OSError."""
    from actors.backtest.report_style import STYLE

    last = newest(read_history(history))
    rows = [_row(drill, last.get(drill.name), history.parent / RUNS) for drill in drills]
    text = page(rows, STYLE, time.time()).encode()
    out.write_bytes(text)
    return len(text)


def _row(drill: Drill, entry: Entry | None, folder: Path) -> Row:
    front = front_of(drill)
    record: dict[str, Any] = {}
    if entry is not None and entry.journal:
        with contextlib.suppress(OSError, ValueError):
            record = json.loads((folder / Path(entry.journal).name).read_text(encoding="utf-8"))
    return Row(drill, front.severity if front is not None else "", budget_of(drill), entry, record)


def front_of(drill: Drill) -> Any:
    """Return the front matter of the runbook of a drill's alert; None when there is none."""
    from actors.cli.runbook import runbooks_folder
    from actors.drills.runbooks.document import RunbookFault, read_runbook

    if not drill.about.alert:
        return None
    with contextlib.suppress(RunbookFault, OSError):
        return read_runbook(runbooks_folder() / f"{drill.about.alert}.md").front
    return None


def budget_of(drill: Drill) -> Budget:
    """Return the times that the runbook of a drill's alert promises."""
    from actors.runtime.clock import parse_duration

    front = front_of(drill)
    if front is None:
        return Budget()
    return Budget(parse_duration(front.detect) / 1e9, parse_duration(front.recover) / 1e9)

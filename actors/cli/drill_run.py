"""Runs drills one after the other: a stage for those that can share one, the record, the history."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from actors.cli.drill_stage import existing_stage, own_stage
from actors.cli.output import note
from actors.drills.experiments import Drill, drills_folder
from actors.drills.history import Entry, append
from actors.drills.running import Budget, run_drill
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed

__all__ = ["Session"]


class Session:
    """One call of `polytrade drill run`."""

    def __init__(self, history: Path, *, quiet: bool) -> None:
        self._history = history
        self._quiet = quiet

    def run(self, drills: list[Drill], against: str | None, in_live_mode: bool) -> list[Entry]:
        """Run drills; return what became of each. A stage on which one failed is not used again."""
        if against is not None:
            with existing_stage(against, may_disturb_live=in_live_mode) as (stage, path):
                return [self._one(drill, stage, path) for drill in drills]
        found: list[Entry] = []
        for _, group in groupby(sorted(drills, key=stage_key), key=stage_key):
            waiting = list(group)
            while waiting:
                found += self._on_one_stage(waiting)
        return found

    def _on_one_stage(self, waiting: list[Drill]) -> Iterator[Entry]:
        """Run drills of one kind of stage on a new one until they are through or one fails."""
        began = datetime.now(UTC)
        try:
            with own_stage(drills_folder(), waiting[0].about.stage) as (stage, path):
                while waiting:
                    entry = self._one(waiting.pop(0), stage, path)
                    yield entry
                    if not entry.passed:
                        return
        except DrillFailed as failed:
            if not waiting:
                raise
            drill = waiting.pop(0)
            yield self._kept(
                Entry(
                    drill=drill.name,
                    began_ns=int(began.timestamp() * 1e9),
                    began=began.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    passed=False,
                    alert=drill.about.alert,
                    reason=f"there was no stage: {failed}",
                )
            )

    def _one(self, drill: Drill, stage: Stage, path: Path) -> Entry:
        folder = self._history.parent / "runs"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        journal = folder / f"{drill.name}-{stamp}.json"
        return self._kept(run_drill(drill, stage, path, journal, os.environ, budget_of(drill)))

    def _kept(self, entry: Entry) -> Entry:
        append(self._history, entry)
        if not self._quiet:
            note(line_of(entry))
        return entry


def stage_key(drill: Drill) -> tuple[bool, str, str]:
    """Return what drills that can share a stage have in common; those that spoil theirs come last, alone."""
    about = drill.about
    return about.fresh, about.stage, drill.name if about.fresh else ""


def budget_of(drill: Drill) -> Budget:
    """Return the times that the runbook of a drill's alert promises."""
    from actors.cli.runbook import runbooks_folder
    from actors.drills.runbooks.document import RunbookFault, read_runbook
    from actors.runtime.clock import parse_duration

    with contextlib.suppress(RunbookFault, OSError, ValueError):
        front = read_runbook(runbooks_folder() / f"{drill.about.alert}.md").front
        return Budget(parse_duration(front.detect) / 1e9, parse_duration(front.recover) / 1e9)
    return Budget()


def line_of(entry: Entry) -> str:
    """Return one run in one line."""
    parts = [f"{entry.drill}: {'passed' if entry.passed else 'FAILED'} in {entry.took_s:.0f} s"]
    if entry.alert and entry.detect_s >= 0:
        parts.append(f"{entry.alert} after {entry.detect_s:.1f} s")
    if entry.recover_s >= 0:
        parts.append(f"well again {entry.recover_s:.1f} s later")
    return ", ".join(parts) + (f": {entry.reason}" if entry.reason else "")

"""Runs drills: a stage for those that can share one, several stages at once; keeps records and history."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from actors.cli.drill_report import RUNS, budget_of
from actors.cli.drill_stage import existing_stage, own_stage
from actors.cli.output import note
from actors.drills.actions.guard import NOT_HERE
from actors.drills.experiments import Drill, drills_folder
from actors.drills.history import Entry, append, last_passed, read_history
from actors.drills.processes import PROGRAM
from actors.drills.running import INTERRUPTED, run_drill
from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed

__all__ = ["Session", "parts", "run_at_once"]

LOOK_S = 0.2
AROUND_S = 15.0  # what a drill takes besides detecting and recovering


class Session:
    """One call of `polytrade drill run`, in this process: one drill after the other."""

    def __init__(self, history: Path, *, quiet: bool) -> None:
        self._history = history
        self._quiet = quiet

    def run(self, drills: list[Drill], against: str | None, in_live_mode: bool) -> list[Entry]:
        """Run drills; return what became of each. A stage on which one failed is not used again."""
        if against is not None:
            with existing_stage(against, may_disturb_live=in_live_mode) as (stage, path):
                return [self._one(drill, stage, path) for drill in drills]
        found: list[Entry] = []
        for waiting in _groups(drills):
            while waiting:
                found += self._on_one_stage(waiting)
        return found

    def _on_one_stage(self, waiting: list[Drill]) -> Iterator[Entry]:
        """Run drills of one kind of stage on a new one until they are through or one fails."""
        began_ns = time.time_ns()
        try:
            with own_stage(drills_folder(), waiting[0].about.stage) as (stage, path):
                is_proven = False
                while waiting:
                    entry = self._one(waiting.pop(0), stage, path, is_proven=is_proven)
                    yield entry
                    if not entry.passed:
                        return
                    is_proven = True
        except DrillFailed as failed:
            if not waiting:
                raise
            yield self._kept(_without_stage(waiting.pop(0), began_ns, str(failed)))

    def _one(self, drill: Drill, stage: Stage, path: Path, *, is_proven: bool = False) -> Entry:
        folder = self._history.parent / RUNS
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        journal = folder / f"{drill.name}-{stamp}.json"
        budget = budget_of(drill)
        done = self._kept(run_drill(drill, stage, path, journal, os.environ, budget, is_proven=is_proven))
        if done.reason == INTERRUPTED:  # Chaos Toolkit has swallowed the Ctrl-C, after its rollbacks
            raise KeyboardInterrupt
        return done

    def _kept(self, entry: Entry) -> Entry:
        if NOT_HERE not in entry.reason:  # what was not tried says nothing about what it proved before
            append(self._history, entry)
        if not self._quiet:
            note(line_of(entry))
        return entry


def _groups(drills: list[Drill]) -> list[list[Drill]]:
    """Return drills that can share a stage together; those that spoil theirs alone, at the end."""
    return [list(group) for _, group in groupby(sorted(drills, key=_stage_key), key=_stage_key)]


def _stage_key(drill: Drill) -> tuple[bool, str, str]:
    about = drill.about
    return about.fresh, about.stage, drill.name if about.fresh else ""


def _without_stage(drill: Drill, began_ns: int, reason: str) -> Entry:
    return Entry(
        drill=drill.name,
        began_ns=began_ns,
        began=datetime.fromtimestamp(began_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        passed=False,
        alert=drill.about.alert,
        reason=f"there was no stage: {reason}",
    )


def run_at_once(drills: list[Drill], jobs: int, history: Path, *, quiet: bool) -> list[Entry]:
    """Run drills on so many stages at a time, each in a process of its own; return what became of each."""
    began_ns = time.time_ns()
    waiting = parts(drills, jobs, history)
    running: list[subprocess.Popen[bytes]] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_part(waiting.pop(0), history, quiet))
            time.sleep(LOOK_S)
            running = [one for one in running if one.poll() is None]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()
    names = {drill.name for drill in drills}
    found = [one for one in read_history(history) if one.began_ns >= began_ns and one.drill in names]
    told = {one.drill for one in found}
    lost = [drill for drill in drills if drill.name not in told]
    for drill in lost:
        found.append(_without_stage(drill, began_ns, "its process ended without a word"))
        append(history, found[-1])
    return found


def _expected(drills: list[Drill], history: Path) -> dict[str, float]:
    """Return the seconds that each drill took last, or what its runbook grants it."""
    took = {name: entry.took_s for name, entry in last_passed(read_history(history)).items()}
    budgets = {drill.name: budget_of(drill) for drill in drills if drill.name not in took}
    granted = {name: AROUND_S + budget.detect_s + budget.recover_s for name, budget in budgets.items()}
    return took | granted


def parts(drills: list[Drill], jobs: int, history: Path) -> list[list[Drill]]:
    """Cut drills into parts that share a stage, the longest first: none is busy alone at the end."""
    cut = [part for group in _groups(drills) for start in range(jobs) if (part := group[start::jobs])]
    expected = _expected(drills, history)
    return sorted(cut, key=lambda part: -sum(expected[drill.name] for drill in part))


def _expected(drills: list[Drill], history: Path) -> dict[str, float]:
    """Return the seconds that each drill took last, or what its runbook grants it."""
    took = {name: entry.took_s for name, entry in last_passed(read_history(history)).items()}
    budgets = {drill.name: budget_of(drill) for drill in drills if drill.name not in took}
    granted = {name: AROUND_S + budget.detect_s + budget.recover_s for name, budget in budgets.items()}
    return took | granted


def _shares(group: list[Drill], jobs: int) -> list[list[Drill]]:
    """Cut a group into as many parts as stages run at once."""
    return [part for start in range(jobs) if (part := group[start::jobs])]


def _part(drills: list[Drill], history: Path, quiet: bool) -> subprocess.Popen[bytes]:
    names = [drill.name for drill in drills]
    words = ["drill", "run", *names, "--history", str(history), "--part", *(["--json"] if quiet else [])]
    output = subprocess.DEVNULL if quiet else None
    return subprocess.Popen([*PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=output)


def line_of(entry: Entry) -> str:
    """Return one run in one line."""
    failed = "refused" if NOT_HERE in entry.reason else "FAILED"
    parts = [f"{entry.drill}: {'passed' if entry.passed else failed} in {entry.took_s:.0f} s"]
    if entry.alert and entry.detect_s >= 0:
        parts.append(f"{entry.alert} after {entry.detect_s:.1f} s")
    if entry.recover_s >= 0:
        parts.append(f"well again {entry.recover_s:.1f} s later")
    return ", ".join(parts) + (f": {entry.reason}" if entry.reason else "")

"""Is every alert drilled? Held against the experiments there are and against what has passed here lately."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from actors.drills.experiments import Drill
from actors.drills.history import AGE_MAX_S, Entry, last_passed
from actors.drills.runbooks.document import Runbook, RunbookFault

__all__ = ["drill_faults", "drill_warnings"]

FRONT_LINE = 1
DAY_S = 86_400


def drill_faults(runbooks: Iterable[Runbook], drills: Mapping[str, Drill]) -> Iterator[RunbookFault]:
    """Yield runbooks whose drill does not exist, or proves another alert."""
    for one in runbooks:
        name = one.front.drill
        if not name:
            continue
        if name not in drills:
            yield RunbookFault(one.path, FRONT_LINE, f"there is no drill {name}: no file chaos/{name}.yaml")
        elif drills[name].about.alert != one.name:
            other = drills[name].about.alert or "no alert"
            yield RunbookFault(one.path, FRONT_LINE, f"the drill {name} is about {other}")


def drill_warnings(
    runbooks: Iterable[Runbook], drills: Mapping[str, Drill], history: Iterable[Entry], now_s: float
) -> Iterator[RunbookFault]:
    """Yield runbooks that nothing proves here: without a drill, never passed, or too long ago.

    They are no faults by themselves: a fresh copy of the program has no history.
    """
    passed = last_passed(history)
    for one in runbooks:
        name = one.front.drill
        if not name:
            yield RunbookFault(one.path, FRONT_LINE, "no drill proves it")
        elif name in drills and name not in passed:
            yield RunbookFault(one.path, FRONT_LINE, f"its drill {name} has never passed here")
        elif name in passed and now_s - passed[name].began_ns / 1e9 > AGE_MAX_S:
            days = int((now_s - passed[name].began_ns / 1e9) // DAY_S)
            text = f"its drill {name} passed {days} days ago, more than {AGE_MAX_S // DAY_S}"
            yield RunbookFault(one.path, FRONT_LINE, text)

"""What a runbook must be before somebody reads it at three in the morning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from actors.drills.runbooks.catalogue import listed_alerts, raised_names
from actors.drills.runbooks.document import Runbook, RunbookFault, read_runbook

__all__ = ["Lint", "read_all"]

SCREEN_LINES = 30
IMPACT_LETTERS_MAX = 160
VARIABLES = frozenset({"FILE", "KEY", "SYMBOL", "ACCOUNT", "ACTOR", "SCOPE"})
INLINE = re.compile(r"`(polytrade [^`]+)`")
METRIC = re.compile(r"\bpolytrade_[a-z0-9_]+")
DASHBOARD = re.compile(r"dashboard \*(\w+)\*")
VARIABLE = re.compile(r"\$\{?([A-Z]+)\}?")

Find = Callable[
    [list[str]], str
]  # the words of a command -> why there is no such command; empty when there is


def read_all(folder: Path) -> tuple[list[Runbook], list[RunbookFault]]:
    """Return all runbooks of a folder, and what is wrong with those that cannot be read."""
    found: list[Runbook] = []
    faults: list[RunbookFault] = []
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        try:
            found.append(read_runbook(path))
        except RunbookFault as fault:
            faults.append(fault)
    return found, faults


class Lint:
    """Checks a folder of runbooks against the alerts and commands of the program in `root`."""

    def __init__(self, root: Path, command_fault: Find) -> None:
        self._alerts = listed_alerts(root)
        self._raised = raised_names(root)
        self._command_fault = command_fault
        self._known = _Known(root)

    def faults(self, folder: Path) -> list[RunbookFault]:
        """Return everything that is wrong, file by file."""
        runbooks, faults = read_all(folder)
        for runbook in runbooks:
            faults += self._of_runbook(runbook)
        names = {runbook.name for runbook in runbooks} | {Path(str(f).split(":")[0]).stem for f in faults}
        for name, alert in sorted(self._alerts.items()):
            if name not in names:
                faults.append(
                    RunbookFault(str(folder / f"{name}.md"), 1, f"missing; {alert.document} lists the alert")
                )
        for name, place in sorted(self._raised.items()):
            if name not in self._alerts:
                faults.append(
                    RunbookFault(
                        place.partition(":")[0], int(place.partition(":")[2]), f"no table lists {name}"
                    )
                )
        return faults

    def _of_runbook(self, runbook: Runbook) -> Iterator[RunbookFault]:
        def fault(line: int, text: str) -> RunbookFault:
            return RunbookFault(runbook.path, line, text)

        if Path(runbook.path).stem != runbook.name:
            yield fault(1, f"the file should be called {runbook.name}.md")
        alert = self._alerts.get(runbook.name)
        if alert is None:
            yield fault(1, f"no actor raises an alert {runbook.name}")
        elif runbook.front.severity not in alert.severity:
            yield fault(1, f"severity {runbook.front.severity}; {alert.document} says {alert.severity}")
        if len(runbook.impact) > IMPACT_LETTERS_MAX:
            yield fault(1, f"the impact has {len(runbook.impact)} letters, more than {IMPACT_LETTERS_MAX}")
        if runbook.steps[0].line > SCREEN_LINES:
            yield fault(runbook.steps[0].line, f"the first command stands below line {SCREEN_LINES}")
        yield from (fault(line, text) for line, text in _orders(runbook))
        yield from (fault(line, text) for line, text in self._known.strangers(runbook))
        for line, command in (*_named_in_prose(runbook), *((one.line, one.command) for one in runbook.steps)):
            unknown = sorted(set(VARIABLE.findall(command)) - VARIABLES)
            if unknown:
                yield fault(line, f"there is no ${unknown[0]}; there are {', '.join(sorted(VARIABLES))}")
            for words in _commands(command):
                reason = self._command_fault(words)
                if reason:
                    yield fault(line, reason)


class _Known:
    """What a runbook may name beside commands: folders of actors, metrics of the catalogue, dashboards."""

    def __init__(self, root: Path) -> None:
        self._actors = {"node", *(path.name for path in (root / "actors").iterdir() if path.is_dir())}
        catalogue = (root / "schemas" / "metrics.yaml").read_text(encoding="utf-8")
        self._metrics = frozenset(METRIC.findall(catalogue))
        pages = (root / "config" / "dashboards").glob("*.json")
        self._dashboards = {path.stem.removeprefix("polytrade-") for path in pages}

    def strangers(self, runbook: Runbook) -> Iterator[tuple[int, str]]:
        """Yield what is named and not there, with its line."""
        for name in runbook.front.actors:
            if name not in self._actors:
                yield 1, f"there is no actor {name!r}"
        for line, text in enumerate(runbook.text.splitlines(), 1):
            for name in METRIC.findall(text):
                if name not in self._metrics:
                    yield line, f"there is no metric {name}: schemas/metrics.yaml lists them"
            for name in DASHBOARD.findall(text):
                if name not in self._dashboards:
                    yield (
                        line,
                        f"there is no dashboard {name}: there are {', '.join(sorted(self._dashboards))}",
                    )


def _orders(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Looking comes before acting, and after each act somebody sees whether it worked."""
    if runbook.steps[0].kind != "check":
        yield runbook.steps[0].line, "the first step should look, not act"
    for position, step in enumerate(runbook.steps):
        if step.kind != "act":
            continue
        if not step.confirm:
            yield step.line, f'act {step.id!r} asks nobody: write confirm="..."'
        following = [one.kind for one in runbook.steps[position + 1 :]]
        if "verify" not in following:
            yield step.line, f"no verify follows act {step.id!r}"


def _named_in_prose(runbook: Runbook) -> Iterator[tuple[int, str]]:
    """Commands that prose offers are typed by somebody as well."""
    for line, text in enumerate(runbook.text.splitlines(), 1):
        for found in INLINE.finditer(text):
            yield line, found[1]


def _commands(text: str) -> Iterable[list[str]]:
    for line in text.splitlines():
        for part in re.split(r"&&|\|\||[|;]", re.sub(r"\s#.*", "", line)):
            words = part.split()
            if words and words[0] == "polytrade":
                yield words[1:]

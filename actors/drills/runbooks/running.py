"""Runs a runbook step by step: shows what is expected and what came, asks before it acts, keeps all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from actors.drills.runbooks.document import Runbook, Step

__all__ = ["Outcome", "Output", "Person", "Run", "Runner"]

AGAIN_NS = 500_000_000  # between two looks of a step that waits for something to come true
OUTPUT_LETTERS_KEPT = 4_000


class Output(msgspec.Struct, frozen=True):
    """What a command did. `code` -1: it did not end in time."""

    code: int
    text: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of one step, for the record."""

    step: str
    kind: str
    result: str  # as_expected | not_as_expected | skipped | planned
    began_ns: int
    took_ns: int
    got: str = ""
    reason: str = ""  # of a skip, or to go on after what was not expected


class Person(Protocol):
    """Whoever runs it: is shown things, and answers."""

    def show(self, step: Step, number: int, count: int) -> None:
        """A step comes."""
        ...

    def shown(self, outcome: Outcome) -> None:
        """It is over."""
        ...

    def may_act(self, step: Step) -> str:
        """Return "" to let it act, or the reason for which it shall be skipped."""
        ...

    def goes_on(self, step: Step, outcome: Outcome) -> str:
        """Return "" to stop here, or the reason to go on although it was not as expected."""
        ...


class Run(msgspec.Struct):
    """All outcomes of one run."""

    runbook: str
    variables: dict[str, str]
    began_ns: int
    outcomes: list[Outcome]

    @property
    def is_good(self) -> bool:
        """Nothing was other than expected, and nothing was left out."""
        return all(one.result in ("as_expected", "planned") for one in self.outcomes)


class Runner:
    """One run. `execute` gets a command, its variables and the time it has; `now` and `wait` are in ns."""

    def __init__(
        self,
        person: Person,
        execute: Callable[[str, Mapping[str, str], int], Output],
        record: Callable[[str, Outcome], None],
        now: Callable[[], int],
        wait: Callable[[int], None],
    ) -> None:
        self._person = person
        self._execute = execute
        self._record = record
        self._now = now
        self._wait = wait
        self.last: Run | None = None  # also of a run that somebody broke off

    def run(self, runbook: Runbook, variables: Mapping[str, str], *, dry: bool = False) -> Run:
        """Go through the steps; dry: only what would be done, and the checks."""
        self.last = run = Run(runbook.name, dict(variables), self._now(), [])
        count = len(runbook.steps)
        for number, step in enumerate(runbook.steps, 1):
            self._person.show(step, number, count)
            outcome = self._one(step, variables, dry)
            self._person.shown(outcome)
            run.outcomes.append(outcome)
            must_stop = outcome.result == "not_as_expected" and not dry
            try:
                if must_stop and (reason := self._person.goes_on(step, outcome)):
                    must_stop = False
                    run.outcomes[-1] = msgspec.structs.replace(outcome, reason=reason)
            finally:  # whoever goes away instead of answering leaves what they saw
                self._record(runbook.name, run.outcomes[-1])
            if must_stop:
                break
        return run

    def _one(self, step: Step, variables: Mapping[str, str], dry: bool) -> Outcome:
        began = self._now()
        if dry and step.kind != "check":
            return Outcome(step.id, step.kind, "planned", began, 0)
        if step.kind == "act" and (reason := self._person.may_act(step)):
            return Outcome(step.id, step.kind, "skipped", began, 0, reason=reason)
        deadline = began + step.within_ns
        while True:
            output = self._execute(step.command, variables, max(1, deadline - self._now()))
            is_good = fits(step, output)
            is_over = step.kind != "verify" or self._now() + AGAIN_NS >= deadline
            if is_good or is_over:
                break
            self._wait(AGAIN_NS)
        result = "as_expected" if is_good else "not_as_expected"
        got = output.text[-OUTPUT_LETTERS_KEPT:] if output.code >= 0 else f"no end in time\n{output.text}"
        return Outcome(step.id, step.kind, result, began, self._now() - began, got)


def fits(step: Step, output: Output) -> bool:
    """Tell whether an output is what a step expects."""
    if output.code != step.code:
        return False
    if step.expect and step.expect not in output.text:
        return False
    return not (step.expect_not and step.expect_not in output.text)

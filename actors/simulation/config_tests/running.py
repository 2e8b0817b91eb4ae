"""Runs one test, and says of the first thing that is not as expected what came instead."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.deployment.config_tests.steps import Advance, ConfigTest, Expectation, Step
from actors.deployment.config_tests.where import Condition, found_at, shown
from actors.deployment.places import Span
from actors.runtime.clock import monotonic_ns
from actors.simulation.config_tests.record import Happened
from actors.simulation.config_tests.stage import CannotDo, Stage

__all__ = ["Failure", "TestResult", "run_test"]

STATES = ("position", "halt", "state")
AGAIN_S = 0.5
LIMIT_S = 300.0  # the slowest shipped test takes two
NEAREST_MAX = 3
EXCERPT_LINES = 12
VALUES_SHOWN = 8
LETTERS_MAX = 150


@dataclass(frozen=True)
class Failure:
    """What is not as expected: where the test says it, what it says, what came, and the journal around it."""

    span: Span
    text: str
    got: tuple[str, ...] = ()
    journal: tuple[str, ...] = ()


@dataclass
class TestResult:
    """What became of a test. It has passed when there is no failure."""

    __test__ = False

    test: ConfigTest
    failure: Failure | None = None
    wall_ns: int = 0
    simulated_ns: int = 0
    checks_count: int = field(default=0)


class _TookTooLong(BaseException):
    """The time of the machine that a test may take is over. No handler of errors may swallow it."""


def run_test(test: ConfigTest, limit_s: float = 0.0) -> TestResult:
    """Run a test on a node of its own. `limit_s`: by the clock of the machine; 0 is LIMIT_S."""
    limit_s = limit_s or LIMIT_S
    began, result = monotonic_ns(), TestResult(test)
    runner = None
    try:
        with _limited(limit_s):
            runner = _Runner(test)
            result.failure = runner.run()
    except _TookTooLong:
        result.failure = _overdue(test, runner, limit_s)
    except CannotDo as error:
        result.failure = Failure(test.span, str(error))
    except ValueError as error:
        result.failure = Failure(test.span, f"the test cannot be set up: {error}")
    if runner is not None:
        result.simulated_ns = runner.stage.world.now_ns - runner.start_ns
        result.checks_count = runner.checks_count
    result.wall_ns = monotonic_ns() - began
    return result


@contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    """Have the block end after a time, even in a loop without end. Only for the main thread."""

    def over(number: int, frame: object) -> None:
        raise _TookTooLong

    before, began = signal.signal(signal.SIGALRM, over), monotonic_ns()
    # Again and again: what is raised within a callback of the garbage collector is lost.
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left_s:  # somebody limits us, too
            left_s = max(left_s - (monotonic_ns() - began) / 1e9, 0.001)
            signal.setitimer(signal.ITIMER_REAL, left_s)


def _overdue(test: ConfigTest, runner: _Runner | None, limit_s: float) -> Failure:
    if runner is None:
        return Failure(test.span, f"its node did not come up within {limit_s:g} s of this machine's time")
    simulated_s = (runner.stage.world.now_ns - runner.start_ns) / 1e9
    text = f"this step did not end within {limit_s:g} s of this machine's time for the whole test"
    remedy = "an actor goes round without end, or so much market takes longer here: --timeout gives it more"
    return Failure(runner.span, text, (f"it stood at +{simulated_s:.3f}s; {remedy}",), runner.excerpt())


class _Runner:
    def __init__(self, test: ConfigTest) -> None:
        self.test = test
        self.span = test.span  # of what is under way
        self.stage = Stage(test)
        self.start_ns = self.stage.world.now_ns
        self.checks_count = 0
        self._action_mark = 0  # of what happened, where the last action began
        self._action_ns = self.start_ns

    def run(self) -> Failure | None:
        """Do every step; return what is not as expected."""
        stage = self.stage
        stage.world.run_for(self.test.given.settle)
        self._mark()
        for step in self.test.steps:
            self.span = step.span
            failure = self._step(step)
            if failure is not None:
                return failure
        return self._watched(self.test.span)

    def _step(self, step: Step) -> Failure | None:
        if isinstance(step.deed, Expectation):
            self.checks_count += 1
            return self._expect(step, step.deed)
        if not isinstance(step.deed, Advance):
            self._mark()
        try:
            self.stage.do(step.deed)
        except CannotDo as error:
            return Failure(step.span, str(error), journal=self.excerpt())
        return self._watched(step.span)

    def _mark(self) -> None:
        self._action_mark, self._action_ns = len(self.stage.record.happened), self.stage.world.now_ns

    def _watched(self, span: Span) -> Failure | None:
        """Return a promise of the platform itself that was broken on the way."""
        self.stage.look()
        for violation in self.stage.watchers.violations[:1]:
            text = f"a promise of the platform was broken: {violation.invariant}"
            return Failure(span, text, (violation.detail,), self.excerpt())
        return None

    # -- expectations --------------------------------------------------------------------------------

    def _expect(self, step: Step, asked: Expectation) -> Failure | None:
        world, within = self.stage.world, asked.form.within
        if asked.form.times:
            world.run_for(within)
        else:
            world.wait_for(lambda: bool(self._met(asked)), within)
        met = self._met(asked)
        if asked.is_absence:
            return self._unwanted(step, asked, met) if met else None
        if asked.form.times and len(met) != asked.form.times:
            return self._missed(step, asked, f"it came {len(met)} times")
        return None if met else self._missed(step, asked, "")

    def _met(self, asked: Expectation) -> list[str]:
        """Return in words what fulfils an expectation."""
        if asked.subject in STATES:
            return [
                f"{who}: {_values(values, asked.where.conditions)}"
                for who, values in self.stage.now(asked)
                if not asked.where.failed(values)
            ]
        mark = 0 if asked.form.since == "start" else self._action_mark
        found = self.stage.record.since(mark, asked)
        return [self._line(one, asked) for one in found if not asked.where.failed(one.values)]

    def _unwanted(self, step: Step, asked: Expectation, met: list[str]) -> Failure:
        text = f"expected not: {asked}"
        return Failure(step.span, text, tuple(met[:NEAREST_MAX]), self.excerpt())

    def _missed(self, step: Step, asked: Expectation, got: str) -> Failure:
        within = f" within {asked.form.within / 1e9:g}s"
        lines = [got] if got else []
        if asked.subject in STATES:
            near = [
                (asked.where.failed(values), f"{who}: {_values(values, asked.where.conditions)}")
                for who, values in self.stage.now(asked)
            ]
        else:
            mark = 0 if asked.form.since == "start" else self._action_mark
            near = [
                (asked.where.failed(one.values), self._line(one, asked))
                for one in self.stage.record.since(mark, asked)
            ]
        near.sort(key=lambda pair: len(pair[0]))
        for failed, line in near[:NEAREST_MAX]:
            wanted = ", ".join(f"{one.path}: {one.text}" for one in failed)
            lines.append(f"{line}" + (f"  (wanted {wanted})" if wanted else ""))
        if not near:
            kind = f"{asked.subject} {asked.name}" if asked.subject not in STATES else asked.subject
            lines.append(f"no {kind} at all" + ("" if asked.subject in STATES else " since the last action"))
        return Failure(step.span, f"expected: {asked}{within}", tuple(lines), self.excerpt())

    # -- words ---------------------------------------------------------------------------------------

    def _at(self, at_ns: int) -> str:
        return f"+{(at_ns - self.start_ns) / 1e9:.3f}s"

    def _line(self, one: Happened, asked: Expectation) -> str:
        route = " -> ".join(filter(None, (one.by, one.to)))
        values = _values(one.values, asked.where.conditions)
        return f"{self._at(one.at_ns)} {route}  {one.name}  {values}"[:LETTERS_MAX]

    def excerpt(self) -> tuple[str, ...]:
        """Return the newest events of the journal since the last action, those of its instant in any case."""
        journal = [one for one in self.stage.record.journal if one[0] >= self._action_ns]
        lines = []
        for at_ns, cell, name, event in journal[-EXCERPT_LINES:]:
            values = _values(msgspec.structs.asdict(event), ())
            lines.append(f"{self._at(at_ns)} {cell:<12} {name}  {values}"[:LETTERS_MAX])
        return tuple(lines)


def _says_little(name: str, value: Any) -> bool:
    """Tell whether a value is left out of a line: empty, an instant, a rank, or more than a line holds."""
    if value in ("", 0, (), None) or isinstance(value, list | dict | msgspec.Struct):
        return True
    return name.endswith(("at_ns", "_who", "_epoch", "_count")) or name in ("sequence", "name")


def _values(values: dict[str, Any], conditions: Iterable[Condition]) -> str:
    """Return values in words: those that were asked for, and the first others."""
    asked = {one.path: found_at(values, one.path) for one in conditions}
    others = {
        name: value for name, value in values.items() if name not in asked and not _says_little(name, value)
    }
    ranked = sorted(others.items(), key=lambda pair: pair[0].endswith("_id"))  # ids are long, and say little
    both = {**asked, **dict(ranked[: max(0, VALUES_SHOWN - len(asked))])}
    return " ".join(f"{name}={shown(name, value)}" for name, value in both.items())

"""Results of tests of deployments: for people, for scripts, for CI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from actors.simulation.config_tests.running import Failure, TestResult

__all__ = ["json_line", "junit_report", "text_block"]

NAME_WIDTH = 72


def text_block(result: TestResult) -> str:
    """Return a line for a test, and below it what is not as expected."""
    word = "ok" if result.failure is None else "FAILED"
    times = f"{result.wall_ns / 1e6:5.0f} ms  {result.simulated_ns / 1e9:6.1f} s simulated"
    line = f"  {word:<6}  {result.test.name:<{NAME_WIDTH}}  {times}"
    return line if result.failure is None else f"{line}\n{_failure(result.failure)}"


def _failure(failure: Failure) -> str:
    span = failure.span
    number = f"{span.line:5d}"
    blank = " " * len(number)
    lines = [
        f"{span.origin}: {failure.text}",
        f"{number} | {span.source.line(span.line)}",
        f"{blank} | {' ' * (span.column - 1)}{'^' * max(1, span.width)}",
    ]
    lines += [f"{blank} {'|     ' if number else '= got:'} {text}" for number, text in enumerate(failure.got)]
    if failure.journal:
        lines.append(f"{blank} = journal since the last action:")
        lines += [f"{blank} |   {text}" for text in failure.journal]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def json_line(result: TestResult) -> str:
    """Return a test's result as one JSON object."""
    failure = result.failure
    row = {
        "file": result.test.file,
        "name": result.test.name,
        "line": result.test.span.line,
        "passed": failure is None,
        "checks": result.checks_count,
        "wall_s": round(result.wall_ns / 1e9, 4),
        "simulated_s": result.simulated_ns / 1e9,
        "failure": None,
    }
    if failure is not None:
        row["failure"] = {
            "at": str(failure.span.origin),
            "text": failure.text,
            "got": list(failure.got),
            "journal": list(failure.journal),
        }
    return json.dumps(row, ensure_ascii=False)


def junit_report(results: Sequence[TestResult]) -> str:
    """Return all results as JUnit XML, one suite a file."""
    suites = []
    for file in dict.fromkeys(result.test.file for result in results):
        own = [result for result in results if result.test.file == file]
        failed = sum(result.failure is not None for result in own)
        seconds = sum(result.wall_ns for result in own) / 1e9
        head = (
            f'<testsuite name={quoteattr(file)} tests="{len(own)}" failures="{failed}" time="{seconds:.3f}">'
        )
        suites.append("\n".join([head, *map(_case, own), "</testsuite>"]))
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>", ""])


def _case(result: TestResult) -> str:
    head = (
        f"<testcase classname={quoteattr(result.test.file)} name={quoteattr(result.test.name)} "
        f'time="{result.wall_ns / 1e9:.3f}"'
    )
    if result.failure is None:
        return f"{head}/>"
    text = escape(_failure(result.failure))
    return f"{head}><failure message={quoteattr(result.failure.text)}>{text}</failure></testcase>"

"""`polytrade test`: tests of deployments, each on a node of its own in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.spans import Span

if TYPE_CHECKING:
    from actors.deployment.config_tests.steps import ConfigTest
    from actors.deployment.faults import Fault
    from actors.simulation.config_tests.running import TestResult

__all__ = ["test"]

FOLDER = "config/tests"


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@click.option("-k", "words", metavar="WORDS", help="Only tests whose name or file holds all of these words.")
@click.option("--list", "as_list", is_flag=True, help="Only list the tests, checked, without running them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each test.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write a JUnit report to a file."
)
@click.option(
    *("--timeout", "limit_s"),
    type=Span(),
    default="5m",
    show_default=True,
    help="How long each test may take, by the clock of this machine; one that does not end fails.",
)
def test(
    paths: tuple[str, ...],
    words: str | None,
    as_list: bool,
    as_json: bool,
    junit: Path | None,
    limit_s: float,
) -> None:
    """Run tests of deployments in virtual time. Without a path: those in config/tests."""
    from actors.cli.config_tests_shown import json_line, junit_report, text_block
    from actors.deployment.config_tests.reading import SUFFIX
    from actors.simulation.config_tests.running import run_test

    tests = _chosen(_read(paths or (FOLDER,)), words)
    if not tests:
        where = " ".join(paths or (FOLDER,))
        help = f"files of tests end in {SUFFIX}; docs/config-tests.md"
        raise Problem(ExitCode.NOT_FOUND, f"there are no tests in {where}" + _with(words), help)
    if as_list:
        for one in tests:
            echo(f"{one.file}:{one.span.line}: {one.name}")
        return
    results: list[TestResult] = []
    file = ""
    for one in tests:
        result = run_test(one, limit_s)
        results.append(result)
        if as_json:
            echo(json_line(result))
            continue
        if one.file != file:
            file = one.file
            echo(file)
        echo(text_block(result))
    if junit is not None:
        _write(junit, junit_report(results))
    failed = sum(result.failure is not None for result in results)
    wall_s = sum(result.wall_ns for result in results) / 1e9
    note(f"{len(results)} {'test' if len(results) == 1 else 'tests'}, {failed} failed, {wall_s:.1f} s")
    if failed:
        raise SystemExit(int(ExitCode.FAILURE))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise Problem(ExitCode.FAILURE, f"the report cannot be written to {path}: {reason}") from error


def _with(words: str | None) -> str:
    return f" with {words!r} in their name" if words else ""


def _read(paths: Sequence[str]) -> list[ConfigTest]:
    """Read all files before anything runs. Errors: Problem, ConfigError with the faults of all of them."""
    from actors.deployment.config_tests.reading import TestReader, files_of_tests
    from actors.deployment.faults import ConfigError
    from actors.simulation.faults import KINDS

    try:
        files = files_of_tests(paths)
    except FileNotFoundError as error:
        raise Problem(ExitCode.NOT_FOUND, f"there is no file and no folder {error}") from error
    reader = TestReader(KINDS)
    tests: list[ConfigTest] = []
    faults: list[Fault] = []
    for file in files:
        try:
            tests += reader.read(file)
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(dict.fromkeys(faults))
    return tests


def _chosen(tests: list[ConfigTest], words: str | None) -> list[ConfigTest]:
    wanted = (words or "").lower().split()
    return [one for one in tests if all(word in f"{one.file} {one.name}".lower() for word in wanted)]

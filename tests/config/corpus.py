"""The cases of this folder: deployment files, what is given beside them, and the exact text they lead to.

A first line `# given: --input NAME=VALUE --env NAME VARIABLE=VALUE` stands for what a command line and the
environment would give. After a wanted change of texts, `python -m tests.config.corpus` writes every
`.expected` file anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.deployment.config_tests.reading import TestReader
from actors.deployment.faults import ConfigError
from actors.deployment.loader import load
from actors.deployment.report import text_report
from actors.simulation.faults import KINDS as FAULT_KINDS

FOLDER = Path(__file__).resolve().parent
GIVEN = b"# given: "
KINDS = ("invalid", "invalid_tests", "valid")


def cases(kind: str) -> list[str]:
    """Return the names of all cases in a folder, without what they only refer to."""
    return sorted(path.name.removesuffix(".yaml") for path in (FOLDER / kind).glob("*.yaml"))


def outcome(kind: str, name: str) -> tuple[bool, str]:
    """Return whether a case loads, and the faults or warnings it shows, with paths as seen from here."""
    path = f"{kind}/{name}.yaml"
    if kind == "invalid_tests":
        return _outcome_of_tests(path)
    with inside(FOLDER):
        inputs, environments, variables = given(Path(path).read_bytes())
        try:
            topology = load(path, environments, inputs, variables)
        except ConfigError as error:
            return False, text_report(error.faults)
        return True, text_report(topology.warnings)


def _outcome_of_tests(path: str) -> tuple[bool, str]:
    with inside(FOLDER):
        try:
            TestReader(FAULT_KINDS).read(Path(path))
        except ConfigError as error:
            return False, text_report(error.faults)
    return True, ""


def expected(kind: str, name: str) -> str:
    """Return the exact text a case must show; empty when it has no `.expected` file."""
    path = FOLDER / kind / f"{name}.expected"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def given(raw: bytes) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the inputs, environments and environment variables that a case's first line names."""
    inputs: dict[str, str] = {}
    environments: list[str] = []
    variables: dict[str, str] = {}
    first = raw.split(b"\n", 1)[0]
    words = iter(shlex.split(first.removeprefix(GIVEN).decode()) if first.startswith(GIVEN) else [])
    for word in words:
        if word == "--env":
            environments.append(next(words))
            continue
        target = inputs if word == "--input" else variables
        key, _, value = (next(words) if word == "--input" else word).partition("=")
        target[key] = value
    return inputs, environments, variables


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def write_expected() -> None:
    """Write the `.expected` file of every case anew."""
    for kind in KINDS:
        for name in cases(kind):
            text = outcome(kind, name)[1]
            path = FOLDER / kind / f"{name}.expected"
            if text:
                path.write_text(text, encoding="utf-8")
            else:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    write_expected()

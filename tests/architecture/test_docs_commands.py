"""Every command the documents show exists: `make` targets, `polytrade` verbs and their options."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from actors.cli.main import main
from actors.cli.runbook import command_fault
from tests.architecture.sources import ROOT, Fault

DOCUMENTS = ("README.md", "CHANGELOG.md", "docs/**/*.md", "runbooks/**/*.md", "actors/**/*.md")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = frozenset({"", "sh", "bash", "shell", "console"})
SPAN = re.compile(r"`((?:make|polytrade) [^`\n]+)`")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def command_faults(path: str, text: str, targets: set[str], cli: click.Group) -> list[Fault]:
    """Return the commands of one document that a reader could not run."""
    faults = []
    for line, words in _commands(text):
        if words[0] == "make":
            unknown = [w for w in words[1:] if re.fullmatch(r"[a-z][a-z-]*", w) and w not in targets]
            faults += [Fault(path, line, f"make has no target {name}") for name in unknown]
        elif reason := command_fault(words[1:], cli):
            faults.append(Fault(path, line, reason))
    return faults


def _commands(text: str) -> Iterator[tuple[int, list[str]]]:
    for found in FENCE.finditer(text):
        first = text.count("\n", 0, found.start(2)) + 1
        lines = found[2].splitlines() if found[1] in SHELLS else []
        yield from ((number, words) for number, line in enumerate(lines, first) for words in _split(line))
    for found in SPAN.finditer(text):
        yield from ((text.count("\n", 0, found.start()) + 1, words) for words in _split(found[1]))


def _split(line: str) -> Iterator[list[str]]:
    line = re.sub(r"\s#.*", "", line.strip().removeprefix("$ "))
    for part in re.split(r"&&|\|\||[|;]", line):
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        words = [word.removeprefix(".venv/bin/") for word in words]
        if words and words[0] in ("make", "polytrade"):
            yield words


def _makefile_targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def test_every_command_in_the_documents_exists() -> None:
    targets = _makefile_targets()
    paths = sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)})
    assert paths
    faults = [
        str(fault)
        for path in paths
        for fault in command_faults(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), targets, main)
    ]
    assert not faults, "\n" + "\n".join(faults)


@click.group()
def sample() -> None:
    """Stand in for the real command line."""


@sample.command()
@click.option("--plain", is_flag=True)
@click.argument("path", required=False)
def up(plain: bool, path: str) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    "text",
    [
        "```\nmake rnu\n```",
        "run `make rnu` now",
        "```sh\n$ polytrade upp config/paper.yaml\n```",
        "```sh\nmake run && polytrade up --plane\n```",
        "`polytrade up config/paper.yaml --plane`",
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str) -> None:
    assert len(command_faults("docs/x.md", text, {"run"}, sample)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "```\nmake run CONFIG=config/paper.yaml  # sets up first\n```",
        "`polytrade up config/paper.yaml --plain`",
        "make sure that it runs",
        "```yaml\nmake: nothing\n```",
        "```yaml\na: 1\n```\nmake rnu\n```yaml\nb: 1\n```",
    ],
)
def test_a_command_that_exists_is_let_through(text: str) -> None:
    assert command_faults("docs/x.md", text, {"run"}, sample) == []

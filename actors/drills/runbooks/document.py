"""A runbook as a file: front matter, one line of impact, and steps whose commands are fenced code.

```sh check id=which within=10s expect=running
polytrade ps
```

The words behind the language are the step's: its kind (`check` looks, `act` changes, `verify` sees that it
worked), then `id`, `within` (30s), `expect` (a text in the output), `expect_not`, `code` (0), `confirm` (what
an act asks first), `undo`. A value with spaces stands in double quotes. What stands before a block, up to the
heading above it, explains the step.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from actors.runtime.clock import parse_duration

__all__ = ["Runbook", "RunbookFault", "Step", "parse_runbook", "read_runbook"]

KINDS = ("check", "act", "verify")
KEYS = ("id", "within", "expect", "expect_not", "code", "confirm", "undo")
WITHIN = "30s"
FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
IMPACT = re.compile(r"^\*\*Impact:\*\* (.+)$", re.MULTILINE)


class RunbookFault(Exception):
    """What is wrong with a file, with its line."""

    def __init__(self, path: str, line: int, text: str) -> None:
        super().__init__(f"{path}:{line}: {text}")
        self.line = line
        self.text = text


class Front(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The front matter. Budgets are the time to detect, and to recover by this runbook."""

    alert: str
    severity: Literal["page", "ticket"]
    owner: str
    actors: tuple[str, ...]
    drill: str = ""
    detect: str = "30s"
    recover: str = "5m"


class Step(msgspec.Struct, frozen=True):
    """One command. `within_ns`: it has so long to end, a `verify` to come true."""

    id: str
    kind: str
    title: str
    text: str  # why, in a sentence or two
    command: str
    line: int
    within_ns: int
    expect: str = ""
    expect_not: str = ""
    code: int = 0
    confirm: str = ""
    undo: str = ""


class Runbook(msgspec.Struct, frozen=True):
    """What to do when one alert fires."""

    path: str
    front: Front
    impact: str
    steps: tuple[Step, ...]
    text: str

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.front.alert


def read_runbook(path: Path) -> Runbook:
    """Return a runbook. Errors: RunbookFault, OSError."""
    return parse_runbook(path.read_text(encoding="utf-8"), str(path))


def parse_runbook(text: str, path: str) -> Runbook:
    """Return the runbook that a text is. Errors: RunbookFault."""
    found = FRONT.match(text)
    if found is None:
        raise RunbookFault(path, 1, "there is no front matter between two lines of ---")
    try:
        front = msgspec.convert(yaml.safe_load(found[1]), Front)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise RunbookFault(path, 1, f"the front matter: {error}") from None
    impact = IMPACT.search(text)
    if impact is None:
        raise RunbookFault(path, found[0].count("\n") + 1, "there is no line **Impact:** ...")
    steps = tuple(_steps(text, path))
    if not steps:
        raise RunbookFault(path, 1, "there is no step: a block of code that begins with ```sh check id=...")
    return Runbook(path, front, impact[1], steps, text)


def _steps(text: str, path: str) -> Any:
    """Yield the fenced blocks that are steps."""
    from markdown_it import MarkdownIt

    title, words = "", []
    seen: set[str] = set()
    tokens = MarkdownIt().parse(FRONT.sub(lambda found: "\n" * found[0].count("\n"), text))
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            title, words = tokens[position + 1].content, []
        elif token.type == "inline" and tokens[position - 1].type == "paragraph_open":
            words.append(token.content)
        elif token.type == "fence" and token.info.startswith("sh "):
            line = (token.map or [0])[0] + 1
            step = _step(token.info, token.content.strip(), title, " ".join(words), path, line)
            if step.id in seen:
                raise RunbookFault(path, line, f"a second step {step.id!r}")
            seen.add(step.id)
            words = []
            yield step


def _step(info: str, command: str, title: str, text: str, path: str, line: int) -> Step:
    try:
        kind, *pairs = shlex.split(info)[1:]
    except ValueError as error:
        raise RunbookFault(path, line, f"the words behind sh: {error}") from None
    if kind not in KINDS:
        raise RunbookFault(path, line, f"{kind!r} is no kind of step; there are {', '.join(KINDS)}")
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in KEYS:
            raise RunbookFault(path, line, f"{pair!r} is not understood; there are {', '.join(KEYS)}")
        given[name] = value
    if not given.get("id"):
        raise RunbookFault(path, line, "the step has no id")
    try:
        within_ns = parse_duration(given.pop("within", WITHIN))
        code = int(given.pop("code", "0"))
    except ValueError as error:
        raise RunbookFault(path, line, str(error)) from None
    return Step(
        kind=kind, title=title, text=text, command=command, line=line, within_ns=within_ns, code=code, **given
    )

"""`polytrade logs`: the node's log as text or as the JSON lines it consists of."""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from actors.cli.exit_codes import ExitCode
from actors.cli.output import echo, note
from actors.cli.problems import Problem
from actors.cli.targets import find_target, split_words
from actors.control.logs import LOG_FILE

__all__ = ["follow", "logs"]

LOOK_EVERY_S = 0.2
OWN_KEYS = ("at", "level", "event", "actor", "turn", "cause", "traceback")
COLOURS = {"warning": "yellow", "error": "red"}


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [ACTOR]")
@click.option("-f", "--follow", "is_following", is_flag=True, help="Go on with lines as they are written.")
@click.option(
    "-n", "--lines", "last", type=int, default=50, show_default=True, help="How many to begin with."
)
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="debug",
    help="Leave out less serious lines.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON lines as they are.")
def logs(words: tuple[str, ...], is_following: bool, last: int, level: str, as_json: bool) -> None:
    """Show a deployment's log, of one actor if asked (`feed/BTC_USDT_PERP`, or `feed` for all of them)."""
    file, rest = split_words(words, "ACTOR?")
    target = find_target(file)
    path = target.journal / "log" / LOG_FILE
    if not path.is_file() and not is_following:
        raise Problem(
            ExitCode.NOT_FOUND, f"{path}: there is no log", "a deployment writes one when it first runs"
        )
    wanted = _Wanted(rest[0] if rest else "", level)
    lines = list(_begin(path, wanted, last))
    for line in lines:
        echo(line if as_json else text_line(json.loads(line)))
    if not lines and rest:
        note(f"no line of {rest[0]!r}; `polytrade ps` lists the actors")
    if is_following:
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            for line in follow(path):
                if wanted.takes(line):
                    echo(line if as_json else text_line(json.loads(line)))


class _Wanted:
    """Which lines are shown."""

    ORDER = ("debug", "info", "warning", "error")

    def __init__(self, actor: str, level: str) -> None:
        self._actor = actor
        self._least = self.ORDER.index(level)

    def takes(self, line: str) -> bool:
        try:
            found = json.loads(line)
        except ValueError:  # half a line, written when the disk was full
            return False
        level, actor = found.get("level", "info"), found.get("actor", "")
        if level in self.ORDER and self.ORDER.index(level) < self._least:
            return False
        return not self._actor or actor == self._actor or actor.startswith(self._actor + "/")


def _begin(path: Path, wanted: _Wanted, last: int) -> list[str]:
    """Return the last lines, from the rotated file too when the newest is short."""
    kept: deque[str] = deque(maxlen=max(0, last))
    for part in (path.with_name(path.name + ".1"), path):
        if part.is_file():
            with part.open(encoding="utf-8", errors="replace") as file:
                kept.extend(line for line in file.read().splitlines() if wanted.takes(line))
    return list(kept)


def follow(path: Path) -> Iterator[str]:
    """Yield whole lines written from now on, also after the file was rotated."""
    file: IO[str] | None = None
    if path.is_file():
        file = path.open(encoding="utf-8", errors="replace")
        file.seek(0, 2)
    rest = ""
    while True:
        if file is None:
            if path.is_file():
                file = path.open(encoding="utf-8", errors="replace")
        else:
            rest += file.read()
            *lines, rest = rest.split("\n")
            yield from lines
            if _is_replaced(file, path):
                file.close()
                file = None
                continue
        time.sleep(LOOK_EVERY_S)


def _is_replaced(file: IO[str], path: Path) -> bool:
    import os

    try:
        return os.fstat(file.fileno()).st_ino != path.stat().st_ino
    except OSError:
        return False


def text_line(line: dict[str, Any]) -> str:
    """Return a line for eyes: time, level, actor, event, fields."""
    level = str(line.get("level", ""))
    fields = " ".join(f"{name}={_value(value)}" for name, value in line.items() if name not in OWN_KEYS)
    shown = click.style(f"{level.upper():7}", fg=COLOURS.get(level))
    at = str(line.get("at", ""))[:23].replace("T", " ")
    text = f"{at} {shown} {line.get('actor', ''):24} {line.get('event', '')}  {fields}".rstrip()
    trace = line.get("traceback")
    return f"{text}\n{trace.rstrip()}" if trace else text


def _value(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)

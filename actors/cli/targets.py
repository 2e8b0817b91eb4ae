"""Which deployment a command is about: the file it names, a journal's folder, or the only one that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from actors.cli.client import ControlClient
from actors.cli.exit_codes import ExitCode
from actors.cli.output import note
from actors.cli.problems import Problem
from actors.cli.running import Running, running_deployments

__all__ = [
    "Target",
    "deployment_options",
    "find_target",
    "load_instruments",
    "load_topology",
    "running_options",
    "split_words",
    "topology_of",
]

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Target:
    """One deployment: how to reach its node, and where its journal lies."""

    name: str
    journal: Path
    socket: Path
    file: str = ""

    @property
    def client(self) -> ControlClient:
        """A client of its node."""
        return ControlClient(self.socket, self.name)

    @property
    def command_words(self) -> str:
        """What to write for it on a command line."""
        return self.file or str(self.journal)


def deployment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a deployment file is read."""
    command = click.option(
        *("-e", "--environment", "environments"),
        multiple=True,
        metavar="NAME",
        help="Lay the overlay NAME over the file.",
    )(command)
    return click.option(
        *("--input", "--set", "inputs"),
        multiple=True,
        metavar="NAME=VALUE",
        help="Give a declared input a value.",
    )(command)


def load_topology(files: Sequence[str], environments: Sequence[str] = (), inputs: Sequence[str] = ()) -> Any:
    """Return the checked deployment of one or more files. Errors: ConfigError, Problem."""
    from actors.deployment.loader import load

    return load(list(files), tuple(environments), given_inputs(inputs), os.environ)


def running_options(
    files: Sequence[str], environments: tuple[str, ...], inputs: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return overlays and inputs: those given, else those that the deployment of this file runs with.

    Without them a file is another deployment than the one that runs: another journal, other addresses.
    """
    if environments or inputs or len(files) != 1:
        return environments, inputs
    path = str(Path(files[0]).absolute())
    matching = [one for one in running_deployments() if one.file == path]
    if len(matching) != 1 or not (matching[0].environments or matching[0].inputs):
        return environments, inputs
    one = matching[0]
    words = " ".join(
        [*(f"-e {name}" for name in one.environments), *(f"--input {text}" for text in one.inputs)]
    )
    note(f"{files[0]} runs with {words}, and is read so")
    return one.environments, tuple(one.inputs)


def given_inputs(inputs: Sequence[str]) -> dict[str, str]:
    """Return the values given as NAME=VALUE. Errors: Problem."""
    given = {}
    for text in inputs:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Problem(ExitCode.USAGE, f"{text!r} is no input", "write --input NAME=VALUE")
        given[name] = value
    return given


def topology_of(target: Target, environments: Sequence[str] = (), inputs: Sequence[str] = ()) -> Any:
    """Return what a target is: by its file, or by what its journal's folder has kept, as in a bundle.

    Errors: as `load_topology`; Problem when the folder has not kept it.
    """
    if target.file:
        return load_topology([target.file], environments, inputs)
    from actors.deployment.stored import NotStored, stored_topology

    try:
        return stored_topology(target.journal)
    except NotStored as error:
        raise Problem(ExitCode.USAGE, str(error), "name the deployment's file instead") from None


def load_instruments(target: Target, environments: Sequence[str], inputs: Sequence[str]) -> Any:
    """Return what a deployment trades. Errors: as `topology_of`."""
    return topology_of(target, environments, inputs).instruments


def is_target_word(word: str) -> bool:
    """Tell whether a word on the command line names a deployment: a YAML file or a journal's folder."""
    return word.endswith(SUFFIXES) or os.path.isdir(word)


def split_words(words: Sequence[str], *names: str) -> tuple[str | None, list[str]]:
    """Return the deployment's file, if the first word is one, and the other words.

    `names` are the other words the command wants; one that ends in `?` may be left out.
    """
    rest = list(words)
    file = rest.pop(0) if rest and is_target_word(rest[0]) else None
    least = sum(not name.endswith("?") for name in names)
    if file is None and len(rest) > len(names):
        problem = f"{rest[0]!r} is neither a deployment's file (.yaml) nor the folder of a journal"
        raise click.UsageError(problem if not names else f"wanted [FILE] {' '.join(names)}; {problem}")
    if not least <= len(rest) <= len(names):
        wanted = " ".join(f"[{n[:-1]}]" if n.endswith("?") else n for n in ("[FILE]", *names))
        raise click.UsageError(f"wanted {wanted}, got {' '.join(words) or 'nothing'}")
    return file, rest


def find_target(file: str | None, environments: Sequence[str] = (), inputs: Sequence[str] = ()) -> Target:
    """Return the deployment a command is about. Errors: Problem when it is not clear which one."""
    running = running_deployments()
    if file is None:
        return _only_one(running)
    if os.path.isdir(file):
        folder = Path(file).absolute()
        return Target(folder.name, folder, folder / "control.sock")
    path = str(Path(file).absolute())
    if not environments and not inputs:  # the file may have been changed since: the running one is meant
        matching = [one for one in running if one.file == path]
        if len(matching) == 1:
            return _target(matching[0])
    topology = load_topology([file], environments, inputs)
    return Target(topology.deployment, topology.journal_path, topology.socket_path, file)


def _only_one(running: list[Running]) -> Target:
    if len(running) == 1:
        return _target(running[0])
    if not running:
        raise Problem(
            ExitCode.NOT_RUNNING,
            "no deployment runs, as far as this user can see",
            "start one with `polytrade up FILE`, or name its file",
        )
    listed = "".join(f"\n  {one.deployment}  {one.file}" for one in running)
    raise Problem(
        ExitCode.NOT_RUNNING, f"{len(running)} deployments run:{listed}", "name one of these files first"
    )


def _target(one: Running) -> Target:
    return Target(one.deployment, Path(one.journal), Path(one.socket), shortest(one.file))


def shortest(path: str) -> str:
    """Return a path relative to the current folder when that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(path) else path

"""The deployments that run on this machine, as one small file each in a folder of their user.

Whoever runs a deployment holds a lock on its file, so a file whose process died, however, is known as stale.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Running", "announced", "run_directory", "running_deployments"]


@dataclass(frozen=True)
class Running:
    """One running deployment."""

    deployment: str
    mode: str
    file: str  # absolute path of its YAML file
    environment: str  # of each `-e`, with a space between; empty for none
    journal: str  # absolute path of the journal's folder
    socket: str
    pid: int  # of the process that watches over it
    inputs: tuple[str, ...] = ()  # NAME=VALUE, as they were given

    @property
    def environments(self) -> tuple[str, ...]:
        """The overlays it runs with, lowest first."""
        return tuple(self.environment.split())


def run_directory() -> Path:
    """Return the folder for these files: of the login session if there is one, else below the home folder."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session and os.access(session, os.W_OK):
        return Path(session) / "polytrade"
    state = os.environ.get("XDG_STATE_HOME")
    home = Path(state) if state else Path.home() / ".local" / "state"
    return home / "polytrade" / "run"


@contextlib.contextmanager
def announced(found: Running) -> Iterator[None]:
    """Tell other commands of this deployment for as long as the block lasts.

    A folder that cannot be written is no reason not to trade: then commands need the deployment's file.
    """
    descriptor, path = _write(found)
    try:
        yield
    finally:
        if descriptor >= 0:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _write(found: Running) -> tuple[int, Path]:
    name = hashlib.sha256(found.journal.encode()).hexdigest()[:16]
    path = run_directory() / f"{name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1, path
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # the same journal is announced: the journal's own lock decides which one may run
        os.close(descriptor)
        return -1, path
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(asdict(found)).encode())
    return descriptor, path


def running_deployments() -> list[Running]:
    """Return what runs now, by name; files of dead processes are removed."""
    found = []
    for path in sorted(run_directory().glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError), path.open() as file:
            if _is_held(file.fileno()):
                found.append(Running(**json.loads(file.read())))
            else:
                path.unlink(missing_ok=True)
    return sorted(found, key=lambda one: (one.deployment, one.file))


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False

"""The processes of a stage of our own: started, found, stopped; what they print lies beside the stage."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from actors.drills.stage import Stage
from actors.drills.wire import DrillFailed, until, view_or_none

__all__ = [
    "PROGRAM",
    "Run",
    "end_with_parent",
    "free_port",
    "is_alive",
    "listens",
    "polytrade",
    "said",
    "start",
    "stop",
]

PROGRAM = (sys.executable, "-c", "from actors.cli.main import main; main()")
START_S = 60.0
STOP_S = 60.0
SAID_CHARS = 600
# Whoever started a process reaps it; a zombie would look alive.
_children: dict[int, subprocess.Popen[bytes]] = {}


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(stage: Stage, name: str, *, ready: bool = True) -> int:
    """Start a process of the stage and wait until it is ready; return its id. Errors: DrillFailed."""
    folder = Path(stage.folder)
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*PROGRAM, *stage.commands[name]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(stage),
            start_new_session=True,
            preexec_fn=end_with_parent,  # the drill is single-threaded when it starts something
        )
    _children[process.pid] = process
    stage.pids[name] = process.pid
    if not ready:
        return process.pid

    def look() -> bool:
        if process.poll() is not None:
            raise DrillFailed(f"{name} ended with code {process.returncode}: {said(stage, name)}")
        return _is_ready(stage, name)

    until(look, START_S, f"{name} is up", lambda: said(stage, name))
    return process.pid


def end_with_parent() -> None:
    """Have the kernel end this process when the drill dies, however it dies (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _is_ready(stage: Stage, name: str) -> bool:
    address = {"exchange": stage.exchange, "vault": stage.vault, "receiver": stage.receiver}.get(name, "")
    if address:
        return listens(address)
    found = view_or_none(stage)
    return found is not None and bool(found["ready"])


def listens(url: str) -> bool:
    """Tell whether somebody takes connections there."""
    place = urlsplit(url)
    with contextlib.suppress(OSError), socket.create_connection((place.hostname, place.port), 1.0):
        return True
    return False


def stop(stage: Stage, name: str) -> None:
    """Ask a process of the stage to end and wait for it; what does not end is killed."""
    pid = stage.pids.pop(name, 0)
    if not pid or not is_alive(pid):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
    try:
        until(lambda: not is_alive(pid), STOP_S, f"{name} ends")
    except DrillFailed:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Tell whether a process still runs; a dead child of ours is reaped."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def said(stage: Stage, name: str) -> str:
    """Return the end of what a process printed."""
    with contextlib.suppress(OSError):
        text = (Path(stage.folder) / f"{name}.log").read_text("utf-8", "replace")
        return text[-SAID_CHARS:].strip()
    return ""


def environment(stage: Stage) -> dict[str, str]:
    """Return the variables of the stage's processes."""
    return {**os.environ, "NO_COLOR": "1", **stage.environment}


class Run:
    """One command of `polytrade` that is going on, from outside like an operator's."""

    def __init__(self, stage: Stage, words: tuple[str, ...], more: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [*PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=stage.folder if stage.is_ours else None,
            env={**environment(stage), **(more or {})},
        )

    @property
    def is_over(self) -> bool:
        """It has ended."""
        return self._process.poll() is not None

    def end(self, within_s: float) -> tuple[int, str, str]:
        """Return exit code, output and errors. Errors: DrillFailed when it does not end."""
        try:
            out, err = self._process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired as late:
            self._process.kill()
            self._process.wait()
            raise DrillFailed(f"{' '.join(self._process.args[3:])} did not end in {within_s:g} s") from late
        return self._process.returncode, out, err


def polytrade(stage: Stage, *words: str, within_s: float = 60.0, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command like an operator; return what it said. Errors: DrillFailed with that."""
    code, out, err = Run(stage, words).end(within_s)
    if code not in codes:
        raise DrillFailed(f"polytrade {' '.join(words)}: code {code}: {(err or out).strip()[-SAID_CHARS:]}")
    return f"{out}{err}"

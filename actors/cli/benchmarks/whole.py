"""The paper deployment as a user starts it: when it first decides, what it weighs when idle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actors.runtime.errors import JournalError
from actors.runtime.journal import read_turns
from actors.runtime.store_lmdb import LmdbStore

__all__ = ["bare_python_mib", "bare_python_s", "first_decision_s", "idle_memory_mib"]

PAPER = Path(__file__).parents[3] / "config" / "paper.yaml"
IDLE_AFTER_S = 12.0
GIVE_UP_S = 30.0


@contextlib.contextmanager
def _running(state: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `polytrade up config/paper.yaml` with a journal of its own; stop it in order."""
    command = [sys.executable, "-m", "actors.cli.main", "up", str(PAPER), "--plain"]
    environment = {**os.environ, "POLYTRADE_STATE": state, "XDG_RUNTIME_DIR": state}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, stdin=quiet)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(GIVE_UP_S)


def first_decision_s() -> float:
    """Return seconds from the start of the process to the first decision that a strategy journaled."""
    with tempfile.TemporaryDirectory() as state:
        began_ns = time.time_ns()
        with _running(state):
            while time.time_ns() - began_ns < GIVE_UP_S * 1e9:
                time.sleep(0.1)
                if decided := _first_decision_ns(Path(state) / "paper"):
                    return (decided - began_ns) / 1e9
    raise RuntimeError(f"no strategy decided anything within {GIVE_UP_S:g} s")


def _first_decision_ns(journal: Path) -> int:
    with contextlib.suppress(JournalError, OSError):
        store = LmdbStore(journal, readonly=True)
        try:
            for record in read_turns(store):
                for entry in record.entries:
                    if msgspec.msgpack.decode(entry.event)[0] == "SignalDecided":
                        return record.at_ns
        finally:
            store.close()
    return 0


def idle_memory_mib() -> float:
    """Return the resident memory of the node's process, in MiB, a while after its start."""
    with tempfile.TemporaryDirectory() as state, _running(state) as process:
        time.sleep(IDLE_AFTER_S)
        node = _youngest_descendant(process.pid)
        return _resident_mib(node)


def _youngest_descendant(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _youngest_descendant(int(children[-1])) if children else pid


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} says nothing about its memory")


def bare_python_s() -> float:
    """Return how long this Python takes to start and stop."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def bare_python_mib() -> float:
    """Return the resident memory of a Python that has imported nothing."""
    code = "import json; print(json.dumps(open('/proc/self/status').read()))"
    status: str = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024

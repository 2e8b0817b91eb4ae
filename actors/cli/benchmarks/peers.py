"""The same work in another system, if a folder with its benchmarks is at hand; each script prints JSON.

What Polytrade and the peer did in turn, on one core, may be compared; figures of two days may not.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem

__all__ = ["Peers", "pin"]

BARS = os.environ.get("POLYTRADE_BENCH_BARS", "1000000")  # as many as our own benchmark plays


def pin(core: int) -> None:
    """Keep this process and those that it starts on one core. Errors: Problem."""
    if core not in os.sched_getaffinity(0):
        usable = ", ".join(str(one) for one in sorted(os.sched_getaffinity(0)))
        raise Problem(ExitCode.USAGE, f"--core {core}: there is no such core here", f"take one of {usable}")
    os.sched_setaffinity(0, {core})


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the peers' scripts are, and the Python that runs them."""

    folder: Path
    python: str

    def value(self, script: str) -> float:
        """Return what a script measured: "nautilus_bars.py {bars} cross: bars_per_cpu_s". Errors: Problem."""
        command, _, name = script.format(bars=BARS).partition(": ")
        file, *arguments = command.split()
        if not (self.folder / file).is_file():
            text = f"--peers {self.folder}: has no {file}"
            raise Problem(ExitCode.USAGE, text, "name the folder with the peers' benchmarks")
        run = subprocess.run(
            [self.python, file, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["no word on stderr"])[-1]
            text = f"{file} did not run in {self.python}: {last}"
            raise Problem(ExitCode.FAILURE, text, "name a Python that has the peer: --peers-python")
        found: float = json.loads(run.stdout.strip().splitlines()[-1])[name]
        return found

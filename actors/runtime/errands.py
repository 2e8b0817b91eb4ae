"""What the heart has others do: each errand runs in a process of its own, so that no errand holds it up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Errands", "Herald", "LastResort", "News"]

RESORT_GRACE_S = 10.0  # beyond its own time, before the last resort is given up
REPORT_BYTES_MAX = 16_384  # fits into a pipe that nobody reads yet
ERRANDS_MAX = 8  # under way at once; what comes beyond them is not carried
ERRAND_S = 60.0  # an errand that takes longer is ended


@dataclass(frozen=True, slots=True)
class LastResort:
    """What is done when no node makes progress; `act` gets the reason and returns what came of it."""

    after_s: float  # since the last beat of any node
    within_s: float  # it may take so long
    act: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class News:
    """What the node cannot tell anybody itself, because it stands still or is not there."""

    alert: str
    text: str
    is_over: bool = False


Herald = Callable[[News], None]  # tells people; may take its time


class Errands:
    """Forks and looks after the processes. `leave` is called first in each of them."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._under_way: dict[int, float] = {}  # by pid: when it began

    def send(self, errand: Callable[[], None]) -> None:
        """Start an errand and do not wait for it."""
        self.look()
        if len(self._under_way) >= ERRANDS_MAX:
            return
        child = os.fork()
        if child == 0:
            self._run(errand)
        self._under_way[child] = time.monotonic()

    def look(self) -> None:
        """Reap those that have ended, and end those that take too long."""
        for child, began in list(self._under_way.items()):
            if time.monotonic() - began > ERRAND_S:
                os.kill(child, signal.SIGKILL)
            if os.waitpid(child, os.WNOHANG)[0]:
                del self._under_way[child]

    def wait(self, within_s: float) -> None:
        """Let those under way end, as the heart itself is about to."""
        until = time.monotonic() + within_s
        while self._under_way and time.monotonic() < until:
            self.look()
            time.sleep(0.02)

    def carry_out(self, resort: LastResort, reason: str) -> tuple[int, str]:
        """Run the last resort and wait for it; return its exit code and what it says."""
        reading, writing = os.pipe()

        def act() -> None:
            os.close(reading)
            try:
                said = resort.act(reason)
            except BaseException as error:  # the last frame of this process: say it and go
                os.write(writing, f"{type(error).__name__}: {error}".encode()[:REPORT_BYTES_MAX])
                os._exit(1)
            os.write(writing, said.encode()[:REPORT_BYTES_MAX])

        child = os.fork()
        if child == 0:
            self._run(act)
        os.close(writing)
        code = _await(child, resort.within_s + RESORT_GRACE_S)
        with os.fdopen(reading, "rb") as report:
            return code, report.read().decode("utf-8", "replace")

    def _run(self, errand: Callable[[], None]) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self._leave()
            errand()
            code = 0
        finally:
            os._exit(code)


def _await(child: int, patience_s: float) -> int:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL

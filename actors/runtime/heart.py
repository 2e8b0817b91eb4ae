"""The heart: a small process that keeps a node's process alive.

It is forked before anything big is started, has one thread and no journal, and forks the node's process from
itself, with everything already imported, so a restart costs no import time. It restarts a node that died or
makes no progress, within limits, and passes a request to stop on. Whoever launched it talks to it over a
socket pair: lines of JSON out (what happened), words in (`stop`, `kill`). When that other end disappears the
heart stops the node in order, because nobody is left to answer for it.

With a last resort it also sees to what a node leaves behind, whatever restarts do: the time since the last
beat of any of its nodes goes on through deaths, restarts and pauses. When it is over the node is killed and
the last resort runs, in a process of its own, before anything is started again. It runs too when restarts are
used up, and when a node that had run ends with something that a restart does not mend.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.runtime.beat import Beat
from actors.runtime.notify import Notifier

__all__ = ["Beat", "Heart", "HeartHandle", "HeartLimits", "LastResort", "launch"]

POLL_S = 0.1
EXHAUSTED = 70  # exit code when the restarts are used up
# Done, usage, configuration, journal in use, disk full, journal of another release.
DO_NOT_RESTART = frozenset({0, 2, 3, 6, 7, 15})
LEAVES_MUCH = frozenset({3, 7, 15})  # of these: nobody looks after what the node had begun
DEATH_WAIT_S = 2.0  # for a killed node to be gone; one that the kernel holds on to is not waited for longer
RESORT_GRACE_S = 10.0  # beyond its own time, before the last resort is given up
REPORT_BYTES_MAX = 16_384  # fits into a pipe that nobody reads yet


@dataclass(frozen=True, slots=True)
class HeartLimits:
    """How often, and how patiently."""

    intensity: int = 5  # restarts allowed
    period_s: float = 300.0  # within this time
    stall_after_s: float = 10.0  # without a beat the node is killed
    start_timeout_s: float = 120.0  # until the first beat, recovery included
    stop_timeout_s: float = 30.0  # after `stop`, before SIGKILL
    backoff_s_min: float = 0.05
    backoff_s_max: float = 10.0


@dataclass(frozen=True, slots=True)
class LastResort:
    """What is done when no node makes progress; `act` gets the reason and returns what came of it."""

    after_s: float  # since the last beat of any node
    within_s: float  # it may take so long
    act: Callable[[str], str]


class Heart:
    """Lives in its own process; `serve` returns the exit code for all of it."""

    def __init__(
        self,
        run: Callable[[Beat], int],
        limits: HeartLimits,
        line: socket.socket,
        last_resort: LastResort | None = None,
    ) -> None:
        self._run = run
        self._last_resort = last_resort
        self._progress_at = 0.0  # the last beat of any node; 0 before the first one
        self._resorted = False  # since then
        self._limits = limits
        self._line = line
        self._restarts: deque[float] = deque()
        self._restarts_count = 0
        self._child = 0
        self._pipe = -1
        self._last_beat = 0.0
        self._has_beaten = False
        self._stopping_since: float | None = None
        self._in_row = 0
        self._is_alone = False  # the launcher is gone
        self._manager = Notifier()

    def serve(self) -> int:
        """Start the node and look after it until it ends for good."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        self._line.setblocking(False)
        gc.collect()
        gc.freeze()  # the node shares these pages with the heart
        self._start()
        while True:
            self._listen()
            self._look_at_silence()
            code = self._reap()
            if code is None:
                self._check_progress()
                continue
            if self._is_stopping() or code in DO_NOT_RESTART:
                if code in LEAVES_MUCH and self._progress_at and not self._is_stopping():
                    self._resort(f"the node ended with code {code}, which a restart does not mend")
                return self._end("ended", max(code, 0))
            if not self._may_restart():
                self._resort(f"the node died more often than {self._limits.intensity} times")
                return self._end("exhausted", EXHAUSTED)
            self._pause()
            if self._is_stopping():
                return self._end("ended", 0)
            self._start()

    def _end(self, event: str, code: int) -> int:
        self._tell(event=event, code=code, restarts=self._restarts_count)
        return code

    def _is_stopping(self) -> bool:
        return self._stopping_since is not None

    # -- the node's process --------------------------------------------------------------------------

    def _start(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        # A request to stop that comes in between must find the child with its own handler, not with ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._line.close()
            self._become_node(writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(writing)
        os.set_blocking(reading, False)
        self._child, self._pipe = child, reading
        self._last_beat, self._has_beaten = time.monotonic(), False
        self._tell(event="started", pid=child, restarts=self._restarts_count)
        self._manager.status(f"node {child}, restarted {self._restarts_count} times by its heart")

    def _become_node(self, pipe: int) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            code = self._run(Beat(pipe))
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException as error:  # the last frame of this process: say it and go
            print(f"node: {type(error).__name__}: {error}", file=sys.stderr)
            if os.environ.get("POLYTRADE_DEBUG"):
                raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> int | None:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid == 0:
            return None
        os.close(self._pipe)
        self._pipe = -1
        code = os.waitstatus_to_exitcode(status)
        self._tell(event="died", pid=pid, code=code)
        return code

    def _check_progress(self) -> None:
        now = time.monotonic()
        patience = self._limits.stall_after_s if self._has_beaten else self._limits.start_timeout_s
        if self._stopping_since is not None:
            if now - self._stopping_since > self._limits.stop_timeout_s:
                self._tell(event="killed", pid=self._child, reason="did not stop in time")
                self._signal(signal.SIGKILL)
                self._stopping_since = now
        elif not self._has_beaten and now - self._last_beat <= patience:
            self._manager.starting()
        elif now - self._last_beat > patience:
            self._tell(event="killed", pid=self._child, reason=f"no progress for {patience:g} s")
            self._signal(signal.SIGKILL)
            self._last_beat = now

    # -- the last resort -------------------------------------------------------------------------------

    def _look_at_silence(self) -> None:
        """See whether it is time. Restarts do not turn the clock back; only a beat does."""
        resort = self._last_resort
        if resort is None or not self._progress_at or self._is_stopping():
            return
        silent_s = time.monotonic() - self._progress_at
        if silent_s > resort.after_s:
            self._resort(f"no progress for {silent_s:.1f} s")

    def _resort(self, reason: str) -> None:
        """Run it once, with no node beside it; nothing is started before it has ended."""
        resort = self._last_resort
        if resort is None or self._resorted:
            return
        self._resorted = True
        self._end_node()
        self._tell(event="last_resort", reason=reason)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._become_last_resort(resort, reason, writing)
        os.close(writing)
        code = self._await_last_resort(child, resort.within_s + RESORT_GRACE_S)
        with os.fdopen(reading, "rb") as report:
            text = report.read().decode("utf-8", "replace")
        self._tell(event="last_resort_ended", code=code, text=text)

    def _end_node(self) -> None:
        """Kill the node and wait until it is gone, without taking its end from whoever reaps it."""
        if self._pipe < 0:
            return
        self._signal(signal.SIGKILL)
        until = time.monotonic() + DEATH_WAIT_S
        while time.monotonic() < until:
            if os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                return
            time.sleep(0.01)

    def _become_last_resort(self, resort: LastResort, reason: str, pipe: int) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(pipe, resort.act(reason).encode()[:REPORT_BYTES_MAX])
            code = 0
        except BaseException as error:  # the last frame of this process: say it and go
            os.write(pipe, f"{type(error).__name__}: {error}".encode()[:REPORT_BYTES_MAX])
        finally:
            os._exit(code)

    def _await_last_resort(self, child: int, patience_s: float) -> int:
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -signal.SIGKILL

    def _may_restart(self) -> bool:
        now, limits = time.monotonic(), self._limits
        while self._restarts and self._restarts[0] < now - limits.period_s:
            self._restarts.popleft()
        self._in_row = len(self._restarts)
        self._restarts.append(now)
        self._restarts_count += 1
        return len(self._restarts) <= limits.intensity

    def _pause(self) -> None:
        wait = min(self._limits.backoff_s_max, self._limits.backoff_s_min * 2**self._in_row)
        until = time.monotonic() + wait
        while not self._is_stopping() and (left := until - time.monotonic()) > 0:
            self._listen(min(left, POLL_S))
            self._look_at_silence()

    # -- whoever launched the heart --------------------------------------------------------------------

    def _listen(self, timeout_s: float = POLL_S) -> None:
        waiting: list[Any] = [] if self._is_alone else [self._line]
        if self._child and self._pipe >= 0:
            waiting.append(self._pipe)
        with contextlib.suppress(OSError, ValueError):  # the pipe of a child just reaped
            readable, _, _ = select.select(waiting, [], [], timeout_s)
            if self._pipe in readable:
                self._take_beat()
            if not self._is_alone and self._line in readable:
                self._take_word()

    def _take_beat(self) -> None:
        if os.read(self._pipe, 4096):
            self._last_beat = self._progress_at = time.monotonic()
            self._manager.alive()
            self._has_beaten, self._resorted = True, False
        else:
            time.sleep(0.01)  # the child closed its end and is about to be reaped

    def _take_word(self) -> None:
        word = self._line.recv(4096)
        if b"kill" in word:
            self._stopping_since = time.monotonic()
            self._signal(signal.SIGKILL)
        elif not word or b"stop" in word:
            self._stop()
            self._is_alone = not word

    def _stop(self) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._manager.stopping()
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, number)

    def _tell(self, **facts: object) -> None:
        with contextlib.suppress(OSError):
            self._line.send(json.dumps(facts).encode() + b"\n")


class HeartHandle:
    """The launcher's end of a heart."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.node_pid = 0
        self.restarts_count = 0
        self.exit_code: int | None = None
        self.events: deque[dict[str, Any]] = deque(maxlen=100)
        self._line = line
        self._rest = b""

    def poll(self) -> list[dict[str, Any]]:
        """Return what happened since the last call; sets `exit_code` once everything has ended."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while piece := self._line.recv(65536):
                self._rest += piece
        *lines, self._rest = self._rest.split(b"\n")
        for raw in lines:
            event = json.loads(raw)
            self.node_pid = event.get("pid", self.node_pid)
            self.restarts_count = event.get("restarts", self.restarts_count)
            found.append(event)
        self.events.extend(found)
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return found

    def stop(self) -> None:
        """Have the node stop in order; it is not restarted."""
        self._say(b"stop")

    def kill(self) -> None:
        """End the node at once; it is not restarted."""
        self._say(b"kill")

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._line.send(word + b"\n")

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end; return the exit code, or None when the time is over."""
        until = time.monotonic() + timeout_s
        while self.exit_code is None and time.monotonic() < until:
            self.poll()
            time.sleep(0.02)
        return self.exit_code


def launch(
    run: Callable[[Beat], int], limits: HeartLimits, last_resort: LastResort | None = None
) -> HeartHandle:
    """Fork a heart that runs a node; return the handle to it.

    `run` is called in the node's process with the beat to call after every turn; its result is the exit code.
    Call this before any thread is started: a forked process has only the thread that forked.
    """
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ours.close()
            os.setsid()  # Ctrl-C in the terminal is for the launcher
            code = Heart(run, limits, theirs, last_resort).serve()
        finally:
            os._exit(code)
    theirs.close()
    ours.setblocking(False)
    return HeartHandle(pid, ours)

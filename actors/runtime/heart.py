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

What the node cannot tell anybody because it stands still or is gone, the heart has told by a herald, in a
process of its own too. A node that is started again hears from the heart what became of the one before it.
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

from actors.runtime.beat import Beat, Death
from actors.runtime.errands import Errands, Herald, LastResort, News
from actors.runtime.heart_handle import HeartHandle
from actors.runtime.notify import Notifier

__all__ = ["Beat", "Heart", "HeartHandle", "HeartLimits", "LastResort", "launch"]

POLL_S = 0.1
EXHAUSTED = 70  # exit code when the restarts are used up
# Done, usage, configuration, journal in use, disk full, journal of another release.
DO_NOT_RESTART = frozenset({0, 2, 3, 6, 7, 15})
LEAVES_MUCH = frozenset({3, 7, 15})  # of these: nobody looks after what the node had begun
DEATH_WAIT_S = 2.0  # for a killed node to be gone; one that the kernel holds on to is not waited for longer
NEWS_S = 15.0  # for heralds to end, before the heart does


@dataclass(frozen=True, slots=True)
class HeartLimits:
    """How often, and how patiently."""

    intensity: int = 5  # restarts allowed
    period_s: float = 300.0  # within this time
    stall_after_s: float = 10.0  # without a beat the node is killed
    tell_stall_after_s: float = 3.0  # without a beat people are told
    tell_death_after_s: float = 10.0  # after a death, when no new node has come to beat
    start_timeout_s: float = 120.0  # until the first beat, recovery included
    stop_timeout_s: float = 30.0  # after `stop`, before SIGKILL
    backoff_s_min: float = 0.05
    backoff_s_max: float = 10.0


class Heart:
    """Lives in its own process; `serve` returns the exit code for all of it."""

    def __init__(
        self,
        run: Callable[[Beat], int],
        limits: HeartLimits,
        line: socket.socket,
        last_resort: LastResort | None = None,
        herald: Herald | None = None,
    ) -> None:
        self._run = run
        self._last_resort = last_resort
        self._herald = herald
        self._errands = Errands(line.close)
        self._told: dict[str, str] = {}  # by name: alerts that the herald has told of and that are not over
        self._died_at = 0.0  # of the newest node that died; 0 once another one beats
        self._why = ""  # it died
        self._is_stalled = False
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
            self._look_for_news()
            code = self._reap()
            if code is None:
                self._check_progress()
                continue
            if self._is_stopping() or code in DO_NOT_RESTART:
                if code in LEAVES_MUCH and self._progress_at and not self._is_stopping():
                    self._give_up(f"the node ended with code {code}, which a restart does not mend")
                return self._end("ended", max(code, 0))
            if not self._may_restart():
                self._give_up(f"the node died more often than {self._limits.intensity} times")
                return self._end("exhausted", EXHAUSTED)
            self._pause()
            if self._is_stopping():
                return self._end("ended", 0)
            self._start()

    def _give_up(self, reason: str) -> None:
        """Nobody starts the node again."""
        self._resort(reason)
        self._send(News("NodeDead", f"{reason}: nobody starts it again"))

    def _end(self, event: str, code: int) -> int:
        self._errands.wait(NEWS_S)
        self._tell(event=event, code=code, restarts=self._restarts_count)
        return code

    def _is_stopping(self) -> bool:
        return self._stopping_since is not None

    # -- the node's process --------------------------------------------------------------------------

    def _start(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        death = self._death()
        # A request to stop that comes in between must find the child with its own handler, not with ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._line.close()
            self._become_node(Beat(writing, death))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(writing)
        os.set_blocking(reading, False)
        self._child, self._pipe = child, reading
        self._is_stalled = False
        self._last_beat, self._has_beaten = time.monotonic(), False
        self._tell(event="started", pid=child, restarts=self._restarts_count)
        self._manager.status(f"node {child}, restarted {self._restarts_count} times by its heart")

    def _death(self) -> Death | None:
        if not self._died_at:
            return None
        away_s = time.monotonic() - (self._progress_at or self._died_at)
        return Death(self._why, away_s, self._restarts_count, self._is_stalled)

    def _become_node(self, beat: Beat) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            code = self._run(beat)
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
        self._died_at = time.monotonic()
        if not self._is_stalled:
            self._why = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
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
            self._is_stalled, self._why = True, f"it made no progress for {patience:g} s and was killed"
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
        code, text = self._errands.carry_out(resort, reason)
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

    # -- what the node cannot tell ---------------------------------------------------------------------

    def _look_for_news(self) -> None:
        """Have people told of a node that stands still, or has died and does not come back."""
        self._errands.look()
        if self._is_stopping() or self._herald is None:
            return
        now, limits = time.monotonic(), self._limits
        if self._died_at and now - self._died_at > limits.tell_death_after_s:
            text = f"the node is not there: {self._why}, and none has come back since"
            self._send(News("NodeDead", text))
        elif self._has_beaten and now - self._last_beat > limits.tell_stall_after_s:
            then = f"it is killed and started again after {limits.stall_after_s:g} s"
            self._send(News("LoopStalled", f"the node makes no progress; {then}"))

    def _send(self, news: News) -> None:
        herald = self._herald
        if herald is not None and news.alert not in self._told:
            self._told[news.alert] = news.text
            self._tell(event="told", alert=news.alert, text=news.text)
            self._errands.send(lambda: herald(news))

    def _all_is_well(self) -> None:
        herald, told, self._told = self._herald, self._told, {}
        if herald is not None and told:
            over = [News(alert, text, is_over=True) for alert, text in told.items()]

            def tell() -> None:
                for news in over:
                    herald(news)

            self._errands.send(tell)

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
            self._look_for_news()

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
            self._has_beaten, self._resorted, self._died_at = True, False, 0.0
            if self._told:
                self._all_is_well()
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


def launch(
    run: Callable[[Beat], int],
    limits: HeartLimits,
    last_resort: LastResort | None = None,
    herald: Herald | None = None,
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
            code = Heart(run, limits, theirs, last_resort, herald).serve()
        finally:
            os._exit(code)
    theirs.close()
    ours.setblocking(False)
    return HeartHandle(pid, ours)

"""Asks a venue one question after another: through a node's HTTP pump, within its limits, patiently."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.poloniex.answers import OK, Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import retry_after_ns
from actors.poloniex.rate_budget import Priority, RateBudget, limits_of
from actors.poloniex.request import Request, to_http
from actors.runtime.clock import monotonic_ns
from actors.runtime.messages import Message
from actors.runtime.pumps.http import HttpPump
from actors.runtime.pumps.messages import HttpFailure, HttpResponse
from actors.runtime.pumps.thread import PumpThread
from actors.venue.errors import RefusedError
from actors.venue.poloniex.failures import classify_outcome

__all__ = ["Asker", "asking"]

T = TypeVar("T")

SECOND_NS = 1_000_000_000
TIMEOUT_NS = 10 * SECOND_NS
GRACE_S = 5.0  # for the pump, after its own time-out
PAUSE_S = 1.0  # before the second try; each later one waits twice as long
PAUSE_S_MAX = 30.0
SHARE_E8 = 50_000_000  # half of the venue's limits: nodes behind the same address want to ask too


@contextlib.contextmanager
def asking(url: str, tries: int, remedy: str) -> Iterator[Asker]:
    """Give an asker; `tries` of one question, none of which changes anything at the venue."""
    thread = PumpThread("venue")
    try:
        yield Asker(url, thread, tries, remedy)
    finally:
        thread.stop()


class Asker:
    """One question at a time. `retried_count` is how often an answer had to be asked for again."""

    def __init__(self, url: str, thread: PumpThread, tries: int, remedy: str) -> None:
        self.url = url
        self.asked_count = 0
        self.retried_count = 0
        self._tries = tries
        self._remedy = remedy
        self._told: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._pump = HttpPump(thread, lambda _, message: self._told.put(message))
        self._budget = RateBudget(limits_of(0, SHARE_E8), {})

    def read(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Return what an answer says; a lost, late, refused-for-now or garbled one is asked for again.

        Errors: Problem when the venue says no for good, or still nothing after the last try.
        """
        pause_s, reason = PAUSE_S, ""
        for attempt in range(1, self._tries + 1):
            answer = self._ask(request)
            if isinstance(answer, Answer):
                if answer.code == OK:
                    try:
                        return read(answer)
                    except Malformed as error:
                        answer = f"it answers what cannot be read: {error}"
                elif isinstance(classify_outcome(answer, changes=False), RefusedError):
                    said = f"{answer.code or answer.status} {answer.text}".strip()
                    text = f"{self.url}: the venue refuses {request.path}: {said}"
                    raise Problem(ExitCode.FAILURE, text, self._remedy)
            reason = (
                answer if isinstance(answer, str) else f"it answers {answer.status} {answer.text}".strip()
            )
            if attempt < self._tries:
                self.retried_count += 1
                time.sleep(pause_s)
                pause_s = min(PAUSE_S_MAX, pause_s * 2)
        text = f"{self.url} does not answer {request.path}: {reason}"
        raise Problem(ExitCode.FAILURE, text, self._remedy)

    def _ask(self, request: Request) -> Answer | str:
        while wait_ns := self._budget.take(request.limit, Priority.NORMAL, monotonic_ns()):
            time.sleep(wait_ns / SECOND_NS)
        self.asked_count += 1
        number = str(self.asked_count)
        self._pump.put(to_http(request, number, self.url, (), TIMEOUT_NS), "")
        while True:
            try:
                told = self._told.get(timeout=TIMEOUT_NS / SECOND_NS + GRACE_S)
            except queue.Empty:
                return "no answer in time"
            if isinstance(told, HttpResponse) and told.request_id == number:
                if told.status == 429:
                    self._budget.refused(request.limit, monotonic_ns(), retry_after_ns(told))
                return read_answer(told.status, told.body, spot=request.spot)
            if isinstance(told, HttpFailure) and told.request_id == number:
                return told.reason

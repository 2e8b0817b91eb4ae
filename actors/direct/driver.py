"""Drives the stopping of one account over a wire that blocks: signs, paces, repeats, and gives up in time.

Nothing of the node is used: not its connection, its clock, its journal or its memory of what rests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from actors.direct.account import AccountPlan, Shown
from actors.domain.money import E8
from actors.poloniex.answers import Answer, read_answer
from actors.poloniex.decoding import Malformed
from actors.poloniex.line import NotAnswered
from actors.poloniex.market_rows import read_server_time_ms
from actors.poloniex.rate_budget import Priority, RateBudget, limits_of
from actors.poloniex.request import Request, server_time, to_http
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.venue.errors import OutcomeUnknownError, RefusedError, UnavailableError, VenueError
from actors.venue.poloniex.credentials import Credentials
from actors.venue.poloniex.failures import classify_outcome
from actors.venue.poloniex.readings import Pause, Steps
from actors.venue.poloniex.signing import auth_headers, sign

__all__ = ["Driver", "OutOfTime", "Times", "Wire"]

T = TypeVar("T")

MS = 1_000_000
# A 429 is counted in windows of a second: sooner than after 100 ms nothing has changed, and who asks a second
# late loses the second that matters.
PAUSE_NS_MIN, PAUSE_NS_MAX = 100 * MS, 800 * MS
ATTEMPTS_MAX = 8  # of a request that changes something; then what the venue shows decides how to go on
STEP_NS = 20 * MS  # the longest sleep, so that a wider budget is used at once
CLOCK_TIMEOUT_NS = 1_000 * MS


class Wire(Protocol):
    """Sends one request and waits for what comes of it."""

    def send(self, request: HttpRequest) -> HttpResponse | HttpFailure: ...


class Times(Protocol):
    """Time to the outside of a node."""

    def now_ns(self) -> int: ...
    def monotonic_ns(self) -> int: ...
    def sleep_ns(self, duration_ns: int) -> None: ...


class OutOfTime(Exception):
    """The time for it is over."""


class Driver:
    """One account's line. `widen` may be called from another thread."""

    def __init__(
        self,
        plan: AccountPlan,
        credentials: Credentials,
        wire: Wire,
        times: Times,
        shown: Shown,
        began_ns: int,
    ) -> None:
        self._plan = plan
        self._credentials = credentials
        self._wire = wire
        self._times = times
        self._shown = shown
        self._began_ns = began_ns  # of the trigger, monotonic
        self._offset_ns = 0  # the venue's clock minus ours
        # Whatever takes orders back does not wait for a share: refused once too often, it comes again.
        self._cancels = self._budget_of(plan.limits_fraction)
        self._budget = self._budget_of(plan.limits_fraction * plan.direct_fraction // E8)

    def _budget_of(self, fraction: int) -> RateBudget:
        return RateBudget(limits_of(self._plan.vip_level, max(1, fraction)), {}, 0)

    def widen(self) -> None:
        """Nobody else sends on this account any more: use all that the deployment may."""
        self._budget = self._cancels

    def run(self, steps: Steps[T], deadline_ns: int) -> T:
        """Drive a generator of requests to its end.

        Errors: OutOfTime; VenueError when a reading is refused for good; Malformed.
        """
        self._look_at_clock(deadline_ns)
        resume: Callable[[], Any] = lambda: next(steps)  # noqa: E731
        while True:
            try:
                step = resume()
            except StopIteration as end:
                found: T = end.value
                return found
            if isinstance(step, Pause):
                self._wait(step.duration_ns, deadline_ns)
                resume = lambda: next(steps)  # noqa: E731
                continue
            outcome = self._ask(step, deadline_ns)
            if isinstance(outcome, VenueError):
                resume = _thrower(steps, outcome)
            else:
                resume = _sender(steps, outcome)

    def _ask(self, request: Request, deadline_ns: int) -> Answer | VenueError:
        """Send until there is an answer, a refusal, or a doubt about something that was to change."""
        attempts = 0
        while True:
            self._take_turn(request, deadline_ns)
            answer = self._once(request)
            error = classify_outcome(answer, changes=request.changes)
            if error is None and isinstance(answer, Answer):
                return answer
            attempts += 1
            error = error or UnavailableError("unreachable", str(answer))
            self._shown.refused_count += error.code == "429"
            self._shown.fault = f"{request.method} {request.path}: {error}"
            if isinstance(error, RefusedError | OutcomeUnknownError):
                return error
            if request.changes and attempts >= ATTEMPTS_MAX:
                return error
            self._wait(min(PAUSE_NS_MAX, PAUSE_NS_MIN << min(attempts - 1, 8)), deadline_ns)

    def _once(self, request: Request) -> Answer | NotAnswered:
        shown, plan = self._shown, self._plan
        shown.requests_count += 1
        if request.method == "DELETE":
            shown.last_cancel_ns = self._times.monotonic_ns() - self._began_ns
        timeout_ns = plan.request_timeout_ns if request.signed else CLOCK_TIMEOUT_NS
        name = str(shown.requests_count)
        sent = to_http(request, name, plan.rest_url, self._headers(request), timeout_ns)
        came = self._wire.send(sent)
        if isinstance(came, HttpFailure):
            shown.lost_count += came.bytes_left
            return NotAnswered(came.reason, came.bytes_left)
        answer = read_answer(came.status, came.body, spot=request.spot)
        return answer._replace(code="429") if came.status == 429 else answer

    def _headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        if not request.signed:
            return ()
        at_ms = (self._times.now_ns() + self._offset_ns) // MS
        query = dict(request.query) if request.query else None
        credentials = self._credentials
        signature = sign(credentials.secret, request.method, request.path, at_ms, query, request.body)
        headers = auth_headers(credentials.key, signature, at_ms)
        return headers if request.body is None else (*headers, ("Content-Type", "application/json"))

    def _look_at_clock(self, deadline_ns: int) -> None:
        """Sign by the venue's clock: ours may be what is wrong with this machine. Without answer by ours."""
        before_ns = self._times.now_ns()
        answer = self._once(server_time())
        if isinstance(answer, NotAnswered):
            return
        try:
            venue_ns = read_server_time_ms(answer) * MS
        except Malformed:
            return
        self._offset_ns = venue_ns - (before_ns + self._times.now_ns()) // 2

    def _take_turn(self, request: Request, deadline_ns: int) -> None:
        while True:
            budget = self._cancels if request.method == "DELETE" else self._budget
            wait_ns = budget.take(request.limit, Priority.URGENT, self._times.monotonic_ns())
            if not wait_ns:
                return
            self._wait(min(wait_ns, STEP_NS), deadline_ns)

    def _wait(self, duration_ns: int, deadline_ns: int) -> None:
        if self._times.monotonic_ns() + duration_ns > deadline_ns:
            raise OutOfTime
        self._times.sleep_ns(duration_ns)


def _sender(steps: Steps[T], answer: Answer) -> Callable[[], Any]:
    return lambda: steps.send(answer)


def _thrower(steps: Steps[T], error: VenueError) -> Callable[[], Any]:
    return lambda: steps.throw(error)

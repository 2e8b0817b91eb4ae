"""Our end of the REST line: requests wait for their turn, leave by priority, and get one outcome each.

What waits too long is given up instead of leaving late. The owner gives a `seal`, which makes the headers
when a request leaves, so that a signature is never older than its request.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from actors.poloniex.answers import OK, Answer, read_answer
from actors.poloniex.rate_budget import Priority, RateBudget
from actors.poloniex.request import Request, query_text, to_http
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message
from actors.runtime.pumps.messages import HttpFailure, HttpResponse

__all__ = ["Call", "Line", "LineDue", "NotAnswered", "PathStats", "RateLimited", "Seal"]

WAITING_MAX = 1_000  # requests; more means that the line is down or the budget far too small
PUMP_GRACE_NS = 5_000_000_000  # after its time-out a request is given up even if the pump says nothing
RATE_LIMITED = "429"
SENT_SHOWN = 300  # characters of a query or body in the log

Headers = tuple[tuple[str, str], ...]
Seal = Callable[[Request, int], Headers | None]  # (request, now) -> headers; None: it must not leave now


class LineDue(Message, frozen=True):
    """Requests that waited for their turn may leave now."""


class RateLimited(Message, frozen=True):
    """The venue refused a request for coming too soon: who shares the limit slows down with its sender."""

    account: str  # whose limit it is; "" for one of the address we come from
    host: str  # where requests go, as in `rest_url`
    limit: str  # class of requests
    slowed: int  # the class runs at 1/slowed of its limit now
    blocked_until_ns: int  # and nothing of it leaves before
    at_ns: int


class NotAnswered(NamedTuple):
    """No answer came. `bytes_left`: the venue may have seen the request all the same."""

    reason: str
    bytes_left: bool


Outcome = Answer | NotAnswered


@dataclass(slots=True)
class Call:
    """One request on its way, and who wants its outcome."""

    request: Request
    priority: Priority
    deadline_ns: int  # it does not leave after this instant
    outcome: Callable[[Call, Outcome, Context], None]
    attempt: int = 1  # of the same request: 1 the first time
    left_ns: int = 0  # when it left; 0 before


@dataclass(slots=True)
class PathStats:
    """What became of the requests of one path."""

    answered: int = 0
    refused: int = 0  # answered with an error
    lost: int = 0
    expired: int = 0  # never left
    retried: int = 0  # left once more, after it had certainly not been carried out
    elapsed_ns: int = 0  # of all that were answered
    elapsed_ns_max: int = 0


@dataclass(slots=True)
class Line:
    """The queue, the budget and the requests under way of one owner."""

    host: str
    timeout_ns: int
    budget: RateBudget
    seal: Seal
    prefix: str = ""  # of request ids: tells this run's answers from an earlier one's
    logs_all: bool = False  # also what went well
    account: str = ""  # whose limits signed requests use; the others use those of our address
    stats: dict[str, PathStats] = field(default_factory=dict)
    _waiting: dict[str, list[tuple[int, int, Call]]] = field(default_factory=dict)  # by class of limit
    _under_way: dict[str, Call] = field(default_factory=dict)
    _count: int = 0
    _due_ns: int = 0

    def put(self, call: Call, context: Context) -> None:
        """Send a request as soon as the budget lets it, or fail it when its deadline passes."""
        if self.waiting_count >= WAITING_MAX:
            self._give_up(call, "too many requests wait for their turn", context)
            return
        self._count += 1
        queue = self._waiting.setdefault(call.request.limit, [])
        heapq.heappush(queue, (call.priority, self._count, call))
        self.pump(context)

    def pump(self, context: Context) -> None:
        """Let everything leave that may, give up what is too old, and set when to look again."""
        next_ns = 0
        for limit, queue in list(self._waiting.items()):
            due_ns = self._pump_class(limit, queue, context) if queue else 0
            if due_ns and (not next_ns or due_ns < next_ns):
                next_ns = due_ns
        if next_ns and (next_ns < self._due_ns or self._due_ns <= context.now_ns):
            self._due_ns = next_ns
            context.schedule(max(0, next_ns - context.now_ns), LineDue(), key="line")

    def answered(self, response: HttpResponse, context: Context) -> None:
        """The pump has an answer."""
        call = self._under_way.pop(response.request_id, None)
        if call is None:
            return
        answer = read_answer(response.status, response.body, spot=call.request.spot)
        stats = self._stats_of(call.request)
        stats.answered += 1
        stats.elapsed_ns += response.elapsed_ns
        stats.elapsed_ns_max = max(stats.elapsed_ns_max, response.elapsed_ns)
        stats.refused += answer.code != OK
        if answer.code != OK or self.logs_all:
            self._log(call, answer.code or str(answer.status), answer.text, response.elapsed_ns, context)
        if answer.code == RATE_LIMITED or response.status == 429:
            self._refused(call.request, retry_after_ns(response), context)
            answer = answer._replace(code=RATE_LIMITED)
        call.outcome(call, answer, context)
        self.pump(context)

    def heard(self, message: RateLimited, context: Context) -> bool:
        """Another actor got a 429: slow down with it if we share the limit. Return whether we do."""
        if message.host != self.host or message.account not in ("", self.account):
            return False
        return self.budget.heard(message.limit, message.slowed, message.blocked_until_ns, context.now_ns)

    def failed(self, failure: HttpFailure, context: Context) -> None:
        """The pump has no answer."""
        call = self._under_way.pop(failure.request_id, None)
        if call is None:
            return
        self._stats_of(call.request).lost += 1
        self._log(call, "lost", failure.reason, context.now_ns - call.left_ns, context)
        call.outcome(call, NotAnswered(failure.reason, failure.bytes_left), context)

    def check(self, context: Context) -> None:
        """Give up requests whose outcome the pump owes us for too long. Call it now and then."""
        before_ns = context.now_ns - self.timeout_ns - PUMP_GRACE_NS
        late = [name for name, call in self._under_way.items() if call.left_ns <= before_ns]
        for name in late:
            self.failed(HttpFailure(name, True, "the pump did not answer"), context)
        self.pump(context)

    def gauges(self) -> dict[str, int | float]:
        """Return what became of requests, by path, as gauges of their owner."""
        found: dict[str, int | float] = {}
        for path, stats in self.stats.items():
            for name, value in (
                ("requests_answered", stats.answered),
                ("requests_refused", stats.refused),
                ("requests_lost", stats.lost),
                ("requests_not_sent", stats.expired),
                ("requests_retried", stats.retried),
                ("requests_elapsed_ns", stats.elapsed_ns),
                ("requests_elapsed_max_ns", stats.elapsed_ns_max),
            ):
                found[f"{name}{{path={path}}}"] = value
        return found | self.budget.gauges()

    @property
    def waiting_count(self) -> int:
        """Requests that have not left yet."""
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def under_way_count(self) -> int:
        """Requests that left and have no outcome yet."""
        return len(self._under_way)

    def owes_since(self, instant_ns: int) -> bool:
        """Tell whether a signed request that left at this instant or before has no outcome yet."""
        return any(call.request.signed and call.left_ns <= instant_ns for call in self._under_way.values())

    def _refused(self, request: Request, retry_after_ns: int, context: Context) -> None:
        """Slow down, and let everybody know who shares the limit."""
        limit, now_ns = request.limit, context.now_ns
        pace = self.budget.refused(limit, now_ns, retry_after_ns)
        if pace is not None:
            account = self.account if request.signed else ""
            told = RateLimited(account, self.host, limit, pace.slowed, pace.blocked_until_ns, now_ns)
            context.publish(told)

    def _pump_class(self, limit: str, queue: list[tuple[int, int, Call]], context: Context) -> int:
        """Return when this class must be looked at again; 0 when nothing waits."""
        now_ns = context.now_ns
        self._expire(queue, context)
        while queue:
            wait_ns = self.budget.take(limit, queue[0][2].priority, now_ns)
            if wait_ns:
                return min(now_ns + wait_ns, min(call.deadline_ns for _, _, call in queue))
            self._leave(heapq.heappop(queue)[2], context)
        return 0

    def _expire(self, queue: list[tuple[int, int, Call]], context: Context) -> None:
        """Give up what is too old, wherever it stands in the queue."""
        now_ns = context.now_ns
        late = [call for _, _, call in queue if call.deadline_ns <= now_ns]
        if late:
            queue[:] = [item for item in queue if item[2].deadline_ns > now_ns]
            heapq.heapify(queue)
        for call in late:
            self._give_up(call, "its turn did not come in time", context)

    def _leave(self, call: Call, context: Context) -> None:
        request = call.request
        headers = self.seal(request, context.now_ns)
        if headers is None:
            self._give_up(call, "signing is refused", context)
            return
        self._count += 1
        request_id = f"{self.prefix}{self._count}"
        call.left_ns = context.now_ns
        self._stats_of(request).retried += call.attempt > 1
        self._under_way[request_id] = call
        context.effect("http", to_http(request, request_id, self.host, headers, self.timeout_ns))

    def _give_up(self, call: Call, reason: str, context: Context) -> None:
        self._stats_of(call.request).expired += 1
        self._log(call, "not sent", reason, 0, context)
        call.outcome(call, NotAnswered(reason, False), context)

    def _stats_of(self, request: Request) -> PathStats:
        name = _name(request)
        stats = self.stats.get(name)
        if stats is None:
            stats = self.stats[name] = PathStats()
        return stats

    def _log(self, call: Call, code: str, text: str, elapsed_ns: int, context: Context) -> None:
        """Write what became of a request; never its headers, for they hold key and signature."""
        request = call.request
        sent = query_text(request.query) if request.body is None else request.body
        context.log(
            "venue request",
            path=_name(request),
            code=code,
            text=text,
            sent=sent[:SENT_SHOWN],
            attempt=call.attempt,
            elapsed_ms=elapsed_ns // 1_000_000,
        )


def _name(request: Request) -> str:
    """Return a request's path without the names of single orders, of which there is no end."""
    path = request.path
    if path.startswith("/orders/"):
        path = "/orders/{id}/trades" if path.endswith("/trades") else "/orders/{id}"
    return request.method + " " + path


def retry_after_ns(response: HttpResponse) -> int:
    """Return the pause a 429 advises; 0 without advice (none has ever been seen)."""
    for name, text in response.headers:
        if name == "retry-after" and text.isascii() and text.isdecimal() and len(text) < 4:
            return int(text) * 1_000_000_000
    return 0

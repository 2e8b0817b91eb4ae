"""Requests leave in time, in order, or not at all."""

from __future__ import annotations

from typing import ClassVar

import pytest

from actors.poloniex.answers import Answer
from actors.poloniex.line import Call, Line, LineDue, NotAnswered
from actors.poloniex.rate_budget import LIMITS, Limit, Priority, RateBudget
from actors.poloniex.request import Request
from actors.runtime.behaviour import Behaviour, Context
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.runtime.testing import Bench

MS = 1_000_000
SECOND = 1_000 * MS


class Owner(Behaviour):
    ACCEPTS: ClassVar = (HttpResponse, HttpFailure, LineDue)

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, object]] = []
        self.may_sign = True
        self.line = Line("https://x", 4 * SECOND, RateBudget(LIMITS, {}), self.seal, "p.")

    def seal(self, request: Request, now_ns: int) -> tuple[tuple[str, str], ...] | None:
        return (("at", str(now_ns)),) if self.may_sign else None

    def on_http_response(self, message: HttpResponse, context: Context) -> None:
        self.line.answered(message, context)

    def on_http_failure(self, message: HttpFailure, context: Context) -> None:
        self.line.failed(message, context)

    def on_line_due(self, message: LineDue, context: Context) -> None:
        self.line.pump(context)


class LineBench(Bench):
    def __init__(self) -> None:
        super().__init__(Owner)

    @property
    def owner(self) -> Owner:
        assert isinstance(self.behaviour, Owner)
        return self.behaviour

    def put(self, name: str, priority: Priority = Priority.NORMAL, ttl_ns: int = SECOND, **changes) -> None:
        request = Request("GET", "/" + name, Limit.CLOSE_ALL)._replace(**changes)
        call = Call(request, priority, self.now_ns + ttl_ns, self._outcome)
        self.owner.line.put(call, self)

    def _outcome(self, call: Call, outcome, context: Context) -> None:
        self.owner.outcomes.append((call.request.path, outcome))

    def left(self) -> list[str]:
        return [message.url for _, message in self.effects if isinstance(message, HttpRequest)]


@pytest.fixture
def bench() -> LineBench:
    return LineBench()


def test_urgent_requests_overtake_those_that_wait(bench: LineBench) -> None:
    for name in ("a", "b"):
        bench.put(name, ttl_ns=5 * SECOND)
    bench.put("c", Priority.URGENT, 5 * SECOND)
    bench.advance(4 * SECOND)
    assert bench.left() == ["https://x/a", "https://x/c", "https://x/b"]


def test_what_is_too_old_is_given_up_wherever_it_stands(bench: LineBench) -> None:
    bench.put("a", ttl_ns=60 * SECOND)
    bench.owner.line.budget.refused(Limit.CLOSE_ALL, bench.now_ns, 30 * SECOND)
    bench.put("b", ttl_ns=60 * SECOND)
    bench.put("c", ttl_ns=SECOND)
    bench.advance(2 * SECOND)
    assert bench.owner.outcomes == [("/c", NotAnswered("its turn did not come in time", False))]
    bench.advance(60 * SECOND)
    assert bench.left() == ["https://x/a", "https://x/b"]


def test_a_request_is_sealed_when_it_leaves_and_not_before(bench: LineBench) -> None:
    bench.put("a")
    bench.put("b", ttl_ns=5 * SECOND)
    began = bench.now_ns
    bench.advance(3 * SECOND)
    (_, first), (_, second) = bench.effects
    assert dict(first.headers)["at"] == str(began)
    assert int(dict(second.headers)["at"]) >= began + SECOND


def test_without_a_seal_nothing_leaves(bench: LineBench) -> None:
    bench.owner.may_sign = False
    bench.put("a")
    assert bench.left() == []
    assert bench.owner.outcomes == [("/a", NotAnswered("signing is refused", False))]


def test_every_request_gets_one_outcome(bench: LineBench) -> None:
    bench.put("a")
    (_, request) = bench.effects[0]
    bench.tell(HttpResponse(request.request_id, 200, (), b'{"code":200,"data":1}', MS))
    bench.tell(HttpResponse(request.request_id, 200, (), b'{"code":200,"data":2}', MS))
    bench.tell(HttpFailure(request.request_id, True, "late"))
    assert bench.owner.outcomes == [("/a", Answer("200", "", b'{"code":200,"data":1}', 200))]


def test_a_pump_that_says_nothing_counts_as_a_lost_answer(bench: LineBench) -> None:
    bench.put("a")
    bench.advance(8 * SECOND)
    bench.owner.line.check(bench)
    assert bench.owner.outcomes == []
    bench.advance(SECOND)
    bench.owner.line.check(bench)
    assert bench.owner.outcomes == [("/a", NotAnswered("the pump did not answer", True))]


def test_the_queue_has_an_end(bench: LineBench) -> None:
    for _ in range(1_002):
        bench.put("a", ttl_ns=60 * SECOND)
    assert bench.owner.outcomes == [("/a", NotAnswered("too many requests wait for their turn", False))]


def test_paths_are_counted_without_the_names_of_single_orders(bench: LineBench) -> None:
    for number in range(3):
        bench.put(f"orders/cid:o-{number}", limit=Limit.PLACE)
        (_, request) = bench.effects[-1]
        bench.tell(HttpResponse(request.request_id, 400, (), b'{"code":21301,"message":"no"}', 7 * MS))
    stats = bench.owner.line.stats
    assert list(stats) == ["GET /orders/{id}"]
    assert (stats["GET /orders/{id}"].answered, stats["GET /orders/{id}"].refused) == (3, 3)
    assert all("o-1" not in repr(fields) for _, fields in bench.logs)


def test_requests_are_counted_by_path_and_logged_without_headers(bench: LineBench) -> None:
    bench.owner.line.logs_all = True
    bench.put("a", query=(("symbol", "X"),))
    request = bench.effects[0][1]
    assert isinstance(request, HttpRequest)
    bench.tell(HttpResponse(request.request_id, 200, (), b'{"code":200,"msg":"ok","data":[]}', 7 * MS))
    bench.put("orders/17/trades", limit=Limit.PUBLIC)
    gauges = bench.owner.line.gauges()
    assert gauges["requests_answered{path=GET /a}"] == 1
    assert gauges["requests_elapsed_max_ns{path=GET /a}"] == 7 * MS
    assert "requests_answered{path=GET /orders/{id}/trades}" in gauges
    ((text, fields),) = bench.logs
    assert (text, fields["path"], fields["code"], fields["elapsed_ms"]) == (
        "venue request",
        "GET /a",
        "200",
        7,
    )
    assert fields["sent"] == "symbol=X"
    assert "at" not in fields

"""Many cancels at once: each sent once, in both ways the venue has, and each told what became of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from actors.messages.scopes import CancelAll
from actors.messages.venue import CancelOrder, CancelRejected, OutcomeUnknown, RequestKind
from actors.venue.poloniex.cancels import SINGLES_MAX, shared_out
from actors.venue.poloniex.requests import BATCH_MAX
from tests.unit.venue.poloniex.far_side import BTC, Silence, VenueBench, ok, order_row, refusal

SECOND, MS = 1_000_000_000, 1_000_000
BATCH = "DELETE /v3/trade/batchOrders"
SCOPE = "DELETE /v3/trade/allOrders"


def cancels(count: int, symbol: str = BTC, first: int = 0) -> list[CancelOrder]:
    return [CancelOrder("main", f"o-{number}", symbol) for number in range(first, first + count)]


@pytest.mark.parametrize("count", [1, SINGLES_MAX, SINGLES_MAX + 1, 100, 500, 503])
def test_every_cancel_is_shared_out_once(count: int) -> None:
    wanted = cancels(count)
    singles, batches = shared_out(wanted)
    sent = Counter([one.client_order_id for part in (singles, *batches) for one in part])
    assert sent == Counter([one.client_order_id for one in wanted])
    assert all(2 < len(part) <= BATCH_MAX for part in batches)
    assert bool(batches) == (count > SINGLES_MAX)


def test_a_batch_is_of_one_symbol() -> None:
    wanted = [one for pair in zip(cancels(60, "A"), cancels(60, "B", 60), strict=True) for one in pair]
    _, batches = shared_out(wanted)
    assert {len({one.symbol for one in part}) for part in batches} == {1}
    assert sum(len(part) for part in batches) == 60


@pytest.fixture
def bench() -> VenueBench:
    found = VenueBench()
    found.batches = []  # type: ignore[attr-defined]

    def batch(body: dict[str, Any]) -> Any:
        found.batches.append(body)  # type: ignore[attr-defined]
        return ok([{"code": 200, "msg": "", "ordId": "1", "clOrdId": name} for name in body["clOrdIds"]])

    found.far.overrides[BATCH] = batch
    return found


def cancel_at_once(bench: VenueBench, wanted: list[CancelOrder]) -> None:
    """Tell them within one turn."""
    bench.sender = "oms/main"
    bench._run(lambda context: [bench.behaviour.receive(one, context) for one in wanted] and None)
    bench.carry()


def test_five_hundred_cancels_leave_in_about_five_seconds(bench: VenueBench) -> None:
    began_ns = bench.now_ns
    cancel_at_once(bench, cancels(500))
    left: list[str] = []
    while len(left) < 500 and bench.now_ns < began_ns + 20 * SECOND:
        bench.run(100 * MS)
        left = [body["clOrdId"] for body in bench.far.canceled]
        left += [name for body in bench.batches for name in body["clOrdIds"]]  # type: ignore[attr-defined]
    assert Counter(left) == Counter([f"o-{number}" for number in range(500)])
    assert bench.now_ns - began_ns <= 6 * SECOND, "9 seconds one by one"
    bench.run(SECOND)
    assert bench.venue.state.canceling == {}
    assert (bench.take(CancelRejected), bench.take(OutcomeUnknown)) == ([], [])


def test_a_few_cancels_leave_questions_their_limit(bench: VenueBench) -> None:
    cancel_at_once(bench, cancels(SINGLES_MAX))
    bench.run(SECOND)
    assert len(bench.far.canceled) == SINGLES_MAX
    assert BATCH not in bench.far.paths


def test_what_a_batch_says_to_each_order_is_told(bench: VenueBench) -> None:
    def batch(body: dict[str, Any]) -> Any:
        rows = [{"code": 200, "msg": "", "ordId": "1", "clOrdId": name} for name in body["clOrdIds"]]
        rows[0] = {"code": 11008, "msg": "The order does not exist", "clOrdId": body["clOrdIds"][0]}
        return ok(rows[:-1])  # of the last one it does not speak

    bench.far.overrides[BATCH] = batch
    cancel_at_once(bench, cancels(60))
    bench.run(3 * SECOND)
    assert {(m.client_order_id, m.code) for m in bench.take(CancelRejected)} == {
        ("o-30", "11008"),
        ("o-40", "11008"),
        ("o-50", "11008"),
    }
    lost = bench.take(OutcomeUnknown)
    assert {(m.client_order_id, m.request) for m in lost} == {
        (name, RequestKind.CANCEL) for name in ("o-39", "o-49", "o-59")
    }
    assert bench.venue.state.canceling == {}


@pytest.mark.parametrize("answer", ["silence", "refusal", "nonsense"])
def test_a_batch_that_fails_fails_for_each_of_its_orders(bench: VenueBench, answer: str) -> None:
    answers = {"silence": Silence(), "refusal": refusal(400, "Param error"), "nonsense": ok("what?")}
    bench.far.overrides[BATCH] = answers[answer]
    cancel_at_once(bench, cancels(50))
    bench.run(30 * SECOND)
    refused, lost = bench.take(CancelRejected), bench.take(OutcomeUnknown)
    told = refused if answer == "refusal" else lost
    assert Counter([m.client_order_id for m in told]) == Counter([f"o-{n}" for n in range(25, 50)])
    assert len(refused) + len(lost) == 25
    assert bench.far.paths.count(BATCH) == 3, "a batch without an answer is not sent again"


def test_cancels_under_way_when_the_process_dies_are_unknown(bench: VenueBench) -> None:
    bench.far.overrides[BATCH] = Silence()
    bench.far.cancel = Silence()
    cancel_at_once(bench, cancels(50))
    bench.restart()
    assert {m.client_order_id for m in bench.take(OutcomeUnknown)} == {f"o-{n}" for n in range(50)}


# -- everything in a scope ---------------------------------------------------------------------------------


def cancel_scope(bench: VenueBench, count: int, symbol: str = "") -> None:
    names = tuple(f"o-{number}" for number in range(count))
    bench.tell(CancelAll("main", symbol, names, (BTC,) * count), sender="oms/main")
    bench.carry()


def taken(names: list[str]) -> Any:
    return ok([{"code": 200, "msg": "", "ordId": "1" + name[2:], "clOrdId": name} for name in names])


@pytest.mark.parametrize("symbol", ["", BTC])
def test_one_request_takes_five_hundred_orders_back(bench: VenueBench, symbol: str) -> None:
    bodies: list[Any] = []
    names = [f"o-{number}" for number in range(500)]
    bench.far.overrides[SCOPE] = lambda body: bodies.append(body) or taken([*names, "by hand"])
    cancel_scope(bench, 500, symbol)
    bench.run(SECOND)
    assert bodies == [{"symbol": symbol} if symbol else {}]
    assert [path for path in bench.far.paths if path.startswith("DELETE")] == [SCOPE]
    assert bench.venue.state.canceling == {}
    assert (bench.take(CancelRejected), bench.take(OutcomeUnknown)) == ([], [])


def test_orders_that_the_answer_does_not_show_as_taken_get_their_own_cancel(bench: VenueBench) -> None:
    answer = taken(["o-0", "o-1"])
    answer["data"].append({"code": 11008, "msg": "The order does not exist", "ordId": "9", "clOrdId": "o-2"})
    bench.far.overrides[SCOPE] = answer
    cancel_scope(bench, 4)
    bench.run(SECOND)
    assert {body["clOrdId"] for body in bench.far.canceled} == {"o-2", "o-3"}
    assert bench.venue.state.canceling == {}


def test_a_scope_that_is_refused_for_its_pace_is_asked_for_again(bench: VenueBench) -> None:
    answers = [refusal(429, "TOO_MANY_REQUEST"), taken(["o-0"])]
    bench.far.overrides[SCOPE] = lambda body: answers.pop(0)
    began_ns = bench.now_ns
    cancel_scope(bench, 1)
    while answers:
        bench.run(20 * MS)
    assert bench.now_ns - began_ns < 2 * SECOND
    bench.run(SECOND)
    assert (bench.far.paths.count(SCOPE), bench.far.canceled) == (2, [])


@pytest.mark.parametrize("answer", ["silence", "refusal", "nonsense", "pace"])
def test_a_scope_that_fails_gives_way_to_cancels_by_name(bench: VenueBench, answer: str) -> None:
    bench.far.overrides[SCOPE] = {
        "silence": Silence(),
        "refusal": refusal(400, "Param error"),
        "nonsense": ok("what?"),
        "pace": refusal(429, "TOO_MANY_REQUEST"),
    }[answer]
    cancel_scope(bench, 60)
    bench.orders(order_row("o-7", state="CANCELED", cancelReason="USER_CANCEL"))
    bench.run(12 * SECOND)
    sent = [body["clOrdId"] for body in bench.far.canceled]
    sent += [name for body in bench.batches for name in body["clOrdIds"]]  # type: ignore[attr-defined]
    assert Counter(sent) == Counter([f"o-{number}" for number in range(60) if number != 7])
    assert bench.venue.state.canceling == {}
    assert (bench.take(CancelRejected), bench.take(OutcomeUnknown)) == ([], [])


def test_a_scope_under_way_when_the_process_dies_leaves_its_orders_in_doubt(bench: VenueBench) -> None:
    bench.far.overrides[SCOPE] = Silence()
    cancel_scope(bench, 3)
    bench.restart()
    assert {m.client_order_id for m in bench.take(OutcomeUnknown)} == {"o-0", "o-1", "o-2"}

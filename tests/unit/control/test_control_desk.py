"""What an operator asks of a running node, without any transport."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from actors.control.desk import ControlError, Desk
from actors.control.door import Door
from actors.control.sampler import Sampler
from tests.unit.control.house import BTC, SYMBOL, HousePing, HousePoison, make_node, running


def answer(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


@pytest.fixture
def desk():
    with running(make_node()) as node:
        yield Desk(node, {"deployment": "house"}, {SYMBOL: BTC})


def until(condition) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def tell(desk: Desk, *messages: Any) -> None:
    """Send everything at once, so that one turn has more than one event."""
    desk.node.loop.call(lambda: [desk.node.tell("clerk/main", message) for message in messages] and None)


def test_a_view_holds_what_the_terminal_needs(desk) -> None:
    view = answer(desk.view())
    assert [actor["address"] for actor in view["actors"]] == [
        "feed/BTC",
        "clerk/main",
        "guard/main",
        "books/main",
    ]
    assert view["ready"] is True
    assert view["markets"][0]["bid"] == "99999"
    assert view["orders"][0]["limit"] == "99000"
    position = view["positions"][0]
    assert (position["entry"], position["mark"]) == ("100000", "99900")
    assert view["accounts"][0]["profit_usdt"] == 11 * 100_000_000
    assert view["totals"] == {
        "orders": 9,
        "fills": 7,
        "denials": 3,
        "equity_usdt": 1001 * 100_000_000,
        "profit_usdt": 11 * 100_000_000,
        "fees_usdt": 0,
        "ledger_agrees": True,
    }
    assert view["journal"]["sequence"] >= 1
    assert {event["type"] for event in view["events"]} >= {"NodeStarted"}


def test_a_view_costs_the_loop_one_description_a_second(desk) -> None:
    counts = []
    for _ in range(3):
        answer(desk.view())
        counts.append(desk.sampler.taken_count)
    assert counts == [1, 1, 1]


def test_a_slow_description_is_asked_for_rarely() -> None:
    node, clock, calls = make_node(), [10**9], []
    node.start()

    def slow() -> Any:
        calls.append(clock[0])
        clock[0] += 30_000_000  # what it costs
        return {}

    node.cell("books/main").behaviour.describe = slow  # type: ignore[method-assign]
    sampler = Sampler(node, Door(node.loop), now=lambda: clock[0])
    for _ in range(6):
        while not sampler.describe_some():
            pass
        clock[0] += 1_000_000_000
    assert len(calls) == 2  # 30 ms may be spent once in 3 s, not once in 1 s
    assert calls[1] - calls[0] >= 3_000_000_000


def test_a_description_that_fails_is_an_answer(desk) -> None:
    desk.node.cell("feed/BTC").behaviour.describe = lambda: 1 / 0
    found = answer(desk.inspect("feed/BTC"))
    assert found["description"] == {"describe_failed": "ZeroDivisionError: division by zero"}
    assert answer(desk.view())["orders"]


def test_an_inspected_actor_shows_mailbox_and_last_messages(desk) -> None:
    tell(desk, HousePing("one"), HousePing("two"))
    until(lambda: desk.node.cell("clerk/main").handled_count == 2)
    found = answer(desk.inspect("clerk/main"))
    assert found["description"] == {"count": 2}
    assert found["recent"][-1] == {"type": "HousePing", "fields": {"text": "two"}}
    assert found["reads"] == ["feed/BTC"]
    assert answer(desk.inspect("feed/BTC"))["sends"] == {"HousePing": ["clerk/main"]}


def test_a_suspended_actor_shows_what_waits(desk) -> None:
    desk.node.suspend("clerk/main")
    until(lambda: desk.node.cell("clerk/main").state.value == "suspended")
    tell(desk, HousePing("later"))
    until(lambda: desk.node.cell("clerk/main").data)
    mailbox = answer(desk.inspect("clerk/main"))["mailbox"]
    assert mailbox["waiting"] == 1
    assert mailbox["first"][0]["fields"] == {"text": "later"}


def test_an_inspected_supervisor_shows_its_children(desk) -> None:
    found = answer(desk.inspect("trading"))
    assert [child["actor"] for child in found["children"]] == ["clerk/main", "guard/main", "books/main"]
    assert answer(desk.inspect("root"))["children"][0] == {"supervisor": "trading"}


def test_an_unknown_actor_is_told_with_what_there_is(desk) -> None:
    with pytest.raises(ControlError) as caught:
        answer(desk.inspect("clerk/man"))
    assert caught.value.status == 404
    assert "clerk/main" in caught.value.fields["known"]


def test_a_restarted_actor_has_its_state_again(desk) -> None:
    tell(desk, HousePing("one"))
    until(lambda: desk.node.cell("clerk/main").handled_count == 1)
    before = desk.node.cell("clerk/main").behaviour
    found = answer(desk.restart("clerk/main"))
    assert found["restarts"] == 1
    after = desk.node.cell("clerk/main").behaviour
    assert after is not before
    assert after.state.count == 1


def test_an_actor_that_left_comes_back(desk) -> None:
    desk.node.loop.call(lambda: desk.node.loop.stop_cell(desk.node.cell("feed/BTC")))
    until(lambda: desk.node.cell("feed/BTC").state.value == "stopped")
    assert answer(desk.restart("feed/BTC"))["state"] == "running"


def test_an_actor_that_cannot_be_rebuilt_is_told_and_does_not_end_the_loop(desk) -> None:
    def broken() -> Any:
        raise RuntimeError("cannot be made")

    object.__setattr__(desk.node.cell("clerk/main").spec, "make", broken)
    with pytest.raises(ControlError, match="cannot be made"):
        answer(desk.restart("clerk/main"))
    assert answer(desk.health())["alive"]


def test_an_action_that_fails_in_the_loop_fails_for_whoever_asked(desk) -> None:
    with pytest.raises(ZeroDivisionError):
        answer(desk.door.run(lambda: 1 / 0))
    assert answer(desk.health())["alive"]


def test_a_halt_is_acknowledged_by_who_guards(desk) -> None:
    found = answer(desk.halt("all", "cancel_all", "ann", "drill"))
    assert found == {
        "accepted": True,
        "answers": [{"actor": "guard/main", "accepted": True, "text": "halted all for ann"}],
    }
    assert answer(desk.view())["halts"] == [
        {"actor": "guard/main", "scope": "all", "level": 2, "by": "ann", "reason": "drill"}
    ]
    assert answer(desk.resume("all", "ann", "drill over"))["accepted"]


def test_what_is_halted_is_shown_from_the_widest(desk) -> None:
    for scope in ("symbol/BTC_USDT_PERP", "account/main", "all"):
        answer(desk.halt(scope, "no_new_risk", "ann", "drill"))
    shown = [one["scope"] for one in answer(desk.view())["halts"]]
    assert shown == ["all", "account/main", "symbol/BTC_USDT_PERP"]


def test_a_rejected_halt_is_told(desk) -> None:
    assert answer(desk.halt("account/other", "no_new_risk", "ann", ""))["accepted"] is False


@pytest.mark.parametrize("scope", ["", "everything", "account/", "planet/mars"])
def test_a_scope_that_means_nothing_is_refused(desk, scope) -> None:
    with pytest.raises(ControlError) as caught:
        answer(desk.halt(scope, "no_new_risk", "ann", ""))
    assert caught.value.status == 400


def test_a_halt_is_released_with_a_reason_only(desk) -> None:
    with pytest.raises(ControlError):
        answer(desk.resume("all", "ann", " "))


def test_an_order_to_an_actor_that_does_not_run_is_told_as_unanswered(desk, monkeypatch) -> None:
    monkeypatch.setattr("actors.control.desk.ANSWER_WITHIN_S", 0.1)
    desk.node.suspend("guard/main")
    until(lambda: desk.node.cell("guard/main").state.value == "suspended")
    found = answer(desk.halt("all", "no_new_risk", "ann", ""))
    assert not found["accepted"]
    assert "suspended" in found["answers"][0]["text"]


def test_events_are_read_from_where_the_reader_stopped(desk) -> None:
    tell(desk, *(HousePing(str(number)) for number in range(30)))
    until(lambda: desk.node.cell("clerk/main").handled_count == 30)
    answer(desk.health())
    first = answer(desk.events(0, 10))
    second = answer(desk.events(first["next"], 100))
    sequences = [event["sequence"] for event in [*first["events"], *second["events"]]]
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) >= 31
    texts = [e["fields"]["text"] for e in answer(desk.events(0, 1000, "clerk/main"))["events"]]
    assert texts == [str(number) for number in range(30)]
    assert answer(desk.events(0, 1000, "", "NodeStarted"))["events"][0]["sequence"] == 1


def test_the_newest_events_come_without_a_start(desk) -> None:
    tell(desk, *(HousePing(str(number)) for number in range(30)))
    until(lambda: desk.node.cell("clerk/main").handled_count == 30)
    answer(desk.health())
    assert [e["fields"]["text"] for e in answer(desk.events(None, 2))["events"]] == ["28", "29"]


def test_fields_called_like_secrets_are_masked(desk) -> None:
    tell(desk, HousePing("one"))
    until(lambda: desk.node.cell("clerk/main").handled_count == 1)
    assert answer(desk.events(0, 10, "clerk/main"))["events"][0]["fields"]["api_key"] == "***"


def test_a_failure_shows_in_the_view(desk) -> None:
    tell(desk, HousePoison())
    until(lambda: desk.node.cell("clerk/main").restarts_count >= 1)
    clerk = next(a for a in answer(desk.view())["actors"] if a["address"] == "clerk/main")
    assert clerk["failures"] >= 1
    assert clerk["last_error"] == "ValueError: poisoned"


def test_a_loop_that_is_stuck_is_told_as_such(desk, monkeypatch) -> None:
    monkeypatch.setattr("actors.control.desk.ALIVE_WITHIN_S", 0.05)
    desk.node.loop.call(lambda: time.sleep(0.5))
    with pytest.raises(ControlError) as caught:
        answer(desk.health())
    assert caught.value.status == 503


def test_rates_are_taken_between_samples(desk) -> None:
    answer(desk.view())
    tell(desk, *(HousePing(str(number)) for number in range(50)))
    until(lambda: desk.node.cell("clerk/main").handled_count == 50)
    desk.sampler.last.taken_ns -= 2_000_000_000
    view = answer(desk.view())
    clerk = next(a for a in view["actors"] if a["address"] == "clerk/main")
    assert 1 < clerk["handled_per_s"] <= 25
    assert view["journal"]["events_per_s"] > 1

"""Deliveries: in order on each route, over restarts and changes of settings, with secrets nobody keeps."""

import msgspec
import pytest

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, Route
from actors.alerter.state import AlerterState
from actors.domain.place import Place
from actors.messages.alerting import TestRoutes
from actors.messages.secrets import SecretsAdopted, SecretsOffered
from actors.runtime.behaviour import Context
from actors.runtime.cell import CellSpec
from actors.runtime.clock import VirtualClock
from actors.runtime.messages import Message, Severity
from actors.runtime.node import Node
from actors.runtime.pumps.messages import HttpFailure
from actors.runtime.store_memory import MemoryStore
from actors.runtime.supervision import SupervisorSpec
from actors.runtime.testing import Bench
from tests.unit.alerter.world import (
    HOUR,
    MINUTE,
    PAGE,
    SECOND,
    START,
    answer,
    bench_of,
    hook,
    raised,
    requests,
    state_of,
)

REFERENCE = "secret://polytrade/alerts#slack_url"
TEAM = Route(name="team", channel="slack", url=REFERENCE)


def test_the_next_leaves_when_the_one_before_was_taken() -> None:
    bench = bench_of(routes=(hook("a"), hook("b")))
    for name in ("One", "Two", "Three"):
        bench.tell(raised(name))
        bench.advance(1)
    first = requests(bench)
    assert [request.url for request in first] == ["https://a.example/", "https://b.example/"]
    answer(bench, first[1])
    [second] = requests(bench)
    assert (second.url, b'"Two"' in second.body) == ("https://b.example/", True)
    answer(bench, first[0], 503)
    assert requests(bench) == []
    answer(bench, second)
    [third] = requests(bench)
    assert b'"Three"' in third.body
    bench.advance(SECOND)
    [again] = requests(bench)
    assert again == first[0], "a waits for its first, b is done"


def test_after_a_kill_what_was_under_way_is_sent_again_at_once_and_in_order() -> None:
    bench = bench_of(routes=(hook("a"),))
    for name in ("One", "Two"):
        bench.tell(raised(name))
        bench.advance(1)
    [first] = requests(bench)
    bench.epoch += 1
    bench.restart()
    [again] = requests(bench)
    assert again == first
    answer(bench, again)
    [second] = requests(bench)
    assert b'"Two"' in second.body


def test_a_restart_of_the_actor_alone_sends_nothing_twice() -> None:
    bench = bench_of(routes=(hook("a"),))
    bench.tell(raised())
    bench.advance(1)
    [first] = requests(bench)
    bench.restart()
    assert requests(bench) == []
    answer(bench, first)
    assert state_of(bench).deliveries == {}


def test_a_route_with_no_room_loses_its_own_and_not_anothers_older_one() -> None:
    bench = bench_of(routes=(hook("slow", severity_min=PAGE), hook("stuck")), deliveries_max=4)
    bench.tell(raised("Oldest"))
    bench.advance(1)
    for number in range(6):
        bench.tell(raised(f"Later{number}", severity=Severity.TICKET))
        bench.advance(1)
    left = [(one.route, one.notification.name) for one in state_of(bench).deliveries.values()]
    assert ("slow", "Oldest") in left
    assert ("stuck", "Oldest") not in left
    failed = {alert.key for alert in state_of(bench).alerts.values() if alert.name == "AlertDeliveryFailed"}
    assert failed == {"stuck"}


def test_a_route_is_tried_once_and_pages_nobody() -> None:
    bench = bench_of(routes=(hook("a"),))
    bench.tell(TestRoutes("", "ann"))
    [request] = requests(bench)
    answer(bench, request, 503)
    [trial] = bench.behaviour.describe()["trials"].values()
    assert (trial["outcome"], trial["error"]) == ("failed", "status 503")
    bench.advance(HOUR)
    assert requests(bench) == []
    assert bench.behaviour.describe()["active"] == []
    assert state_of(bench).failed_count == 0


def test_a_route_that_is_taken_away_takes_its_alert_and_its_deliveries_with_it() -> None:
    bench = bench_of(routes=(hook("a"), hook("b")), attempts_max=1)
    bench.tell(raised())
    bench.advance(1)
    for request in requests(bench):
        bench.tell(HttpFailure(request.request_id, False, "no route to host"))
    keys = {alert.key for alert in state_of(bench).alerts.values() if alert.name == "AlertDeliveryFailed"}
    assert keys == {"a", "b"}
    bench.behaviour.reconfigured(AlerterSettings(routes=(hook("b"),)), bench)
    bench.advance(HOUR)
    holding = [alert for alert in state_of(bench).alerts.values() if not alert.over]
    assert {alert.key for alert in holding if alert.name == "AlertDeliveryFailed"} == {"b"}
    assert "a" not in {one.route for one in state_of(bench).deliveries.values()}
    assert set(state_of(bench).routes) == {"b"}


def test_a_delivery_uses_the_value_and_keeps_the_reference() -> None:
    bench = bench_of(routes=(TEAM,), secrets={REFERENCE: "https://hooks.example/planted"})
    bench.tell(raised())
    bench.advance(1)
    [request] = requests(bench)
    assert request.url == "https://hooks.example/planted"
    assert bench.outbox == {}
    kept = msgspec.msgpack.encode(state_of(bench)) + repr(bench.behaviour.describe()).encode()
    assert b"planted" not in kept + repr(bench.logs).encode()


def test_a_newer_value_is_used_from_the_next_message_on() -> None:
    values = {REFERENCE: "https://hooks.example/old", f"{REFERENCE}@2": "https://hooks.example/new"}
    bench = bench_of(routes=(TEAM,), secrets=values)
    bench.tell(SecretsOffered((f"{REFERENCE}@2", "secret://polytrade/poloniex#key@5")))
    assert bench.take(SecretsAdopted) == [SecretsAdopted((f"{REFERENCE}@2",))]
    bench.tell(raised())
    bench.advance(1)
    [request] = requests(bench)
    assert request.url == "https://hooks.example/new"
    del values[f"{REFERENCE}@2"]  # the keeper has taken it: it stands under the reference itself now
    values[REFERENCE] = "https://hooks.example/new"
    bench.advance(MINUTE)
    assert {one.url for one in requests(bench)} == {"https://hooks.example/new"}


@pytest.mark.parametrize("routes", [(Route(),), (hook("a"), hook("b", at_once=False))])
def test_a_state_of_the_version_before_is_taken_over(routes: tuple[Route, ...]) -> None:
    old = {
        "alerts": {
            "FeedStale|feed/BTC|BTC": {
                "name": "FeedStale",
                "key": "BTC",
                "source": "feed/BTC",
                "severity": "page",
                "summary": "silent",
                "details": [],
                "raised_at_ns": START,
                "refreshed_at_ns": START,
                "raises_ns": [START],
                "told": "page",
            }
        },
        "groups": {"FeedStale": {"due_at_ns": 0, "told_at_ns": START}},
    }
    steps = ()
    if len(routes) > 1:
        from actors.alerter.settings import EscalationStep

        steps = (EscalationStep(after=MINUTE, routes=("b",)),)
    actor = AlerterActor(AlerterSettings(routes=routes, escalation=steps), Place("p", "alerter", "paper"))
    state = msgspec.convert(actor.upgrade(old, 1), AlerterState)
    [alert] = state.alerts.values()
    assert alert.heard == (routes[0].name,)
    assert alert.clock_ns == START


class Deaf:
    """A pump behind which nobody is."""

    def put(self, message: Message, address: str) -> None:
        pass


class Clumsy(AlerterActor):
    """An alerter with a fault of its own."""

    def on_secrets_offered(self, offer: SecretsOffered, context: Context) -> None:
        raise KeyError("our bug")


def test_what_came_before_a_fault_of_the_alerters_in_the_same_turn_is_kept() -> None:
    settings = AlerterSettings(routes=(hook("a"),), group_wait=0)
    cell = CellSpec("alerter", lambda: Clumsy(settings, Place("p", "alerter", "paper")))
    clock = VirtualClock(START)
    node = Node((cell,), (SupervisorSpec("root"),), MemoryStore(), clock)
    node.loop.pumps["http"] = Deaf()
    node.start()
    for message in (raised("One"), SecretsOffered(()), raised("Two")):
        node.tell("alerter", message)
    for _ in range(50):
        node.turn()
        clock.advance_to(clock.now_ns() + SECOND)
    names = {alert.name for alert in node.cell("alerter").behaviour.state.alerts.values()}
    assert {"One", "Two"} <= names


def test_gauges_tell_how_each_route_does() -> None:
    bench: Bench = bench_of(routes=(hook("a"), hook("b")), attempts_max=1)
    bench.tell(raised())
    bench.advance(1)
    first, second = requests(bench)
    answer(bench, first)
    answer(bench, second, 404)
    gauges = bench.behaviour.gauges()
    assert gauges["route_delivered_count{route=a}"] == 1
    assert gauges["route_failed_count{route=b}"] == 1
    assert gauges["alerts_acknowledged_count"] == 0

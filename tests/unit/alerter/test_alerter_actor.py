"""The alerter tells people what is worth telling: once, grouped, not at night, and until it arrives."""

import json
from typing import Any

import msgspec
import pytest

from actors.alerter.actor import AlerterActor
from actors.alerter.settings import AlerterSettings, Route, Silence
from actors.alerter.state import AlerterState
from actors.domain.place import Place
from actors.messages.alerting import SilenceAlerts
from actors.messages.control import Acknowledged, Rejected
from actors.runtime.messages import (
    ActorFailed,
    ActorRestarted,
    AlertRaised,
    AlertResolved,
    Severity,
    SupervisorExhausted,
)
from actors.runtime.pumps.messages import HttpFailure, HttpRequest, HttpResponse
from actors.runtime.testing import Bench

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_760_000_000 * SECOND  # 2025-10-09 08:53:20 UTC
URL = "https://alerts.example/hook?token=hidden"
HOOK = Route(name="hook", channel="webhook", url=URL)
PLACE = Place("paper", "alerter/main", "paper")


def bench_of(**settings: Any) -> Bench:
    made = AlerterSettings(**settings)
    return Bench(lambda: AlerterActor(made, PLACE), name="alerter/main", now_ns=START)


def raised(
    name: str = "FeedStale",
    key: str = "BTC",
    severity: Severity = Severity.TICKET,
    summary: str = "BTC is silent",
    source: str = "feed/BTC",
) -> AlertRaised:
    return AlertRaised(name, key, severity, summary, source, START, (("age", "9s"),))


def resolved(name: str = "FeedStale", key: str = "BTC", source: str = "feed/BTC") -> AlertResolved:
    return AlertResolved(name, key, source, START)


def told(bench: Bench) -> list[tuple[str, str, str]]:
    """Return and forget the log lines of notifications as (what, alert, key)."""
    lines = [
        (event, str(fields["alert"]), str(fields["key"]))
        for event, fields in bench.logs
        if event in ("alert_firing", "alert_resolved")
    ]
    bench.logs.clear()
    return lines


def requests(bench: Bench) -> list[HttpRequest]:
    """Return and forget the requests handed to the HTTP pump."""
    sent = [message for port, message in bench.effects if port == "http"]
    bench.effects.clear()
    return sent  # type: ignore[return-value]


def answer(bench: Bench, request: HttpRequest, status: int = 200, **headers: str) -> None:
    bench.tell(HttpResponse(request.request_id, status, tuple(headers.items()), b"", 1))


def alerter_state(bench: Bench) -> AlerterState:
    state: AlerterState = bench.behaviour.state
    return state


# -- grouping ---------------------------------------------------------------------------------------


def test_alerts_of_one_name_are_told_together_after_the_group_wait() -> None:
    bench = bench_of()
    bench.tell(raised(key="BTC"))
    bench.advance(3 * SECOND)
    bench.tell(raised(key="ETH"))
    bench.tell(raised("MarkMissing"))
    assert told(bench) == []
    bench.advance(2 * SECOND)
    assert told(bench) == [("alert_firing", "FeedStale", "BTC"), ("alert_firing", "FeedStale", "ETH")]
    bench.advance(3 * SECOND)
    assert told(bench) == [("alert_firing", "MarkMissing", "BTC")]


def test_a_later_alert_of_a_told_group_waits_for_the_group_interval() -> None:
    bench = bench_of()
    bench.tell(raised(key="BTC"))
    bench.advance(5 * SECOND)
    told(bench)
    bench.advance(10 * SECOND)
    bench.tell(raised(key="ETH"))
    bench.advance(49 * SECOND)
    assert told(bench) == []
    bench.advance(1 * SECOND)
    assert ("alert_firing", "FeedStale", "ETH") in told(bench)


def test_what_is_worse_than_all_that_was_told_does_not_wait_for_the_interval() -> None:
    bench = bench_of()
    bench.tell(raised(key="BTC"))
    bench.advance(5 * SECOND)
    told(bench)
    bench.tell(raised(key="BTC", severity=Severity.PAGE))
    bench.advance(5 * SECOND)
    assert told(bench) == [("alert_firing", "FeedStale", "BTC")]


def test_a_refresh_tells_nothing_and_the_same_alert_of_another_actor_is_another() -> None:
    bench = bench_of()
    bench.tell(raised())
    bench.advance(5 * SECOND)
    told(bench)
    bench.tell(raised())
    bench.tell(raised(summary="BTC is silent for 20 s"))
    bench.advance(10 * MINUTE)
    assert told(bench) == []
    bench.tell(raised(source="feed/other"))
    bench.advance(MINUTE)
    assert len(told(bench)) == 2


def test_an_alert_that_still_holds_is_told_again_after_the_repeat_interval() -> None:
    bench = bench_of(repeat_interval=HOUR)
    bench.tell(raised())
    bench.advance(5 * SECOND)
    told(bench)
    bench.advance(HOUR - SECOND)
    assert told(bench) == []
    bench.advance(SECOND)
    assert told(bench) == [("alert_firing", "FeedStale", "BTC")]


def test_the_end_of_a_told_alert_is_told_once() -> None:
    bench = bench_of()
    bench.tell(raised())
    bench.advance(5 * SECOND)
    told(bench)
    bench.tell(resolved())
    bench.tell(resolved())
    bench.advance(MINUTE)
    assert told(bench) == [("alert_resolved", "FeedStale", "BTC")]
    bench.advance(24 * HOUR)
    assert told(bench) == []


def test_an_alert_that_ends_before_anybody_heard_of_it_is_not_told() -> None:
    bench = bench_of()
    bench.tell(raised())
    bench.tell(resolved())
    bench.advance(24 * HOUR)
    assert told(bench) == []


def test_the_end_of_something_unknown_is_ignored() -> None:
    bench = bench_of()
    bench.tell(resolved())
    bench.advance(HOUR)
    assert told(bench) == []


def test_alerts_waiting_to_be_told_survive_a_restart() -> None:
    bench = bench_of()
    bench.tell(raised())
    bench.restart()
    bench.advance(5 * SECOND)
    assert told(bench) == [("alert_firing", "FeedStale", "BTC")]


# -- flapping ---------------------------------------------------------------------------------------


def test_a_flapping_alert_is_told_once_and_ends_only_after_keeping_quiet() -> None:
    bench = bench_of(flap_count=3, flap_window=10 * MINUTE, group_interval=0, group_wait=0)
    for _ in range(3):
        bench.tell(raised())
        bench.advance(SECOND)
        bench.tell(resolved())
        bench.advance(SECOND)
    assert told(bench).count(("alert_firing", "FeedStale", "BTC")) == 3
    for _ in range(5):
        bench.tell(raised())
        bench.advance(SECOND)
        bench.tell(resolved())
        bench.advance(SECOND)
    assert told(bench) == []
    [shown] = bench.behaviour.describe()["active"]
    assert shown["flapping"]
    bench.advance(10 * MINUTE)
    assert told(bench) == [("alert_resolved", "FeedStale", "BTC")]


def test_slow_repetition_is_no_flapping() -> None:
    bench = bench_of(flap_count=3, flap_window=MINUTE, group_interval=0, group_wait=0)
    for _ in range(5):
        bench.tell(raised())
        bench.advance(40 * SECOND)
        bench.tell(resolved())
        bench.advance(40 * SECOND)
    assert len(told(bench)) == 10


# -- quiet ------------------------------------------------------------------------------------------


def test_quiet_hours_hold_tickets_back_and_let_pages_through() -> None:
    bench = bench_of(quiet_hours="08:00-09:00")
    bench.tell(raised("Ticket"))
    bench.tell(raised("Page", severity=Severity.PAGE))
    bench.advance(MINUTE)
    assert told(bench) == [("alert_firing", "Page", "BTC")]
    bench.advance(5 * MINUTE)
    assert told(bench) == []
    bench.advance(MINUTE)
    assert told(bench) == [("alert_firing", "Ticket", "BTC")]


def test_a_planned_silence_hides_what_it_names_until_it_ends() -> None:
    silence = Silence(
        name="Feed*",
        key="BTC",
        starts_at="2025-10-09T08:00:00Z",
        ends_at="2025-10-09T09:00:00Z",
        reason="maintenance of the source",
    )
    bench = bench_of(silences=(silence,))
    bench.tell(raised(key="BTC"))
    bench.tell(raised(key="ETH"))
    bench.advance(MINUTE)
    assert told(bench) == [("alert_firing", "FeedStale", "ETH")]
    shown = {alert["key"]: alert["silenced"] for alert in bench.behaviour.describe()["active"]}
    assert shown == {"BTC": True, "ETH": False}
    bench.advance(10 * MINUTE)
    assert ("alert_firing", "FeedStale", "BTC") in told(bench)


def test_an_operator_silences_and_ends_the_silence_early() -> None:
    bench = bench_of()
    bench.tell(SilenceAlerts("FeedStale", "*", "feed/*", 4 * HOUR, "ann", "known"))
    assert isinstance(bench.replies[-1], Acknowledged)
    bench.restart()
    bench.tell(raised())
    bench.advance(HOUR)
    assert told(bench) == []
    bench.tell(SilenceAlerts("FeedStale", "*", "feed/*", 0, "ann", "over"))
    bench.advance(SECOND)
    assert told(bench) == [("alert_firing", "FeedStale", "BTC")]
    assert bench.behaviour.describe()["silences"] == []


def test_the_same_patterns_replace_each_other() -> None:
    bench = bench_of()
    bench.tell(SilenceAlerts("A", "*", "*", HOUR, "ann", "first"))
    bench.tell(SilenceAlerts("A", "*", "*", 2 * HOUR, "ann", "second"))
    assert [hush.reason for hush in alerter_state(bench).hushes] == ["ann: second"]


def test_silences_are_bounded() -> None:
    bench = bench_of()
    for number in range(101):
        bench.tell(SilenceAlerts(f"A{number}", "*", "*", HOUR, "ann", ""))
    assert len(alerter_state(bench).hushes) == 100
    assert isinstance(bench.replies[-1], Rejected)


# -- what the runtime reports -----------------------------------------------------------------------


def test_an_actor_that_restarts_at_once_wakes_nobody() -> None:
    bench = bench_of()
    bench.tell(ActorFailed("oms/main", "KeyError: 'x'", "OrderFilled", 1, START))
    bench.tell(ActorRestarted("oms/main", 1, 1000, START))
    bench.advance(HOUR)
    assert told(bench) == []


def test_an_actor_that_does_not_come_back_becomes_an_alert() -> None:
    bench = bench_of()
    bench.tell(ActorFailed("oms/main", "KeyError: 'x'", "OrderFilled", 2, START))
    bench.advance(5 * SECOND)
    assert told(bench) == [("alert_firing", "ActorRestarting", "oms/main")]
    [shown] = bench.behaviour.describe()["active"]
    assert shown["summary"] == "oms/main failed on OrderFilled: KeyError: 'x'"
    assert shown["details"] == {"attempt": "2"}


def test_a_supervisor_that_gave_up_pages_until_the_actor_is_back() -> None:
    bench = bench_of()
    bench.tell(SupervisorExhausted("trading", "oms/main", "reduce_only", "6 restarts in 60 s", START))
    bench.advance(5 * SECOND)
    [shown] = bench.behaviour.describe()["active"]
    assert (shown["name"], shown["severity"]) == ("SupervisorExhausted", "page")
    assert shown["details"] == {"supervisor": "trading", "action": "reduce_only"}
    bench.tell(ActorRestarted("oms/main", 1, 1000, START))
    bench.advance(MINUTE)
    assert told(bench)[-1] == ("alert_resolved", "SupervisorExhausted", "oms/main")


def test_an_actor_that_a_parent_brings_back_and_that_fails_again_still_pages() -> None:
    bench = bench_of()
    bench.tell(SupervisorExhausted("trading", "oms/main", "reduce_only", "6 restarts in 60 s", START))
    bench.tell(ActorRestarted("oms/main", 1, 1000, START))
    bench.tell(ActorFailed("oms/main", "KeyError: 'x'", "OrderFilled", 2, START))
    bench.advance(MINUTE)
    assert "SupervisorExhausted" in {shown["name"] for shown in bench.behaviour.describe()["active"]}
    assert ("alert_firing", "SupervisorExhausted", "oms/main") in told(bench)
    bench.tell(ActorRestarted("oms/main", 2, 1000, START))
    bench.advance(MINUTE)
    assert bench.behaviour.describe()["active"] == []


# -- delivery ---------------------------------------------------------------------------------------


def test_a_webhook_gets_one_json_body_per_notification() -> None:
    bench = bench_of(routes=(HOOK,))
    bench.tell(raised())
    bench.tell(raised(key="ETH", summary="ETH is silent"))
    bench.advance(5 * SECOND)
    [request] = requests(bench)
    assert (request.method, request.url) == ("POST", URL)
    assert request.request_id == "alerter/main#1"
    assert dict(request.headers) == {"Content-Type": "application/json", "Idempotency-Key": "alerter/main#1"}
    body = json.loads(request.body)
    assert {name: body[name] for name in ("version", "deployment", "status", "alert", "severity")} == {
        "version": 1,
        "deployment": "paper",
        "status": "firing",
        "alert": "FeedStale",
        "severity": "ticket",
    }
    assert body["headline"] == "BTC is silent (and 1 more)"
    assert body["runbook"] == "runbooks/FeedStale.md"
    assert body["firing"][0] == {
        "key": "BTC",
        "source": "feed/BTC",
        "severity": "ticket",
        "summary": "BTC is silent",
        "details": {"age": "9s"},
        "raised_at": "2025-10-09T08:53:20.000Z",
        "flapping": False,
        "news": True,
        "reopened": False,
        "acknowledged_by": "",
        "acknowledged_reason": "",
        "acknowledged_until": "",
    }
    assert body["sent_at"] == "2025-10-09T08:53:25.000Z"


def test_a_delivery_is_kept_until_it_was_taken() -> None:
    bench = bench_of(routes=(HOOK,))
    bench.tell(raised())
    bench.advance(5 * SECOND)
    [request] = requests(bench)
    assert list(alerter_state(bench).deliveries) == [request.request_id]
    answer(bench, request, 202)
    assert alerter_state(bench).deliveries == {}
    bench.advance(HOUR)
    assert requests(bench) == []


def test_attempts_go_on_with_growing_pauses_and_the_same_id() -> None:
    bench = bench_of(routes=(HOOK,), retry_wait=SECOND, retry_wait_max=3 * SECOND)
    bench.tell(raised())
    bench.advance(5 * SECOND)
    [first] = requests(bench)
    for pause, failure in ((1, 503), (2, 429), (3, 500), (3, 502)):
        answer(bench, first, failure)
        bench.advance(pause * SECOND - 1)
        assert requests(bench) == []
        bench.advance(1)
        [again] = requests(bench)
        assert again == first
    bench.tell(HttpFailure(first.request_id, True, "connection reset"))
    bench.advance(3 * SECOND)
    assert requests(bench) == [first]


def test_the_far_side_may_ask_for_a_longer_pause() -> None:
    bench = bench_of(routes=(HOOK,))
    bench.tell(raised())
    bench.advance(5 * SECOND)
    [request] = requests(bench)
    answer(bench, request, 429, **{"Retry-After": "20"})
    bench.advance(19 * SECOND)
    assert requests(bench) == []
    bench.advance(SECOND)
    assert requests(bench) == [request]


def test_an_attempt_that_is_never_answered_is_repeated() -> None:
    bench = bench_of(routes=(HOOK,), delivery_timeout=SECOND, retry_wait=SECOND)
    bench.tell(raised())
    bench.advance(5 * SECOND)
    [request] = requests(bench)
    bench.restart()
    bench.advance(3 * SECOND)
    assert requests(bench) == [request]


@pytest.mark.parametrize("status", [301, 400, 401, 404])
def test_a_refused_delivery_is_given_up_and_becomes_an_alert(status: int) -> None:
    bench = bench_of(routes=(HOOK, Route()), group_wait=0)
    bench.tell(raised())
    bench.advance(1)
    [request] = requests(bench)
    answer(bench, request, status)
    assert bench.outbox == {}
    bench.advance(1)
    assert ("alert_firing", "AlertDeliveryFailed", "hook") in told(bench)
    [second] = requests(bench)
    answer(bench, second, status)  # about its own failure: nothing new
    bench.advance(HOUR)
    assert requests(bench) == []
    assert alerter_state(bench).failed_count == 2


def test_a_route_that_delivers_again_ends_the_alert_about_it() -> None:
    bench = bench_of(routes=(HOOK,), group_wait=0, attempts_max=1)
    bench.tell(raised())
    bench.advance(1)
    [request] = requests(bench)
    bench.tell(HttpFailure(request.request_id, False, "no route to host"))
    bench.advance(1)
    [second] = requests(bench)
    assert json.loads(second.body)["headline"] == "Route hook does not deliver: no route to host"
    answer(bench, second)
    assert [alert["name"] for alert in bench.behaviour.describe()["active"]] == ["FeedStale"]


def test_routes_take_what_is_important_enough() -> None:
    pager = Route(name="pager", channel="webhook", url=URL, severity_min=Severity.PAGE, resolved=False)
    bench = bench_of(routes=(Route(), pager), group_wait=0)
    bench.tell(raised("Ticket"))
    bench.tell(raised("Page", severity=Severity.PAGE))
    bench.advance(1)
    [request] = requests(bench)
    assert json.loads(request.body)["alert"] == "Page"
    answer(bench, request)
    assert len(told(bench)) == 2
    bench.tell(resolved("Page"))
    bench.advance(MINUTE)
    assert requests(bench) == []
    assert told(bench) == [("alert_resolved", "Page", "BTC")]


def test_a_route_gone_from_the_settings_gets_nothing_any_more() -> None:
    bench = bench_of(routes=(HOOK,), delivery_timeout=SECOND)
    bench.tell(raised())
    bench.advance(5 * SECOND)
    requests(bench)
    bench._make = lambda: AlerterActor(AlerterSettings(), PLACE)
    bench.restart()
    bench.advance(MINUTE)
    assert requests(bench) == []
    assert bench.outbox == {}


def test_an_answer_to_a_forgotten_delivery_clears_the_outbox() -> None:
    bench = bench_of()
    bench.outbox["alerter/main#9"] = ("http", raised())
    bench.tell(HttpResponse("alerter/main#9", 200, (), b"", 1))
    assert bench.outbox == {}


# -- bounds -----------------------------------------------------------------------------------------


def test_alerts_are_bounded_and_the_loss_is_told() -> None:
    bench = bench_of(alerts_max=3)
    for number in range(6):
        bench.tell(raised(key=str(number)))
    active = [(alert["name"], alert["key"]) for alert in bench.behaviour.describe()["active"]]
    assert active == [("AlertsDropped", ""), ("FeedStale", "0"), ("FeedStale", "1"), ("FeedStale", "2")]
    assert alerter_state(bench).dropped_count == 3
    for number in range(3):
        bench.tell(resolved(key=str(number)))
    bench.advance(HOUR)
    assert bench.behaviour.describe()["active"] == []
    bench.tell(raised(key="9"))
    assert len(bench.behaviour.describe()["active"]) == 1


def test_tickets_take_no_room_from_pages() -> None:
    bench = bench_of(alerts_max=2)
    for number in range(3):
        bench.tell(raised("CatalogChanged", key=str(number), severity=Severity.TICKET))
    for number in range(3):
        bench.tell(raised(key=str(number), severity=Severity.PAGE))
    active = [(alert["name"], alert["key"]) for alert in bench.behaviour.describe()["active"]]
    pages = [("AlertsDropped", ""), ("FeedStale", "0"), ("FeedStale", "1")]
    assert active == [*pages, ("CatalogChanged", "0"), ("CatalogChanged", "1")]
    assert alerter_state(bench).dropped_count == 2


def test_a_loss_is_told_while_what_is_over_but_untold_takes_the_room() -> None:
    bench = bench_of(alerts_max=2, group_wait=0, group_interval=MINUTE)
    for number in range(2):
        bench.tell(raised(key=str(number)))
    bench.advance(1)
    for number in range(2):
        bench.tell(resolved(key=str(number)))
    bench.tell(raised(key="lost"))
    assert alerter_state(bench).dropped_count == 1
    bench.advance(1)
    assert ("alert_firing", "AlertsDropped", "") in told(bench)
    bench.advance(MINUTE)
    assert bench.behaviour.describe()["active"] == []


def test_the_alerters_own_alerts_take_no_room_from_others() -> None:
    bench = bench_of(routes=(HOOK,), alerts_max=1, group_wait=0, attempts_max=1)
    bench.tell(raised(key="0"))
    bench.advance(1)
    [request] = requests(bench)
    bench.tell(HttpResponse(request.request_id, 404, (), b"", 1))
    assert "AlertDeliveryFailed" in {alert["name"] for alert in bench.behaviour.describe()["active"]}
    bench.tell(resolved(key="0"))
    bench.advance(HOUR)
    bench.tell(raised(key="1"))
    assert alerter_state(bench).dropped_count == 0


def test_deliveries_are_bounded_and_the_oldest_goes() -> None:
    bench = bench_of(routes=(HOOK,), deliveries_max=2, group_wait=0)
    for number in range(3):
        bench.tell(raised(f"Alert{number}"))
        bench.advance(1)
    assert len(alerter_state(bench).deliveries) == 2
    assert "alerter/main#1" not in alerter_state(bench).deliveries


def test_describe_is_plain_and_hides_urls() -> None:
    bench = bench_of(routes=(HOOK,))
    bench.tell(raised())
    text = msgspec.json.encode(bench.behaviour.describe()).decode()
    assert "hidden" not in text
    [route] = json.loads(text)["routes"]
    assert (route["name"], route["channel"], route["severity_min"]) == ("hook", "webhook", "info")


def test_an_error_that_quotes_the_url_does_not_spread_it() -> None:
    bench = bench_of(routes=(HOOK,), attempts_max=1)
    bench.tell(raised())
    bench.advance(5 * SECOND)
    [request] = requests(bench)
    bench.tell(HttpFailure(request.request_id, False, f"InvalidURL: {URL}"))
    assert "hidden" not in repr(bench.logs)
    summaries = [alert["summary"] for alert in bench.behaviour.describe()["active"]]
    assert "Route hook does not deliver: InvalidURL: the url of hook" in summaries


def test_gauges_count_what_holds() -> None:
    bench = bench_of()
    bench.tell(raised())
    bench.tell(raised("Page", severity=Severity.PAGE))
    gauges = bench.behaviour.gauges()
    assert (gauges["alerts_ticket_count"], gauges["alerts_page_count"]) == (1, 1)


# -- alerts of what happened, not of what holds -----------------------------------------------------


def event(summary: str = "a fill came late", after_ns: int = HOUR) -> AlertRaised:
    return AlertRaised("VenueSurprise", "x", Severity.TICKET, summary, "venue/main", START, (), after_ns)


def test_an_alert_that_tells_of_an_event_is_over_by_itself_after_its_time() -> None:
    bench = bench_of(group_wait=0)
    bench.tell(event())
    bench.advance(HOUR - 1)
    assert told(bench) == [("alert_firing", "VenueSurprise", "x")]
    assert [alert.over for alert in alerter_state(bench).alerts.values()] == [False]
    bench.advance(MINUTE)
    assert told(bench) == [("alert_resolved", "VenueSurprise", "x")]


def test_the_time_counts_from_the_last_event() -> None:
    bench = bench_of(group_wait=0)
    bench.tell(event())
    bench.advance(HOUR - MINUTE)
    bench.tell(event())
    bench.advance(HOUR - MINUTE)
    bench.tell(event("another one"))
    bench.advance(HOUR - MINUTE)
    assert ("alert_resolved", "VenueSurprise", "x") not in told(bench)
    bench.advance(2 * MINUTE)
    assert told(bench) == [("alert_resolved", "VenueSurprise", "x")]


def test_the_time_goes_on_over_a_restart_of_the_alerter() -> None:
    bench = bench_of(group_wait=0)
    bench.tell(event())
    bench.advance(MINUTE)
    bench.restart()
    bench.advance(HOUR)
    assert told(bench)[-1] == ("alert_resolved", "VenueSurprise", "x")


def test_an_event_after_the_end_fires_anew() -> None:
    bench = bench_of(group_wait=0, group_interval=0)
    bench.tell(event())
    bench.advance(HOUR + MINUTE)
    told(bench)
    bench.tell(event())
    bench.advance(SECOND)
    assert told(bench) == [("alert_firing", "VenueSurprise", "x")]


def test_an_event_that_turns_into_a_condition_holds_until_it_is_resolved() -> None:
    bench = bench_of(group_wait=0)
    bench.tell(event())
    bench.tell(event(after_ns=0))
    bench.advance(5 * HOUR)
    assert ("alert_resolved", "VenueSurprise", "x") not in told(bench)
    bench.tell(AlertResolved("VenueSurprise", "x", "venue/main", START))
    bench.advance(MINUTE)
    assert told(bench) == [("alert_resolved", "VenueSurprise", "x")]

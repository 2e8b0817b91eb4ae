"""What nobody acknowledges goes on to others; what somebody takes care of leaves everybody in peace."""

import msgspec
import pytest

from actors.messages.alerting import SilenceAlerts
from actors.messages.control import Acknowledged, Rejected
from actors.runtime.messages import Severity
from tests.unit.alerter.world import (
    HOUR,
    MINUTE,
    SECOND,
    acknowledgement,
    answered_bench,
    heard,
    hook,
    over,
    posted,
    raised,
    state_of,
    step,
)

FIRST, SECOND_ROUTE, BOSS = hook("first"), hook("second", at_once=False), hook("boss", at_once=False)
LADDER = {
    "routes": (FIRST, SECOND_ROUTE, BOSS),
    "escalation": (step(10 * MINUTE, "second"), step(30 * MINUTE, "second", "boss")),
}


def test_an_alert_that_nobody_acknowledges_climbs_step_by_step() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    assert heard(bench) == [("first", "firing")]
    bench.advance(10 * MINUTE - 2 * SECOND)
    assert heard(bench) == []
    bench.advance(SECOND)
    [(route, body)] = posted(bench)
    assert (route, body["escalation"], body["firing"][0]["key"]) == ("second", 1, "BTC")
    bench.advance(20 * MINUTE)
    assert heard(bench) == [("second", "firing"), ("boss", "firing")]
    bench.advance(3 * HOUR)
    assert heard(bench) == []


def test_an_acknowledgement_stops_the_climb_and_the_repeats() -> None:
    bench = answered_bench(**LADDER, repeat_interval=HOUR)
    bench.tell(raised())
    bench.advance(SECOND)
    heard(bench)
    bench.tell(acknowledgement(duration_ns=24 * HOUR))
    assert isinstance(bench.replies[-1], Acknowledged)
    bench.advance(1)
    assert heard(bench) == [("first", "acknowledged")]
    bench.advance(23 * HOUR)
    assert heard(bench) == []


def test_an_acknowledgement_that_runs_out_has_the_alert_told_and_escalated_anew() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=HOUR))
    bench.advance(1)
    heard(bench)
    bench.advance(HOUR)
    assert heard(bench) == [("first", "firing")]
    bench.advance(10 * MINUTE)
    assert heard(bench) == [("second", "firing")]


def test_without_a_time_an_acknowledgement_holds_as_long_as_the_settings_say() -> None:
    bench = answered_bench(**LADDER, acknowledged_for=2 * HOUR)
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement())
    bench.advance(2 * HOUR - SECOND)
    heard(bench)
    bench.advance(2 * SECOND)
    assert heard(bench) == [("first", "firing")]


def test_an_alert_that_gets_worse_is_nobodys_any_more() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised(severity=Severity.TICKET))
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=24 * HOUR))
    bench.advance(MINUTE)
    heard(bench)
    bench.tell(raised(severity=Severity.TICKET, summary="still silent, but no worse"))
    bench.advance(5 * MINUTE)
    assert heard(bench) == []
    bench.tell(raised(severity=Severity.PAGE))
    bench.advance(SECOND)
    assert heard(bench) == [("first", "firing")]
    bench.advance(10 * MINUTE)
    assert heard(bench) == [("second", "firing")]


def test_an_acknowledgement_does_not_hold_for_the_next_occurrence() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=24 * HOUR))
    bench.tell(over())
    bench.advance(2 * MINUTE)
    heard(bench)
    bench.tell(raised())
    bench.advance(2 * MINUTE)
    assert heard(bench) == [("first", "firing")]
    [shown] = bench.behaviour.describe()["active"]
    assert shown["acknowledged_by"] == ""


def test_an_occurrence_that_comes_before_the_end_was_told_is_told_too() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=24 * HOUR))
    bench.advance(SECOND)
    heard(bench)
    bench.tell(over())
    bench.tell(raised())
    bench.advance(2 * MINUTE)
    assert heard(bench) == [("first", "firing")]


def test_the_climb_begins_again_when_the_settings_say_so() -> None:
    bench = answered_bench(**LADDER, escalation_repeat=15 * MINUTE)
    bench.tell(raised())
    bench.advance(30 * MINUTE + SECOND)
    heard(bench)
    bench.advance(15 * MINUTE)
    assert heard(bench) == [("first", "firing")]
    bench.advance(10 * MINUTE)
    assert heard(bench) == [("second", "firing")]
    bench.tell(over())
    bench.advance(MINUTE)
    assert sorted(heard(bench)) == [("boss", "resolved"), ("first", "resolved"), ("second", "resolved")]
    bench.advance(10 * HOUR)
    assert heard(bench) == []


def test_only_those_who_heard_of_an_alert_hear_of_its_end() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(11 * MINUTE)
    heard(bench)
    bench.tell(over())
    bench.advance(MINUTE)
    assert sorted(heard(bench)) == [("first", "resolved"), ("second", "resolved")]


def test_a_step_takes_what_is_bad_enough_and_no_other_alert_of_the_name() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised(key="BTC"))
    bench.tell(raised(key="ETH", severity=Severity.TICKET))
    bench.advance(SECOND)
    heard(bench)
    bench.tell(raised(key="SOL"))
    bench.advance(5 * MINUTE)
    bench.tell(acknowledgement(key="SOL"))
    bench.advance(5 * MINUTE)
    [(route, body)] = [one for one in posted(bench) if one[0] != "first"]
    assert (route, [line["key"] for line in body["firing"]]) == ("second", ["BTC"])


def test_a_silence_holds_the_climb_up_until_it_ends() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    heard(bench)
    bench.tell(SilenceAlerts("FeedStale", "*", "*", 20 * MINUTE, "ann", "known"))
    bench.advance(19 * MINUTE)
    assert heard(bench) == []
    bench.advance(2 * MINUTE)
    assert heard(bench) == [("second", "firing")]


def test_climb_and_acknowledgement_survive_a_restart() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised(key="BTC"))
    bench.tell(raised("MarkMissing", key="ETH"))
    bench.advance(SECOND)
    bench.tell(acknowledgement("MarkMissing", by="bob"))
    bench.advance(9 * MINUTE)
    heard(bench)
    bench.epoch += 1
    bench.restart()
    bench.advance(2 * MINUTE)
    assert heard(bench) == [("second", "firing")]
    shown = {one["name"]: one for one in bench.behaviour.describe()["active"]}
    assert shown["MarkMissing"]["acknowledged_by"] == "bob"
    assert shown["FeedStale"]["escalation"] == 1
    assert shown["FeedStale"]["escalates_to"] == ["second", "boss"]


def test_taking_an_acknowledgement_back_has_the_alert_told_anew() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement())
    bench.advance(SECOND)
    heard(bench)
    bench.tell(acknowledgement(holds=False))
    bench.advance(SECOND)
    assert heard(bench) == [("first", "firing")]
    bench.tell(acknowledgement(holds=False))
    assert isinstance(bench.replies[-1], Rejected)


@pytest.mark.parametrize("order", [acknowledgement("FeedFrozen"), acknowledgement(key="ETH")])
def test_what_does_not_fire_cannot_be_acknowledged(order) -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.tell(order)
    [reply] = bench.replies
    assert isinstance(reply, Rejected)
    assert "what fires: FeedStale" in reply.text


def test_what_is_over_stays_known_with_who_took_care() -> None:
    bench = answered_bench()
    bench.tell(raised())
    bench.advance(SECOND)
    bench.tell(acknowledgement())
    bench.advance(MINUTE)
    bench.tell(over())
    bench.advance(HOUR)
    [ended] = bench.behaviour.describe()["ended"]
    assert (ended["name"], ended["acknowledged_by"]) == ("FeedStale", "ann")
    for number in range(200):
        bench.tell(raised(key=str(number)))
        bench.tell(over(key=str(number)))
    assert len(state_of(bench).ended) == 100


def test_somebody_acknowledges_before_anybody_is_told_and_nobody_is_told() -> None:
    bench = answered_bench(routes=(FIRST,), group_wait=5 * SECOND)
    bench.tell(raised())
    bench.tell(acknowledgement(duration_ns=HOUR))
    bench.advance(MINUTE)
    bench.tell(over())
    bench.advance(2 * HOUR)
    assert heard(bench) == []


def test_an_event_that_somebody_acknowledges_is_over_when_nothing_more_of_it_comes() -> None:
    bench = answered_bench(**LADDER)
    event = msgspec.structs.replace(raised(), ends_after_ns=24 * HOUR)
    bench.tell(event)
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=8 * HOUR))
    for _ in range(5):
        bench.advance(50 * SECOND)
        bench.tell(event)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [False], "it goes on"
    bench.advance(59 * SECOND)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [False]
    bench.advance(SECOND)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [True]


def test_how_long_nothing_more_of_an_event_must_come_is_a_setting() -> None:
    bench = answered_bench(**LADDER, acknowledged_calm=2 * SECOND)
    bench.tell(msgspec.structs.replace(raised(), ends_after_ns=24 * HOUR))
    bench.advance(SECOND)
    bench.tell(acknowledgement(duration_ns=8 * HOUR))
    bench.advance(SECOND)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [False]
    bench.advance(SECOND)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [True]


def test_a_condition_that_somebody_acknowledges_holds_until_it_is_resolved() -> None:
    bench = answered_bench(**LADDER)
    bench.tell(raised())
    bench.tell(acknowledgement(duration_ns=8 * HOUR))
    bench.advance(HOUR)
    assert [alert.over for alert in state_of(bench).alerts.values()] == [False]

"""Up only with a good clock, a stream, and everything read that was missed."""

from __future__ import annotations

import pytest

from actors.messages.venue import OrderCanceled, OrderFilled, OrderRejected, VenueConnection
from tests.unit.venue.poloniex.far_side import (
    MS,
    SECOND,
    FarSide,
    Silence,
    VenueBench,
    fill_row,
    order_row,
    refusal,
)


def names(alerts) -> list[str]:
    return [alert.name for alert in alerts]


def connections(bench: VenueBench) -> list[bool]:
    return [message.up for message in bench.take(VenueConnection)]


def test_it_is_down_until_clock_stream_and_lists_have_been_seen() -> None:
    bench = VenueBench(up=False)
    assert connections(bench) == [False]
    bench.run(3 * SECOND)
    assert connections(bench) == [True]
    assert [frame["channel"] for frame in bench.frames_sent] == [["auth"], ["orders"], ["trade"]]
    first_signed = next(path for path in bench.far.paths if path != "GET /timestamp")
    assert first_signed == "GET /v3/position/mode"


def test_only_orders_that_reduce_risk_leave_while_it_is_down() -> None:
    bench = VenueBench()
    bench.accept_sockets = False
    bench.drop()
    bench.place("o-1")
    bench.place("o-2", reduce_only=True)
    bench.run(SECOND)
    assert [message.client_order_id for message in bench.take(OrderRejected)] == ["o-1"]
    assert [body["clOrdId"] for body in bench.far.placed] == ["o-2"]


def test_what_was_missed_is_told_before_it_is_up_again() -> None:
    bench = VenueBench()
    bench.drop()
    now_ms = str(bench.now_ns // MS)
    bench.far.fills = [fill_row("o-1", "1", uTime=now_ms)]
    bench.far.history = [order_row("o-2", state="CANCELED", uTime=now_ms)]
    bench.published.clear()
    bench.run(3 * SECOND)
    told = [type(message) for message in bench.published]
    assert OrderFilled in told
    assert OrderCanceled in told
    assert told[-1] is VenueConnection


def test_a_fill_told_by_the_stream_is_not_told_again_after_a_reconnect() -> None:
    bench = VenueBench()
    now_ms = bench.now_ns // MS
    bench.trades({**_fill("o-1"), "uTime": now_ms})
    assert len(bench.take(OrderFilled)) == 1
    bench.far.fills = [fill_row("o-1", "1", uTime=str(now_ms))]
    bench.drop()
    bench.run(3 * SECOND)
    assert bench.venue.is_up
    assert bench.take(OrderFilled) == []


def test_a_venue_that_is_not_there_is_named_in_the_page_and_asked_ever_less_often() -> None:
    bench = VenueBench(up=False)
    bench.far.overrides["GET /timestamp"] = Silence(bytes_left=False)
    bench.run(60 * SECOND)
    (page,) = [alert for alert in bench.alerts if alert.name == "VenueUnreachable"]
    assert "does not tell its time" in page.summary
    assert len([one for one in bench.requests if one.url.endswith("/timestamp")]) < 25
    del bench.far.overrides["GET /timestamp"]
    bench.run(20 * SECOND)
    assert bench.venue.is_up


def test_it_stays_down_while_the_lists_cannot_be_read() -> None:
    bench = VenueBench()
    bench.far.overrides["GET /v3/trade/order/history"] = Silence()
    bench.drop()
    bench.run(60 * SECOND)
    assert connections(bench)[-1] is False
    assert "VenueUnreachable" in names(bench.alerts)
    del bench.far.overrides["GET /v3/trade/order/history"]
    bench.run(60 * SECOND)
    assert connections(bench) == [True]
    assert "VenueUnreachable" in names(bench.resolved)


def test_reconnects_come_ever_more_slowly_and_never_all_at_once() -> None:
    bench = VenueBench(backoff_max=8 * SECOND)
    bench.accept_sockets = False
    bench.drop()
    before = bench.venue.session.stats.connects
    bench.run(60 * SECOND)
    tries = bench.venue.session.stats.connects - before
    assert 8 <= tries <= 20


def test_a_quiet_stream_is_pinged_and_a_dead_one_given_up() -> None:
    bench = VenueBench()
    bench.frames_sent.clear()
    bench.run(35 * SECOND)
    assert [frame["event"] for frame in bench.frames_sent] == ["ping"] * 3
    dead = bench.sockets.pop()  # half open: nothing goes out, nothing comes in
    bench.run(25 * SECOND)
    assert bench.venue.session.socket_id != dead
    assert bench.venue.is_up


def test_a_refused_login_pages_and_is_not_tried_in_a_hurry() -> None:
    bench = VenueBench(up=False, key="WRONG-KEY-WRONG", secret="s3cr3t-TEST-0123456789")
    bench.run(20 * SECOND)
    assert names(bench.alerts).count("VenueKeyRefused") == 1
    assert not bench.venue.is_up
    assert len(bench.frames_sent) < 12


def test_a_revoked_key_takes_it_down_and_pages_once() -> None:
    bench = VenueBench()
    bench.far.place = refusal(401, "Illegal of ip")
    bench.far.overrides["GET /v3/position/mode"] = refusal(401, "Illegal of ip")
    bench.place()
    bench.run(100 * SECOND)
    assert connections(bench)[-1] is False
    assert bench.take(OrderRejected)[0].code == "401"
    assert names(bench.alerts).count("VenueKeyRefused") == 1
    assert bench.far.paths.count("GET /v3/position/mode") <= 4
    del bench.far.overrides["GET /v3/position/mode"]
    bench.run(40 * SECOND)
    assert bench.venue.is_up


def test_maintenance_takes_it_down_until_lists_can_be_read_again() -> None:
    bench = VenueBench()
    bench.far.place = refusal(1002, "maintenance")
    bench.far.overrides["GET /v3/position/mode"] = refusal(1002)
    bench.place()
    bench.run(10 * SECOND)
    assert not bench.venue.is_up
    del bench.far.overrides["GET /v3/position/mode"]
    bench.run(40 * SECOND)
    assert bench.venue.is_up


def test_an_account_in_hedge_mode_is_not_traded() -> None:
    bench = VenueBench(FarSide(mode="HEDGE"), up=False)
    bench.run(5 * SECOND)
    assert not bench.venue.is_up
    assert "VenueSurprise" in names(bench.alerts)


def test_without_a_key_nothing_is_signed_and_somebody_is_told() -> None:
    bench = VenueBench(up=False, key="secret://kv/poloniex#key", secret="secret://kv/poloniex#secret")
    bench.run(40 * SECOND)
    assert set(bench.far.paths) == {"GET /timestamp"}
    assert "its key is missing" in bench.alerts[-1].summary


# -- the clock


@pytest.mark.parametrize("ahead_ms", [-5_000, 5_000])
def test_nothing_is_signed_with_a_clock_too_far_off(ahead_ms: int) -> None:
    bench = VenueBench(FarSide(clock_ahead_ms=ahead_ms), up=False)
    bench.run(10 * SECOND)
    assert set(bench.far.paths) == {"GET /timestamp"}
    assert "ClockSkew" in names(bench.alerts)
    bench.far.clock_ahead_ms = 0
    bench.run(200 * SECOND)
    assert bench.venue.is_up
    assert "ClockSkew" in names(bench.resolved)


def test_a_clock_that_drifts_raises_a_ticket_and_signatures_carry_the_venues_time() -> None:
    bench = VenueBench(FarSide(clock_ahead_ms=400), up=False)
    bench.run(5 * SECOND)
    assert bench.venue.is_up
    assert names(bench.alerts) == ["ClockDrift"]
    bench.place()
    bench.run(100 * MS)
    headers = dict(bench.requests[-1].headers)
    assert abs(int(headers["signTimestamp"]) - bench.now_ns // MS - 300) < 20


def test_a_clock_that_jumps_while_trading_takes_it_down() -> None:
    bench = VenueBench()
    bench.far.clock_ahead_ms = 30_000
    bench.run(300 * SECOND)
    assert not bench.venue.is_up
    assert "ClockSkew" in names(bench.alerts)


def test_a_clock_that_jumps_is_noticed_at_the_next_look() -> None:
    bench = VenueBench()
    bench.far.clock_ahead_ms = 30_000
    bench.run(33 * SECOND)
    assert not bench.venue.is_up
    assert "ClockSkew" in names(bench.alerts)


# -- the rate budget


def test_a_429_raises_a_ticket_slows_us_down_and_survives_a_restart() -> None:
    bench = VenueBench()
    bench.far.place = refusal(429)
    bench.place()
    bench.run(3 * SECOND)
    assert set(names(bench.alerts)) == {"VenueRateLimited"}
    assert {alert.ends_after_ns for alert in bench.alerts} == {300 * SECOND}, "over by itself"
    slowed = bench.venue.state.paces["place"].slowed
    assert slowed > 1
    bench.restart()
    assert bench.venue.state.paces["place"].slowed == slowed
    bench.run(3 * SECOND)


def test_a_flood_of_orders_stays_within_the_limit_and_what_cannot_leave_in_time_never_does() -> None:
    bench = VenueBench()
    for number in range(300):
        bench.place(f"o-{number}")
    bench.run(10 * SECOND)
    left = [
        int(dict(request.headers)["signTimestamp"]) for request in bench.requests if request.method == "POST"
    ]
    for start in left:
        assert sum(1 for at_ms in left if start <= at_ms < start + 1_000) <= 50
    rejected = bench.take(OrderRejected)
    assert len(rejected) + len(left) == 300
    assert rejected
    assert rejected[0].code == "unreachable"


# -- secrets


def test_neither_key_nor_secret_can_be_seen_from_outside() -> None:
    bench = VenueBench()
    bench.far.place = Silence()
    bench.place()
    bench.run(SECOND)
    seen = repr(
        (
            bench.venue.describe(),
            bench.venue.gauges(),
            bench.logs,
            bench.alerts,
            bench.published,
            bench._saved,
            bench.venue.settings,
            bench.venue.credentials,
        )
    )
    assert "s3cr3t" not in seen
    assert "A3TESTKEY" not in seen


def _fill(name: str) -> dict[str, object]:
    from tests.unit.venue.poloniex.far_side import stream_fill

    return stream_fill(name, "1")


def test_the_end_of_the_stream_at_a_stop_is_no_loss_of_the_venue() -> None:
    bench = VenueBench()
    bench.take(VenueConnection)
    bench.venue.stopping(bench)
    bench.run(MS * 100)
    assert bench.sockets == []
    assert connections(bench) == []

"""A WebSocket session without a socket."""

from __future__ import annotations

import json
import random

import pytest

from actors.poloniex.stream import Channel, Open, Phase, Send, Shut, StreamLimits, StreamSession

SECOND = 1_000_000_000
LIMITS = StreamLimits()
CHANNELS = (Channel("book_lv2", ("A",), silent_after_ns=5 * SECOND, depth=20), Channel("trades", ("A",)))


def make(login=None) -> StreamSession:
    return StreamSession("s", CHANNELS, LIMITS, random.Random(1), login)


def up(session: StreamSession, now_ns: int = 0) -> None:
    (opened,) = session.start(now_ns)
    assert isinstance(opened, Open)
    session.opened(opened.socket_id, now_ns)
    if session.phase is Phase.LOGGING_IN:
        session.logged_in(True, "", now_ns)
    for channel in CHANNELS:
        session.control("subscribe", channel.name, "", now_ns)
    assert session.is_up


def texts(actions) -> list[dict]:
    return [json.loads(action.text) for action in actions if isinstance(action, Send)]


def test_every_channel_is_subscribed_to_and_must_be_acknowledged() -> None:
    session = make()
    session.start(0)
    sent = texts(session.opened("s-1", 0))
    assert sent == [
        {"event": "subscribe", "channel": ["book_lv2"], "symbols": ["A"], "depth": 20},
        {"event": "subscribe", "channel": ["trades"], "symbols": ["A"]},
    ]
    session.control("subscribe", "book_lv2", "", 1)
    assert not session.is_up
    session.control("subscribe", "trades", "", 2)
    assert session.is_up


def test_an_acknowledgement_that_does_not_come_ends_the_connection_and_says_why() -> None:
    session = make()
    session.start(0)
    session.opened("s-1", 0)
    session.control("subscribe", "trades", "", 0)
    session.control("error", "", "no valid symbols", 0)
    assert session.tick(9 * SECOND) == []
    assert session.tick(10 * SECOND) == [Shut("s-1")]
    assert "book_lv2" in session.reason
    assert "no valid symbols" in session.reason


def test_a_login_comes_before_subscriptions() -> None:
    session = make(login=lambda now_ns: f'{{"t":{now_ns}}}')
    session.start(0)
    assert texts(session.opened("s-1", 7)) == [{"t": 7}]
    assert len(texts(session.logged_in(True, "", 8))) == 2


def test_a_refused_login_and_a_refusal_to_sign_both_end_the_connection() -> None:
    session = make(login=lambda now_ns: "")
    session.start(0)
    assert session.opened("s-1", 0) == [Shut("s-1")]
    session = make(login=lambda now_ns: "{}")
    session.start(0)
    session.opened("s-1", 0)
    assert session.logged_in(False, "Authentication failed!", 0) == [Shut("s-1")]
    assert session.phase is Phase.PAUSING


def test_it_pings_every_ten_seconds_even_while_data_streams() -> None:
    session = make()
    up(session)
    pings = 0
    for second in range(1, 41):
        session.data("book_lv2", second * SECOND)
        pings += len(texts(session.tick(second * SECOND)))
    assert pings == 4


def test_a_connection_that_answers_nothing_is_given_up_before_the_venue_would() -> None:
    session = make()
    up(session)
    actions = []
    for second in range(1, 60):
        session._heard["book_lv2"] = second * SECOND
        actions = session.tick(second * SECOND)
        if any(isinstance(action, Shut) for action in actions):
            break
    assert second == 20


def test_a_channel_that_falls_silent_is_asked_for_again_then_the_connection_ends() -> None:
    session = make()
    up(session)
    session.control("pong", "", "", 4 * SECOND)
    again = texts(session.tick(5 * SECOND))
    assert [text["event"] for text in again] == ["unsubscribe", "subscribe"]
    session.control("pong", "", "", 8 * SECOND)
    assert session.tick(8 * SECOND) == []
    assert session.tick(10 * SECOND) == [Shut("s-1")]


def test_a_channel_that_speaks_again_is_left_alone() -> None:
    session = make()
    up(session)
    session.tick(5 * SECOND)
    session.data("book_lv2", 6 * SECOND)
    assert not any(isinstance(action, Shut) for action in session.tick(10 * SECOND))


def test_a_resubscription_is_not_repeated_in_a_hurry() -> None:
    session = make()
    up(session, 10 * SECOND)
    assert len(session.resubscribe("book_lv2", 20 * SECOND)) == 2
    assert session.resubscribe("book_lv2", 21 * SECOND) == []
    assert len(session.resubscribe("book_lv2", 22 * SECOND)) == 2


def test_pauses_double_and_shrink_again_after_a_calm_time() -> None:
    session = make()
    pauses = []
    now_ns = 0
    session.start(0)
    for _ in range(8):
        session.closed(session.socket_id, "no", now_ns)
        began = now_ns
        while session.phase is Phase.PAUSING:
            now_ns += SECOND // 100
            session.tick(now_ns)
        pauses.append(now_ns - began)
    assert pauses[0] <= SECOND // 2 + SECOND // 100
    assert 15 * SECOND <= pauses[-1] <= 30 * SECOND + SECOND // 100
    session.opened(session.socket_id, now_ns)
    for channel in CHANNELS:
        session.control("subscribe", channel.name, "", now_ns)
    session.closed(session.socket_id, "no", now_ns + 61 * SECOND)
    session.tick(now_ns + 62 * SECOND)
    assert session.phase is Phase.CONNECTING


def test_what_an_old_socket_says_is_nobodys_business() -> None:
    session = make()
    up(session)
    session.lose("test", SECOND)
    session.tick(10 * SECOND)
    assert session.socket_id == "s-2"
    assert session.opened("s-1", 10 * SECOND) == []
    session.closed("s-1", "late", 10 * SECOND)
    assert session.phase is Phase.CONNECTING


@pytest.mark.parametrize("event", ["weird", ""])
def test_unknown_frames_are_counted(event: str) -> None:
    session = make()
    up(session)
    session.control(event, "x", "", 1)
    assert session.stats.unknown_frames == 1


def test_a_session_that_leaves_closes_when_every_channel_has_said_farewell() -> None:
    session = make()
    up(session)
    left = texts(session.leave(SECOND))
    assert left == [
        {"event": "unsubscribe", "channel": ["book_lv2"], "symbols": ["A"]},
        {"event": "unsubscribe", "channel": ["trades"], "symbols": ["A"]},
    ]
    assert not session.is_up
    assert session.control("unsubscribe", "book_lv2", "", SECOND) == []
    assert session.control("unsubscribe", "trades", "", SECOND) == [Shut("s-1")]
    assert session.phase is Phase.IDLE


def test_a_session_that_leaves_does_not_wait_for_a_farewell_for_ever() -> None:
    session = make()
    up(session)
    session.leave(SECOND)
    assert session.tick(SECOND + LIMITS.answer_timeout - 1) == []
    assert session.tick(SECOND + LIMITS.answer_timeout) == [Shut("s-1")]
    assert session.phase is Phase.PAUSING

"""How far our clock is off, and whether we may sign."""

from __future__ import annotations

from actors.venue.poloniex.clock_guard import ClockGuard, ClockJudgement

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_760_000_000_000 * MS


def guard() -> ClockGuard:
    return ClockGuard(250 * MS, SECOND, 300 * SECOND)


def look(clock: ClockGuard, at_s: int, ahead_ms: int, there_ms: int = 10, back_ms: int = 10) -> None:
    sent = START + at_s * SECOND
    venue_ms = (sent + there_ms * MS) // MS + ahead_ms
    clock.add(sent, sent + (there_ms + back_ms) * MS, venue_ms)


def test_nothing_is_known_before_the_first_look_and_long_after_the_last() -> None:
    clock = guard()
    assert clock.judge(START) is ClockJudgement.UNKNOWN
    look(clock, 0, 0)
    assert clock.judge(START + SECOND) is ClockJudgement.GOOD
    assert clock.judge(START + 400 * SECOND) is ClockJudgement.UNKNOWN


def test_the_offset_is_the_middle_of_the_request() -> None:
    clock = guard()
    look(clock, 0, 100, 20, 20)
    assert abs(clock.offset_ns - 100 * MS) <= MS
    assert clock.doubt_ns >= 20 * MS


def test_a_slow_answer_says_little() -> None:
    clock = guard()
    for second in range(5):
        look(clock, second, 0)
    look(clock, 6, 0, 10, 1_500)
    assert abs(clock.offset_ns) < 5 * MS
    assert clock.judge(START + 8 * SECOND) is ClockJudgement.GOOD


def test_one_wrong_answer_among_right_ones_changes_nothing() -> None:
    clock = guard()
    for second in range(5):
        look(clock, second, 0)
    look(clock, 6, 90_000)
    assert clock.judge(START + 7 * SECOND) in (ClockJudgement.GOOD, ClockJudgement.WORRYING)
    assert abs(clock.offset_ns) < 5 * MS


def test_a_stepped_clock_is_noticed_after_three_looks() -> None:
    clock = guard()
    for second in range(9):
        look(clock, second, 0)
    for second in range(3):
        look(clock, 10 + second, 5_000)
    assert clock.judge(START + 13 * SECOND) is ClockJudgement.TOO_FAR


def test_an_only_answer_that_took_too_long_does_not_let_us_sign() -> None:
    clock = guard()
    look(clock, 0, 0, 1_200, 1_200)
    assert clock.judge(START + 3 * SECOND) is ClockJudgement.TOO_FAR


def test_drift_worries_before_the_limit_is_reached() -> None:
    clock = guard()
    for step in range(9):
        look(clock, 30 * step, 20 * step)
    assert clock.offset_ns < 200 * MS
    assert clock.judge(START + 245 * SECOND) is ClockJudgement.WORRYING
    assert clock.drift_ppb > 0


def test_a_steady_clock_has_no_drift() -> None:
    clock = guard()
    for step in range(9):
        look(clock, 30 * step, 100, 10 + step % 3, 10)
    assert clock.drift_ppb == 0


def test_a_single_liar_is_no_drift_and_asks_for_another_look() -> None:
    clock = guard()
    for step in range(6):
        look(clock, 30 * step, 0)
    assert not clock.is_puzzled
    look(clock, 180, 3_000)
    assert clock.is_puzzled
    assert (clock.drift_ppb, clock.judge(START + 181 * SECOND)) == (0, ClockJudgement.GOOD)
    look(clock, 181, 0)
    assert not clock.is_puzzled

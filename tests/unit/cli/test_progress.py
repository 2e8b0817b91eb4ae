"""How long something still takes: known late, smooth, and right in the end."""

import math

import pytest

from actors.cli.progress import Pace, left_text

SECOND = 1_000_000_000


def test_nobody_knows_in_the_first_seconds() -> None:
    pace = Pace()
    for tenth in range(15):
        pace.seen(tenth / 1_000, 100 * SECOND + tenth * SECOND // 10)
        assert math.isnan(pace.left_s())


def test_a_steady_pace_is_told_right() -> None:
    pace = Pace()
    for second in range(50):
        pace.seen(second / 100, (1 + second) * SECOND)
    assert pace.left_s() == pytest.approx(51, rel=0.01)


def test_what_went_before_the_first_step_does_not_count() -> None:
    """The look through the files takes long, and says nothing about the run."""
    pace = Pace()
    pace.seen(0.0, 500 * SECOND)
    for second in range(1, 11):
        pace.seen(second / 100, (500 + second) * SECOND)
    assert pace.left_s() == pytest.approx(90, rel=0.01)


def test_one_slow_second_changes_little_and_a_lasting_change_is_followed() -> None:
    pace, now = Pace(), SECOND
    part = 0.0
    shown = []
    for second in range(200):
        part += 0.0002 if second == 60 else 0.004 if second < 100 else 0.002
        now += SECOND
        pace.seen(part, now)
        shown.append(pace.left_s())
    assert shown[60] == pytest.approx(shown[59], rel=0.1)
    assert shown[199] == pytest.approx((1 - part) / 0.002, rel=0.1)


def test_times_are_told_as_exactly_as_they_are_known() -> None:
    said = [left_text(seconds).strip() for seconds in (math.nan, 0.2, 7.4, 44, 600, 9_000)]
    assert said == [
        "",
        "about 1 s to go",
        "about 7 s to go",
        "about 40 s to go",
        "about 10 min to go",
        "about 2.5 h to go",
    ]

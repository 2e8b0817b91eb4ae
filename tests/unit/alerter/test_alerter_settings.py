"""Settings that cannot be meant are refused, and quiet times are what they say."""

import typing
from collections.abc import Callable

import pytest

from actors.alerter.channels import CHANNELS
from actors.alerter.delivery import Verdict, judge
from actors.alerter.quiet import quiet_hours, quiet_until_ns, utc_ns, utc_text
from actors.alerter.settings import AlerterSettings, Route, Silence
from actors.runtime.pumps.messages import HttpResponse

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def silence(starts_at: str, ends_at: str) -> Silence:
    return Silence(starts_at=starts_at, ends_at=ends_at, reason="")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Route(name="x", channel="webhook"),
            "route x: a webhook needs a url that starts with https:// or http://, or a reference "
            "secret://mount/path#key",
        ),
        (lambda: AlerterSettings(routes=(Route(), Route())), "two routes are named log"),
        (lambda: AlerterSettings(quiet_hours="22:00-24:00"), "'24:00' is not a time of day such as 22:00"),
        (lambda: AlerterSettings(quiet_hours="22:00"), "'' is not a time of day such as 22:00"),
        (
            lambda: silence("2026-01-01T00:00:00+01:00", "2026-01-02T00:00:00Z"),
            "'2026-01-01T00:00:00+01:00' is not in UTC; let it end with Z",
        ),
        (
            lambda: silence("2026-01-01T00:00:00", "2026-01-02T00:00:00Z"),
            "'2026-01-01T00:00:00' is not in UTC; let it end with Z",
        ),
        (
            lambda: silence("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            "silence of *: starts_at must lie before ends_at",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        make()
    assert str(caught.value) == message


def test_every_channel_can_be_chosen_and_every_choice_is_a_channel() -> None:
    hints = typing.get_type_hints(Route)
    assert set(typing.get_args(hints["channel"])) == set(CHANNELS)


@pytest.mark.parametrize(
    ("at", "hours", "until"),
    [
        (21 * HOUR, "22:00-06:00", 0),
        (22 * HOUR, "22:00-06:00", DAY + 6 * HOUR),
        (5 * HOUR, "22:00-06:00", 6 * HOUR),
        (6 * HOUR, "22:00-06:00", 0),
        (13 * HOUR, "12:30-14:00", 14 * HOUR),
        (14 * HOUR, "12:30-14:00", 0),
        (12 * HOUR, "", 0),
    ],
)
def test_quiet_hours_may_span_midnight(at: int, hours: str, until: int) -> None:
    day = 20_000 * DAY
    assert quiet_until_ns(day + at, quiet_hours(hours)) == (day + until if until else 0)


def test_instants_read_back_as_the_same_text() -> None:
    text = "2026-11-21T22:00:00.125Z"
    assert utc_text(utc_ns(text)) == text
    assert utc_ns("1970-01-01T00:00:01Z") == 1_000_000_000


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (302, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (408, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (599, Verdict.RETRY),
    ],
)
def test_an_http_status_says_whether_to_try_again(status: int, verdict: Verdict) -> None:
    assert judge(HttpResponse("1", status, (), b"", 1)).verdict is verdict

"""Times in which nobody wants to hear: silences by pattern, and daily quiet hours. Instants are UTC ns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from actors.alerter.state import Alert, Hush

__all__ = ["quiet_hours", "quiet_until_ns", "silenced_until_ns", "utc_instant", "utc_ns", "utc_text"]

MINUTE_NS = 60_000_000_000
DAY_NS = 24 * 60 * MINUTE_NS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_ns(text: str) -> int:
    """Return the instant of an ISO 8601 text in UTC. Errors: ValueError unless it is one."""
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() != timedelta(0):
        raise ValueError(f"{text!r} is not in UTC; let it end with Z")
    return (instant - EPOCH) // timedelta(microseconds=1) * 1_000


def utc_instant(text: str) -> datetime:
    """Return the instant that a text of `utc_text` names."""
    return datetime.fromisoformat(text)


def utc_text(at_ns: int) -> str:
    """Return an instant as ISO 8601 text with milliseconds."""
    instant = EPOCH + timedelta(milliseconds=at_ns // 1_000_000)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quiet_hours(text: str) -> tuple[int, int]:
    """Return begin and end of `22:00-06:00` in ns after midnight, equal when there are none.

    Errors: ValueError when the text is not empty and not two times of day.
    """
    if not text:
        return (0, 0)
    begin, _, end = text.partition("-")
    return (_day_time_ns(begin), _day_time_ns(end))


def _day_time_ns(text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"{text!r} is not a time of day such as 22:00")
    return (int(hour) * 60 + int(minute)) * MINUTE_NS


def quiet_until_ns(now_ns: int, hours: tuple[int, int]) -> int:
    """Return when the quiet hours around now end; 0 when now is not within any."""
    begin, end = hours
    into_day = now_ns % DAY_NS
    if begin == end or (into_day - begin) % DAY_NS >= (end - begin) % DAY_NS:
        return 0
    return now_ns + (end - into_day) % DAY_NS


def silenced_until_ns(alert: Alert, hushes: Iterable[Hush], now_ns: int) -> int:
    """Return when the last of the silences over this alert ends; 0 when none is in force."""
    return max(
        (
            hush.ends_at_ns
            for hush in hushes
            if hush.starts_at_ns <= now_ns < hush.ends_at_ns and hush.fits(alert)
        ),
        default=0,
    )

"""The one place where time comes from: UTC nanoseconds as int, from the machine or from a test."""

from __future__ import annotations

import re
import time
from typing import Protocol

__all__ = [
    "Clock",
    "DriftingClock",
    "SystemClock",
    "VirtualClock",
    "format_duration",
    "monotonic_ns",
    "parse_duration",
    "wall_and_stopwatch_ns",
]

MILLION = 1_000_000
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
DURATION = re.compile(r"(\d{1,12})(ns|us|ms|s|m|h|d)", re.ASCII)


class Clock(Protocol):
    """Tells the time of a node's loop."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds; never less than the value before."""
        ...

    def reading_ns(self) -> int:
        """Return a reading for measuring how long something took; it has no meaning as an instant."""
        ...


class SystemClock:
    """The machine's clock, kept from running backwards.

    A step back (NTP, an operator) holds the time still until the machine has caught up.
    """

    def __init__(self) -> None:
        self._last_ns = 0
        self.offset_ns = 0  # by which a drill has set it; otherwise 0

    def now_ns(self) -> int:
        """Return the machine's UTC nanoseconds, or the last value if the machine went back."""
        now = time.time_ns() + self.offset_ns
        if now < self._last_ns:
            return self._last_ns
        self._last_ns = now
        return now

    def reading_ns(self) -> int:
        """Return the machine's stopwatch."""
        return monotonic_ns()


class VirtualClock:
    """A clock that moves only when told: nothing takes any time, however slow the machine is."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Return the virtual instant."""
        return self._now_ns

    def reading_ns(self) -> int:
        """Return the virtual instant: work takes no virtual time, so no turn is cut short by the machine."""
        return self._now_ns

    def advance_to(self, at_ns: int) -> None:
        """Move forward; an instant in the past is ignored."""
        if at_ns > self._now_ns:
            self._now_ns = at_ns


class DriftingClock(VirtualClock):
    """A machine's own clock beside the world's: it may be stepped, and run too fast or too slow.

    A step back holds the time still until the world has caught up, as SystemClock does.
    """

    def __init__(self, world: VirtualClock) -> None:
        super().__init__(world.now_ns())
        self._world = world
        self._base_ns = self._since_ns = world.now_ns()
        self._ppm = 0

    def now_ns(self) -> int:
        """Return what this machine's clock shows."""
        elapsed = self._world.now_ns() - self._since_ns
        if self._ppm:
            elapsed = elapsed * (MILLION + self._ppm) // MILLION
        if self._base_ns + elapsed > self._now_ns:
            self._now_ns = self._base_ns + elapsed
        return self._now_ns

    def reading_ns(self) -> int:
        """Return the world's instant: a stopwatch knows nothing of steps."""
        return self._world.now_ns()

    def advance_to(self, at_ns: int) -> None:
        """Move the world on until this clock shows an instant."""
        self._world.advance_to(self.world_ns(at_ns))

    def world_ns(self, at_ns: int) -> int:
        """Return when, by the world's clock, this one will show an instant."""
        wanted = (at_ns - self._base_ns) * MILLION
        return self._since_ns - (-wanted // (MILLION + self._ppm))

    def step(self, by_ns: int) -> None:
        """Set the clock ahead, or back."""
        self._rebase()
        self._base_ns += by_ns

    def drift(self, ppm: int) -> None:
        """Have it gain so many millionths from now on, or lose them."""
        self._rebase()
        self._ppm = ppm

    def _rebase(self) -> None:
        elapsed = self._world.now_ns() - self._since_ns
        self._base_ns += elapsed * (MILLION + self._ppm) // MILLION
        self._since_ns = self._world.now_ns()


def monotonic_ns() -> int:
    """Return a reading for measuring how long something took; it has no meaning as an instant."""
    return time.perf_counter_ns()


def wall_and_stopwatch_ns() -> tuple[int, int, int]:
    """Return the stopwatch, the machine's UTC clock as it is, and the stopwatch again."""
    return monotonic_ns(), time.time_ns(), monotonic_ns()


def parse_duration(text: str) -> int:
    """Return nanoseconds for `250ms`, `5s`, `1m`, `8h`, `1d`. Errors: ValueError with the remedy."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a duration; write a whole number and a unit, such as 250ms, 5s, 8h"
        )
    return int(match[1]) * UNITS_NS[match[2]]


def format_duration(duration_ns: int) -> str:
    """Return the shortest exact text of a duration, in the largest unit that divides it."""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        if duration_ns and duration_ns % UNITS_NS[unit] == 0:
            return f"{duration_ns // UNITS_NS[unit]}{unit}"
    return f"{duration_ns}ns"

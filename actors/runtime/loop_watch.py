"""Looks at the loop from inside, between its turns: does it come round in time, and does its journal?

Everything is read from counters that are kept anyway; nothing is measured twice for these alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from actors.runtime.clock import monotonic_ns

__all__ = ["LOOK_NS", "CommitLatency", "LoopDelay", "SelfWatch"]

LOOK_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
BACKLOG_FRACTION = 0.5  # of the inputs that may wait, from which on the loop cannot keep up

Look = Callable[[int], None]  # gets a reading of the stopwatch, ns


class SelfWatch:
    """In the place of the beat that a node calls after every turn: about once a second it looks at itself."""

    def __init__(
        self, beat: Callable[[], bool], looks: tuple[Look, ...], stopwatch: Callable[[], int] = monotonic_ns
    ) -> None:
        self._beat = beat
        self._looks = looks
        self._stopwatch = stopwatch
        self._next_ns = 0

    def __call__(self) -> bool:
        """Pass the beat on; return whether there is still somebody who wants it."""
        self.tick(self._stopwatch())
        return self._beat()

    def tick(self, reading_ns: int) -> None:
        """Look, when it is time. For a beat that reads the stopwatch itself, and not with every turn."""
        if reading_ns >= self._next_ns:
            self._next_ns = reading_ns + LOOK_NS
            for look in self._looks:
                look(reading_ns)


@dataclass(slots=True)
class LoopDelay:
    """How much later than wanted the loop came round. `wrong` is "" while that is within the limit."""

    limit_ns: int
    last_ns: int = 0  # reading of the look before; 0 before the first one

    def wrong(self, reading_ns: int) -> str:
        """Return what is wrong at a look."""
        late_ns = reading_ns - self.last_ns - LOOK_NS if self.last_ns else 0
        self.last_ns = reading_ns
        if late_ns < self.limit_ns:
            return ""
        return f"the loop stood still for {late_ns / 1e9:.1f} s: no message was handled, no order left"


@dataclass(slots=True)
class CommitLatency:
    """Whether the journal keeps up. `read` gives (commits so far, ns they took so far)."""

    read: Callable[[], tuple[int, int]]
    waiting: Callable[[], int]  # inputs that wait for a turn
    limit_ns: int  # of the mean commit
    for_ns: int  # so long it must have been slow
    waiting_max: int
    _seen: tuple[int, int] = (0, 0)
    _looked_ns: int = 0
    _slow_since_ns: int = field(default=0)

    def wrong(self, reading_ns: int) -> str:
        """Return what is wrong at a look. A time without commits tells nothing, and ends what was slow."""
        before_ns, self._looked_ns = self._looked_ns, reading_ns
        count, took_ns = self.read()
        commits, spent_ns = count - self._seen[0], took_ns - self._seen[1]
        self._seen = (count, took_ns)
        if not before_ns:
            return ""  # what the start wrote does not count
        waiting = self.waiting()
        if waiting >= self.waiting_max * BACKLOG_FRACTION:
            return f"{waiting} messages wait for a turn of the loop, which takes {self.waiting_max} at most"
        if not commits or spent_ns < commits * self.limit_ns:
            self._slow_since_ns = 0
            return ""
        self._slow_since_ns = self._slow_since_ns or before_ns
        if reading_ns - self._slow_since_ns < self.for_ns:
            return ""
        mean_ms, slow_s = spent_ns / commits / MILLISECOND_NS, (reading_ns - self._slow_since_ns) / 1e9
        limit_ms = self.limit_ns / MILLISECOND_NS
        return (
            f"a commit of the journal takes {mean_ms:.0f} ms, more than {limit_ms:g} ms, for {slow_s:.0f} s "
            "now: every order waits for it"
        )

"""How far our clock is from the venue's, and whether that lets us sign.

Each look at the venue's clock gives an offset that is uncertain by half the time the answer took. The slowest
looks say little and are left out; the median of the rest ignores a single liar. A clock that was stepped
shows in looks that agree with each other and not with the rest: then the older ones are forgotten.
Source: docs/poloniex.md, Authentication (the window is in doubt, so the narrowest one holds).
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ClockGuard", "ClockJudgement", "Look"]

MS = 1_000_000
HALF_MS = MS // 2  # the venue cuts its clock to whole ms
LOOKS_KEPT = 9
STEP_LOOKS = 3  # so many looks in a row that contradict the rest are a step
DRIFT_LOOKS = 6  # fewer say nothing about drift: the median of each half must outvote a liar


class ClockJudgement(enum.Enum):
    """May we sign?"""

    UNKNOWN = "unknown"  # never looked, or too long ago: no
    GOOD = "good"
    WORRYING = "worrying"  # yes, but somebody should look at our clock
    TOO_FAR = "too far"  # no


class Look(NamedTuple):
    """One look at the venue's clock."""

    at_ns: int  # by our clock, in the middle of the request
    offset_ns: int  # the venue's clock minus ours
    doubt_ns: int  # how wrong the offset may be


@dataclass(slots=True)
class ClockGuard:
    """Judges by limits in ns. `good_for`: how long a look stays worth anything."""

    worry_after: int
    refuse_after: int
    good_for: int

    offset_ns: int = field(default=0, init=False)
    doubt_ns: int = field(default=0, init=False)
    drift_ppb: int = field(default=0, init=False)  # growth of the offset, in ns per s
    _looks: deque[Look] = field(default_factory=lambda: deque(maxlen=LOOKS_KEPT), init=False)

    def add(self, sent_ns: int, received_ns: int, venue_ms: int) -> None:
        """Count an answer. Both instants are by our clock; what lies between them is our doubt."""
        middle_ns = (sent_ns + received_ns) // 2
        offset_ns = venue_ms * MS + HALF_MS - middle_ns
        doubt_ns = max(0, received_ns - sent_ns) // 2 + HALF_MS
        self._looks.append(Look(middle_ns, offset_ns, doubt_ns))
        self._forget_before_a_step()
        self._settle()

    def forget(self) -> None:
        """Believe nothing any more: our own clock has jumped."""
        self._looks.clear()

    def judge(self, now_ns: int) -> ClockJudgement:
        """Say whether a signature made now would be within the venue's window, for all we know."""
        if not self._looks or now_ns - self._looks[-1].at_ns > self.good_for:
            return ClockJudgement.UNKNOWN
        distance_ns = abs(self.offset_ns) + self.doubt_ns
        if distance_ns > self.refuse_after:
            return ClockJudgement.TOO_FAR
        return ClockJudgement.WORRYING if self._will_be(distance_ns) else ClockJudgement.GOOD

    def venue_ns(self, now_ns: int) -> int:
        """Return the venue's time as far as we know it: signatures and dates are made with it."""
        return now_ns + self.offset_ns

    @property
    def is_puzzled(self) -> bool:
        """The newest look contradicts what the rest say: look again soon, to know which is true."""
        if not self._looks:
            return False
        newest = self._looks[-1]
        return abs(newest.offset_ns - self.offset_ns) > newest.doubt_ns + self.doubt_ns + MS

    @property
    def looks_count(self) -> int:
        """How many looks the judgement rests on."""
        return len(self._looks)

    def _will_be(self, distance_ns: int) -> bool:
        """Tell whether we are far off, or shall be past the limit within an hour at this drift."""
        ahead_ns = abs(self.drift_ppb) * 3_600
        return distance_ns > self.worry_after or distance_ns + ahead_ns > self.refuse_after

    def _settle(self) -> None:
        quickest = min(look.doubt_ns for look in self._looks)
        sharp = [look for look in self._looks if look.doubt_ns <= 2 * quickest + MS]
        by_offset = sorted(sharp, key=_offset)
        chosen = by_offset[len(by_offset) // 2]
        self.offset_ns, self.doubt_ns = chosen.offset_ns, chosen.doubt_ns
        self.drift_ppb = _drift_ppb(sharp)

    def _forget_before_a_step(self) -> None:
        looks = list(self._looks)
        if len(looks) <= STEP_LOOKS:
            return
        newest, older = looks[-STEP_LOOKS:], looks[:-STEP_LOOKS]
        if all(_contradict(new, old) for new in newest for old in older) and not any(
            _contradict(one, other) for one in newest for other in newest
        ):
            self._looks.clear()
            self._looks.extend(newest)


def _contradict(one: Look, other: Look) -> bool:
    """Tell whether two looks cannot both be right, with 1 ms of grace for real drift between them."""
    return abs(one.offset_ns - other.offset_ns) > one.doubt_ns + other.doubt_ns + MS


def _offset(look: Look) -> int:
    return look.offset_ns


def _drift_ppb(looks: list[Look]) -> int:
    """Return the growth of the offset beyond what doubt explains, from the older looks to the newer.

    Of each half the median counts, so that a single liar is no drift.
    """
    if len(looks) < DRIFT_LOOKS:
        return 0
    in_time = sorted(looks)
    half = len(in_time) // 2
    old, new = (sorted(part, key=_offset)[len(part) // 2] for part in (in_time[:half], in_time[-half:]))
    elapsed_ns = new.at_ns - old.at_ns
    grown_ns = new.offset_ns - old.offset_ns
    unexplained_ns = max(0, abs(grown_ns) - old.doubt_ns - new.doubt_ns)
    if elapsed_ns <= 0 or not unexplained_ns:
        return 0
    per_second = unexplained_ns * 1_000_000_000 // elapsed_ns
    return per_second if grown_ns > 0 else -per_second

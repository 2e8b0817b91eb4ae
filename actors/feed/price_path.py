"""The synthetic price of one symbol at any instant: the common factor and its own one, summed from an anchor.

The anchor is the logarithm of the price at the start of one session. From there any earlier or later instant
is a sum of returns, so the past that a strategy asks for joins the present without a seam, a restart goes on
with the same market, and a slow loop may leave ticks out without changing what comes after.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Generic, TypeVar

from actors.feed.factor import (
    MINUTE_SECONDS,
    QUIET_MINUTE,
    SESSION_MINUTES,
    Regime,
    Session,
    make_session,
    seconds_of,
)
from actors.feed.noise import normals

__all__ = ["MINUTE_NS", "SECOND_NS", "SESSION_NS", "PricePath"]

SECOND_NS = 1_000_000_000
MINUTE_NS = MINUTE_SECONDS * SECOND_NS
SESSION_NS = SESSION_MINUTES * MINUTE_NS

# Sessions are 16 KiB each; a day of them serves a warm-up and the funding average. Minutes serve the
# present one and the one before.
SESSIONS_KEPT = 8
MINUTES_KEPT = 4

T = TypeVar("T")


class Kept(Generic[T]):
    """The last few results of a pure function of an int."""

    def __init__(self, make: Callable[[int], T], limit: int) -> None:
        self._make = make
        self._limit = limit
        self._values: dict[int, T] = {}

    def __call__(self, index: int) -> T:
        """Return the value for this index, computed at most once while it is kept."""
        value = self._values.get(index)
        if value is None:
            value = self._values[index] = self._make(index)
            if len(self._values) > self._limit:
                del self._values[next(iter(self._values))]
        return value


class PricePath:
    """Logarithms of a price in ticks, as a pure function of seed, symbol, anchor and time.

    volatility: standard deviation of a day's return (0.04 is 4 %). correlation: of two symbols' returns, 0 to
    1. steps: how many ticks of the clock a second has; 1 when ticks are whole seconds.
    """

    def __init__(self, seed: int, symbol: str, volatility: float, correlation: float, steps: int) -> None:
        self._keys = (f"{seed}/common", f"{seed}/{symbol}")
        self._weights = (volatility * math.sqrt(correlation), volatility * math.sqrt(1.0 - correlation))
        self._volatility = volatility
        self._steps = steps
        self._anchor = 0
        self._starts = {0: 0.0}  # logarithms at the starts of the sessions next to the anchor
        self._factors = Kept(self._make_factors, SESSIONS_KEPT)
        self._minutes = Kept(self._sum_minutes, SESSIONS_KEPT)
        self._seconds = Kept(self._sum_seconds, MINUTES_KEPT)
        self._inner = Kept(self._make_inner, 2)

    def anchor(self, session: int, log_price: float) -> None:
        """Say what the price is at the start of a session; forgets the market there was before."""
        self._anchor = session
        self._starts = {session: log_price}
        self._minutes = Kept(self._sum_minutes, SESSIONS_KEPT)
        self._seconds = Kept(self._sum_seconds, MINUTES_KEPT)
        self._inner = Kept(self._make_inner, 2)

    def advance(self, session: int) -> float:
        """Move the anchor to another session of the same market, and return the logarithm there."""
        level = self.session_start(session)
        self._anchor = session
        self._starts = {session: level}
        return level

    def session_start(self, session: int) -> float:
        """Return the logarithm at the start of a session; costs 0.7 ms per session away from a known one."""
        starts = self._starts
        if session in starts:
            return starts[session]
        # Known sessions lie side by side round the anchor: walk on from the end that is nearer.
        at = max(starts) if session > self._anchor else min(starts)
        level = starts[at]
        while at < session:
            level += sum(self._returns(at))
            at += 1
            starts[at] = level
        while at > session:
            at -= 1
            level -= sum(self._returns(at))
            starts[at] = level
        return level

    def minute_level(self, minute: int) -> float:
        """Return the logarithm at the start of a minute counted from 1970."""
        session, inside = divmod(minute, SESSION_MINUTES)
        return self._minutes(session)[inside]

    def second_levels(self, minute: int) -> list[float]:
        """Return the logarithms at the 60 seconds of a minute and at its end."""
        return self._seconds(minute)

    def second_level(self, second: int) -> float:
        """Return the logarithm at the start of a second counted from 1970."""
        minute, inside = divmod(second, MINUTE_SECONDS)
        return self._seconds(minute)[inside]

    def level(self, at_ns: int) -> float:
        """Return the logarithm at an instant; between two ticks of the clock the earlier one counts."""
        second, rest = divmod(at_ns, SECOND_NS)
        if not rest:
            return self.second_level(second)
        return self._inner(second)[rest * self._steps // SECOND_NS]

    def deviation(self, minute: int) -> float:
        """Return the standard deviation that a minute's return was drawn with."""
        session, inside = divmod(minute, SESSION_MINUTES)
        common, own = self._factors(session)
        a, b = self._weights
        return math.hypot(a * common.sigmas[inside], b * own.sigmas[inside])

    def turbulence(self, minute: int) -> float:
        """Return the volatility of a minute as a multiple of a quiet one: 1 is usual, 3 is a storm."""
        return self.deviation(minute) / (self._volatility * QUIET_MINUTE)

    def regimes(self, minute: int) -> tuple[Regime, Regime]:
        """Return the regime of the common factor and of the symbol's own."""
        session, inside = divmod(minute, SESSION_MINUTES)
        common, own = self._factors(session)
        return common.regimes[inside], own.regimes[inside]

    def _make_factors(self, session: int) -> tuple[Session, Session]:
        common, own = self._keys
        return make_session(common, session, common), make_session(own, session, common)

    def _returns(self, session: int) -> list[float]:
        a, b = self._weights
        common, own = self._factors(session)
        return [a * x + b * y for x, y in zip(common.returns, own.returns, strict=True)]

    def _sum_minutes(self, session: int) -> list[float]:
        return list(accumulate(self._returns(session), initial=self.session_start(session)))

    def _sum_seconds(self, minute: int) -> list[float]:
        a, b = self._weights
        factors = self._factors(minute // SESSION_MINUTES)
        common, own = (
            seconds_of(key, minute, factor) for key, factor in zip(self._keys, factors, strict=True)
        )
        moves = (a * x + b * y for x, y in zip(common, own, strict=True))
        return list(accumulate(moves, initial=self.minute_level(minute)))

    def _make_inner(self, second: int) -> list[float]:
        """Return the logarithms at the ticks of a second: noise that meets the next second's level.

        A second with a jump stands still on both sides of it.
        """
        steps = self._steps
        minute, inside = divmod(second, MINUTE_SECONDS)
        levels = self._seconds(minute)
        start, move = levels[inside], levels[inside + 1] - levels[inside]
        if self._jumps_in(minute, inside):
            return [start if i < steps // 2 else start + move for i in range(steps)]
        shocks = normals(f"{self._keys[1]}/s{second}", steps)
        scale = self.deviation(minute) / math.sqrt(MINUTE_SECONDS * steps)
        drift = (move - scale * sum(shocks)) / steps
        return list(accumulate((drift + scale * z for z in shocks[:-1]), initial=start))

    def _jumps_in(self, minute: int, second: int) -> bool:
        session, inside = divmod(minute, SESSION_MINUTES)
        jumps = (factor.jumps.get(inside) for factor in self._factors(session))
        return any(jump is not None and jump.second == second for jump in jumps)

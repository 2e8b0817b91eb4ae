"""How far the synthetic perpetual stands from its index, and the funding rate that follows from it."""

from __future__ import annotations

from actors.feed.noise import normals
from actors.feed.price_path import MINUTE_NS, PricePath

__all__ = ["Premium"]

HOUR_MINUTES = 60
HOUR_NS = HOUR_MINUTES * MINUTE_NS
HOURS_KEPT = 64

LEAN = 0.06  # share of the last hour's move that buyers pay above the index
WOBBLE = 0.00025
PREMIUM_MAX = 0.0025

# The common formula of perpetuals: the premium, pulled towards an interest of 0.01 % per interval.
INTEREST = 0.0001
PULL_MAX = 0.0005
RATE_MAX = 0.003


class Premium:
    """Premium and funding of one symbol, as pure functions of time over its price path."""

    def __init__(self, seed: int, symbol: str, path: PricePath, interval_ns: int) -> None:
        self._key = f"{seed}/{symbol}/premium/"
        self._path = path
        self._hours = max(1, interval_ns // HOUR_NS)
        self._interval_ns = interval_ns
        self._known: dict[int, float] = {}

    def fraction(self, at_ns: int) -> float:
        """Return the premium at an instant as a fraction of the index; positive above it."""
        hour, rest = divmod(at_ns, HOUR_NS)
        before, after = self._at_hour(hour), self._at_hour(hour + 1)
        return before + (after - before) * (rest / HOUR_NS)

    def settled_rate_e8(self, at_ns: int) -> int:
        """Return the rate of the settlement at `at_ns`, in 1e-8 of notional."""
        hour = at_ns // HOUR_NS
        return self._rate_e8([self._at_hour(hour - back) for back in range(self._hours)])

    def expected_rate_e8(self, at_ns: int) -> int:
        """Return what the next settlement would be if the premium stayed as it is, in 1e-8."""
        start = (at_ns - at_ns % self._interval_ns) // HOUR_NS
        hours = range(start + 1, at_ns // HOUR_NS + 1)
        return self._rate_e8([*(self._at_hour(hour) for hour in hours), self.fraction(at_ns)])

    def _rate_e8(self, premiums: list[float]) -> int:
        mean = sum(premiums) / len(premiums)
        rate = mean + max(-PULL_MAX, min(PULL_MAX, INTEREST - mean))
        return round(max(-RATE_MAX, min(RATE_MAX, rate)) * 1e8)

    def _at_hour(self, hour: int) -> float:
        known = self._known.get(hour)
        if known is None:
            minute = hour * HOUR_MINUTES
            # Of the hour before the last: the value one hour ahead must not look into the future.
            move = self._path.minute_level(minute - HOUR_MINUTES) - self._path.minute_level(minute - 120)
            known = LEAN * move + WOBBLE * normals(f"{self._key}{hour}", 1)[0]
            known = self._known[hour] = max(-PREMIUM_MAX, min(PREMIUM_MAX, known))
            if len(self._known) > HOURS_KEPT:
                del self._known[next(iter(self._known))]
        return known

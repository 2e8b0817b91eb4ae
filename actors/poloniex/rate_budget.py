"""How many requests may leave when: one pace per class, in integers, with a reserve for what matters.

Each class lets `burst` requests go at once and then `rate` a second, chosen so that no second ever holds
more than the venue allows, wherever it begins to count: burst + rate = limit. Ordinary requests leave the
last part of the burst alone; cancels and risk-reducing requests may use it. A 429 says that the truth is
narrower than the documentation: the class is blocked for a moment and halved, and eased again step by step;
so it is with everybody who shares the limit and hears of it.
Source: docs/poloniex.md, Rate limits.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from actors.domain.money import E8
from actors.runtime.errors import require

__all__ = ["LIMITS", "Limit", "Pace", "Priority", "RateBudget", "limits_of"]

SECOND = 1_000_000_000
SLOWEST = 16  # a class is never slowed further: then 429 has another reason
BLOCK_NS = SECOND  # after a 429 without advice: the window the limits are counted in
BLOCK_NS_MAX = 1_000 * SECOND  # more than a 429 can advise
EASE_NS = 60 * SECOND  # without another 429, before a class is eased by one step
VIP_MAX = 9


class Limit(enum.StrEnum):
    """Classes of requests that share a limit."""

    PUBLIC = "public"  # futures market data, per address
    CANDLES = "candles"  # per address
    BALANCE = "balance"
    READ = "read"  # bills, orders, fills, positions, leverage, mode; cancel-all and cancel-many too
    PLACE = "place"
    PLACE_MANY = "place_many"
    CANCEL = "cancel"
    CLOSE_ALL = "close_all"
    SPOT_PUBLIC = "spot_public"
    SPOT_HEAVY_PUBLIC = "spot_heavy_public"
    SPOT_TRADE = "spot_trade"
    SPOT_READ = "spot_read"


# Requests per second. Where the reference leaves open whether a limit is per path or for the whole line of
# paths, it is taken for the whole line.
LIMITS: dict[str, int] = {
    Limit.PUBLIC: 300,
    Limit.CANDLES: 20,
    Limit.BALANCE: 50,
    Limit.READ: 10,
    Limit.PLACE: 50,
    Limit.PLACE_MANY: 5,
    Limit.CANCEL: 100,
    Limit.CLOSE_ALL: 2,
    Limit.SPOT_PUBLIC: 200,
    Limit.SPOT_HEAVY_PUBLIC: 10,
    Limit.SPOT_TRADE: 50,
    Limit.SPOT_READ: 10,
}


class Priority(enum.IntEnum):
    """Who goes first, and who may use the reserve."""

    URGENT = 0  # cancels and whatever reduces risk
    NORMAL = 1
    IDLE = 2  # checks that can wait


class Pace(msgspec.Struct):
    """What is remembered about one class. Plain, so that it survives a restart with its owner's state."""

    due_ns: int = 0  # when everything sent so far would have left at the sustained rate
    slowed: int = 1  # the class runs at 1/slowed of its limit
    blocked_until_ns: int = 0
    refused_at_ns: int = 0  # the last 429, or the last step of easing after it
    refused_count: int = 0


def limits_of(vip_level: int, fraction_e8: int = E8) -> dict[str, int]:
    """Return requests per second by class, for a VIP level and this owner's fraction of the limit.

    Nobody has published limits by VIP level, so every level has those of level 0.
    Errors: InvariantError for a level or a fraction that does not exist.
    """
    require(0 <= vip_level <= VIP_MAX, "VIP levels go from 0 to 9", vip_level=vip_level)
    require(0 < fraction_e8 <= E8, "a fraction of the limits is above 0 and at most 1", fraction=fraction_e8)
    return {name: max(1, limit * fraction_e8 // E8) for name, limit in LIMITS.items()}


class RateBudget:
    """The paces of one key or one address. `paces` is the state; it belongs to the owner."""

    def __init__(self, limits: Mapping[str, int], paces: dict[str, Pace], reserve_percent: int = 20) -> None:
        self._limits = dict(limits)
        self._reserve_percent = reserve_percent
        self.paces = paces

    def take(self, limit: str, priority: Priority, now_ns: int) -> int:
        """Return 0 and count the request as sent, or how many ns to wait before asking again."""
        pace = self._pace(limit, now_ns)
        if now_ns < pace.blocked_until_ns:
            return pace.blocked_until_ns - now_ns
        interval_ns, burst = self._shape(limit, pace)
        usable = burst if priority is Priority.URGENT else max(1, burst - self._reserve(burst))
        ahead_ns = max(0, pace.due_ns - now_ns)
        wait_ns = ahead_ns - (usable - 1) * interval_ns
        if wait_ns > 0:
            return wait_ns
        pace.due_ns = now_ns + ahead_ns + interval_ns
        return 0

    def refused(self, limit: str, now_ns: int, retry_after_ns: int = 0) -> Pace | None:
        """The venue said 429: stand still for a moment, then go at half the pace.

        Returns the new pace; None when the class stood still already, so that nobody else has to be told.
        """
        pace = self._pace(limit, now_ns)
        is_news = now_ns >= pace.blocked_until_ns  # else it answers what was sent before we knew
        if is_news:
            pace.slowed = min(SLOWEST, pace.slowed * 2)
        pace.refused_at_ns = now_ns
        pace.refused_count += 1
        pace.blocked_until_ns = max(pace.blocked_until_ns, now_ns + (retry_after_ns or BLOCK_NS))
        return pace if is_news else None

    def heard(self, limit: str, slowed: int, blocked_until_ns: int, now_ns: int) -> bool:
        """Somebody who shares the limit got a 429: go no faster. Return whether the class is known."""
        if limit not in self._limits:
            return False
        pace = self._pace(limit, now_ns)
        pace.slowed = max(pace.slowed, min(SLOWEST, slowed))
        pace.refused_at_ns = max(pace.refused_at_ns, now_ns)
        pace.blocked_until_ns = max(pace.blocked_until_ns, min(blocked_until_ns, now_ns + BLOCK_NS_MAX))
        return True

    def refused_count(self) -> int:
        """Return how many 429 there were in all."""
        return sum(pace.refused_count for pace in self.paces.values())

    def gauges(self) -> dict[str, int | float]:
        """Return how far each class that was used has run into its burst, for whoever knows the time.

        A burst that is empty fills in `rate_budget_burst_ns`; it is full again at `rate_budget_full_at_ns`.
        """
        found: dict[str, int | float] = {}
        for limit, pace in list(self.paces.items()):
            if limit in self._limits:
                interval_ns, burst = self._shape(limit, pace)
                full_at_ns = max(pace.due_ns, pace.blocked_until_ns)
                found[f"rate_budget_full_at_ns{{limit_class={limit}}}"] = full_at_ns
                found[f"rate_budget_burst_ns{{limit_class={limit}}}"] = interval_ns * burst
        return found

    def _pace(self, limit: str, now_ns: int) -> Pace:
        pace = self.paces.get(limit)
        if pace is None:
            pace = self.paces[limit] = Pace()
        elif pace.slowed > 1 and now_ns - pace.refused_at_ns >= EASE_NS:
            pace.slowed //= 2
            pace.refused_at_ns = now_ns
        return pace

    def _shape(self, limit: str, pace: Pace) -> tuple[int, int]:
        """Return (ns between two requests, how many may go at once)."""
        per_second = self._limits[limit]
        if pace.slowed > 1:
            per_second = per_second // pace.slowed
        if per_second < 2:
            slower = max(1, pace.slowed // self._limits[limit])
            return SECOND * slower, 1
        burst = per_second // 2
        return -(-SECOND // (per_second - burst)), burst

    def _reserve(self, burst: int) -> int:
        return -(-burst * self._reserve_percent // 100)

"""Does the stream say what REST says? Two witnesses of one market, a moment apart.

REST is a moment behind, and the market moves meanwhile: so its prices are held against all the stream has
said lately, with a tolerance around it. One contradiction proves nothing; several in a row do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.domain.money import E8

__all__ = ["CrossCheck", "Witness"]

SECOND = 1_000_000_000
BUCKET_NS = 3 * SECOND  # the stream's memory is one to two of them


class Range:
    """Lowest and highest of the last one or two buckets of time."""

    __slots__ = ("_high", "_low", "_old_high", "_old_low", "_turn_ns")

    def __init__(self) -> None:
        self._turn_ns = 0
        self._low = self._old_low = 0
        self._high = self._old_high = -1  # empty

    def add(self, value: int, now_ns: int) -> None:
        """Take a value of now."""
        if now_ns >= self._turn_ns:
            fresh = now_ns < self._turn_ns + BUCKET_NS
            self._old_low, self._old_high = (self._low, self._high) if fresh else (value, value)
            self._low = self._high = value
            self._turn_ns = now_ns + BUCKET_NS
        elif value < self._low:
            self._low = value
        elif value > self._high:
            self._high = value

    def bounds(self) -> tuple[int, int] | None:
        """Return the lowest and the highest; None when nothing was ever said."""
        if self._high < self._low:
            return None
        if self._old_high < self._old_low:
            return self._low, self._high
        return min(self._low, self._old_low), max(self._high, self._old_high)


@dataclass(slots=True)
class Witness:
    """One price of the stream against the same price over REST."""

    name: str
    said: Range = field(default_factory=Range)

    def contradicts(self, ticks: int, tolerance_e8: int) -> str:
        """Return what is wrong with a price over REST; "" when it fits or nothing can be compared."""
        bounds = self.said.bounds()
        if bounds is None or ticks <= 0:
            return ""
        slack = max(1, ticks * tolerance_e8 // E8)
        low, high = bounds
        if low - slack <= ticks <= high + slack:
            return ""
        return f"{self.name}: REST says {ticks} ticks, the stream {low} to {high}"


@dataclass(slots=True)
class CrossCheck:
    """All prices of one symbol, and how often in a row they contradicted REST."""

    tolerance_e8: int
    strikes_max: int
    bid: Witness = field(default_factory=lambda: Witness("best bid"))
    ask: Witness = field(default_factory=lambda: Witness("best ask"))
    mark: Witness = field(default_factory=lambda: Witness("mark price"))
    strikes: dict[str, int] = field(default_factory=dict)
    checks_count: int = 0
    fault: str = ""  # the last contradiction

    def touch(self, bid_ticks: int, ask_ticks: int, now_ns: int) -> None:
        """The stream shows these best prices."""
        self.bid.said.add(bid_ticks, now_ns)
        self.ask.said.add(ask_ticks, now_ns)

    def judge(self, subject: str, *pairs: tuple[Witness, int]) -> None:
        """Hold what REST says about one subject against what the stream said."""
        self.checks_count += 1
        faults = [witness.contradicts(ticks, self.tolerance_e8) for witness, ticks in pairs]
        fault = next((fault for fault in faults if fault), "")
        self.strikes[subject] = self.strikes.get(subject, 0) + 1 if fault else 0
        if fault:
            self.fault = fault

    @property
    def is_lying(self) -> bool:
        """Contradicted so often in a row that it is no accident."""
        return any(count >= self.strikes_max for count in self.strikes.values())

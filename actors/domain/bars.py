"""Bars from trades or from smaller bars, one at a time, in integers, aligned to UTC.

A `BarBuilder` holds one open bar and nothing else; it is a dataclass of plain ints, so whoever owns it can
save it as it is. A bar closes in one of three ways: a trade of a later bar arrives, the last smaller bar
inside it arrives, or time passes (`close_until`). The trigger for the third is `closes_at_ns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = ["DAY_NS", "FLAT_BARS_MAX", "SECOND_NS", "BarBuilder", "BarLike", "ClosedBar", "check_interval"]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS

# After a pause, at most so many flat bars are made at once: enough for any indicator to forget what was
# before, and few enough for one turn (a day of silence would be 86,400 one-second bars).
FLAT_BARS_MAX = 1_000


class BarLike(Protocol):
    """What `add_bar` reads: a ClosedBar, or the Bar message of a feed."""

    @property
    def at_ns(self) -> int: ...
    @property
    def interval_ns(self) -> int: ...
    @property
    def open_ticks(self) -> int: ...
    @property
    def high_ticks(self) -> int: ...
    @property
    def low_ticks(self) -> int: ...
    @property
    def close_ticks(self) -> int: ...
    @property
    def contracts(self) -> int: ...
    @property
    def trades_count(self) -> int: ...


class ClosedBar(NamedTuple):
    """One closed bar; `at_ns` is its close (exclusive end), as in the Bar message."""

    at_ns: int
    interval_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    contracts: int
    trades_count: int


NOTHING: tuple[ClosedBar, ...] = ()


def check_interval(interval_ns: int) -> None:
    """Raise ValueError unless the interval is a whole number of seconds that divides a UTC day."""
    if interval_ns < SECOND_NS or interval_ns % SECOND_NS or DAY_NS % interval_ns:
        raise ValueError(
            f"a bar of {interval_ns} ns does not fit: it must be whole seconds, at least 1s, and divide a "
            "day, such as 1s, 15s, 1m, 5m, 15m, 1h, 4h or 1d"
        )


@dataclass(slots=True)
class BarBuilder:
    """The open bar of one interval. Feed it trades, or smaller bars, or both one after the other.

    A trade or bar older than the open bar is late: it is counted in `late_count` and set aside, because the
    bar it belongs to has been handed out. Inside the open bar the order of arrival counts.
    Errors: ValueError when the interval does not divide a day.
    """

    interval_ns: int
    closes_at_ns: int = 0  # exclusive end of the open bar; 0 while no price has been seen
    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    close_ticks: int = 0  # last price; what a bar without trades stands at
    contracts: int = 0
    trades_count: int = 0
    traded: bool = False  # the open bar holds more than the price carried over from the bar before
    late_count: int = 0
    skipped_count: int = 0  # flat bars left out because a pause was too long

    def __post_init__(self) -> None:
        check_interval(self.interval_ns)

    def add_trade(self, at_ns: int, price_ticks: int, contracts: int) -> tuple[ClosedBar, ...]:
        """Take one trade and return the bars it closed, oldest first; most often none."""
        closes_at_ns = self.closes_at_ns
        closed = NOTHING
        if at_ns >= closes_at_ns:
            closed = self._advance(at_ns)
        elif at_ns < closes_at_ns - self.interval_ns:
            self.late_count += 1
            return NOTHING
        if not self.traded:
            self.traded = True
            self.open_ticks = self.high_ticks = self.low_ticks = price_ticks
        elif price_ticks > self.high_ticks:
            self.high_ticks = price_ticks
        elif price_ticks < self.low_ticks:
            self.low_ticks = price_ticks
        self.close_ticks = price_ticks
        self.contracts += contracts
        self.trades_count += 1
        return closed

    def add_bar(self, bar: BarLike) -> tuple[ClosedBar, ...]:
        """Take one smaller closed bar and return the bars it closed, oldest first.

        The last smaller bar closes the bigger one at once. A smaller bar without contracts that stands at the
        last price adds nothing but time, so trades -> small -> big gives the same as trades -> big.
        Errors: ValueError when the smaller interval does not divide this one, or the bar is off its grid.
        """
        if self.interval_ns % bar.interval_ns or bar.at_ns % bar.interval_ns:
            raise ValueError(
                f"a bar of {bar.interval_ns} ns closing at {bar.at_ns} does not fit "
                f"into bars of {self.interval_ns} ns"
            )
        start_ns = bar.at_ns - bar.interval_ns
        if self.closes_at_ns and start_ns < self.closes_at_ns - self.interval_ns:
            self.late_count += 1
            return NOTHING
        closed = self._advance(start_ns) if start_ns >= self.closes_at_ns else NOTHING
        self._merge(bar)
        return closed + self._advance(bar.at_ns) if bar.at_ns >= self.closes_at_ns else closed

    def close_until(self, now_ns: int) -> tuple[ClosedBar, ...]:
        """Close every bar that has ended by `now_ns` and return them, oldest first.

        Nobody need have traded: such a bar is flat at the last price, with 0 contracts. Before the first
        price there is nothing to close. To wait for trades that travel, pass the clock less a grace.
        """
        if now_ns < self.closes_at_ns or not self.closes_at_ns:
            return NOTHING
        return self._advance(now_ns)

    def _merge(self, bar: BarLike) -> None:
        if not bar.contracts and bar.high_ticks == bar.low_ticks == self.close_ticks:
            return
        if self.traded:
            self.high_ticks = max(self.high_ticks, bar.high_ticks)
            self.low_ticks = min(self.low_ticks, bar.low_ticks)
        else:
            self.traded = True
            self.open_ticks, self.high_ticks, self.low_ticks = bar.open_ticks, bar.high_ticks, bar.low_ticks
        self.close_ticks = bar.close_ticks
        self.contracts += bar.contracts
        self.trades_count += bar.trades_count

    def _advance(self, at_ns: int) -> tuple[ClosedBar, ...]:
        """Open the bar that holds `at_ns`, and return the open one and the flat ones on the way."""
        interval_ns = self.interval_ns
        start_ns = at_ns - at_ns % interval_ns
        closed = NOTHING
        if self.closes_at_ns:
            first = ClosedBar(
                self.closes_at_ns,
                interval_ns,
                self.open_ticks,
                self.high_ticks,
                self.low_ticks,
                self.close_ticks,
                self.contracts,
                self.trades_count,
            )
            closed = (first, *self._flat_bars(start_ns)) if start_ns > first.at_ns else (first,)
        self.closes_at_ns = start_ns + interval_ns
        self.open_ticks = self.high_ticks = self.low_ticks = self.close_ticks
        self.contracts = self.trades_count = 0
        self.traded = False
        return closed

    def _flat_bars(self, until_ns: int) -> list[ClosedBar]:
        count = (until_ns - self.closes_at_ns) // self.interval_ns
        if count > FLAT_BARS_MAX:
            self.skipped_count += count - FLAT_BARS_MAX
            count = FLAT_BARS_MAX
        price, interval_ns = self.close_ticks, self.interval_ns
        first_ns = until_ns - (count - 1) * interval_ns
        return [
            ClosedBar(first_ns + i * interval_ns, interval_ns, price, price, price, price, 0, 0)
            for i in range(count)
        ]

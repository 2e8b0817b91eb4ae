"""The last closed bars of a replayed market, for strategies that warm up."""

from __future__ import annotations

from collections import deque
from itertools import chain

from actors.domain.bars import BarBuilder, BarLike, check_interval
from actors.messages.market import Bar

__all__ = ["RecentBars"]

MINUTE_NS = 60_000_000_000
BARS_KEPT = (
    2_000  # of each length: 33 hours of minutes, before them 20 days of quarters, before them 11 months
)
LONGER_NS = (15 * MINUTE_NS, 240 * MINUTE_NS)  # what older bars are kept as


class RecentBars:
    """Keeps bars of one interval and builds longer ones when asked; older ones it keeps as longer bars."""

    def __init__(self, symbol: str, interval_ns: int) -> None:
        """interval_ns: of the candles; 0 builds bars of one minute from trades."""
        self._symbol = symbol
        self._interval_ns = interval_ns or MINUTE_NS
        self._builder = BarBuilder(self._interval_ns)
        self._bars: deque[BarLike] = deque()
        self._older = _older(self._interval_ns)
        self._full = BARS_KEPT + (self._older.bar_ns // self._interval_ns if self._older else 0)

    def add_trade(self, at_ns: int, price_ticks: int, contracts: int) -> None:
        """Take one trade; for files of trades."""
        for bar in self._builder.add_trade(at_ns, price_ticks, contracts):
            self.add_bar(bar)

    def add_bar(self, bar: BarLike) -> None:
        """Take one closed candle; for files of candles."""
        self._bars.append(bar)
        if len(self._bars) > self._full:
            _pass_on(self._bars, self._older)

    def history(self, interval_ns: int, bars_count: int) -> tuple[Bar, ...]:
        """Return up to `bars_count` whole bars, oldest first.

        Errors: ValueError when the interval is no multiple of the one that is kept.
        """
        check_interval(interval_ns)
        if interval_ns % self._interval_ns:
            raise ValueError(f"bars of {interval_ns} ns cannot be built from bars of {self._interval_ns} ns")
        builder = BarBuilder(interval_ns)
        parts: list[BarLike] = [*(self._older.that_fit(interval_ns) if self._older else ()), *self._bars]
        built = [bar for part in parts for bar in builder.add_bar(part)]
        if built and parts[0].at_ns - parts[0].interval_ns > built[0].at_ns - interval_ns:
            del built[0]
        return tuple(self._message(bar) for bar in built[-bars_count:]) if bars_count > 0 else ()

    def newest(self, after_ns: int) -> list[BarLike]:
        """Return the bars that are kept and closed after an instant, oldest first."""
        found: list[BarLike] = []
        for bar in reversed(self._bars):
            if bar.at_ns <= after_ns:
                break
            found.append(bar)
        return found[::-1]

    def _message(self, bar: BarLike) -> Bar:
        return Bar(
            self._symbol,
            bar.at_ns,
            bar.interval_ns,
            bar.open_ticks,
            bar.high_ticks,
            bar.low_ticks,
            bar.close_ticks,
            bar.contracts,
            bar.trades_count,
        )


class _Older:
    """Bars of one length that end where the shorter ones begin, and what is older still."""

    def __init__(self, bar_ns: int, older: _Older | None) -> None:
        self.bar_ns = bar_ns
        self.older = older
        self._bars: deque[BarLike] = deque()
        self._builder = BarBuilder(bar_ns)
        self._full = BARS_KEPT + (older.bar_ns // bar_ns if older else 0)

    def take(self, parts: list[BarLike], until_ns: int) -> None:
        """Take shorter bars that reach until an instant of our grid."""
        if not self._builder.closes_at_ns and (parts[0].at_ns - parts[0].interval_ns) % self.bar_ns:
            return  # the market began within this bar
        self._bars.extend(bar for part in parts for bar in self._builder.add_bar(part))
        self._bars.extend(self._builder.close_until(until_ns))  # the last part may be missing
        if len(self._bars) > self._full:
            _pass_on(self._bars, self.older)

    def that_fit(self, interval_ns: int) -> tuple[BarLike, ...]:
        """Return the bars that longer ones can be built from, oldest first."""
        if interval_ns % self.bar_ns:
            return ()
        older = self.older.that_fit(interval_ns) if self.older else ()
        return tuple(chain(older, self._bars))


def _older(interval_ns: int) -> _Older | None:
    """Return where old bars of an interval go, None when nothing longer can be built of them."""
    found: _Older | None = None
    for bar_ns in reversed(LONGER_NS):
        if bar_ns > interval_ns and not bar_ns % interval_ns:
            found = _Older(bar_ns, found)
    return found


def _pass_on(bars: deque[BarLike], older: _Older | None) -> None:
    """Let the oldest go: all that make up one longer bar, or a single one when nothing longer is kept."""
    if older is None:
        bars.popleft()
        return
    opened_ns = bars[0].at_ns - bars[0].interval_ns
    until_ns = opened_ns - opened_ns % older.bar_ns + older.bar_ns
    parts: list[BarLike] = []
    while bars and bars[0].at_ns <= until_ns:
        parts.append(bars.popleft())
    older.take(parts, until_ns)

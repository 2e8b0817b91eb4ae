"""The last closed bars of a replayed market, for strategies that warm up."""

from __future__ import annotations

from collections import deque

from actors.domain.bars import BarBuilder, BarLike, check_interval
from actors.messages.market import Bar

__all__ = ["RecentBars"]

MINUTE_NS = 60_000_000_000
BARS_KEPT = 2_000  # of the shortest interval: 33 hours of minutes


class RecentBars:
    """Keeps bars of one interval and builds longer ones when asked."""

    def __init__(self, symbol: str, interval_ns: int) -> None:
        """interval_ns: of the candles; 0 builds bars of one minute from trades."""
        self._symbol = symbol
        self._interval_ns = interval_ns or MINUTE_NS
        self._builder = BarBuilder(self._interval_ns)
        self._bars: deque[BarLike] = deque(maxlen=BARS_KEPT)

    def add_trade(self, at_ns: int, price_ticks: int, contracts: int) -> None:
        """Take one trade; for files of trades."""
        self._bars.extend(self._builder.add_trade(at_ns, price_ticks, contracts))

    def add_bar(self, bar: Bar) -> None:
        """Take one closed candle; for files of candles."""
        self._bars.append(bar)

    def history(self, interval_ns: int, bars_count: int) -> tuple[Bar, ...]:
        """Return up to `bars_count` whole bars, oldest first.

        Errors: ValueError when the interval is no multiple of the one that is kept.
        """
        check_interval(interval_ns)
        if interval_ns % self._interval_ns:
            raise ValueError(f"bars of {interval_ns} ns cannot be built from bars of {self._interval_ns} ns")
        builder = BarBuilder(interval_ns)
        built = [bar for part in self._bars for bar in builder.add_bar(part)]
        if built and self._bars[0].at_ns - self._interval_ns > built[0].at_ns - interval_ns:
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

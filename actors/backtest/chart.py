"""The price of one symbol as a bounded number of bars, put together from the shorter bars of its feed."""

from __future__ import annotations

from collections.abc import Iterable

from actors.backtest.record import BarPoint
from actors.domain.bars import BarLike

__all__ = ["Chart"]


class Chart:
    """Bars of a fixed length, aligned to UTC; bars that are longer than it stay as they are."""

    def __init__(self, interval_ns: int, from_ns: int = 0) -> None:
        """from_ns: bars that have closed by then are history, and no part of the chart."""
        self._interval_ns = interval_ns
        self._bars: list[BarPoint] = []
        self.newest_ns = from_ns  # close of the newest bar taken

    def take(self, bars: Iterable[BarLike]) -> None:
        """Take closed bars, oldest first; `at_ns` of each is its close."""
        for bar in bars:
            self.newest_ns = bar.at_ns
            opened_ns = bar.at_ns - bar.interval_ns
            at_ns = opened_ns - opened_ns % max(self._interval_ns, bar.interval_ns)
            last = self._bars[-1] if self._bars else None
            if last is not None and last.at_ns == at_ns:
                self._bars[-1] = BarPoint(
                    at_ns,
                    last.open_ticks,
                    max(last.high_ticks, bar.high_ticks),
                    min(last.low_ticks, bar.low_ticks),
                    bar.close_ticks,
                    last.contracts + bar.contracts,
                )
                continue
            self._bars.append(
                BarPoint(at_ns, bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.contracts)
            )

    def bars(self) -> list[BarPoint]:
        """Return all bars so far."""
        return self._bars

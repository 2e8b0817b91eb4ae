"""Indicators that take one value at a time, and remember no more than they need.

Inputs are ints (ticks; scale ratios yourself), outputs floats. Sums over a window are kept in exact ints, so
nothing drifts however long a strategy runs. Each indicator is a msgspec struct: what it remembers is what
its fields hold, and a restored copy goes on as the original would. Until `ready`, values are not to be used.
"""

from __future__ import annotations

from math import sqrt

import msgspec

__all__ = ["Atr", "Ema", "RollingStd", "Rsi", "Sma", "ZScore"]


class Ema(msgspec.Struct, array_like=True):
    """Exponential moving average with weight 2 / (period + 1), seeded with the mean of the first `period`."""

    period: int
    count: int = 0
    value: float = 0.0

    @property
    def ready(self) -> bool:
        """It has seen `period` values."""
        return self.count >= self.period

    def update(self, value: int) -> float:
        """Take the next value and return the average."""
        count = self.count = self.count + 1
        if count <= self.period:
            self.value += (value - self.value) / count
        else:
            self.value += (value - self.value) * 2.0 / (self.period + 1)
        return self.value


class Window(msgspec.Struct, array_like=True):
    """The last `period` values with their sum and sum of squares, all exact."""

    period: int
    values: list[int] = []
    oldest: int = 0  # index of the value that goes next, once the window is full
    total: int = 0
    squares: int = 0

    @property
    def ready(self) -> bool:
        """The window is full."""
        return len(self.values) >= self.period

    def push(self, value: int) -> None:
        """Take the next value; the oldest gives way."""
        values = self.values
        if len(values) < self.period:
            values.append(value)
        else:
            gone = values[self.oldest]
            values[self.oldest] = value
            self.oldest = (self.oldest + 1) % self.period
            self.total -= gone
            self.squares -= gone * gone
        self.total += value
        self.squares += value * value

    @property
    def mean(self) -> float:
        """Arithmetic mean of what is in the window; 0 when it is empty."""
        return self.total / len(self.values) if self.values else 0.0

    @property
    def std(self) -> float:
        """Population standard deviation (divided by n) of what is in the window."""
        count = len(self.values)
        return sqrt(count * self.squares - self.total * self.total) / count if count else 0.0


class Sma(Window, array_like=True):
    """Simple moving average."""

    @property
    def value(self) -> float:
        """The average."""
        return self.mean

    def update(self, value: int) -> float:
        """Take the next value and return the average."""
        self.push(value)
        return self.mean


class RollingStd(Window, array_like=True):
    """Standard deviation over the last `period` values, divided by n."""

    @property
    def value(self) -> float:
        """The standard deviation."""
        return self.std

    def update(self, value: int) -> float:
        """Take the next value and return the standard deviation."""
        self.push(value)
        return self.std


class ZScore(Window, array_like=True):
    """How many standard deviations the newest value lies above the mean of its window (it included)."""

    value: float = 0.0

    def update(self, value: int) -> float:
        """Take the next value and return its score; 0 while all values are equal."""
        self.push(value)
        count = len(self.values)
        spread = count * self.squares - self.total * self.total
        self.value = (count * value - self.total) / sqrt(spread) if spread else 0.0
        return self.value


class Atr(msgspec.Struct, array_like=True):
    """Average true range after Wilder: mean of the first `period` ranges, then weight 1 / period."""

    period: int
    count: int = 0
    value: float = 0.0
    close: int = 0  # of the bar before

    @property
    def ready(self) -> bool:
        """It has seen `period` bars."""
        return self.count >= self.period

    def update(self, high: int, low: int, close: int) -> float:
        """Take the next bar and return the average range. The first bar's range has no gap in it."""
        span = max(high, self.close) - min(low, self.close) if self.count else high - low
        self.close = close
        count = self.count = self.count + 1
        self.value += (span - self.value) / min(count, self.period)
        return self.value


class Rsi(msgspec.Struct, array_like=True):
    """Relative strength index after Wilder, 0 to 100; 50 while nothing has moved."""

    period: int
    count: int = 0  # of changes seen
    gain: float = 0.0
    loss: float = 0.0
    close: int = 0
    started: bool = False

    @property
    def ready(self) -> bool:
        """It has seen `period` changes."""
        return self.count >= self.period

    @property
    def value(self) -> float:
        """The index."""
        moved = self.gain + self.loss
        return 100.0 * self.gain / moved if moved else 50.0

    def update(self, close: int) -> float:
        """Take the next close and return the index."""
        change = close - self.close if self.started else 0
        self.close = close
        if not self.started:
            self.started = True
            return self.value
        count = self.count = self.count + 1
        weight = min(count, self.period)
        self.gain += (max(change, 0) - self.gain) / weight
        self.loss += (max(-change, 0) - self.loss) / weight
        return self.value

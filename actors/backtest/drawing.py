"""Charts as inline SVG that stretches, with labels as text beside it that does not.

Coordinates run from 0 to 1000 in both directions. What is drawn is bounded: long series keep the first,
lowest, highest and last value of each bucket, so that no spike is lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from actors.backtest.metrics import Series

__all__ = ["Frame", "area", "bars", "dots", "line", "nice_steps", "thinned"]

SIZE = 1000
BUCKETS = 420


def thinned(values: Series, buckets: int = BUCKETS) -> list[int]:
    """Return indices that keep the shape: of each bucket the first, the lowest, the highest and the last."""
    count = len(values)
    if count <= 4 * buckets:
        return list(range(count))
    edges = np.linspace(0, count, buckets + 1).astype(int)
    found: set[int] = set()
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[begin:end]
        found |= {begin, begin + int(np.argmin(part)), begin + int(np.argmax(part)), end - 1}
    return sorted(found)


def nice_steps(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers between low and high, about so many."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    raw = span / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    steps = [index * step for index in range(first, first + 4 * count)]
    return [value for value in steps if value <= high + step * 1e-9]


class Frame:
    """Turns times and values into coordinates."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x_low, self.x_high = x if x[1] > x[0] else (x[0] - 1, x[0] + 1)
        low, high = y
        margin = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
        self.y_low, self.y_high = low - margin, high + margin

    def at_x(self, value: float) -> float:
        """Return the horizontal coordinate."""
        return (value - self.x_low) / (self.x_high - self.x_low) * SIZE

    def at_y(self, value: float) -> float:
        """Return the vertical coordinate, downwards."""
        return (self.y_high - value) / (self.y_high - self.y_low) * SIZE

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        """Return a list of coordinates as a path takes it."""
        return "L".join(f"{self.at_x(x):.1f} {self.at_y(y):.1f}" for x, y in zip(xs, ys, strict=True))

    def grid(self, labels: Sequence[tuple[float, str]]) -> str:
        """Return the horizontal grid lines."""
        lines = "".join(f"M0 {self.at_y(value):.1f}H{SIZE}" for value, _ in labels)
        return f'<path class="grid" d="{lines}"/>'


def line(frame: Frame, xs: Sequence[float], ys: Sequence[float], name: str) -> str:
    """Return a line of one CSS class."""
    return f'<path class="line {name}" d="M{frame.points(xs, ys)}"/>' if len(xs) else ""


def area(frame: Frame, xs: Sequence[float], ys: Sequence[float], base: float, name: str) -> str:
    """Return the area between a line and a base value."""
    if not len(xs):
        return ""
    floor = f"{frame.at_y(base):.1f}"
    begin, end = f"{frame.at_x(xs[0]):.1f}", f"{frame.at_x(xs[-1]):.1f}"
    return f'<path class="area {name}" d="M{begin} {floor}L{frame.points(xs, ys)}L{end} {floor}Z"/>'


def dots(frame: Frame, points: Iterable[tuple[float, float]], name: str) -> str:
    """Return dots of a size that does not stretch: lines without length, with thick ends."""
    path = "".join(f"M{frame.at_x(x):.1f} {frame.at_y(y):.1f}h.01" for x, y in points)
    return f'<path class="dots {name}" d="{path}"/>' if path else ""


def bars(columns: Sequence[tuple[float, str, str]]) -> str:
    """Return columns of (height from 0 to 1, CSS class, what a pointer is told)."""
    width = SIZE / max(1, len(columns))
    shapes = []
    for index, (height, name, title) in enumerate(columns):
        tall = round(max(height, 0.0) * 960, 1)
        shapes.append(
            f'<rect class="{name}" x="{index * width + width * 0.1:.1f}" y="{SIZE - tall:.1f}" '
            f'width="{width * 0.8:.1f}" height="{tall:.1f}"><title>{escape(title)}</title></rect>'
        )
    return "".join(shapes)

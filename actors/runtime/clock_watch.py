"""Sees when the machine's clock is set: the wall clock jumps, the stopwatch does not."""

from __future__ import annotations

from collections.abc import Callable

from actors.runtime.clock import wall_and_stopwatch_ns

__all__ = ["ClockSteps"]

DOUBT_NS = 1_000_000  # between the two readings of a pair: more, and the pair says nothing


class ClockSteps:
    """`wrong` is "" while the two run alike. Slewing, as time services do, moves both and is no step."""

    def __init__(
        self, limit_ns: int, read: Callable[[], tuple[int, int, int]] = wall_and_stopwatch_ns
    ) -> None:
        self._limit_ns = limit_ns
        self._read = read
        self._offset_ns: int | None = None

    def wrong(self, reading_ns: int) -> str:
        """Return by how much the clock was set since the look before, "" for nothing worth telling."""
        before_ns, wall_ns, after_ns = self._read()
        if after_ns - before_ns > DOUBT_NS:
            return ""  # something came between; the next look sees the same step
        offset_ns = wall_ns - before_ns
        step_ns = offset_ns - self._offset_ns if self._offset_ns is not None else 0
        self._offset_ns = offset_ns
        if abs(step_ns) < self._limit_ns:
            return ""
        way = "ahead" if step_ns > 0 else "back"
        return f"the machine's clock was set {way} by {abs(step_ns) / 1e9:.3f} s while the node ran"

"""The price of a made-up market as a pure function of time: layers of noise in integers.

Past and future are there from the beginning, so history asked for after a restart, or for a time at which
nobody ran the exchange, agrees with what clients saw.
"""

from __future__ import annotations

from zlib import crc32

__all__ = ["PricePath", "scatter"]

SECOND_NS = 1_000_000_000
ONE = 1_000_000  # noise and its weights are in millionths
MASK = (1 << 64) - 1

# (period in seconds, amplitude in millionths of the price), slow and wide to quick and narrow.
LAYERS = (
    (604_800, 40_000),
    (86_400, 20_000),
    (14_400, 9_000),
    (3_600, 4_500),
    (900, 2_200),
    (240, 1_200),
    (60, 600),
    (15, 260),
    (4, 110),
)


def scatter(seed: int, number: int) -> int:
    """Return 64 bits that look like chance and are a function of both arguments."""
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


class PricePath:
    """One symbol's price. `speed` makes market time run that many times faster than the clock."""

    def __init__(self, seed: int, symbol: str, reference_ticks: int, speed: int = 1) -> None:
        self.reference_ticks = reference_ticks
        self.speed = speed
        base = scatter(seed, crc32(symbol.encode()))
        self._layers = [
            (period * SECOND_NS, weight, scatter(base, index))
            for index, (period, weight) in enumerate(LAYERS)
        ]
        self._known: dict[tuple[int, int], int] = {}
        # Where the last instant lay in each layer: the next one mostly lies there too.
        self._between = [(-1, 0, 0)] * len(LAYERS)

    def ticks_at(self, at_ns: int) -> int:
        """Return the price at an instant, at least one tick."""
        at_ns *= self.speed
        total, between = 0, self._between
        for index, (period_ns, weight, _) in enumerate(self._layers):
            number, part = divmod(at_ns, period_ns)
            newest, left, right = between[index]
            if newest != number:
                left, right = self._lattice(index, number), self._lattice(index, number + 1)
                between[index] = (number, left, right)
            total += weight * (left * (period_ns - part) + right * part) // period_ns
        return max(1, self.reference_ticks * (ONE * ONE + total) // (ONE * ONE))

    def _lattice(self, index: int, number: int) -> int:
        """Return the noise at one point of a layer, -ONE to ONE."""
        key = (index, number)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 20_000:
                self._known.clear()
            found = scatter(self._layers[index][2], number) % (2 * ONE + 1) - ONE
            self._known[key] = found
        return found

    def range_over(self, start_ns: int, end_ns: int, steps: int = 6) -> tuple[int, int, int, int]:
        """Return (open, high, low, close) between two instants, seen at a few points."""
        width = end_ns - start_ns
        seen = [self.ticks_at(start_ns + width * step // steps) for step in range(steps + 1)]
        return seen[0], max(seen), min(seen), seen[-1]

"""Noise that can be asked for by name: the same key gives the same numbers, in any order, on any machine.

A seeded generator has to be rolled forward from its start; the synthetic market must know any minute of its
past at once, and two actors must draw the same common factor without talking. So each stretch of market has
a key, and a hash turns the key into as many 16-bit words as are needed.
"""

from __future__ import annotations

import hashlib
import struct

__all__ = ["WORD_COUNT", "normals", "words"]

WORD_COUNT = 65_536  # a word is 0 .. 65535

# The sum of four words, centred, over its standard deviation: normal enough within 3.4 deviations. Fat tails
# come from the market's changing volatility, not from here.
_CENTRE = 2 * (WORD_COUNT - 1)
_SCALE = 1.0 / (4 * (WORD_COUNT**2 - 1) / 12) ** 0.5


def words(key: str, count: int) -> tuple[int, ...]:
    """Return `count` independent words, each uniform in 0 .. 65535."""
    return struct.unpack(f"<{count}H", hashlib.shake_128(key.encode()).digest(2 * count))


def normals(key: str, count: int) -> list[float]:
    """Return `count` independent numbers of mean 0 and standard deviation 1."""
    draws = iter(words(key, 4 * count))
    return [(a + b + c + d - _CENTRE) * _SCALE for a, b, c, d in zip(draws, draws, draws, draws, strict=True)]

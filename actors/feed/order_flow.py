"""The book and the trades round a synthetic price: spread, sizes and activity answer to turbulence.

Everything is a pure function of (seed, symbol, step), so a step can be left out or made again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from actors.domain.instrument import Instrument
from actors.domain.orders import Side
from actors.feed.noise import WORD_COUNT, words

__all__ = ["TRADES_MAX", "OrderFlow", "Print", "Touch"]

WORDS_PER_STEP = 16
TRADES_MAX = 4  # per step; beyond it trades grow instead of multiplying
LEVELS_MAX = 25

SPREAD_FRACTION = 0.00006  # of the price, in a quiet market; a storm has five times that
SPREAD_TURBULENCE_MAX = 4.0
TRADE_NOTIONAL = 1_500.0  # USDT of a middling trade
TRADE_NOTIONAL_MEAN = 1.35 * TRADE_NOTIONAL  # of the tail drawn below
TRADES_PER_SECOND = 1.6  # in a quiet market


class Touch(NamedTuple):
    """The best bid and ask; ticks and contracts."""

    bid_ticks: int
    bid_contracts: int
    ask_ticks: int
    ask_contracts: int


class Print(NamedTuple):
    """One trade of the market; side is the taker's."""

    price_ticks: int
    contracts: int
    side: Side


class OrderFlow:
    """Draws touch, depth and trades for one symbol. steps: ticks of the clock per second, at least 1."""

    def __init__(
        self, seed: int, symbol: str, instrument: Instrument, tick_ns: int, depth_usdt: int, levels: int
    ) -> None:
        self._key = f"{seed}/{symbol}/flow/"
        self._levels = min(levels, LEVELS_MAX)
        self._tick_value = instrument.tick_value
        self._depth_usdt = depth_usdt
        self._steps_per_frame = max(1, 1_000_000_000 // tick_ns)
        self._seconds_per_step = tick_ns / 1e9
        self._frame = -1
        self._words: tuple[int, ...] = ()

    def touch(self, step: int, price: float, turbulence: float) -> Touch:
        """Return the touch round a price in ticks; at least one tick wide, bid at least 1."""
        at, noise = self._noise(step)
        wild = min(turbulence, SPREAD_TURBULENCE_MAX)
        spread = max(1, round(price * SPREAD_FRACTION * (0.5 + 0.5 * wild * wild)))
        bid = max(1, int(price - spread / 2 + 0.5))
        size = self._depth_usdt / (price * self._tick_value * (0.5 + 0.5 * turbulence))
        bid_size = size * (0.3 + 1.4 * noise[at] / WORD_COUNT)
        ask_size = size * (0.3 + 1.4 * noise[at + 1] / WORD_COUNT)
        return Touch(bid, int(bid_size) + 1, bid + spread, int(ask_size) + 1)

    def depth(
        self, step: int, touch: Touch
    ) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """Return the levels of both sides, best first, sizes growing away from the touch."""
        at, noise = self._noise(step)
        bid, bid_size, ask, ask_size = touch
        gap = max(1, (ask - bid) // 2)
        bids, asks = [(bid, bid_size)], [(ask, ask_size)]
        for level in range(1, self._levels):
            word = noise[at + 2 + (level & 7)]
            growth = 1 + level
            price = bid - level * gap
            if price > 0:
                bids.append((price, 1 + bid_size * growth * ((word & 255) + 128) // 512))
            asks.append((ask + level * gap, 1 + ask_size * growth * ((word >> 8) + 128) // 512))
        return tuple(bids), tuple(asks)

    def trades(self, step: int, touch: Touch, move: float, turbulence: float) -> list[Print]:
        """Return the trades of a step. move: ticks the price went since the step before.

        Takers lean to where the price goes; a move beyond the spread always trades.
        """
        at, noise = self._noise(step)
        bid, _, ask, _ = touch
        expected = TRADES_PER_SECOND * self._seconds_per_step * (0.5 + 0.5 * turbulence)
        crossed = abs(move) > ask - bid
        count = min(TRADES_MAX, int(expected + noise[at + 10] / WORD_COUNT)) or int(crossed)
        if not count:
            return []
        scale = TRADE_NOTIONAL * 1e8 * max(1.0, expected / TRADES_MAX) / (bid * self._tick_value)
        lean = 0.5 + 0.4 * max(-1.0, min(1.0, move / (ask - bid)))
        found = []
        for i in range(count):
            word = noise[at + 11 + i]
            buys = (word & 255) < lean * 256
            # A Pareto tail: one trade in a hundred is 16 times the middling one.
            size = scale * math.sqrt(256 / (1 + (word >> 8))) * 0.7
            found.append(Print(ask if buys else bid, int(size) + 1, Side.BUY if buys else Side.SELL))
        return found

    def volume(self, price_ticks: int, turbulence: float, seconds: float) -> tuple[int, int]:
        """Return contracts and count of the trades to expect in a stretch of time; at least one each."""
        count = TRADES_PER_SECOND * seconds * (0.5 + 0.5 * turbulence)
        contracts = count * TRADE_NOTIONAL_MEAN * 1e8 / (price_ticks * self._tick_value)
        return int(contracts) + 1, int(count) + 1

    def _noise(self, step: int) -> tuple[int, tuple[int, ...]]:
        """Return where a step's words begin, and the words of its frame."""
        frame, inside = divmod(step, self._steps_per_frame)
        if frame != self._frame:
            self._words = words(f"{self._key}{frame}", WORDS_PER_STEP * self._steps_per_frame)
            self._frame = frame
        return inside * WORDS_PER_STEP, self._words

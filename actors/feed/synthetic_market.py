"""The synthetic market of one symbol: what it shows at a step, and the bars of its past.

Pure: everything follows from the settings, the symbol and the anchor that the actor saves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from actors.domain.bars import check_interval
from actors.domain.instrument import Instrument
from actors.feed.order_flow import OrderFlow, Print, Touch
from actors.feed.premium import Premium
from actors.feed.price_path import MINUTE_NS, SECOND_NS, SESSION_NS, PricePath
from actors.feed.settings import SyntheticSettings
from actors.messages.market import Bar

__all__ = ["HISTORY_BARS_MAX", "Moment", "SyntheticMarket"]

HISTORY_BARS_MAX = 1_000  # per request; a strategy needs a few hundred

# Each session of the past costs 0.7 ms of the loop's time: 30 days are 0.13 s. A strategy that asks for more
# gets fewer bars.
HISTORY_SESSIONS_MAX = 180

# Up to so many minutes, bars are made from the prices of each second (60 us a minute), else of each minute.
FINE_MINUTES_MAX = 400

UNIT = 100_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """The market at one step. Prices are floats here; what leaves the feed is made of whole ticks."""

    step: int
    at_ns: int
    price: float
    move: float  # since the step before, in ticks
    turbulence: float
    touch: Touch


class SyntheticMarket:
    """One symbol's market. Errors: ValueError when nobody knows a price to start from."""

    def __init__(self, settings: SyntheticSettings, symbol: str, instrument: Instrument) -> None:
        self.tick_ns = settings.tick
        self._start_ticks = settings.start_price // instrument.tick_e8 or instrument.reference_ticks
        if self._start_ticks <= 0:
            raise ValueError(f"{symbol} has no reference price: set start_price")
        self._symbol = symbol
        self.path = PricePath(
            settings.seed,
            symbol,
            settings.volatility / UNIT,
            settings.correlation / UNIT,
            max(1, SECOND_NS // settings.tick),
        )
        self._flow = OrderFlow(
            settings.seed, symbol, instrument, settings.tick, settings.depth_usdt, settings.depth_levels
        )
        self.premium = Premium(settings.seed, symbol, self.path, instrument.funding_interval_ns)

    def begin(self, at_ns: int) -> tuple[int, float]:
        """Start the market so that it stands at the start price now; return the anchor to keep."""
        session = at_ns // SESSION_NS
        self.path.anchor(session, 0.0)
        level = math.log(self._start_ticks) - self.path.level(at_ns)
        self.path.anchor(session, level)
        return session, level

    def moment(self, step: int) -> Moment:
        """Return the market at a step (instants are steps x tick)."""
        at_ns = step * self.tick_ns
        path = self.path
        price = math.exp(path.level(at_ns))
        move = price - math.exp(path.level(at_ns - self.tick_ns))
        turbulence = path.turbulence(at_ns // MINUTE_NS)
        return Moment(step, at_ns, price, move, turbulence, self._flow.touch(step, price, turbulence))

    def trades(self, moment: Moment) -> list[Print]:
        """Return what the market traded in this step."""
        return self._flow.trades(moment.step, moment.touch, moment.move, moment.turbulence)

    def depth(self, moment: Moment) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """Return the levels of both sides, best first."""
        return self._flow.depth(moment.step, moment.touch)

    def mark_and_index(self, at_ns: int) -> tuple[int, int]:
        """Return mark and index price in ticks: the price of the last whole second, and less the premium."""
        level = self.path.second_level(at_ns // SECOND_NS)
        index = math.exp(level - self.premium.fraction(at_ns))
        return _ticks(math.exp(level)), _ticks(index)

    def history(self, interval_ns: int, bars_count: int, until_ns: int) -> tuple[Bar, ...]:
        """Return up to `bars_count` closed bars, oldest first, the last one closed at or before `until_ns`.

        Errors: ValueError when the interval does not divide a day.
        """
        check_interval(interval_ns)
        last = until_ns // interval_ns
        reach = (until_ns // SESSION_NS - HISTORY_SESSIONS_MAX) * SESSION_NS
        first = max(last - min(bars_count, HISTORY_BARS_MAX), -(-reach // interval_ns))
        fine = interval_ns < MINUTE_NS or (last - first) * interval_ns <= FINE_MINUTES_MAX * MINUTE_NS
        # Newest first: then each session is made once, on the way back from the present.
        bars = [self._bar((i + 1) * interval_ns, interval_ns, fine) for i in range(last - 1, first - 1, -1)]
        return tuple(reversed(bars))

    def _bar(self, at_ns: int, interval_ns: int, fine: bool) -> Bar:
        start_ns = at_ns - interval_ns
        levels = self._second_levels(start_ns, at_ns) if fine else self._minute_levels(start_ns, at_ns)
        opened, closed = _ticks(math.exp(levels[0])), _ticks(math.exp(levels[-1]))
        high, low = _ticks(math.exp(max(levels))), _ticks(math.exp(min(levels)))
        turbulence = self.path.turbulence(start_ns // MINUTE_NS)
        contracts, count = self._flow.volume(closed, turbulence, interval_ns / SECOND_NS)
        return Bar(self._symbol, at_ns, interval_ns, opened, high, low, closed, contracts, count)

    def _minute_levels(self, start_ns: int, end_ns: int) -> list[float]:
        minutes = range(start_ns // MINUTE_NS, end_ns // MINUTE_NS + 1)
        return [self.path.minute_level(minute) for minute in minutes]

    def _second_levels(self, start_ns: int, end_ns: int) -> list[float]:
        start, end = start_ns // SECOND_NS, end_ns // SECOND_NS
        levels: list[float] = []
        while start < end:
            minute, inside = divmod(start, 60)
            until = min(end - minute * 60, 60)
            levels += self.path.second_levels(minute)[inside : until + 1]
            start = minute * 60 + until
        return levels


def _ticks(price: float) -> int:
    return max(1, round(price))

"""One futures symbol as the public sees it: index, mark, trades, candles, statistics of a day.

None of it is state: the past comes from the price path, trades start anew with the process.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from actors.domain.money import E8
from actors.domain.orders import Side
from actors.exchange.prices import Market
from actors.exchange.server.candles import DAY_NS, INTERVALS, MINUTE_NS, SECOND_NS, Candle, Candles
from actors.exchange.server.price_path import PricePath

__all__ = ["DayStatistics", "MarketView", "Premiums", "PublicTrade"]

TRADES_KEPT_MAX = 1_000
PREMIUM_MINUTES_MAX = 1_440
STATISTICS_FROM = "MINUTE_15"
BASIS_SAMPLES = 60  # of the middle of the book against the index, 5 s apart: five minutes
INTEREST_E8 = 10_000  # per settlement: what 17 of the venue's 18 contracts stand at
PREMIUM_CLAMP_E8 = 50_000
RATE_MAX_E8 = 750_000


class PublicTrade(NamedTuple):
    """One trade as everybody sees it."""

    number: int
    price_ticks: int
    contracts: int
    side: Side  # of the taker
    at_ns: int


class DayStatistics(NamedTuple):
    """The last 24 hours."""

    open: int
    high: int
    low: int
    close: int
    contracts: int
    amount_usdt: int
    trades_count: int
    start_ns: int


class Premiums:
    """How far the middle of the book has been from the index, in 1e-8: open, high, low, close by minute."""

    def __init__(self) -> None:
        self._minutes: deque[list[int]] = deque(
            maxlen=PREMIUM_MINUTES_MAX
        )  # [start_ns, open, high, low, close]

    def add(self, at_ns: int, premium_e8: int) -> None:
        """Take one sample."""
        start = at_ns - at_ns % MINUTE_NS
        if not self._minutes or self._minutes[-1][0] != start:
            self._minutes.append([start, premium_e8, premium_e8, premium_e8, premium_e8])
            return
        minute = self._minutes[-1]
        minute[2], minute[3] = max(minute[2], premium_e8), min(minute[3], premium_e8)
        minute[4] = premium_e8

    def range_over(self, start_ns: int, end_ns: int) -> tuple[int, int, int, int]:
        """Return (open, high, low, close) of a time; zeros for one before anybody looked."""
        found = [minute for minute in self._minutes if start_ns <= minute[0] < end_ns]
        if not found:
            return 0, 0, 0, 0
        return found[0][1], max(one[2] for one in found), min(one[3] for one in found), found[-1][4]


class MarketView:
    """What the public knows of a symbol beside its book."""

    def __init__(self, market: Market, path: PricePath) -> None:
        self.market = market
        self.instrument = market.instrument
        self.symbol = market.symbol
        self.path = path
        self.status = "OPEN"
        self.is_frozen = False
        self.is_quiet = False  # it is listed, and nothing happens in it
        self.index_ticks = 0
        self.mark_ticks = 0
        self.last_ticks = 0
        self.last_at_ns = 0
        self.rate_e8 = INTEREST_E8
        self.trades: deque[PublicTrade] = deque(maxlen=TRADES_KEPT_MAX)
        self.candles: dict[str, Candles] = {}
        self.changed_candles: dict[str, Candle] = {}
        self.premiums = Premiums()
        self._basis: deque[int] = deque(maxlen=BASIS_SAMPLES)
        self._basis_at_ns = 0
        self._statistics: tuple[int, DayStatistics] | None = None

    # -- prices -------------------------------------------------------------------------------------

    def value(self, at_ns: int, index_ticks: int, settles_in_ns: int) -> int:
        """Take over an index price; return the mark price: the median of three estimates."""
        self.index_ticks = index_ticks
        interval = self.instrument.funding_interval_ns
        fair = index_ticks + index_ticks * self.rate_e8 * settles_in_ns // (interval * E8)
        middle = self.middle_ticks()
        if middle and at_ns - self._basis_at_ns >= 5 * SECOND_NS:
            self._basis_at_ns = at_ns
            self._basis.append(middle - index_ticks)
            self.premiums.add(at_ns, (middle - index_ticks) * E8 // index_ticks)
        basis = sum(self._basis) // len(self._basis) if self._basis else 0
        last = self.last_ticks or index_ticks
        self.mark_ticks = max(1, sorted((fair, index_ticks + basis, last))[1])
        return self.mark_ticks

    def rate(self) -> int:
        """Return the funding rate as it would be settled now: interest, and the premium of the book."""
        if self._basis and self.index_ticks:
            premium = sum(self._basis) * E8 // (len(self._basis) * self.index_ticks)
            clamped = min(max(INTEREST_E8 - premium, -PREMIUM_CLAMP_E8), PREMIUM_CLAMP_E8)
            self.rate_e8 = min(max(premium + clamped, -RATE_MAX_E8), RATE_MAX_E8)
        return self.rate_e8

    def middle_ticks(self) -> int:
        """Return the middle of the best bid and ask among real orders; 0 when a side is empty."""
        bid, ask = self.market.book.bids.best(), self.market.book.asks.best()
        return (bid.price_ticks + ask.price_ticks) // 2 if bid and ask else 0

    # -- trades -------------------------------------------------------------------------------------

    def print(self, trade: PublicTrade) -> None:
        """Take one trade of the market."""
        self.trades.append(trade)
        self.last_ticks, self.last_at_ns = trade.price_ticks, trade.at_ns
        for name, candles in self.candles.items():
            self.changed_candles[name] = candles.add(
                trade.at_ns, trade.price_ticks, trade.contracts, trade.side is Side.BUY
            )

    def candles_of(self, name: str) -> Candles:
        """Return the candles of an interval by its name. Errors: KeyError."""
        found = self.candles.get(name)
        if found is None:
            found = self.candles[name] = Candles(INTERVALS[name], self.instrument, self.path)
        return found

    def statistics(self, now_ns: int) -> DayStatistics:
        """Return the last 24 hours, at most a second old."""
        second = now_ns // SECOND_NS
        if self._statistics is not None and self._statistics[0] == second:
            return self._statistics[1]
        start = now_ns - DAY_NS
        candles = self.candles_of(STATISTICS_FROM).between(start, now_ns, 96, now_ns)
        found = DayStatistics(
            candles[0].open,
            max(candle.high for candle in candles),
            min(candle.low for candle in candles),
            self.last_ticks or candles[-1].close,
            sum(candle.contracts for candle in candles),
            sum(candle.amount_usdt for candle in candles),
            sum(candle.trades_count for candle in candles),
            candles[0].start_ns,
        )
        self._statistics = (second, found)
        return found

"""Candles: built from trades while the exchange runs, taken from the price path for the time before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from actors.domain.instrument import Instrument
from actors.exchange.server.price_path import PricePath, scatter

__all__ = ["INTERVALS", "Candle", "Candles"]

SECOND_NS = 1_000_000_000
MINUTE_NS, HOUR_NS, DAY_NS = 60 * SECOND_NS, 3_600 * SECOND_NS, 86_400 * SECOND_NS
INTERVALS: dict[str, int] = {
    **{f"MINUTE_{count}": count * MINUTE_NS for count in (1, 5, 10, 15, 30)},
    **{f"HOUR_{count}": count * HOUR_NS for count in (1, 2, 4, 6, 8, 12)},
    "DAY_1": DAY_NS,
    "DAY_3": 3 * DAY_NS,
    "WEEK_1": 7 * DAY_NS,
    "MONTH_1": 30 * DAY_NS,  # the venue's is the calendar's; nobody trades by it
}
KEPT_MAX = 600  # live candles per interval; older ones come from the path


@dataclass(slots=True)
class Candle:
    """One candle; prices in ticks, amount in 1e-8 USDT."""

    start_ns: int
    end_ns: int  # exclusive
    open: int
    high: int
    low: int
    close: int
    contracts: int = 0
    amount_usdt: int = 0
    trades_count: int = 0
    bought_contracts: int = 0  # by takers
    bought_usdt: int = 0


class Candles:
    """One symbol's candles of one interval."""

    def __init__(self, interval_ns: int, instrument: Instrument, path: PricePath) -> None:
        self.interval_ns = interval_ns
        self.live: deque[Candle] = deque(maxlen=KEPT_MAX)
        self._instrument = instrument
        self._path = path
        self._past: dict[int, Candle] = {}  # of the path, by start

    def add(self, at_ns: int, price: int, contracts: int, is_bought: bool) -> Candle:
        """Take one trade; return the candle it is in. Late trades count to the newest candle."""
        candle = self._at(at_ns)
        if not candle.trades_count and not candle.contracts:
            candle.open = candle.high = candle.low = price
        candle.high, candle.low = max(candle.high, price), min(candle.low, price)
        candle.close = price
        amount = self._instrument.notional(contracts, price)
        candle.contracts += contracts
        candle.amount_usdt += amount
        candle.trades_count += 1
        if is_bought:
            candle.bought_contracts += contracts
            candle.bought_usdt += amount
        return candle

    def _at(self, at_ns: int) -> Candle:
        start = at_ns - at_ns % self.interval_ns
        live = self.live
        if not live:
            live.append(self._begun(start, at_ns))
        while live[-1].start_ns < start:  # candles without trades are flat
            last = live[-1]
            missing = (start - last.start_ns) // self.interval_ns
            following = last.end_ns if missing < KEPT_MAX else start
            price = last.close
            live.append(Candle(following, following + self.interval_ns, price, price, price, price))
        return live[-1]

    def _begun(self, start_ns: int, at_ns: int) -> Candle:
        """Return the candle in which somebody first looked: what went before follows the path."""
        begun = self._from_path(start_ns)
        begun.open, begun.high, begun.low, begun.close = self._path.range_over(start_ns, at_ns)
        share = (at_ns - start_ns) * 1_000 // self.interval_ns
        begun.contracts = begun.contracts * share // 1_000
        begun.amount_usdt = self._instrument.notional(begun.contracts, (begun.high + begun.low) // 2)
        begun.bought_contracts, begun.bought_usdt = begun.contracts // 2, begun.amount_usdt // 2
        begun.trades_count = begun.trades_count * share // 1_000 + 1
        return begun

    def between(self, start_ns: int, end_ns: int, limit: int, now_ns: int) -> list[Candle]:
        """Return the newest `limit` candles that begin within a time, oldest first; 0 leaves an end open.

        A start without an end counts from the start on.
        """
        step = self.interval_ns
        newest = now_ns - now_ns % step
        last = min(newest, end_ns - end_ns % step) if end_ns else newest
        first = last - (limit - 1) * step
        if start_ns:
            from_start = -(-start_ns // step) * step
            if end_ns:
                first = max(first, from_start)
            else:
                first, last = from_start, min(last, from_start + (limit - 1) * step)
        first = max(first, 0)
        if self.live or now_ns:
            self._at(now_ns)
        known = {candle.start_ns: candle for candle in self.live}
        return [known.get(start) or self._before(start) for start in range(first, last + 1, step)]

    def _before(self, start_ns: int) -> Candle:
        """Return a candle of the path, which never changes; tickers ask for the same day again and again."""
        found = self._past.get(start_ns)
        if found is None:
            if len(self._past) >= KEPT_MAX:
                self._past.clear()
            found = self._past[start_ns] = self._from_path(start_ns)
        return found

    def _from_path(self, start_ns: int) -> Candle:
        end_ns = start_ns + self.interval_ns
        first, high, low, last = self._path.range_over(start_ns, end_ns)
        noise = scatter(self._path.reference_ticks, start_ns // SECOND_NS)
        minutes = max(1, self.interval_ns // MINUTE_NS)
        contracts = (20 + noise % 100) * minutes
        amount = self._instrument.notional(contracts, (high + low) // 2)
        trades = (5 + noise % 20) * minutes
        return Candle(
            start_ns, end_ns, first, high, low, last, contracts, amount, trades, contracts // 2, amount // 2
        )

"""From rows to what happened when: the prints and quotes that the exchange can match against.

A trade is a print, and tells one side of the touch: who bought paid the ask. A candle hides the order of its
prices, so one is made up, by rules that know nothing of what comes later:

    at the open         the open price
    a third later       the extreme that lies farther from the open (the low when both are equally far)
    two thirds later    the other extreme
    1 ms before the end the close
    at the end          the closed bar

Nobody may earn from an order of prices that we invented. At the low the bid is the low and the ask still that
of the open, at the high the other way round: whoever reacts to an extreme trades no better than at the open,
and whoever is stopped there trades at the extreme.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from actors.domain.money import E8
from actors.domain.orders import Side
from actors.feed.rows import Candle, FundingRow, TradeRow

__all__ = [
    "BarStep",
    "FundingStep",
    "MarkStep",
    "PrintStep",
    "Step",
    "candle_steps",
    "funding_steps",
    "mark_steps",
    "trade_steps",
]

MILLISECOND_NS = 1_000_000


class PrintStep(NamedTuple):
    """The market traded and stands at this touch; without contracts it only stands there."""

    at_ns: int
    row: int
    number: int  # among the prints of its row
    price_ticks: int
    contracts: int
    side: Side
    bid_ticks: int
    ask_ticks: int


class BarStep(NamedTuple):
    """A candle closed at `at_ns`."""

    at_ns: int
    row: int
    candle: Candle
    contracts: int
    trades_count: int


class FundingStep(NamedTuple):
    """Funding was settled; `next_ns` is the settlement after it, 0 when the file ends."""

    at_ns: int
    row: int
    rate_e8: int
    next_ns: int


class MarkStep(NamedTuple):
    """The mark price moved."""

    at_ns: int
    price_ticks: int


Step = PrintStep | MarkStep | BarStep | FundingStep


def trade_steps(rows: Iterable[TradeRow], spread_e8: int) -> Iterator[Step]:
    """Yield one print per trade."""
    for number, (at_ns, price, contracts, side) in enumerate(rows, 1):
        spread = max(1, price * spread_e8 // E8)
        bid, ask = (price - spread, price) if side is Side.BUY else (price, price + spread)
        yield PrintStep(at_ns, number, 0, price, contracts, side, max(1, bid), max(2, ask))


def candle_steps(rows: Iterable[Candle], interval_ns: int, spread_e8: int) -> Iterator[Step]:
    """Yield the made-up path of each candle, then the candle itself."""
    last = 0
    for number, candle in enumerate(rows, 1):
        points = _path(candle, interval_ns, spread_e8)
        # A price that follows itself is no new print, only a touch.
        prints = sum(1 for i, point in enumerate(points) if not i or point[1] != points[i - 1][1])
        # Each print needs a contract of its own, also in a candle that traded less.
        contracts = max(candle.contracts, prints) if candle.contracts else 0
        share, rest = divmod(contracts, prints)
        before = 0
        for i, (at_ns, price, bid, ask) in enumerate(points):
            size = 0 if price == before else share + (0 if before else rest)
            side = Side.SELL if price < last else Side.BUY
            before = last = price
            yield PrintStep(at_ns, number, i, price, size, side, bid, ask)
        count = prints if contracts else 0
        yield BarStep(candle.at_ns + interval_ns, number, candle, contracts, count)


def mark_steps(rows: Iterable[Candle], interval_ns: int) -> Iterator[Step]:
    """Yield the same path as `candle_steps` for candles of the mark price."""
    for candle in rows:
        for at_ns, price, _, _ in _path(candle, interval_ns, 0):
            yield MarkStep(at_ns, price)


def funding_steps(rows: list[FundingRow], first_ns: int, last_ns: int) -> Iterator[Step]:
    """Yield the settlements after the first row of the market and up to its last."""
    for number, (at_ns, rate_e8) in enumerate(rows, 1):
        if first_ns < at_ns <= last_ns:
            yield FundingStep(at_ns, number, rate_e8, rows[number].at_ns if number < len(rows) else 0)


def _path(candle: Candle, interval_ns: int, spread_e8: int) -> list[tuple[int, int, int, int]]:
    """Return (instant, price, bid, ask) of the four points."""
    start, opened, high, low, close, _ = candle
    spread = max(1, opened * spread_e8 // E8)
    half = spread // 2
    bid, ask = opened - half, opened - half + spread
    at_low, at_high = (low, min(low, bid), ask), (high, bid, max(high, ask))
    near, far = (at_low, at_high) if high - opened > opened - low else (at_high, at_low)
    points = [
        (start, opened, bid, ask),
        (start + interval_ns // 3, *far),
        (start + interval_ns * 2 // 3, *near),
        (start + interval_ns - MILLISECOND_NS, close, close - half, close - half + spread),
    ]
    return [(at_ns, price, max(1, bid), max(2, ask)) for at_ns, price, bid, ask in points]

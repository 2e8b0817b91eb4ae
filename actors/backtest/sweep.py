"""A search over settings: the grid, what each point of it earned, and how much of the best may be luck.

A single best point is most often luck. What is put forward is the best plateau: the point whose neighbours in
the grid, one step along each axis, did best on average together with it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product

from actors.backtest.kernel_loop import Result
from actors.backtest.kernel_tally import Days
from actors.backtest.significance import deflated_sharpe, probabilistic_sharpe, sharpe_to_beat

__all__ = ["Axis", "GridError", "Point", "Surface", "axis_of", "combinations_count", "point_of", "surface_of"]

DAYS_PER_YEAR = 365
VALUES_MAX = 10_000  # of one axis
AXES_MAX = 4
E8 = 100_000_000

Where = tuple[int, ...]  # index along each axis


class GridError(ValueError):
    """A grid makes no sense; the text says why, `remedy` what to write."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting and the values it takes, as an operator would write them."""

    name: str
    values: tuple[str, ...]


def axis_of(word: str) -> Axis:
    """Return the axis of `fast=5..50:5` or `fast=5,8,13`. Errors: GridError."""
    name, equals, text = word.partition("=")
    remedy = "write --grid fast=5..50:5, both ends included, or --grid fast=5,8,13"
    if not equals or not name:
        raise GridError(f"{word!r} names no setting with its values", remedy)
    try:
        values = tuple(_range(text)) if ".." in text else tuple(one.strip() for one in text.split(","))
    except InvalidOperation:
        raise GridError(f"{word!r}: {text!r} is no range of numbers", remedy) from None
    if not all(values) or not values:
        raise GridError(f"{word!r} has no values", remedy)
    if len(set(values)) < len(values):
        raise GridError(f"{word!r} names a value twice", remedy)
    return Axis(name, values)


def _range(text: str) -> Iterator[str]:
    ends, colon, by = text.partition(":")
    first, _, last = ends.partition("..")
    start, stop, step = Decimal(first), Decimal(last), Decimal(by) if colon else Decimal(1)
    if not (start.is_finite() and stop.is_finite() and step.is_finite()) or step <= 0:
        raise InvalidOperation
    count = int((stop - start) / step) + 1 if stop >= start else 0
    if count > VALUES_MAX:
        raise GridError(f"{text!r} has {count:,} values", f"take a longer step: at most {VALUES_MAX:,}")
    yield from (f"{start + step * index:f}" for index in range(count))


def combinations_count(axes: Sequence[Axis], most: int) -> int:
    """Return how many points a grid has. Errors: GridError for none, too many, or an axis twice."""
    names = [axis.name for axis in axes]
    if not axes:
        raise GridError("there is no grid", "add --grid fast=5..50:5, one for each setting")
    if len(set(names)) < len(names):
        raise GridError("a setting has two axes", "name each setting once")
    if len(axes) > AXES_MAX:
        raise GridError(f"the grid has {len(axes)} axes", f"search at most {AXES_MAX} settings at once")
    count = math.prod(len(axis.values) for axis in axes)
    if count > most:
        remedy = "take longer steps, or allow it with --max-trials"
        raise GridError(f"the grid has {count:,} points, more than {most:,}", remedy)
    return count


@dataclass(frozen=True, slots=True)
class Point:
    """What one configuration earned; money in 1e-8 USDT, ratios nan where there is nothing to divide by."""

    where: Where
    settings: Mapping[str, str]
    net_usdt: int
    fees_usdt: int
    funding_usdt: int
    slippage_usdt: int
    trades_count: int
    fills_count: int
    liquidations_count: int
    refused_count: int
    wins_fraction: float
    profit_factor: float
    drawdown_fraction: float
    days_count: int
    daily_sharpe: float
    sharpe: float  # a year of 365 days
    skew: float
    kurtosis: float


def point_of(
    where: Where,
    settings: Mapping[str, str],
    result: Result,
    deposit: int,
    days_before: int,
    move_usdt: int = 0,
) -> Point:
    """Return the figures of a run.

    `days_before` are days of warm-up, in which nothing could happen; `move_usdt` is what a contract gains
    from the last bar's close to the end of the period.
    """
    account, trades = result.account, result.trades
    ratio, skew, kurtosis = _moments(result.days, days_before)
    return Point(
        where,
        settings,
        result.equity_usdt + account.net_contracts * move_usdt - deposit,
        account.fees_usdt,
        account.funding_usdt,
        account.slippage_usdt,
        trades.count,
        account.fills_count,
        account.liquidations_count,
        account.refused_count,
        trades.wins_count / trades.count if trades.count else math.nan,
        trades.won_usdt / trades.lost_usdt if trades.lost_usdt else math.nan,
        result.path.drawdown,
        result.days.count - days_before,
        ratio,
        ratio * math.sqrt(DAYS_PER_YEAR),
        skew,
        kurtosis,
    )


def _moments(days: Days, days_before: int) -> tuple[float, float, float]:
    """Return Sharpe ratio of one day, skew and Pearson's kurtosis, from the sums of powers."""
    count = days.count - days_before
    if count < 2:
        return math.nan, math.nan, math.nan
    mean = days.sum_1 / count
    second = days.sum_2 / count - mean * mean
    if not second > 1e-30:
        return math.nan, math.nan, math.nan
    third = days.sum_3 / count - 3 * mean * days.sum_2 / count + 2 * mean**3
    fourth = days.sum_4 / count - 4 * mean * days.sum_3 / count + 6 * mean**2 * days.sum_2 / count
    fourth -= 3 * mean**4
    deviation = math.sqrt(second * count / (count - 1))
    return mean / deviation, third / second**1.5, fourth / second**2


@dataclass(frozen=True, slots=True)
class Surface:
    """A finished search. Probabilities are those of the best point; nan when they cannot be known."""

    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    best: Point | None  # highest Sharpe ratio; None when nobody traded
    plateau: Point | None
    plateau_sharpe: float  # mean of the plateau's neighbourhood
    plateau_size: int
    trials_count: int
    psr: float  # that its true ratio is above 0
    deflated: float  # that it is above what the best of so many worthless trials shows
    luck_sharpe: float  # that ratio, of a year


def surface_of(axes: Sequence[Axis], points: Sequence[Point]) -> Surface:
    """Judge a search."""
    known = {point.where: point for point in points if not math.isnan(point.daily_sharpe)}
    if not known:
        nan = math.nan
        return Surface(tuple(axes), tuple(points), None, None, nan, 0, len(points), nan, nan, nan)
    best = max(known.values(), key=lambda point: point.daily_sharpe)
    ratios = [point.daily_sharpe for point in known.values()]
    variance = statistics.variance(ratios) if len(ratios) > 1 else 0.0
    law = best.skew, best.kurtosis
    plateau, mean, size = _plateau(known)
    return Surface(
        tuple(axes),
        tuple(points),
        best,
        plateau,
        mean * math.sqrt(DAYS_PER_YEAR),
        size,
        len(points),
        probabilistic_sharpe(best.daily_sharpe, best.days_count, *law),
        deflated_sharpe(best.daily_sharpe, best.days_count, len(points), variance, *law),
        sharpe_to_beat(len(points), variance) * math.sqrt(DAYS_PER_YEAR),
    )


def _plateau(known: Mapping[Where, Point]) -> tuple[Point, float, int]:
    around = {where: _neighbours(where, known) for where in known}
    fullest = max(len(ratios) for ratios in around.values())
    # At an edge nothing is known of the other side, and a mean of few is more luck.
    enough = {where: ratios for where, ratios in around.items() if len(ratios) == fullest}
    where = max(enough, key=lambda one: statistics.fmean(enough[one]))
    return known[where], statistics.fmean(enough[where]), len(enough[where])


def _neighbours(where: Where, known: Mapping[Where, Point]) -> list[float]:
    steps = product((-1, 0, 1), repeat=len(where))
    near = (tuple(at + by for at, by in zip(where, step, strict=True)) for step in steps)
    return [known[one].daily_sharpe for one in near if one in known]

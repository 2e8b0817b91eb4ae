"""How large a position should be: rules that know nothing of why it is opened. Pure; floats are statistics.

Money is 1e-8 USDT, contracts are rounded down, nothing is ever negative.
"""

from __future__ import annotations

from math import log, sqrt

__all__ = [
    "contracts_of_fraction",
    "ewma",
    "fixed_fraction",
    "kelly",
    "log_return",
    "volatility_target",
    "yearly",
]

E8 = 100_000_000


def log_return(before_ticks: int, after_ticks: int) -> float:
    """Return ln(after / before)."""
    return log(after_ticks / before_ticks)


def ewma(average: float, value: float, weight: float) -> float:
    """Return the average moved towards a value: (1 - weight) average + weight value."""
    return average + weight * (value - average)


def fixed_fraction(fraction_e8: int) -> float:
    """Return the part of equity that a position is worth: always the same."""
    return fraction_e8 / E8


def volatility_target(target: float, volatility: float, cap: float) -> float:
    """Return target / volatility, at most `cap`: a wilder market gets the smaller position.

    Both are of the same time, usually a year; a market that does not move gets the cap.
    """
    if volatility <= 0.0:
        return cap
    return min(cap, target / volatility)


def kelly(mean: float, variance: float, share: float, cap: float) -> float:
    """Return share x mean / variance, between 0 and `cap`: what grows fastest for small returns, cut.

    mean: of the position's own returns, so of a short one it is the market's with its sign turned. Estimates
    are always too sure of themselves: the share should be a quarter or less, and the cap is no decoration.
    """
    if variance <= 0.0 or mean <= 0.0:
        return 0.0
    return min(cap, share * mean / variance)


def contracts_of_fraction(equity_usdt: int, fraction: float, price_ticks: int, tick_value: int) -> int:
    """Return the contracts whose value is a part of equity, rounded down."""
    value = price_ticks * tick_value
    if value <= 0 or equity_usdt <= 0 or fraction <= 0.0:
        return 0
    return equity_usdt * int(fraction * E8) // E8 // value


def yearly(variance: float, bars_per_year: float) -> float:
    """Return the volatility of a year from the variance of a bar's log return."""
    return sqrt(variance * bars_per_year)

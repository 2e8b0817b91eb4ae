"""Performance from a series of returns per period: floats in, floats out, one definition each.

A return is equity at the end of a period over equity at its start, less 1; `periods` is how many a year has
(365 for days: crypto never closes). A figure that a series cannot give is nan, never a guess: too few
returns, no losses to divide by, no spread at all. `actors/backtest/definitions.py` says the same in words.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Series",
    "cagr",
    "calmar",
    "drawdowns",
    "lo_factor",
    "max_drawdown",
    "moments",
    "omega",
    "sharpe",
    "sortino",
    "tail_ratio",
    "total_return",
    "ulcer",
    "volatility",
]

Series = NDArray[np.float64]
NAN = math.nan
# A spread below this is what adding up equal returns leaves behind.
NO_SPREAD = 1e-15


def _deviation(returns: Series) -> float:
    """Return the sample standard deviation (divided by n - 1); nan when there is no spread."""
    deviation = float(np.std(returns, ddof=1)) if len(returns) > 1 else 0.0
    return deviation if deviation > NO_SPREAD else NAN


def total_return(returns: Series) -> float:
    """Return what one unit became, less 1."""
    return float(np.prod(1.0 + returns)) - 1.0


def volatility(returns: Series, periods: float) -> float:
    """Return the sample standard deviation times the root of `periods`."""
    deviation = float(np.std(returns, ddof=1)) if len(returns) > 1 else NAN
    return deviation * math.sqrt(periods)


def sharpe(returns: Series, periods: float) -> float:
    """Return mean over sample standard deviation, times the root of `periods`. No risk-free rate."""
    return float(np.mean(returns)) / _deviation(returns) * math.sqrt(periods) if len(returns) > 1 else NAN


def sortino(returns: Series, periods: float) -> float:
    """Return mean over downside deviation, annualised. It divides by all returns, not by the losses."""
    if not len(returns):
        return NAN
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(np.mean(returns)) / downside * math.sqrt(periods) if downside > NO_SPREAD else NAN


def drawdowns(returns: Series) -> Series:
    """Return, after each period, how far equity lies below its peak so far, as 0 or a negative fraction.

    The start counts as a peak: a series that only falls has a drawdown.
    """
    equity = np.cumprod(1.0 + returns)
    return equity / np.maximum(np.maximum.accumulate(equity), 1.0) - 1.0


def max_drawdown(returns: Series) -> float:
    """Return the deepest drawdown, as 0 or a negative fraction."""
    return float(np.min(drawdowns(returns))) if len(returns) else 0.0


def cagr(returns: Series, periods: float) -> float:
    """Return the yearly growth rate that ends where the series ends; -1 when everything was lost."""
    if not len(returns):
        return NAN
    grown = 1.0 + total_return(returns)
    try:
        return float(grown ** (periods / len(returns))) - 1.0 if grown > 0.0 else -1.0
    except OverflowError:  # a few lucky days say nothing about a year
        return math.inf


def calmar(returns: Series, periods: float) -> float:
    """Return the yearly growth rate over the deepest drawdown."""
    deepest = max_drawdown(returns)
    return cagr(returns, periods) / -deepest if deepest < 0.0 else NAN


def omega(returns: Series) -> float:
    """Return the sum of gains over the sum of losses, at a threshold of 0."""
    lost = float(-np.sum(np.minimum(returns, 0.0)))
    return float(np.sum(np.maximum(returns, 0.0))) / lost if lost > 0.0 else NAN


def ulcer(returns: Series) -> float:
    """Return the root of the mean squared drawdown, as a fraction."""
    return math.sqrt(float(np.mean(drawdowns(returns) ** 2))) if len(returns) else 0.0


def tail_ratio(returns: Series) -> float:
    """Return the 95 % quantile over the size of the 5 % quantile; above 1 the good tail is the fatter one."""
    if not len(returns):
        return NAN
    high, low = np.quantile(returns, (0.95, 0.05))
    return abs(float(high)) / abs(float(low)) if abs(low) > NO_SPREAD else NAN


def moments(returns: Series) -> tuple[float, float]:
    """Return (skewness, kurtosis), both biased; the kurtosis is Pearson's, 3 for a normal law."""
    if len(returns) < 2:
        return NAN, NAN
    centred = returns - np.mean(returns)
    variance = float(np.mean(centred**2))
    if variance <= NO_SPREAD**2:
        return NAN, NAN
    return float(np.mean(centred**3)) / variance**1.5, float(np.mean(centred**4)) / variance**2


def lo_factor(returns: Series, periods: int) -> float:
    """Return what the Sharpe ratio of one period is multiplied by to be that of so many periods.

    It is the root of `periods` when returns do not depend on each other; positive autocorrelation makes it
    smaller. nan when the autocorrelations estimated are no longer those of a possible series.
    Source: Lo (2002), The Statistics of Sharpe Ratios, Financial Analysts Journal 58(4).
    """
    count = len(returns)
    if count <= periods:
        return NAN
    centred = returns - np.mean(returns)
    variance = float(np.dot(centred, centred))
    if variance <= NO_SPREAD:
        return NAN
    weighted = sum((periods - k) * float(np.dot(centred[k:], centred[:-k])) for k in range(1, periods))
    scale = periods + 2.0 * weighted / variance
    return periods / math.sqrt(scale) if scale > 0.0 else NAN

"""How much of a Sharpe ratio may be luck: of one run, and of the best of many that were tried.

Everything here takes the Sharpe ratio of one period, NOT annualised, with the count of periods it was
measured over, and Pearson's kurtosis (3 for a normal law, not the excess). Mixing an annual ratio with a
count of days, or feeding excess kurtosis, are the usual mistakes.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from actors.backtest.metrics import Series, moments

__all__ = [
    "deflated_sharpe",
    "expected_maximum",
    "min_backtest_years",
    "min_track_record",
    "probabilistic_sharpe",
    "psr_of",
    "sharpe_to_beat",
]

NORMAL = NormalDist()
EULER_GAMMA = 0.5772156649015329


def _variance(ratio: float, skew: float, kurtosis: float) -> float:
    """Return the variance of the estimator, times n - 1."""
    return 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio * ratio


def probabilistic_sharpe(
    ratio: float, count: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Return the probability that the true ratio of one period exceeds `benchmark`; nan when unknowable.

    Source: Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2).
    """
    variance = _variance(ratio, skew, kurtosis)
    if count < 2 or not variance > 0.0:
        return math.nan
    return NORMAL.cdf((ratio - benchmark) * math.sqrt(count - 1) / math.sqrt(variance))


def psr_of(returns: Series, benchmark: float = 0.0) -> float:
    """Return the probabilistic Sharpe ratio of a series of returns."""
    skew, kurtosis = moments(returns)
    if math.isnan(skew):
        return math.nan
    ratio = float(np.mean(returns)) / float(np.std(returns, ddof=1))
    return probabilistic_sharpe(ratio, len(returns), skew, kurtosis, benchmark)


def min_track_record(
    ratio: float, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0, alpha: float = 0.05
) -> float:
    """Return how many periods it takes to be sure, at level 1 - alpha; inf when not above `benchmark`."""
    if not ratio > benchmark:
        return math.inf
    quantile = NORMAL.inv_cdf(1.0 - alpha)
    return 1.0 + _variance(ratio, skew, kurtosis) * (quantile / (ratio - benchmark)) ** 2


def expected_maximum(trials: int) -> float:
    """Return what the best of so many standard normal draws is expected to be; 0 for one.

    Source: Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, J. of Portfolio Management 40(5).
    """
    if trials < 2:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return (1.0 - EULER_GAMMA) * first + EULER_GAMMA * second


def sharpe_to_beat(trials: int, variance: float, mean: float = 0.0) -> float:
    """Return the ratio that the best of so many worthless trials is expected to show.

    `variance` and `mean` are those of the trials' ratios of one period.
    """
    return max(0.0, mean) + math.sqrt(max(0.0, variance)) * expected_maximum(trials)


def deflated_sharpe(
    ratio: float, count: int, trials: int, variance: float, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return the probability that the best of so many trials is better than the luckiest worthless one."""
    return probabilistic_sharpe(ratio, count, skew, kurtosis, sharpe_to_beat(trials, variance))


def min_backtest_years(trials: int, annual_ratio: float = 1.0) -> float:
    """Return how many years of data so many trials need, lest the best reach `annual_ratio` by luck alone.

    Source: Bailey et al. (2014), Pseudo-Mathematics and Financial Charlatanism, Notices of the AMS 61(5).
    """
    return (expected_maximum(trials) / annual_ratio) ** 2

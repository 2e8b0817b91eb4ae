"""What each figure of a report means, in words; the formulas are in metrics.py and its neighbours."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEFINITIONS", "Definition"]


class Definition(NamedTuple):
    """One figure. `form` says how it is written: usdt, percent, ratio, count, probability, time."""

    name: str
    title: str
    form: str
    text: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "net_usdt", "Net profit", "usdt", "Equity at the end less equity at the start, after all costs."
    ),
    Definition("return", "Return", "percent", "Net profit as a part of the equity at the start."),
    Definition(
        "benchmark_return",
        "Buy and hold",
        "percent",
        "What the start equity, spread evenly over the symbols at the first open and never touched, "
        "would have "
        "returned; without costs and funding.",
    ),
    Definition(
        "cagr",
        "Yearly growth (CAGR)",
        "percent",
        "The constant yearly growth that leads from the start to the end. A short run says little "
        "about a year.",
    ),
    Definition(
        "volatility",
        "Volatility",
        "percent",
        "Sample standard deviation (n - 1) of the returns per period, times the root of the periods "
        "of a year.",
    ),
    Definition(
        "sharpe",
        "Sharpe ratio",
        "ratio",
        "Mean return over sample standard deviation, times the root of the periods of a year. No "
        "risk-free rate.",
    ),
    Definition(
        "sharpe_lo",
        "Sharpe ratio after Lo",
        "ratio",
        "The same, with the periods of a week joined as their autocorrelations demand (Lo 2002): lower when "
        "gains follow gains.",
    ),
    Definition(
        "psr",
        "Probabilistic Sharpe ratio",
        "probability",
        "Probability that the true Sharpe ratio is above 0, given length, skewness and kurtosis of "
        "the returns "
        "(Bailey and Lopez de Prado 2012).",
    ),
    Definition(
        "min_track_periods",
        "Track record needed",
        "count",
        "Periods that it takes to be 95 % sure that the Sharpe ratio is above 0, were it as measured.",
    ),
    Definition(
        "sortino",
        "Sortino ratio",
        "ratio",
        "Mean return over the root of the mean squared loss (all periods counted), annualised.",
    ),
    Definition("calmar", "Calmar ratio", "ratio", "Yearly growth over the deepest drawdown."),
    Definition("omega", "Omega ratio", "ratio", "Sum of gains over sum of losses of the periods."),
    Definition(
        "max_drawdown",
        "Deepest drawdown",
        "percent",
        "Farthest fall of equity below its peak so far, at every sample of the run; the start "
        "counts as a peak.",
    ),
    Definition("drawdown_time", "Longest under water", "time", "Longest time without a new peak of equity."),
    Definition("ulcer", "Ulcer index", "percent", "Root of the mean squared drawdown of the periods."),
    Definition(
        "tail_ratio",
        "Tail ratio",
        "ratio",
        "95 % quantile of the returns over the size of their 5 % quantile.",
    ),
    Definition(
        "value_at_risk",
        "Value at risk, 95 %",
        "percent",
        "Loss of a period that one in twenty exceeds: the 5 % quantile of the returns, with its sign turned.",
    ),
    Definition(
        "profit_factor",
        "Profit factor",
        "ratio",
        "What the winning trades won over what the losing trades lost, after fees and funding.",
    ),
    Definition(
        "expectancy_usdt", "Expectancy", "usdt", "Mean net result of a trade, after fees and funding."
    ),
    Definition("win_rate", "Win rate", "percent", "Part of the closed trades with a net result above 0."),
    Definition(
        "trades_count",
        "Trades",
        "count",
        "Positions of one strategy in one symbol from flat to flat. What is open at the end is not "
        "among them.",
    ),
    Definition("fills_count", "Fills", "count", "Executions, liquidations included."),
    Definition(
        "turnover",
        "Turnover",
        "ratio",
        "Value of all fills over the equity at the start, per year.",
    ),
    Definition("exposure", "Mean exposure", "percent", "Mean value of all positions over equity."),
    Definition("time_in_market", "Time in the market", "percent", "Part of the samples with a position."),
    Definition("fees_usdt", "Fees", "usdt", "Paid to the venue; negative would be rebates."),
    Definition("funding_usdt", "Funding", "usdt", "Paid to the other side; negative was received."),
    Definition(
        "slippage_usdt",
        "Slippage",
        "usdt",
        "What fills cost against the prices they were decided on. Contained in the profit already.",
    ),
)

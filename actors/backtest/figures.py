"""The figures of one finished run, by the definitions of the report."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from actors.backtest import metrics, significance, trade_metrics
from actors.backtest.kernel_market import Ints
from actors.backtest.metrics import Series
from actors.backtest.record import RunRecord
from actors.domain.bars import DAY_NS

__all__ = ["Curve", "benchmark", "curve_of", "figures", "monthly"]

HOUR_NS = 3_600_000_000_000
YEAR_NS = 365 * DAY_NS
# Below two weeks a ratio of days would rest on a handful of numbers.
DAYS_MIN = 14
LO_WEEK = {DAY_NS: 7, HOUR_NS: 168}


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity over time, and its returns per period."""

    at_ns: Ints
    equity_usdt: Ints
    period_ns: int  # a day, or an hour for short runs
    ends_ns: Ints  # ends of the whole periods
    returns: Series

    @property
    def periods(self) -> float:
        """How many periods a year has."""
        return YEAR_NS / self.period_ns


def curve_of(record: RunRecord) -> Curve:
    """Return the equity curve; the returns are those of UTC days, of hours for less than two weeks."""
    at_ns = np.array([point.at_ns for point in record.equity], np.int64)
    equity = np.array([point.equity_usdt for point in record.equity], np.int64)
    span = int(at_ns[-1] - at_ns[0]) if len(at_ns) else 0
    period = DAY_NS if span >= DAYS_MIN * DAY_NS else HOUR_NS
    if not len(at_ns):
        nothing = np.empty(0, np.int64)
        return Curve(at_ns, equity, period, nothing, np.empty(0))
    first = -(-int(at_ns[0]) // period) * period
    ends = np.arange(first, int(at_ns[-1]) + 1, period, dtype=np.int64)
    if not len(ends) or ends[0] > at_ns[0]:
        ends = np.concatenate(([at_ns[0]], ends))
    if ends[-1] < at_ns[-1]:
        ends = np.append(ends, at_ns[-1])
    values = equity[np.searchsorted(at_ns, ends, side="right") - 1].astype(np.float64)
    alive = np.maximum(values, 0.0)  # nobody can lose more than everything
    before = np.where(alive[:-1] > 0.0, alive[:-1], 1.0)
    returns = np.where(alive[:-1] > 0.0, alive[1:] / before - 1.0, 0.0)
    return Curve(at_ns, equity, period, ends[1:], returns)


def benchmark(record: RunRecord, at_ns: Ints) -> Series:
    """Return what the start equity would be worth, spread evenly over the symbols and held; 1e-8 USDT."""
    shares = []
    for bars in record.bars:
        if bars:
            times = np.array([bar.at_ns for bar in bars[1:]] + [bars[-1].at_ns + 1], np.int64)
            closes = np.array([bar.close_ticks for bar in bars], np.float64)
            index = np.searchsorted(times, at_ns, side="right") - 1
            price = np.where(index < 0, bars[0].open_ticks, closes[np.maximum(index, 0)])
            shares.append(price / bars[0].open_ticks)
    if not shares:
        return np.full(len(at_ns), float(record.initial_usdt))
    return np.asarray(record.initial_usdt * np.mean(shares, axis=0), np.float64)


def monthly(curve: Curve, initial_usdt: int) -> dict[tuple[int, int], float]:
    """Return the return of each calendar month in UTC, the first and the last as far as they go."""
    months = (curve.at_ns - 1).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    found = {}
    before = float(initial_usdt)
    lasts = [*np.flatnonzero(np.diff(months)).tolist(), len(months) - 1] if len(months) else []
    for last in lasts:
        equity = float(curve.equity_usdt[last])
        month = int(months[last])
        if before > 0 and last > 0:
            found[1970 + month // 12, month % 12 + 1] = equity / before - 1.0
        before = equity
    return found


def figures(record: RunRecord, curve: Curve) -> dict[str, float]:
    """Return every figure by its name; nan for what this run cannot tell."""
    equity, start = curve.equity_usdt, record.initial_usdt
    end = int(equity[-1]) if len(equity) else start
    span = int(curve.at_ns[-1] - curve.at_ns[0]) if len(equity) else 0
    years = span / YEAR_NS
    held = benchmark(record, curve.at_ns)
    deepest, longest = _under_water(curve, start)
    growth = metrics.cagr(np.array([end / start - 1.0]), 1.0 / years) if start > 0 and years else math.nan
    return {
        "net_usdt": float(end - start),
        "return": end / start - 1.0 if start else math.nan,
        "benchmark_return": float(held[-1]) / start - 1.0 if len(held) and start else math.nan,
        "cagr": growth,
        **_ratios(curve),
        "calmar": growth / -deepest if deepest < 0.0 else math.nan,
        "max_drawdown": deepest,
        "drawdown_time": float(longest),
        **_trading(record, years),
        **_holding(record),
    }


def _ratios(curve: Curve) -> dict[str, float]:
    returns, periods = curve.returns, curve.periods
    mean_ratio = metrics.sharpe(returns, 1.0)
    skew, kurtosis = metrics.moments(returns)
    week = LO_WEEK[curve.period_ns]
    factor = metrics.lo_factor(returns, week) * math.sqrt(periods / week)
    risk = -float(np.quantile(returns, 0.05)) if len(returns) > 1 else math.nan
    needed = significance.min_track_record(mean_ratio, skew, kurtosis)
    return {
        "volatility": metrics.volatility(returns, periods),
        "sharpe": metrics.sharpe(returns, periods),
        "sharpe_lo": mean_ratio * factor,
        "psr": significance.psr_of(returns),
        "min_track_periods": needed,
        "sortino": metrics.sortino(returns, periods),
        "omega": metrics.omega(returns),
        "ulcer": metrics.ulcer(returns),
        "tail_ratio": metrics.tail_ratio(returns),
        "value_at_risk": risk,
    }


def _under_water(curve: Curve, start: int) -> tuple[float, int]:
    """Return the deepest drawdown at any sample, and the longest time without a new peak."""
    if not len(curve.equity_usdt):
        return 0.0, 0
    peaks = np.maximum(np.maximum.accumulate(curve.equity_usdt), start)
    deepest = float(np.min(curve.equity_usdt / peaks)) - 1.0
    at_peak = np.flatnonzero(curve.equity_usdt >= peaks)
    marks = np.concatenate(([curve.at_ns[0]], curve.at_ns[at_peak], [curve.at_ns[-1]]))
    return min(deepest, 0.0), int(np.max(np.diff(marks)))


def _trading(record: RunRecord, years: float) -> dict[str, float]:
    results = [trade.net_usdt for trade in record.trades]
    worth = {item.symbol: item.tick_value for item in record.instruments}
    traded = sum(abs(fill.signed_contracts) * fill.price_ticks * worth[fill.symbol] for fill in record.fills)
    return {
        "profit_factor": trade_metrics.profit_factor(results),
        "expectancy_usdt": trade_metrics.expectancy(results),
        "win_rate": trade_metrics.win_rate(results),
        "trades_count": float(len(results)),
        "fills_count": float(len(record.fills)),
        "turnover": traded / record.initial_usdt / years if record.initial_usdt and years else math.nan,
        "fees_usdt": float(sum(fill.fee_usdt for fill in record.fills)),
        "funding_usdt": float(sum(paid.payment_usdt for paid in record.funding)),
        "slippage_usdt": float(sum(fill.slippage_usdt for fill in record.fills)),
    }


def _holding(record: RunRecord) -> dict[str, float]:
    parts = [point.exposure_usdt / point.equity_usdt for point in record.equity if point.equity_usdt > 0]
    if not parts:
        return {"exposure": math.nan, "time_in_market": math.nan}
    return {
        "exposure": sum(parts) / len(parts),
        "time_in_market": sum(part > 0.0 for part in parts) / len(parts),
    }

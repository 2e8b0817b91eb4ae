"""Rolling windows over a finished run: profit factor of closed trades and Sharpe ratio of daily returns."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec

from actors.backtest.record import RunRecord

__all__ = ["DAYS_A_YEAR", "Window", "rolling"]

DAY_NS = 86_400_000_000_000
DAYS_A_YEAR = 365  # crypto never closes


class Window(msgspec.Struct, frozen=True):
    """One window. A figure that the window cannot give is nan."""

    from_ns: int
    to_ns: int
    trades_count: int
    net_usdt: int  # by equity, open positions included
    profit_factor: float  # sum of wins over sum of losses, net of all costs
    sharpe: float  # of daily returns, annualised


def rolling(record: RunRecord, days: int = 90, step_days: int = 30) -> list[Window]:
    """Return every whole window, oldest first."""
    closes = _daily(record)
    windows = []
    for first in range(0, len(closes) - days, step_days):
        part = closes[first : first + days + 1]
        from_ns, to_ns = part[0][0], part[-1][0]
        nets = [trade.net_usdt for trade in record.trades if from_ns <= trade.exit_at_ns < to_ns]
        net = part[-1][1] - part[0][1]
        windows.append(Window(from_ns, to_ns, len(nets), net, _profit_factor(nets), _sharpe(part)))
    return windows


def _daily(record: RunRecord) -> list[tuple[int, int]]:
    """Return (instant, equity) at every midnight of the run, by the newest sample at or before it."""
    points = record.equity
    found, index = [], 0
    midnight = -(-points[0].at_ns // DAY_NS) * DAY_NS
    while midnight <= points[-1].at_ns:
        while index + 1 < len(points) and points[index + 1].at_ns <= midnight:
            index += 1
        found.append((midnight, points[index].equity_usdt))
        midnight += DAY_NS
    return found


def _profit_factor(nets: list[int]) -> float:
    won, lost = sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)
    return won / lost if lost else math.nan


def _sharpe(closes: list[tuple[int, int]]) -> float:
    returns = [after / before - 1 for (_, before), (_, after) in pairwise(closes)]
    mean = sum(returns) / len(returns)
    spread = math.sqrt(sum((one - mean) ** 2 for one in returns) / (len(returns) - 1))
    return mean / spread * math.sqrt(DAYS_A_YEAR) if spread else math.nan

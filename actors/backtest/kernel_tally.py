"""What a run of the kernel counts as it goes: trades from flat to flat, days, the path of equity."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Days", "Path", "Trades", "day_ended", "moved", "trade_ended"]


class Trades(NamedTuple):
    """Results are what cash changed by from flat to flat: profit less fees and funding, in 1e-8 USDT."""

    count: int
    wins_count: int
    won_usdt: int
    lost_usdt: int  # positive
    flat_usdt: int  # cash when the position was flat last


class Days(NamedTuple):
    """Returns of UTC days as sums of their powers, from which the ratios follow."""

    count: int
    equity_usdt: int  # at the end of the last one
    sum_1: float
    sum_2: float
    sum_3: float
    sum_4: float
    sum_down: float  # of squared losses


class Path(NamedTuple):
    """Equity at the closes of bars."""

    peak_usdt: int
    drawdown: float  # the deepest; 0 or a negative fraction
    bars_held: int


def trade_ended(trades: Trades, cash_usdt: int) -> Trades:
    """Take the cash at the moment at which the position became flat."""
    result = cash_usdt - trades.flat_usdt
    won, lost = max(result, 0), max(-result, 0)
    wins = trades.wins_count + (1 if result > 0 else 0)
    return Trades(trades.count + 1, wins, trades.won_usdt + won, trades.lost_usdt + lost, cash_usdt)


def day_ended(days: Days, equity_usdt: int) -> Days:
    """Take the equity at the end of a day; after a day that ended with nothing left, nothing changes."""
    before = days.equity_usdt
    change = equity_usdt / before - 1.0 if before > 0 else 0.0
    square = change * change
    return Days(
        days.count + 1,
        equity_usdt,
        days.sum_1 + change,
        days.sum_2 + square,
        days.sum_3 + square * change,
        days.sum_4 + square * square,
        days.sum_down + (square if change < 0.0 else 0.0),
    )


def moved(path: Path, equity_usdt: int, is_held: bool) -> Path:
    """Take the equity at the end of a bar in which there was a position or an order."""
    held = path.bars_held + (1 if is_held else 0)
    if equity_usdt >= path.peak_usdt:
        return Path(equity_usdt, path.drawdown, held)
    return Path(path.peak_usdt, min(path.drawdown, equity_usdt / path.peak_usdt - 1.0), held)

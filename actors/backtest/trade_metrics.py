"""Performance from closed trades: net results in 1e-8 USDT, in the order in which the trades ended."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["expectancy", "profit_factor", "streaks", "win_rate"]


def profit_factor(results: Sequence[int]) -> float:
    """Return the sum of what the winners won over what the losers lost; nan without losers."""
    lost = -sum(result for result in results if result < 0)
    return sum(result for result in results if result > 0) / lost if lost else math.nan


def win_rate(results: Sequence[int]) -> float:
    """Return the part of trades that won; one that came out even did not. nan without trades."""
    return sum(result > 0 for result in results) / len(results) if results else math.nan


def expectancy(results: Sequence[int]) -> float:
    """Return the mean net result of a trade, in 1e-8 USDT; nan without trades."""
    return sum(results) / len(results) if results else math.nan


def streaks(results: Sequence[int]) -> list[int]:
    """Return the lengths of runs of winners (positive) and of losers (negative), in order.

    A trade that came out even ends a run and belongs to none.
    """
    found: list[int] = []
    before = 0
    for result in results:
        sign = (result > 0) - (result < 0)
        if sign and sign == before:
            found[-1] += sign
        elif sign:
            found.append(sign)
        before = sign
    return found

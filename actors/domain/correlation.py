"""How large positions are together when what moves together counts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

__all__ = ["correlated_exposure"]


def correlated_exposure(
    weights: Mapping[str, int],
    symbols: Sequence[str],
    correlations: Sequence[Sequence[float]],
    shrinkage: float,
) -> int:
    """Return E of E^2 = (1 - s) w'Cw + s (sum of |w|)^2, plus |w| of every symbol that C does not know.

    weights: signed value of each symbol's position in 1e-8 USDT. With s = 1, and where nothing is known, this
    is gross exposure: shrinkage goes towards "everything moves against us together", so a hedge gets the less
    credit the less is known about it. Unit of the result: 1e-8 USDT, rounded up.
    """
    known = [(row, weights[symbol] / 1e8) for row, symbol in enumerate(symbols) if weights.get(symbol)]
    inside = sum(
        first * second * correlations[row][column] for row, first in known for column, second in known
    )
    gross = sum(abs(weight) for _, weight in known)
    together = sqrt(max(0.0, (1.0 - shrinkage) * inside + shrinkage * gross * gross))
    names = set(symbols)
    unknown = sum(abs(weight) for symbol, weight in weights.items() if symbol not in names)
    return -int(-together * 1e8 // 1) + unknown

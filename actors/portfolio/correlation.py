"""How symbols have moved with each other. Pure; floats, because these are statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["correlations_of"]

Matrix = tuple[tuple[float, ...], ...]


def correlations_of(prices: Mapping[str, Sequence[int]], samples_min: int) -> tuple[tuple[str, ...], Matrix]:
    """Return the sample correlations of log returns, and the symbols of their rows.

    prices: of every symbol, at the same instants, oldest first; 0 where none was known. A return counts when
    both its prices are known, and a row when every symbol has one in it; symbols with fewer than
    `samples_min` returns, and those whose price never moved, are left out. C_ij = cov(r_i, r_j) / (s_i s_j).
    """
    import numpy

    columns: dict[str, Any] = {}
    for symbol, ticks in sorted(prices.items()):
        values = numpy.array(ticks, dtype=float)
        known = (values[1:] > 0) & (values[:-1] > 0)
        returns = numpy.full(len(known), numpy.nan)
        returns[known] = numpy.log(values[1:][known] / values[:-1][known])
        if known.sum() >= samples_min and numpy.nanstd(returns) > 0:
            columns[symbol] = returns
    if not columns:
        return (), ()
    table = numpy.vstack(list(columns.values()))
    table = table[:, ~numpy.isnan(table).any(axis=0)]
    if table.shape[1] < samples_min:
        return (), ()
    centred = table - table.mean(axis=1, keepdims=True)
    lengths = numpy.sqrt((centred**2).sum(axis=1))
    moved = lengths > 0
    centred, lengths = centred[moved], lengths[moved]
    symbols = tuple(symbol for symbol, kept in zip(columns, moved, strict=True) if kept)
    found = numpy.clip((centred @ centred.T) / numpy.outer(lengths, lengths), -1.0, 1.0)
    return symbols, tuple(tuple(float(one) for one in row) for row in found)

"""What a backtest was asked for: files by symbol, a period, other values for settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["MarketFiles", "Wish"]


@dataclass(frozen=True, slots=True)
class MarketFiles:
    """The history of one symbol, as paths; empty for none."""

    market: str
    funding: str = ""
    mark: str = ""
    trades: str = ""  # beside quotes, books or changes of books
    book: str = ""  # JSON: the book before the first change


@dataclass(frozen=True, slots=True)
class Wish:
    """One run. Instants are UTC nanoseconds; 0 takes what the data has."""

    files: Mapping[str, MarketFiles] = field(default_factory=dict)
    from_ns: int = 0
    to_ns: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)  # {"trend.fast": "12"}
    feed: Mapping[str, str] = field(default_factory=dict)  # settings for every replayed feed
    sample_ns: int = 0  # between two points of the equity curve; 0 chooses
    # What the data may lack all the same: `funding`, `range`, `gaps`. It is listed in the record.
    allowed: frozenset[str] = frozenset()
    seed: int = -1  # -1 keeps the deployment's

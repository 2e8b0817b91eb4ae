"""The words of orders: side, type, time in force."""

from __future__ import annotations

import enum

__all__ = ["OrderType", "Side", "TimeInForce"]


class Side(enum.IntEnum):
    """Direction; the value is the sign that a fill adds to the net position."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """The other direction."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.Enum):
    """How an order meets the book."""

    MARKET = "market"
    LIMIT = "limit"
    POST_ONLY = "post_only"  # a limit order that is canceled instead of taking liquidity


class TimeInForce(enum.Enum):
    """How long an order may rest."""

    GTC = "gtc"  # until canceled
    IOC = "ioc"  # fill what is possible at once, cancel the rest
    FOK = "fok"  # fill completely at once or cancel

"""Why the exchange says no, and why an order ends: short stable words that programs compare.

Another front of the same engine (an HTTP server that speaks the venue's dialect) translates these words.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CancelReason", "Refusal"]


class Refusal:
    """Codes of OrderRejected and CancelRejected."""

    UNKNOWN_ACCOUNT: Final = "UNKNOWN_ACCOUNT"
    UNKNOWN_SYMBOL: Final = "UNKNOWN_SYMBOL"
    BAD_PARAMETER: Final = "BAD_PARAMETER"
    BAD_SIZE: Final = "BAD_SIZE"
    NO_MARKET: Final = "NO_MARKET"  # no price or no book known yet
    PRICE_BAND: Final = "PRICE_BAND"
    RISK_LIMIT: Final = "RISK_LIMIT"  # the position would outgrow the tier of the leverage
    INSUFFICIENT_MARGIN: Final = "INSUFFICIENT_MARGIN"
    REDUCE_ONLY: Final = "REDUCE_ONLY"  # nothing to reduce
    TOO_MANY_ORDERS: Final = "TOO_MANY_ORDERS"
    UNKNOWN_ORDER: Final = "UNKNOWN_ORDER"
    ORDER_CLOSED: Final = "ORDER_CLOSED"
    BAD_LEVERAGE: Final = "BAD_LEVERAGE"
    NO_POSITION: Final = "NO_POSITION"


class CancelReason:
    """Reasons of OrderCanceled."""

    REQUESTED: Final = "REQUESTED"
    POST_ONLY_WOULD_TAKE: Final = "POST_ONLY_WOULD_TAKE"
    IOC_REMAINDER: Final = "IOC_REMAINDER"
    FOK_UNFILLED: Final = "FOK_UNFILLED"
    NO_LIQUIDITY: Final = "NO_LIQUIDITY"  # a market order found nothing more within the price band
    SELF_TRADE: Final = "SELF_TRADE"
    REDUCE_ONLY: Final = "REDUCE_ONLY"  # nothing left to reduce
    LIQUIDATION: Final = "LIQUIDATION"
    DELEVERAGED: Final = "DELEVERAGED"  # of an order that the exchange made to close a position for the fund

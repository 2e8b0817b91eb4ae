"""What the far side refuses with: its codes and its texts, as public material has them.

Codes marked as guesses in docs/exchange.md are not evidenced for futures.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ApiError", "GatewayError", "Problem", "bad_parameter"]


class ApiError(Exception):
    """A refusal by the business logic: HTTP 200 with a code for futures, HTTP 400 for spot."""

    def __init__(self, problem: tuple[int, str], *, data: object = "") -> None:
        self.code, self.text = problem
        self.data = data
        super().__init__(f"{self.code} {self.text}")


class GatewayError(Exception):
    """A refusal before any business logic: its HTTP status says so too."""

    def __init__(self, status: int, code: int, text: str) -> None:
        self.status = status
        self.code = code
        self.text = text
        super().__init__(f"{status} {code} {text}")


def bad_parameter(field: str) -> ApiError:
    """Return the refusal of one field."""
    return ApiError((400, f"Param error {field}"))


class Problem:
    """Codes with their texts."""

    DUPLICATE: Final = (250, "Client order id already exists")
    ACCESS_DENY: Final = (403, "Access deny")
    TOO_MANY: Final = (429, "Too many requests")
    SYSTEM: Final = (500, "System exception")
    MAINTENANCE: Final = (1002, "System maintenance")
    FROZEN: Final = (1003, "The user is frozen")
    NOT_TRADING: Final = (10000, "The symbol is not in trading status")
    NO_SYMBOL: Final = (10001, "The symbol does not exist")
    NO_BID: Final = (10003, "No bid price")
    NO_ASK: Final = (10004, "No ask price")
    PAUSED: Final = (10005, "The symbol is paused")
    CANCEL_ONLY: Final = (10006, "The symbol only allows cancels")
    PRICE_LIMIT: Final = (10014, "Order price exceeds the limit")
    CLOSE_ONLY: Final = (10015, "The symbol only allows closing positions")
    BATCH_PLACE_SIZE: Final = (10016, "The size of batch orders is over the limit")
    BATCH_CANCEL_SIZE: Final = (10017, "The size of batch cancels is over the limit")
    NO_POSITION_TO_CLOSE: Final = (10018, "No position to close")
    OPEN_LIMIT: Final = (10019, "The account has reached its open limit")
    NOT_CANCELABLE: Final = (11004, "The order is not cancelable")
    ORDER_NOT_EXISTS: Final = (11008, "The order does not exist")
    POSITION_MODE: Final = (11011, "Position mode and posSide do not match")
    NO_POSITION: Final = (21001, "The position does not exist")
    POSITION_SHORT: Final = (21002, "Position not enough")
    SIZE_LIMIT: Final = (21010, "The size per order cannot exceed 10000 Conts.")
    MARGIN_SHORT: Final = (21721, "available insufficient")  # a guess
    SYMBOL: Final = (24101, "Invalid symbol!")
    INTERVAL: Final = (24102, "Invalid k-line type!")
    END_TIME: Final = (24103, "Invalid end time!")
    LIMIT: Final = (24104, "Invalid limit!")
    START_TIME: Final = (24105, "Invalid start time!")
    HEDGE_REDUCE: Final = (400, "Param error  reduceOnly cannot be set to true in hedge")
    BATCH_MODE: Final = (400, "Param error mgnMode and posSide must be present and not empty")
    MODE_IN_USE: Final = (400, "Param error posMode cannot be changed while a position or an order is open")
    SPOT_NO_ORDER: Final = (21301, "Order not exists")
    SPOT_FILLED: Final = (21304, "Order was filled")
    SPOT_CANCELED: Final = (21305, "Order was canceled")
    SPOT_PRICE: Final = (21309, "Order price is out of bounds")
    SPOT_DUPLICATE: Final = (21312, "Client order id duplicate")
    SPOT_TOO_MANY: Final = (21314, "Too many open orders")
    SPOT_QUANTITY: Final = (21317, "Invalid quantity")
    SPOT_SIDE: Final = (21319, "Invalid side")
    SPOT_TYPE: Final = (21320, "Invalid type")
    SPOT_TIME_IN_FORCE: Final = (21321, "Invalid time in force")
    SPOT_BELOW_MINIMUM: Final = (21330, "Quantity is below the minimum")
    SPOT_PRICE_SCALE: Final = (21335, "Invalid price scale")
    SPOT_QUANTITY_SCALE: Final = (21336, "Invalid quantity scale")
    SPOT_AMOUNT_SCALE: Final = (21337, "Invalid amount scale")
    SPOT_WOULD_CROSS: Final = (21348, "LIMIT_MAKER order would be matched at once")
    SPOT_AMOUNT: Final = (21350, "The amount must be at least 1 USDT")
    SPOT_RANGE: Final = (21355, "The time range must be within 7 days")
    SPOT_ENDED: Final = (21359, "The order is already canceled or filled")
    SPOT_INSUFFICIENT: Final = (21721, "available insufficient")
    NO_ACCOUNT: Final = (21600, "Account not found")
    NO_SMART_ORDER: Final = (25000, "Smart order not exists")
    NO_KILL_SWITCH: Final = (25020, "No active kill switch")
    TRANSFER: Final = (250003, "Transfer not allowed")

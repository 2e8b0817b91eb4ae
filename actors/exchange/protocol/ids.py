"""Ids as the wire has them: the engine's small numbers made into decimal strings of 18 digits, and back."""

from __future__ import annotations

__all__ = ["ORDER_BASE", "SPOT_BASE", "TRADE_BASE", "number_of", "order_id", "trade_number"]

ORDER_BASE = 331_000_000_000_000_000
SPOT_BASE = 205_000_000_000_000_000
TRADE_BASE = 100_000_000


def order_id(number: int) -> str:
    """Return the wire's id of an order, a bill or a page."""
    return str(ORDER_BASE + number)


def number_of(wire_id: str | int, base: int = ORDER_BASE) -> int:
    """Return the engine's number of an id; 0 for what cannot be one."""
    text = str(wire_id)
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        return 0
    return max(0, int(text) - base)


def trade_number(number: int) -> int:
    """Return the wire's id of a public trade."""
    return TRADE_BASE + number

"""Numbers as the wire has them: decimal text out of integers, integers out of whatever a client wrote."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from actors.domain.money import EXACT, scaled
from actors.exchange.protocol.errors import bad_parameter

__all__ = ["decimal_of", "ratio_text", "units_of", "whole_of"]

# What a number in a request may look like: beyond that decimal arithmetic would round or refuse.
TEXT_MAX = 40
DIGITS_MAX = 26
EXPONENT_MAX = 17


def ratio_text(numerator: int, denominator: int, digits: int = 18) -> str:
    """Return numerator / denominator cut to some decimals, without trailing zeros; "0" for a zero divisor."""
    if not denominator:
        return "0"
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    sign, numerator = ("-", -numerator) if numerator < 0 else ("", numerator)
    whole, rest = divmod(numerator, denominator)
    part = str(rest * 10**digits // denominator).rjust(digits, "0").rstrip("0") if rest else ""
    if not whole and not part:
        return "0"
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def decimal_of(value: Any, field: str) -> Decimal:
    """Return a number given as text or number. Errors: ApiError that names the field."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_parameter(field)
    text = str(value)
    if not text or len(text) > TEXT_MAX:
        raise bad_parameter(field)
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise bad_parameter(field) from None
    if not found.is_finite():
        raise bad_parameter(field)
    if abs(found.adjusted()) > EXPONENT_MAX or len(found.as_tuple().digits) > DIGITS_MAX:
        raise bad_parameter(field)
    return found


def units_of(value: Any, unit_e8: int, field: str) -> int:
    """Return how often a unit (in 1e-8) is in a number. Errors: ApiError when it is not a whole number."""
    units, rest = EXACT.divmod(scaled(decimal_of(value, field)), Decimal(unit_e8))
    if rest:
        raise bad_parameter(field)
    return int(units)


def whole_of(value: Any, field: str) -> int:
    """Return a whole number given as text or number. Errors: ApiError."""
    found = decimal_of(value, field)
    if found != found.to_integral_value():
        raise bad_parameter(field)
    return int(found)

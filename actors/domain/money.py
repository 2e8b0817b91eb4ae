"""Integer money and fixed-point numbers: 1e-8 units in, 1e-8 units out, one rounding rule.

Amounts of USDT, fee and funding rates and other fractions are `int` of 1e-8. Text becomes a number, and a
number text, only through this module; binary floating point never takes part.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

__all__ = [
    "E8",
    "EXACT",
    "divide_half_even",
    "format_e8",
    "multiply_e8",
    "parse_e8",
    "scaled",
    "whole_half_even",
]

E8 = 100_000_000  # one unit (1 USDT, a fraction of 1) in 1e-8
# The context of the thread is not ours alone: libraries change its rounding, and with it our prices. So none
# of our arithmetic uses it. 80 digits are more than any venue ever wrote, twice over.
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to the nearest integer, ties to the even one.

    Errors: ZeroDivisionError when the denominator is zero.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    twice = remainder + remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def multiply_e8(amount: int, rate_e8: int) -> int:
    """Return amount times a rate given in 1e-8, rounded half-even; the unit is the amount's."""
    return divide_half_even(amount * rate_e8, E8)


def parse_e8(text: str | int | Decimal) -> int:
    """Return a decimal number as an int of 1e-8.

    Errors: ValueError when the text is not a finite decimal number, has more than 8 decimals, or is a float.
    """
    if isinstance(text, float | bool):
        raise ValueError(f"{text!r} is not exact; write the number as text, such as '0.1'")
    try:
        number = scaled(Decimal(text))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    whole = int(number)
    if whole != number:
        raise ValueError(f"{text!r} has more than 8 decimals")
    return whole


def scaled(number: Decimal) -> Decimal:
    """Return a number in units of 1e-8, whatever the thread's decimal context says."""
    return EXACT.scaleb(number, 8)


def whole_half_even(number: Decimal) -> int:
    """Return the nearest integer, ties to the even one, whatever the thread's decimal context says."""
    return int(number.to_integral_value(rounding=ROUND_HALF_EVEN, context=EXACT))


def format_e8(value: int) -> str:
    """Return the shortest decimal text of an int of 1e-8: `-0.5`, `12`, `0.00000001`."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(value, E8)
    return f"{sign}{whole}.{part:08d}".rstrip("0").rstrip(".") if part else f"{sign}{whole}"

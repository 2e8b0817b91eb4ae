"""Decimal text of the wire to integers: ticks, contracts and 1e-8 units. No binary floating point anywhere.

The venue writes up to 18 decimals where only a few can mean something; whatever lies between two of our units
is rounded half-even, once. Source: docs/poloniex.md, Numbers.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from actors.domain.money import E8, EXACT, divide_half_even, scaled, whole_half_even
from actors.poloniex.decoding import Malformed

__all__ = ["PriceReader", "cost_ticks", "parse_decimal", "parse_e8", "parse_whole"]

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", re.ASCII)
MAGNITUDE_MAX = 24  # digits before the point; more is no amount of anything, and would cost memory
E8_MAX = 1 << 62  # 46 billion USDT; a message holds no larger number
TICKS_MAX = 10**11  # times the contracts of a fill this still fits into a message
DIGITS_FAST = 18  # of a whole part; longer ones take the exact way
PRICES_KEPT = 8_192  # prices repeat: a hit costs a tenth of a conversion


def parse_e8(text: str) -> int:
    """Return decimal text as an int of 1e-8, rounded half-even. Errors: Malformed."""
    whole, _, part = text.partition(".")
    if len(part) <= 8 and _plain(whole) and (not part or _plain(part)):
        value = int(whole) * E8 + int(part.ljust(8, "0"))
    else:
        value = whole_half_even(scaled(parse_decimal(text)))
    if not -E8_MAX < value < E8_MAX:
        raise Malformed("number", f"{text[:40]!r} is no amount of money")
    return value


def parse_whole(text: str) -> int:
    """Return text that must be a whole number, such as a count of contracts. Errors: Malformed."""
    if _plain(text):
        return int(text)
    number = parse_decimal(text)
    whole = whole_half_even(number)
    if whole != number or not -E8_MAX < whole < E8_MAX:
        raise Malformed("number", f"{text[:40]!r} is no count")
    return whole


def parse_decimal(text: str) -> Decimal:
    """Return decimal text exactly. Errors: Malformed when it is no finite number of a sane size."""
    if len(text) > 60 or not NUMBER.fullmatch(text):
        raise Malformed("number", f"{text[:40]!r} is not a decimal number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Malformed("number", f"{text[:40]!r} is not a decimal number") from None
    if not number.is_finite() or (number and abs(number.adjusted()) > MAGNITUDE_MAX):
        raise Malformed("number", f"{text[:40]!r} is not a number anybody could mean")
    return number


def cost_ticks(average: str, net_contracts: int, tick_e8: int) -> int:
    """Return contracts x price in ticks of a position with an average entry price; signed like its size.

    Rounded half-even; the venue's average has 18 decimals, so this is exact to far below one tick.
    """
    exact = EXACT.multiply(scaled(parse_decimal(average)), Decimal(net_contracts))
    cost = whole_half_even(EXACT.divide(exact, Decimal(tick_e8)))
    if not -E8_MAX < cost < E8_MAX:
        raise Malformed("position", f"{net_contracts} contracts at {average[:40]!r}")
    return cost


class PriceReader:
    """Prices of one instrument as text, to ticks."""

    __slots__ = ("_nearest", "_on_grid", "tick_e8")

    def __init__(self, tick_e8: int) -> None:
        self.tick_e8 = tick_e8
        self._on_grid: dict[str, int] = {}
        self._nearest: dict[str, int] = {}

    def on_grid(self, text: str) -> int:
        """Return a price in ticks. Errors: Malformed when it is negative or lies between two ticks.

        For books and orders: there a price off the grid means that our tick is not the venue's any more.
        """
        known = self._on_grid.get(text)
        if known is not None:
            return known
        price_e8 = parse_e8(text)
        ticks, rest = divmod(price_e8, self.tick_e8)
        if rest or not 0 <= ticks <= TICKS_MAX:
            raise Malformed("price", f"{text[:40]!r} is not on the grid of {self.tick_e8} e-8")
        return _keep(self._on_grid, text, ticks)

    def nearest(self, text: str) -> int:
        """Return a price in ticks, rounded half-even: marks, indexes and liquidations lie off the grid.

        Errors: Malformed when it is no number, or negative.
        """
        known = self._nearest.get(text)
        if known is not None:
            return known
        if _is_simple(text):
            ticks = divide_half_even(parse_e8(text), self.tick_e8)
        else:
            exact = scaled(parse_decimal(text))
            ticks = whole_half_even(EXACT.divide(exact, Decimal(self.tick_e8)))
        if not 0 <= ticks <= TICKS_MAX:
            raise Malformed("price", f"{text[:40]!r} is no price")
        return _keep(self._nearest, text, ticks)


def _keep(known: dict[str, int], text: str, ticks: int) -> int:
    if len(known) >= PRICES_KEPT:
        known.clear()
    known[text] = ticks
    return ticks


def _is_simple(text: str) -> bool:
    """Tell whether text is a plain decimal number with at most 8 decimals."""
    whole, _, part = text.partition(".")
    return len(part) <= 8 and _plain(whole) and (not part or _plain(part))


def _plain(text: str) -> bool:
    """Tell whether text is nothing but a few ASCII digits."""
    return text.isdecimal() and text.isascii() and len(text) <= DIGITS_FAST

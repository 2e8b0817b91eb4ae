"""Rows of market data: checked, and turned from a file's units into ticks, contracts and nanoseconds.

Every row passes the same checks when the file is looked through before the first message, and again when it
is played.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from actors.domain.instrument import Instrument
from actors.domain.money import E8, EXACT, scaled, whole_half_even
from actors.domain.orders import Side
from actors.feed.files import DataError

__all__ = ["Candle", "CandleReader", "FundingReader", "FundingRow", "TradeReader", "TradeRow", "Units"]

TIME_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
YEAR_2000_NS = 946_684_800_000_000_000
YEAR_2100_NS = 4_102_444_800_000_000_000
RATE_MAX = Decimal("0.1")  # nobody ever paid 10 % in one interval: such a number is a percentage

SIDES = {"buy": Side.BUY, "b": Side.BUY, "sell": Side.SELL, "s": Side.SELL}

# Prices and sizes repeat; a hit is ten times faster than a conversion.
CONVERSIONS_KEPT = 8_192

# Between these a product of floats is wrong by less than a thousandth: unless it lies near a half it rounds
# as decimals do, several times faster.
QUICK_MIN, QUICK_MAX = 1.0, 1e12
QUICK_DISTANCE_MAX = 0.49


class Candle(NamedTuple):
    """One bar of a file, from `at_ns` (its open)."""

    at_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    contracts: int


class TradeRow(NamedTuple):
    """One trade of a file."""

    at_ns: int
    price_ticks: int
    contracts: int
    side: Side


class FundingRow(NamedTuple):
    """One settlement of a file."""

    at_ns: int
    rate_e8: int


class Units:
    """Turns the raw values of one file into our units; every fault is a DataError with its place.

    quantity: `base` units of the coin, `quote` (USDT) or `contracts`.
    """

    def __init__(self, file: str, instrument: Instrument, time_unit: str, quantity: str) -> None:
        self.file = file
        self._instrument = instrument
        self._time_ns = TIME_UNITS[time_unit]
        self._quantity = quantity
        self._ticks_each = E8 / instrument.tick_e8
        # What a quantity in USDT comes to depends on its price.
        self._contracts_each = {"base": E8 / instrument.contract_e8, "contracts": 1.0, "quote": 0.0}[quantity]
        self._ticks = lru_cache(CONVERSIONS_KEPT)(self._price_ticks)
        self._sizes = lru_cache(CONVERSIONS_KEPT)(self._known_contracts)

    def fail(self, problem: str, remedy: str, row: int, column: str, value: object) -> DataError:
        """Return the error about one value."""
        return DataError(self.file, problem, remedy, row=row, column=column, value=value)

    def at_ns(self, value: Any, row: int, column: str) -> int:
        """Return an instant between 2000 and 2100."""
        try:
            count = int(value)
        except (TypeError, ValueError, OverflowError):
            count = None
        if count is None or (isinstance(value, float) and count != value):
            raise self.fail("is not a whole number", "give epoch times in UTC", row, column, value)
        at_ns = count * self._time_ns
        if not YEAR_2000_NS <= at_ns < YEAR_2100_NS:
            remedy = "set `time_unit` to what the file counts in: s, ms, us or ns"
            raise self.fail("is no instant between 2000 and 2100", remedy, row, column, value)
        return at_ns

    def number(self, value: Any, row: int, column: str) -> Decimal:
        """Return a finite number, exactly as the file shows it."""
        try:
            # repr: the shortest text that means this float; Decimal(float) would be its binary expansion.
            found = Decimal(repr(value) if isinstance(value, float) else value)
        except (InvalidOperation, TypeError, ValueError):
            remedy = "every row needs a number here; drop or repair the row"
            raise self.fail("is not a number", remedy, row, column, value) from None
        if not found.is_finite():
            raise self.fail("is not finite", "drop or repair the row", row, column, value)
        return found

    def ticks(self, value: Any, row: int, column: str) -> int:
        """Return a price in ticks, rounded half-even; at least 1."""
        ticks = self._ticks(value)
        if ticks is not None:
            return ticks
        if self.number(value, row, column) > 0:
            problem, remedy = "is less than half a tick", "check that the file belongs to the symbol"
        else:
            problem, remedy = "is not above zero", "drop or repair the row"
        raise self.fail(problem, remedy, row, column, value)

    def contracts(self, value: Any, price_ticks: int, row: int, column: str) -> int:
        """Return a quantity in contracts, rounded half-even, at least 1; 0 only for 0."""
        if self._quantity == "quote":
            return self._contracts(value, price_ticks, row, column)
        contracts = self._sizes(value)
        return self._contracts(value, 0, row, column) if contracts is None else contracts

    def _known_contracts(self, value: Any) -> int | None:
        """Return the contracts of a quantity that no price is needed for, None for whatever is none."""
        if nearest := _quick(value, self._contracts_each):
            return nearest
        try:
            return self._contracts(value, 0, 0, "")
        except DataError:
            return None

    def _contracts(self, value: Any, price_ticks: int, row: int, column: str) -> int:
        quantity = self.number(value, row, column)
        if quantity < 0:
            raise self.fail("is negative", "drop or repair the row", row, column, value)
        if not quantity:
            return 0
        if self._quantity == "base":
            quantity = EXACT.divide(scaled(quantity), Decimal(self._instrument.contract_e8))
        elif self._quantity == "quote":
            worth = price_ticks * self._instrument.tick_value
            quantity = EXACT.divide(scaled(quantity), Decimal(worth))
        return max(1, whole_half_even(quantity))

    def _price_ticks(self, value: Any) -> int | None:
        """Return the ticks, None for whatever is no price; the caller says why."""
        if nearest := _quick(value, self._ticks_each):
            return nearest
        try:
            ticks = self._instrument.nearest_ticks(repr(value) if isinstance(value, float) else value)
        except (ArithmeticError, TypeError, ValueError):
            return None
        return ticks if ticks > 0 else None


def _quick(value: Any, each: float) -> int:
    """Return value x each rounded to a whole number, 0 where only decimals can tell."""
    try:
        product = float(value) * each
    except (ArithmeticError, TypeError, ValueError):
        return 0
    if QUICK_MIN < product < QUICK_MAX:
        nearest = round(product)
        if abs(product - nearest) < QUICK_DISTANCE_MAX:
            return nearest
    return 0


class CandleReader:
    """Reads rows of (time, open, high, low, close, volume); without a volume column nobody traded."""

    def __init__(self, units: Units, columns: Sequence[str], interval_ns: int) -> None:
        self._units = units
        self._columns = columns
        self._interval_ns = interval_ns
        self._last_ns = 0

    def read(self, row: int, values: Sequence[Any]) -> Candle:
        """Return the candle; DataError when it is wrong in itself, off the grid or out of order."""
        units, columns = self._units, self._columns
        at_ns = units.at_ns(values[0], row, columns[0])
        if at_ns <= self._last_ns or at_ns % self._interval_ns:
            raise self._misplaced(at_ns, row, values[0])
        self._last_ns = at_ns
        opened = units.ticks(values[1], row, columns[1])
        high = units.ticks(values[2], row, columns[2])
        low = units.ticks(values[3], row, columns[3])
        close = units.ticks(values[4], row, columns[4])
        remedy = "check that the columns are mapped right; drop or repair the row"
        if high < opened or high < low or high < close:
            raise units.fail("is not the highest price of its row", remedy, row, columns[2], values[2])
        if low > opened or low > close:
            raise units.fail("is not the lowest price of its row", remedy, row, columns[3], values[3])
        contracts = units.contracts(values[5], close, row, columns[5]) if len(columns) > 5 else 0
        return Candle(at_ns, opened, high, low, close, contracts)

    def _misplaced(self, at_ns: int, row: int, value: Any) -> DataError:
        if at_ns == self._last_ns:
            problem, remedy = "repeats the time of the row before", "keep one row per bar"
        elif at_ns < self._last_ns:
            problem, remedy = "is earlier than the row before", "sort the file by time"
        else:
            seconds = self._interval_ns / 1e9
            problem = f"is not a multiple of the bar's {seconds:g} s"
            remedy = "set `interval`, or repair the row: candles are stamped at their open, aligned to UTC"
        return self._units.fail(problem, remedy, row, self._columns[0], value)


class TradeReader:
    """Reads rows of (time, price, quantity[, side[, trade id]]); columns that do not exist are None.

    Without a side, the price decides: a higher one was bought, a lower one sold.
    """

    def __init__(self, units: Units, columns: Sequence[str], side: int | None, trade_id: int | None) -> None:
        """Take the indexes of the optional columns within a row."""
        self._units = units
        self._columns = columns
        self._side = side
        self._trade_id = trade_id
        self._last_ns = 0
        self._last_ticks = 0
        self._last_side = Side.BUY
        self._ids: set[Any] = set()  # of the rows with the newest time

    def read(self, row: int, values: Sequence[Any]) -> TradeRow:
        """Return the trade; DataError when it is wrong in itself, out of order or there twice."""
        units, columns = self._units, self._columns
        at_ns = units.at_ns(values[0], row, columns[0])
        if at_ns < self._last_ns:
            raise units.fail(
                "is earlier than the row before", "sort the file by time", row, columns[0], values[0]
            )
        price = units.ticks(values[1], row, columns[1])
        contracts = units.contracts(values[2], price, row, columns[2])
        if not contracts:
            raise units.fail("is not above zero", "drop or repair the row", row, columns[2], values[2])
        if self._trade_id is not None:
            self._refuse_twice(at_ns, values[self._trade_id], row)
        self._last_ns = at_ns
        side = self._side_of(price, values, row)
        self._last_ticks, self._last_side = price, side
        return TradeRow(at_ns, price, contracts, side)

    def _refuse_twice(self, at_ns: int, trade_id: Any, row: int) -> None:
        if at_ns > self._last_ns:
            self._ids.clear()
        if trade_id in self._ids:
            column = self._columns[self._trade_id or 0]
            raise self._units.fail("is there twice", "keep one row per trade", row, column, trade_id)
        self._ids.add(trade_id)

    def _side_of(self, price: int, values: Sequence[Any], row: int) -> Side:
        if self._side is None:
            moved = price - self._last_ticks
            return self._last_side if not moved else Side.BUY if moved > 0 else Side.SELL
        value = values[self._side]
        side = SIDES.get(value) or SIDES.get(str(value).lower())
        if side is None:
            remedy = 'write the taker\'s side as buy or sell, or set `side_column: ""`'
            raise self._units.fail("is no side", remedy, row, self._columns[self._side], value)
        return side


class FundingReader:
    """Reads rows of (time, rate); times are cut to whole seconds, since venues stamp them a moment late."""

    def __init__(self, units: Units, columns: Sequence[str]) -> None:
        self._units = units
        self._columns = columns
        self._last_ns = 0

    def read(self, row: int, values: Sequence[Any]) -> FundingRow:
        """Return the settlement; DataError when it is wrong in itself or out of order."""
        units, columns = self._units, self._columns
        at_ns = units.at_ns(values[0], row, columns[0])
        at_ns -= at_ns % 1_000_000_000
        if at_ns <= self._last_ns:
            remedy = "sort the file by time, one row per settlement"
            raise units.fail("is not later than the row before", remedy, row, columns[0], values[0])
        self._last_ns = at_ns
        rate = units.number(values[1], row, columns[1])
        if abs(rate) > RATE_MAX:
            remedy = "give the rate as a fraction per interval: 0.0001 is 0.01 %"
            raise units.fail("is no funding rate", remedy, row, columns[1], values[1])
        return FundingRow(at_ns, whole_half_even(scaled(rate)))

"""Who earned what: positions and money by strategy and symbol, and the trades they made from flat to flat.

Money is 1e-8 USDT. The profit of a book is what its fills and funding brought in, plus what is open at the
mark: so the books of all strategies add up to the account, to the last unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from actors.backtest.record import ClosedTrade
from actors.domain.instrument import Instrument
from actors.domain.money import divide_half_even

__all__ = ["Attribution", "Book", "OpenTrade", "split"]


def split(total: int, weights: list[int]) -> list[int]:
    """Return shares of a total in proportion to weights >= 0; what rounding leaves goes to the last."""
    whole = sum(weights)
    if not whole:
        return [0] * (len(weights) - 1) + [total] if weights else []
    shares = [divide_half_even(total * weight, whole) for weight in weights]
    shares[-1] += total - sum(shares)
    return shares


@dataclass(slots=True, eq=False)
class OpenTrade:
    """A trade that has not ended. Sums are contracts x price."""

    side: int
    entry_at_ns: int
    contracts: int = 0
    entry_ticks_sum: int = 0
    exit_ticks_sum: int = 0
    fees_usdt: int = 0
    funding_usdt: int = 0
    is_liquidated: bool = False


@dataclass(slots=True)
class Book:
    """One strategy in one symbol."""

    symbol: str
    strategy: str
    tick_value: int
    net_contracts: int = 0
    spent_usdt: int = 0  # paid for contracts less received for them
    fees_usdt: int = 0
    funding_usdt: int = 0
    trade: OpenTrade | None = field(default=None)

    def pnl_usdt(self, mark_ticks: int) -> int:
        """Return profit since the start, with what is open valued at the mark."""
        worth = self.net_contracts * mark_ticks * self.tick_value
        return worth - self.spent_usdt - self.fees_usdt - self.funding_usdt


class Attribution:
    """All books of one account."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        ended: Callable[[ClosedTrade], None] = lambda trade: None,
        touched: Callable[[OpenTrade, int, int], None] = lambda trade, opened, closed: None,
    ) -> None:
        """`touched` hears which trade a fill is part of, and how many contracts it opened or closed of it.

        `ended` is called right after the fill that closed the rest of it.
        """
        self._instruments = instruments
        self._ended = ended
        self._touched = touched
        self.books: dict[tuple[str, str], Book] = {}

    def fill(
        self, symbol: str, strategy: str, at_ns: int, signed: int, price: int, fee: int, liquidation: bool
    ) -> None:
        """Book a fill. One that no strategy ordered falls on those that hold the symbol, by size."""
        if strategy:
            self._fill(self._book(symbol, strategy), at_ns, signed, price, fee, liquidation)
            return
        holders = [book for book in self._of(symbol) if book.net_contracts * signed < 0]
        if not holders:
            self._fill(self._book(symbol, ""), at_ns, signed, price, fee, liquidation)
            return
        weights = [abs(book.net_contracts) for book in holders]
        shares = split(signed, weights)
        for book, share, paid in zip(holders, shares, split(fee, weights), strict=True):
            if share or paid:
                self._fill(book, at_ns, share, price, paid, liquidation)

    def funding(self, symbol: str, payment: int) -> None:
        """Book a funding payment on those who hold the symbol, by what each of them would have paid alone."""
        holders = [book for book in self._of(symbol) if book.net_contracts]
        if not holders:
            self._book(symbol, "").funding_usdt += payment
            return
        net = sum(book.net_contracts for book in holders)
        shares = [divide_half_even(payment * book.net_contracts, abs(net)) if net else 0 for book in holders]
        shares = [-share for share in shares] if net < 0 else shares
        shares[-1] += payment - sum(shares)
        for book, share in zip(holders, shares, strict=True):
            book.funding_usdt += share
            if book.trade is not None:
                book.trade.funding_usdt += share

    def _of(self, symbol: str) -> Iterable[Book]:
        return [book for book in self.books.values() if book.symbol == symbol]

    def _book(self, symbol: str, strategy: str) -> Book:
        book = self.books.get((symbol, strategy))
        if book is None:
            book = Book(symbol, strategy, self._instruments[symbol].tick_value)
            self.books[symbol, strategy] = book
        return book

    def _fill(self, book: Book, at_ns: int, signed: int, price: int, fee: int, liquidation: bool) -> None:
        net = book.net_contracts
        book.net_contracts += signed
        book.spent_usdt += signed * price * book.tick_value
        book.fees_usdt += fee
        closing = min(abs(net), abs(signed)) if net * signed < 0 else 0
        opening = abs(signed) - closing
        fee_closing, fee_opening = split(fee, [closing, opening]) if signed else (fee, 0)
        trade = book.trade
        if trade is not None and (closing or not signed):
            trade.exit_ticks_sum += closing * price
            trade.fees_usdt += fee_closing
            trade.is_liquidated |= liquidation
            self._touched(trade, 0, closing)
            if closing == abs(net) and signed:
                self._end(book, trade, at_ns)
                book.trade = None
        if opening:
            if book.trade is None:
                book.trade = OpenTrade(1 if signed > 0 else -1, at_ns)
            book.trade.contracts += opening
            book.trade.entry_ticks_sum += opening * price
            book.trade.fees_usdt += fee_opening
            self._touched(book.trade, opening, 0)

    def _end(self, book: Book, trade: OpenTrade, at_ns: int) -> None:
        gross = trade.side * (trade.exit_ticks_sum - trade.entry_ticks_sum) * book.tick_value
        self._ended(
            ClosedTrade(
                symbol=book.symbol,
                strategy=book.strategy,
                side=trade.side,
                contracts=trade.contracts,
                entry_at_ns=trade.entry_at_ns,
                exit_at_ns=at_ns,
                entry_ticks_sum=trade.entry_ticks_sum,
                exit_ticks_sum=trade.exit_ticks_sum,
                gross_usdt=gross,
                fees_usdt=trade.fees_usdt,
                funding_usdt=trade.funding_usdt,
                net_usdt=gross - trade.fees_usdt - trade.funding_usdt,
                is_liquidated=trade.is_liquidated,
            )
        )

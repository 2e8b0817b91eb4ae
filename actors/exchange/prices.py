"""What the exchange knows of the outside market: displayed liquidity, mark price, price band.

None of it is state: after a restart the exchange waits for fresh data. Prices are ticks.
"""

from __future__ import annotations

from actors.domain.instrument import Instrument
from actors.domain.money import E8
from actors.domain.orders import Side
from actors.exchange.book import Book
from actors.exchange.sparing import Spared
from actors.exchange.terms import holding_keys

__all__ = ["Ladder", "Market"]

Level = tuple[int, int]  # (price_ticks, contracts)


class Ladder:
    """One side of the displayed book, best first, and how far our takers have eaten into it.

    What was taken is gone until the next update of the book, so that nobody fills infinitely. A quote only
    sets `front`, the new best level; deeper levels stay as the last book showed them.
    """

    __slots__ = ("_depth", "front", "index", "left", "levels", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = int(side)
        self.levels: tuple[Level, ...] = ()
        self.index = 0  # first level with something left
        self.left = 0  # contracts left there
        self._depth: tuple[Level, ...] = ()  # of the last book
        self.front: Level | None = None  # of a quote that came after the book, not yet merged

    def replace(self, levels: tuple[Level, ...]) -> None:
        """Take over a whole new book side."""
        self._depth = self.levels = levels
        self.index = 0
        self.left = levels[0][1] if levels else 0
        self.front = None

    def ready(self) -> bool:
        """Merge a quote that came since; tell whether anything is left on this side."""
        front = self.front
        if front is not None:
            self._merge(front)
        return self.index < len(self.levels)

    def _merge(self, front: Level) -> None:
        """Merged only when somebody looks: most quotes are replaced before that."""
        self.front = None
        self.index = 0
        price, contracts = front
        if contracts <= 0:
            self.levels, self.left = (), 0
            return
        sign = self.sign
        worse = tuple(level for level in self._depth if level[0] * sign < price * sign)
        self.levels, self.left = (front, *worse), contracts

    def consume(self, index: int, left: int) -> None:
        """Remember how far a taker came: the level reached, and what it left there."""
        self.index, self.left = index, left

    def take(self, contracts: int) -> None:
        """Take from the best level, which must hold that much."""
        self.left -= contracts
        if self.left <= 0:
            self.index += 1
            self.left = self.levels[self.index][1] if self.index < len(self.levels) else 0


class Market:
    """One symbol as the exchange sees it, with the numbers a decision needs at hand."""

    __slots__ = (
        "asks",
        "band_high_ticks",
        "band_low_ticks",
        "bids",
        "book",
        "instrument",
        "is_marked",
        "is_quoted",
        "is_rated",
        "keys",
        "leverage",
        "leverage_contracts_max",
        "maker_fee_e8",
        "rate_e8",
        "reference_ticks",
        "spared",
        "symbol",
        "taker_fee_e8",
        "tick_value",
    )

    def __init__(self, instrument: Instrument, leverage: int, maker_fee_e8: int, taker_fee_e8: int) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.keys = holding_keys(instrument.symbol)  # of an account's holdings here, by slot
        self.tick_value = instrument.tick_value
        self.leverage = leverage
        self.leverage_contracts_max = self.contracts_max_at(leverage)
        self.maker_fee_e8 = maker_fee_e8
        self.taker_fee_e8 = taker_fee_e8
        self.book = Book()
        self.bids = Ladder(Side.BUY)
        self.asks = Ladder(Side.SELL)
        self.is_marked = False  # a mark price has come; until then the middle of the quotes stands in for it
        self.is_quoted = False  # a quote or a book has come
        self.spared: Spared | None = None  # by the first extreme of a candle
        self.reference_ticks = 0  # 0 while no price is known
        self.band_low_ticks = 0
        self.band_high_ticks = 0
        self.is_rated = False  # a funding rate has come
        self.rate_e8 = 0

    def contracts_max_at(self, leverage: int) -> int:
        """Return the largest position that the risk tiers allow at a leverage."""
        tiers = self.instrument.tiers
        return max((tier.contracts_max for tier in tiers if tier.leverage_max >= leverage), default=0)

    def refer(self, price_ticks: int) -> None:
        """Value positions and place the price band by this price from now on."""
        self.reference_ticks = price_ticks
        width = price_ticks * self.instrument.price_band_e8 // E8
        self.band_low_ticks = max(1, price_ticks - width)
        self.band_high_ticks = price_ticks + width

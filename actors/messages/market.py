"""Market data: what a feed tells its readers. Prices are ticks, sizes contracts, instants UTC nanoseconds."""

from __future__ import annotations

import enum
from typing import ClassVar

from actors.domain.orders import Side
from actors.runtime.messages import Message, Overflow

__all__ = [
    "Bar",
    "BookDepth",
    "CandleAhead",
    "FeedState",
    "FeedStatus",
    "FundingRate",
    "FundingSettled",
    "History",
    "HistoryRequest",
    "MarkPrice",
    "Quote",
    "ReplayFinished",
    "Trade",
]


class MarketMessage(Message, frozen=True):
    """Parent of market data: under pressure the newest of a symbol replaces older ones."""

    OVERFLOW: ClassVar[Overflow] = Overflow.CONFLATE

    symbol: str
    at_ns: int  # when it was true, by the source's clock

    @property
    def conflation_key(self) -> str:
        """One symbol's messages of one type replace each other."""
        return self.symbol


class Quote(MarketMessage, frozen=True):
    """The best bid and ask changed. A side without orders has price 0 and size 0."""

    bid_ticks: int
    bid_contracts: int
    ask_ticks: int
    ask_contracts: int


class BookDepth(MarketMessage, frozen=True):
    """The best levels of the book, best first, as (price_ticks, contracts)."""

    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


class MarkPrice(MarketMessage, frozen=True):
    """The mark price, which margin and liquidation use, and the index below it."""

    mark_ticks: int
    index_ticks: int


class FundingRate(MarketMessage, frozen=True):
    """The rate that applies at the next settlement if nothing changes."""

    rate_e8: int  # of notional, in 1e-8; positive: longs pay shorts
    next_at_ns: int


class Trade(MarketMessage, frozen=True):
    """The market traded (not we). Never conflated: bars are built from trades."""

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    price_ticks: int
    contracts: int
    side: Side  # of the taker
    trade_id: str
    # Not 0 for the first extreme of a candle: what only reduces meets it then, when the other has been seen.
    reducing_at_ns: int = 0


class FundingSettled(MarketMessage, frozen=True):
    """The market settled funding at `at_ns`: every position at that instant pays rate x notional at mark."""

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    rate_e8: int
    mark_ticks: int


class Bar(MarketMessage, frozen=True):
    """One closed bar; `at_ns` is its close (exclusive end). A bar without trades is flat with 0 contracts."""

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    interval_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    contracts: int
    trades_count: int


class CandleAhead(MarketMessage, frozen=True):
    """The candle that begins now will reach these extremes: it is history, and the order is made up.

    Only for whoever must assume the worse order of the two; never for a decision.
    """

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    low_ticks: int
    high_ticks: int
    until_ns: int  # its end, as its messages are dated


class FeedState(enum.Enum):
    """What a subscription is worth right now."""

    LIVE = "live"
    LATE = "late"  # messages come, but their own time lies too far behind
    FROZEN = "frozen"  # messages come, but the prices in them have not moved for too long
    SILENT = "silent"  # nothing comes


class FeedStatus(MarketMessage, frozen=True):
    """A symbol's feed changed its state. Anything but LIVE is stale: nobody opens risk on it."""

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    state: FeedState
    since_ns: int
    reason: str


class HistoryRequest(Message, frozen=True):
    """A strategy asks its feed for closed bars before now, to warm up. Answered by History."""

    symbol: str
    interval_ns: int
    bars_count: int


class History(Message, frozen=True):
    """Closed bars, oldest first, ending at the last full interval; fewer than asked are possible."""

    symbol: str
    interval_ns: int
    bars: tuple[Bar, ...]
    is_known: bool = True  # False: nobody could tell what was; no bars then


class ReplayFinished(MarketMessage, frozen=True):
    """A replayed file is at its end: nothing more comes for this symbol. `at_ns` is its last row's time."""

    OVERFLOW: ClassVar[Overflow] = Overflow.HALT

    rows_count: int  # of the file

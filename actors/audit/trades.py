"""The trade journal: every round trip that a node's books know of, with its reasons and its money.

A **round trip** is the position of one strategy in one symbol from flat to flat, or to the other side: the
fill that turns it around ends one and begins the next, and its fee is split by contracts. A fill that no
strategy ordered (a liquidation, a flatten) falls on the strategies that hold the symbol, by size; so does
funding. These are the rules of the backtest's report, and the same code (`backtest.attribution`).

Money is 1e-8 USDT: gross is what the prices made, net is gross less fees and funding. All trades that ended,
and what those still open have realised and paid so far, add up to the ledger to the last unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.audit.export import event_type
from actors.backtest.attribution import Attribution, OpenTrade
from actors.backtest.record import ClosedTrade
from actors.control.journal_reader import JournalReader
from actors.domain.instrument import Instrument
from actors.ledger.events import AccountOpened, CashAdjusted, FillBooked, FundingBooked
from actors.oms.events import FlattenStarted, OrderSubmitted
from actors.runtime.codec import decoder_for
from actors.runtime.errors import EventsArchived
from actors.strategy.events import SignalDecided

__all__ = ["AccountTotals", "RoundTrip", "TradeJournal", "trade_journal"]

KINDS = (
    AccountOpened,
    CashAdjusted,
    FillBooked,
    FundingBooked,
    FlattenStarted,
    OrderSubmitted,
    SignalDecided,
)
NAMES = frozenset(kind.__name__ for kind in KINDS)
DECODE = decoder_for(KINDS).decode
REMEMBERED_MAX = 50_000  # orders and decisions kept for fills that are still to come
IDS_MAX = 200  # of fills, of one trade


class RoundTrip(msgspec.Struct, frozen=True):
    """One trade. Of one that is still open, the exit is empty and money is what was booked so far."""

    account: str
    symbol: str
    strategy: str  # address; empty when nobody of ours ordered it
    side: str  # long | short
    contracts: int  # opened in all
    entry_at_ns: int
    exit_at_ns: int  # 0 while open
    entry_ticks_sum: int  # contracts x price; the average price is the ratio
    exit_ticks_sum: int
    gross_usdt: int
    fees_usdt: int
    funding_usdt: int
    net_usdt: int
    slippage_usdt: int  # against the prices decided at, contained in gross; positive is lost
    is_slippage_whole: bool  # every order of it had a decision price
    entry_why: str
    exit_why: str
    entry_order: str  # client_order_id, for `why`; the first one
    exit_order: str  # the last one
    trade_ids: tuple[str, ...]  # of its fills
    is_liquidated: bool = False

    @property
    def held_ns(self) -> int:
        """How long it was held; 0 while it is."""
        return self.exit_at_ns - self.entry_at_ns if self.exit_at_ns else 0


class AccountTotals(msgspec.Struct, frozen=True):
    """What an account's ledger says of its whole life; the trades add up to it."""

    account: str
    initial_usdt: int
    adjusted_usdt: int  # deposits, withdrawals, corrections
    realised_usdt: int
    fees_usdt: int
    funding_usdt: int
    cash_usdt: int  # initial + adjusted + realised - fees - funding


@dataclass
class TradeJournal:
    """All trades, in the order in which they ended; those still open; and what the ledgers say."""

    ended: list[RoundTrip] = field(default_factory=list)
    open: list[RoundTrip] = field(default_factory=list)
    totals: list[AccountTotals] = field(default_factory=list)


def trade_journal(reader: JournalReader, instruments: Mapping[str, Instrument]) -> TradeJournal:
    """Read a journal from its beginning. Errors: JournalError; KeyError for a symbol without instrument."""
    if reader.begins_at > 1:
        text = f"trades need all events, and those before {reader.begins_at} are not in this journal any more"
        raise EventsArchived(text)
    builder = _Builder(instruments)
    for _, raw in reader.raw_records():
        for entry in reader.decode(raw).entries:
            if event_type(entry) in NAMES:
                builder.take(entry.cell, DECODE(entry.event))
    return builder.finish()


@dataclass(slots=True)
class _Story:
    """What is known of a trade besides its money."""

    entry_order: str = ""
    exit_order: str = ""
    entry_why: str = ""
    exit_why: str = ""
    slippage_usdt: int = 0
    is_slippage_whole: bool = True
    trade_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Account:
    """One ledger's sums."""

    books: Attribution
    initial_usdt: int = 0
    adjusted_usdt: int = 0
    realised_usdt: int = 0
    fees_usdt: int = 0
    funding_usdt: int = 0
    by_symbol: dict[str, list[int]] = field(default_factory=dict)  # realised, fees, funding


class _Builder:
    """Takes events in their order."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._accounts: dict[str, _Account] = {}
        self._orders: dict[str, OrderSubmitted] = {}
        self._whys: dict[str, str] = {}  # by intent
        self._flattens: dict[str, str] = {}  # by symbol
        self._strategies: set[str] = set()
        self._stories: dict[OpenTrade, _Story] = {}
        self._fill: FillBooked | None = None
        self._ending: OpenTrade | None = None
        self._account = ""
        self.found = TradeJournal()

    def take(self, cell: str, event: Any) -> None:
        """Take one event."""
        if isinstance(event, SignalDecided):
            self._strategies.add(cell)
            if event.intent_id:
                _remember(self._whys, event.intent_id, event.why)
        elif isinstance(event, OrderSubmitted):
            _remember(self._orders, event.client_order_id, event)
        elif isinstance(event, FlattenStarted):
            self._flattens[event.symbol] = event.reason
        else:
            self._account = cell.rpartition("/")[2]
            self._book(self._of(cell), event)

    def _of(self, cell: str) -> _Account:
        found = self._accounts.get(cell)
        if found is None:
            found = _Account(Attribution(self._instruments, self._ended, self._touched))
            self._accounts[cell] = found
        return found

    def _book(self, account: _Account, event: Any) -> None:
        if isinstance(event, AccountOpened):
            account.initial_usdt += event.initial_usdt
        elif isinstance(event, CashAdjusted):
            account.adjusted_usdt += event.amount_usdt
        elif isinstance(event, FundingBooked):
            account.funding_usdt += event.payment_usdt
            account.by_symbol.setdefault(event.symbol, [0, 0, 0])[2] += event.payment_usdt
            account.books.funding(event.symbol, event.payment_usdt)
        elif isinstance(event, FillBooked):
            sums = account.by_symbol.setdefault(event.symbol, [0, 0, 0])
            for sum_index, amount in enumerate((event.realised_usdt, event.fee_usdt)):
                sums[sum_index] += amount
            account.realised_usdt += event.realised_usdt
            account.fees_usdt += event.fee_usdt
            order = self._orders.get(event.client_order_id)
            strategy = order.strategy if order is not None and order.strategy in self._strategies else ""
            self._fill = event
            account.books.fill(
                event.symbol,
                strategy,
                event.at_ns,
                event.signed_contracts,
                event.price_ticks,
                event.fee_usdt,
                event.liquidation,
            )

    def _touched(self, trade: OpenTrade, opened: int, closed: int) -> None:
        fill = self._fill
        if fill is None:
            return
        story = self._stories.setdefault(trade, _Story())
        order = self._orders.get(fill.client_order_id)
        why = self._why(fill, order)
        if opened and not story.entry_why:
            story.entry_why, story.entry_order = why, fill.client_order_id
        if closed:
            story.exit_why, story.exit_order = why, fill.client_order_id
            self._ending = trade
        decision = order.decision_ticks if order is not None else 0
        side = 1 if fill.signed_contracts > 0 else -1
        tick_value = self._instruments[fill.symbol].tick_value
        if decision:
            story.slippage_usdt += (fill.price_ticks - decision) * side * (opened + closed) * tick_value
        story.is_slippage_whole &= bool(decision)
        if len(story.trade_ids) < IDS_MAX:
            story.trade_ids.append(fill.trade_id)

    def _why(self, fill: FillBooked, order: OrderSubmitted | None) -> str:
        if fill.liquidation:
            return "liquidated by the venue"
        if order is None:
            return "not ordered by us"
        return self._whys.get(order.intent_id) or self._flattens.get(fill.symbol, "") or "no reason was given"

    def _ended(self, trade: ClosedTrade) -> None:
        story = self._stories.pop(self._ending) if self._ending is not None else _Story()
        self.found.ended.append(_round_trip(self._account, trade, story))

    # -- the end -------------------------------------------------------------------------------------------

    def finish(self) -> TradeJournal:
        """Return everything, with the trades that are still open."""
        for cell, account in self._accounts.items():
            name = cell.rpartition("/")[2]
            self._add_open(name, account)
            realised, fees, funding = account.realised_usdt, account.fees_usdt, account.funding_usdt
            cash = account.initial_usdt + account.adjusted_usdt + realised - fees - funding
            totals = (account.initial_usdt, account.adjusted_usdt, realised, fees, funding, cash)
            self.found.totals.append(AccountTotals(name, *totals))
        return self.found

    def _add_open(self, name: str, account: _Account) -> None:
        """Add open trades: of each symbol, what the ledger has booked beyond the trades that ended.

        Where several strategies hold a symbol, the ledger knows one position only; the last of the open ones
        gets what its netting realised. A symbol without any gets a row of its own when something is left.
        """
        left = {symbol: list(sums) for symbol, sums in account.by_symbol.items()}
        for trip in self.found.ended:
            if trip.account == name:
                for index, amount in enumerate((trip.gross_usdt, trip.fees_usdt, trip.funding_usdt)):
                    left[trip.symbol][index] -= amount
        waiting = [book for book in account.books.books.values() if book.trade is not None]
        for index, book in enumerate(waiting):
            trade = book.trade
            if trade is None:
                continue
            sums = left[book.symbol]
            is_last = all(later.symbol != book.symbol for later in waiting[index + 1 :])
            money = [sums[0], sums[1], sums[2]] if is_last else [0, trade.fees_usdt, trade.funding_usdt]
            left[book.symbol] = [own - taken for own, taken in zip(sums, money, strict=True)]
            story = self._stories.get(trade, _Story())
            self.found.open.append(_open_trip(name, book.symbol, book.strategy, trade, story, money))
        for symbol, sums in left.items():
            if any(sums):
                nothing = OpenTrade(1, 0)
                self.found.open.append(_open_trip(name, symbol, "", nothing, _Story(), sums))


def _round_trip(account: str, trade: ClosedTrade, story: _Story) -> RoundTrip:
    return RoundTrip(
        account=account,
        symbol=trade.symbol,
        strategy=trade.strategy,
        side="long" if trade.side > 0 else "short",
        contracts=trade.contracts,
        entry_at_ns=trade.entry_at_ns,
        exit_at_ns=trade.exit_at_ns,
        entry_ticks_sum=trade.entry_ticks_sum,
        exit_ticks_sum=trade.exit_ticks_sum,
        gross_usdt=trade.gross_usdt,
        fees_usdt=trade.fees_usdt,
        funding_usdt=trade.funding_usdt,
        net_usdt=trade.net_usdt,
        is_liquidated=trade.is_liquidated,
        **_told(story),
    )


def _open_trip(
    account: str, symbol: str, strategy: str, trade: OpenTrade, story: _Story, money: list[int]
) -> RoundTrip:
    gross, fees, funding = money
    return RoundTrip(
        account=account,
        symbol=symbol,
        strategy=strategy,
        side="long" if trade.side > 0 else "short",
        contracts=trade.contracts,
        entry_at_ns=trade.entry_at_ns,
        exit_at_ns=0,
        entry_ticks_sum=trade.entry_ticks_sum,
        exit_ticks_sum=trade.exit_ticks_sum,
        gross_usdt=gross,
        fees_usdt=fees,
        funding_usdt=funding,
        net_usdt=gross - fees - funding,
        **_told(story),
    )


def _told(story: _Story) -> dict[str, Any]:
    return {
        "slippage_usdt": story.slippage_usdt,
        "is_slippage_whole": story.is_slippage_whole,
        "entry_why": story.entry_why,
        "exit_why": story.exit_why,
        "entry_order": story.entry_order,
        "exit_order": story.exit_order,
        "trade_ids": tuple(story.trade_ids),
    }


def _remember(kept: dict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > REMEMBERED_MAX:
        del kept[next(iter(kept))]

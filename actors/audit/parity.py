"""The gap between what happened and what the model says, split into its parts; docs/parity.md defines them.

Everything is computed from journals: of the node, of the same tape played again, and of the model's runs. All
are valued at the same marks, so the parts add up to the gap to the last unit. Money is 1e-8 USDT; positive is
better than the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import msgspec

from actors.audit.export import event_type
from actors.domain.instrument import Instrument
from actors.domain.lifecycle import OrderEvent
from actors.domain.money import divide_half_even
from actors.ledger.events import FillBooked, FundingBooked
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.runtime.codec import decoder_for
from actors.runtime.journal import TurnRecord

__all__ = ["PARTS", "Books", "Parts", "RunBooks", "measured_latency_ns", "read_books", "split_gap"]

PARTS = ("data", "latency", "queue", "slippage", "fees", "funding", "code")
KINDS = (FillBooked, FundingBooked, OrderSubmitted, OrderStateChanged, OrderFillApplied)
NAMES = frozenset(kind.__name__ for kind in KINDS)
DECODE = decoder_for(KINDS).decode
Place = tuple[str, str]  # ledger's address, symbol


@dataclass(slots=True)
class OrderFills:
    """What one wish got: a sum over its fills."""

    symbol: str
    signed_contracts: int = 0
    ticks_sum: int = 0  # contracts x price, positive
    fees_usdt: int = 0


@dataclass
class Books:
    """An account's doings up to an instant, as a journal tells them."""

    realised_usdt: int = 0
    fees_usdt: int = 0
    funding_usdt: int = 0
    positions: dict[Place, tuple[int, int]] = field(default_factory=dict)  # net contracts, cost in ticks
    last_ticks: dict[str, int] = field(default_factory=dict)  # price of the last fill, for want of a mark
    by_intent: dict[str, OrderFills] = field(default_factory=dict)
    by_nobody_usdt: int = 0

    def gross_usdt(self, marks: Mapping[str, int], instruments: Mapping[str, Instrument]) -> int:
        """Return realised profit, and what is open at the marks, before fees and funding."""
        total = self.realised_usdt
        for (_, symbol), (net, cost) in self.positions.items():
            mark = marks.get(symbol) or self.last_ticks.get(symbol, 0)
            total += (net * mark - cost) * instruments[symbol].tick_value
        return total

    def copy(self) -> Books:
        """Return the books as they are now."""
        orders = {
            name: OrderFills(o.symbol, o.signed_contracts, o.ticks_sum, o.fees_usdt)
            for name, o in self.by_intent.items()
        }
        return Books(
            self.realised_usdt,
            self.fees_usdt,
            self.funding_usdt,
            dict(self.positions),
            dict(self.last_ticks),
            orders,
        )


@dataclass
class RunBooks:
    """A run's books at the beginning and at the end of the time that is looked at."""

    begin: Books
    end: Books
    latencies_ns: list[int]  # from each order's submission to the first word of the far side


class Parts(msgspec.Struct, frozen=True):
    """The gap and its parts; they add up to it exactly."""

    actual_usdt: int
    model_usdt: int
    gap_usdt: int
    data_usdt: int
    latency_usdt: int
    queue_usdt: int
    slippage_usdt: int
    fees_usdt: int
    funding_usdt: int
    code_usdt: int
    orders_both: int  # filled in both
    orders_actual_only: int
    orders_model_only: int


def read_books(records: Iterable[TurnRecord], from_ns: int, to_ns: int) -> RunBooks:
    """Return the books of a journal just before an instant, and at another one."""
    books, begin = Books(), None
    intents: dict[str, tuple[str, int]] = {}  # by order, until the far side has said something
    waiting: dict[str, int] = {}
    latencies: list[int] = []
    for record in records:
        if record.at_ns >= from_ns and begin is None:
            begin = books.copy()
        if record.at_ns >= to_ns:
            break
        for entry in record.entries:
            if event_type(entry) not in NAMES:
                continue
            event: Any = DECODE(entry.event)
            if isinstance(event, OrderSubmitted):
                intents[event.client_order_id] = (event.intent_id, event.at_ns)
                waiting[event.client_order_id] = event.at_ns
            elif isinstance(event, OrderStateChanged | OrderFillApplied):
                is_word = isinstance(event, OrderFillApplied) or event.event is OrderEvent.ACCEPTED
                if is_word and event.client_order_id in waiting:
                    latencies.append(event.at_ns - waiting.pop(event.client_order_id))
            else:
                _book(books, entry.cell, event, intents)
    return RunBooks(begin if begin is not None else books.copy(), books, latencies)


def _book(books: Books, cell: str, event: Any, intents: Mapping[str, tuple[str, int]]) -> None:
    if isinstance(event, FundingBooked):
        books.funding_usdt += event.payment_usdt
        return
    books.realised_usdt += event.realised_usdt
    books.fees_usdt += event.fee_usdt
    books.positions[cell, event.symbol] = (event.net_contracts, event.cost_ticks)
    books.last_ticks[event.symbol] = event.price_ticks
    intent = intents.get(event.client_order_id, ("", 0))[0]
    if intent:
        found = books.by_intent.setdefault(intent, OrderFills(event.symbol))
        found.signed_contracts += event.signed_contracts
        found.ticks_sum += abs(event.signed_contracts) * event.price_ticks
        found.fees_usdt += event.fee_usdt


def measured_latency_ns(run: RunBooks) -> int:
    """Return one way's median: half of the time from an order's submission to the far side's first word."""
    return int(median(run.latencies_ns)) // 2 if run.latencies_ns else 0


@dataclass(frozen=True)
class _Sums:
    """What one run made in the time that is looked at."""

    gross: int
    fees: int
    funding: int

    @property
    def net(self) -> int:
        return self.gross - self.fees - self.funding


def split_gap(
    actual: RunBooks,
    replayed: RunBooks,
    model: RunBooks,
    delayed: RunBooks,
    marks: tuple[Mapping[str, int], Mapping[str, int]],
    instruments: Mapping[str, Instrument],
    data_usdt: int = 0,
) -> Parts:
    """Go from the model to what happened, one part at a time: the order is that of docs/parity.md.

    `replayed` is the node's own tape under the present code, `delayed` the model with the measured latency,
    `marks` those at the beginning and at the end. `data_usdt` is what the tape's market made better than
    another record of it did.
    """
    sums = [_sums(run, marks, instruments) for run in (actual, replayed, model, delayed)]
    happened, again, first, later = sums
    dearer_begin, dearer_end = (
        _on_common(replayed.begin, delayed.begin, instruments),
        _on_common(replayed.end, delayed.end, instruments),
    )
    slippage, fees = dearer_end[0] - dearer_begin[0], dearer_end[1] - dearer_begin[1]
    funding = later.funding - again.funding
    begun = actual.begin.by_intent.keys()
    mine = actual.end.by_intent.keys() - begun
    theirs = model.end.by_intent.keys() - model.begin.by_intent.keys()
    return Parts(
        actual_usdt=happened.net,
        model_usdt=first.net - data_usdt,
        gap_usdt=happened.net - first.net + data_usdt,
        data_usdt=data_usdt,
        latency_usdt=later.net - first.net,
        queue_usdt=again.net - later.net - slippage - fees - funding,
        slippage_usdt=slippage,
        fees_usdt=fees,
        funding_usdt=funding,
        code_usdt=happened.net - again.net,
        orders_both=len(mine & theirs),
        orders_actual_only=len(mine - theirs),
        orders_model_only=len(theirs - mine),
    )


def _sums(
    run: RunBooks, marks: tuple[Mapping[str, int], Mapping[str, int]], instruments: Mapping[str, Instrument]
) -> _Sums:
    gross = run.end.gross_usdt(marks[1], instruments) - run.begin.gross_usdt(marks[0], instruments)
    fees = run.end.fees_usdt - run.begin.fees_usdt
    return _Sums(gross, fees, run.end.funding_usdt - run.begin.funding_usdt)


def _on_common(real: Books, model: Books, instruments: Mapping[str, Instrument]) -> tuple[int, int]:
    """Return what prices and fees were better than the model's, over what both filled of a wish."""
    prices = fees = 0
    for intent, own in real.by_intent.items():
        other = model.by_intent.get(intent)
        if other is None or own.signed_contracts * other.signed_contracts <= 0:
            continue
        mine, theirs = abs(own.signed_contracts), abs(other.signed_contracts)
        both = min(mine, theirs)
        side = 1 if own.signed_contracts > 0 else -1
        cheaper = divide_half_even(other.ticks_sum * both, theirs)
        cheaper -= divide_half_even(own.ticks_sum * both, mine)
        prices += side * cheaper * instruments[own.symbol].tick_value
        fees += divide_half_even(other.fees_usdt * both, theirs) - divide_half_even(
            own.fees_usdt * both, mine
        )
    return prices, fees

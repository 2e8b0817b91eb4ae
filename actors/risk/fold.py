"""How risk's events become its state. Nothing here looks at a clock, a price or a message."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.risk.events import (
    AmendAllowed,
    AmendSettled,
    FeedNoted,
    GateMoved,
    HaltLatched,
    HaltReleased,
    IntentAllowed,
    IntentDenied,
    LatchTaken,
    LossDayNoted,
    OrderAdopted,
    OrderFinished,
    OrderProgressed,
    PositionCorrected,
    ReplacementAllowed,
)
from actors.risk.guard_fold import GuardFold
from actors.risk.parents import ParentAllowed
from actors.risk.rules.order_rate import SECOND_NS
from actors.risk.settings import RiskSettings
from actors.risk.state import CLOSED_KEPT, LATCHES_KEPT, Book, HaltRecord, Reservation, RiskState

__all__ = ["RiskFold"]

REJECTED = OrderState.REJECTED
EMPTY = Book()  # read only
DEPLOYMENT = "deployment"  # who latches the halt that a new deployment begins with


class RiskFold(GuardFold):
    """The event-sourced half of the risk actor."""

    STATE = RiskState

    def __init__(self, settings: RiskSettings) -> None:
        self.settings = settings
        self._set_rate(settings)

    def _set_rate(self, settings: RiskSettings) -> None:
        rate = settings.max_orders_per_second
        self._token_ns = SECOND_NS // rate if rate else 0

    def book(self, symbol: str) -> Book:
        """Return a symbol's book, made when there is none yet."""
        books = self.state.books
        book = books.get(symbol)
        if book is None:
            book = books[symbol] = Book()
        return book

    def peek(self, symbol: str) -> Book:
        """Return a symbol's book to read, empty when there is none yet."""
        return self.state.books.get(symbol, EMPTY)

    def ended_with(self, intent_id: str) -> int | None:
        """Return how much of an ended order had filled; None when no such order is remembered."""
        state = self.state
        filled = state.closed.get(intent_id)
        return state.closed_before.get(intent_id) if filled is None else filled

    def apply_intent_allowed(self, event: IntentAllowed) -> None:
        state, symbol, side, contracts = self.state, event.symbol, event.side, event.contracts
        book = state.books.get(symbol)
        if book is None:
            book = self.book(symbol)
        if side > 0:
            book.buy_contracts += contracts
        else:
            book.sell_contracts += contracts
        state.reserved[event.intent_id] = Reservation(symbol, event.strategy, side, contracts)
        state.allowed_count += 1
        if self._token_ns:
            full_ns, at_ns = state.rate_full_ns, event.at_ns
            state.rate_full_ns = (full_ns if full_ns > at_ns else at_ns) + self._token_ns

    def apply_amend_allowed(self, event: AmendAllowed) -> None:
        state = self.state
        self._resize(event.intent_id, max(event.contracts, state.reserved[event.intent_id].contracts))
        state.allowed_count += 1
        if self._token_ns:  # it may lead to an order
            state.rate_full_ns = max(state.rate_full_ns, event.at_ns) + self._token_ns

    def apply_replacement_allowed(self, event: ReplacementAllowed) -> None:
        """Only for the record: it has been reserved all the time."""

    def apply_amend_settled(self, event: AmendSettled) -> None:
        self._resize(event.intent_id, event.contracts)

    def _resize(self, intent_id: str, contracts: int) -> None:
        """Have an order reserve another size."""
        order = self.state.reserved[intent_id]
        before = max(0, order.contracts - order.filled_contracts)
        order.contracts = contracts
        after = max(0, contracts - order.filled_contracts)
        _reserve(self.book(order.symbol), order.side, after - before)

    def apply_intent_denied(self, event: IntentDenied) -> None:
        self.state.denied_count += 1

    def apply_parent_allowed(self, _: ParentAllowed) -> None:
        """Only on the record: what is reserved are its children."""

    def apply_order_adopted(self, event: OrderAdopted) -> None:
        _reserve(self.book(event.symbol), event.side, event.contracts)
        self.state.reserved[event.intent_id] = Reservation(
            event.symbol, event.strategy, event.side, event.contracts, 0, True
        )

    def apply_order_progressed(self, event: OrderProgressed) -> None:
        order = self.state.reserved[event.intent_id]
        book = self.book(order.symbol)
        left = order.contracts - order.filled_contracts
        news = event.filled_contracts - order.filled_contracts
        moved = order.side * news - (event.fee_contracts - order.fee_contracts)
        self.note_fill(order, book, moved, event.filled_ticks, event.at_ns)
        book.net_contracts += moved
        order.fee_contracts, order.filled_ticks = event.fee_contracts, event.filled_ticks
        _reserve(book, order.side, -max(0, min(left, news)))
        order.filled_contracts = event.filled_contracts

    def apply_order_finished(self, event: OrderFinished) -> None:
        state, intent_id, filled = self.state, event.intent_id, event.filled_contracts
        order = state.reserved.pop(intent_id, None)
        book = self.book(event.symbol)
        if order is None:
            before, fees_before = self.ended_with(intent_id) or 0, event.fee_contracts
        else:
            before, fees_before = order.filled_contracts, order.fee_contracts
            left = order.contracts - before
            if left > 0:
                _reserve(book, order.side, -left)
        if filled > before:
            # The fee of a fill after the order's end is not known apart: the ledger will tell of it.
            moved = event.side * (filled - before) - (event.fee_contracts - fees_before)
            if order is not None:
                self.note_fill(order, book, moved, event.filled_ticks, event.at_ns)
            book.net_contracts += moved
        else:
            filled = before
        if event.state is REJECTED:
            state.rejects_in_row += 1
            state.rejects_count += 1
        elif state.rejects_in_row:
            state.rejects_in_row = 0
        closed = state.closed
        closed[intent_id] = filled
        if len(closed) >= CLOSED_KEPT:
            state.closed_before, state.closed = closed, {}

    def apply_position_corrected(self, event: PositionCorrected) -> None:
        self.note_correction(event.symbol, self.book(event.symbol), event.net_contracts, event.at_ns)

    def apply_halt_latched(self, event: HaltLatched) -> None:
        self.state.halts[event.scope] = HaltRecord(
            event.level, event.actor, event.reason, event.at_ns, event.evidence
        )
        if event.actor == DEPLOYMENT:
            self.state.began_halted = True

    def apply_latch_taken(self, event: LatchTaken) -> None:
        latches = self.state.latches
        latches[event.digest] = event.number
        if len(latches) > LATCHES_KEPT:
            del latches[next(iter(latches))]

    def apply_halt_released(self, event: HaltReleased) -> None:
        self.state.halts.pop(event.scope, None)

    def apply_loss_day_noted(self, event: LossDayNoted) -> None:
        self.state.loss_day = event.day

    def apply_gate_moved(self, event: GateMoved) -> None:
        self.state.gate_epoch = event.epoch if event.open else 0

    def apply_feed_noted(self, event: FeedNoted) -> None:
        if event.stale:
            self.state.feeds_stale[event.symbol] = event.stale
        else:
            self.state.feeds_stale.pop(event.symbol, None)


def _reserve(book: Book, side: int, contracts: int) -> None:
    if side > 0:
        book.buy_contracts += contracts
    else:
        book.sell_contracts += contracts

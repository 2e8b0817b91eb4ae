"""How fills become trades and strategies' shares, and how changed limits become state."""

from __future__ import annotations

from actors.risk.guard_events import (
    BreachNoted,
    ExitEnded,
    ExitOrdered,
    GrantTaken,
    IntentShrunk,
    LimitLoosened,
    LimitReturned,
    LimitTightened,
    LooseningAsked,
    NearEnded,
    NearTold,
    PeakMoved,
    RejectsEnded,
    StrategyDayStarted,
)
from actors.risk.state import Attributed, Book, Grant, Near, Override, Reservation, RiskState, StrategyDay
from actors.runtime.behaviour import Behaviour

__all__ = ["GuardFold"]


class GuardFold(Behaviour):
    """The part of risk's state that the limits beyond single orders need."""

    state: RiskState

    # -- fills ------------------------------------------------------------------------------------

    def note_fill(self, order: Reservation, book: Book, moved: int, ticks_in_all: int, at_ns: int) -> None:
        """A fill moves a book that does not count it yet: see when the position opened, and what it made."""
        if not moved:
            return
        ticks = order.side * (ticks_in_all - order.filled_ticks) if ticks_in_all else 0
        self._attribute(order, moved, ticks)
        before = book.net_contracts
        after = before + moved
        if not before:
            book.opened_ns, book.flow_ticks = at_ns, ticks
            return
        if before * moved > 0 or before * after > 0:
            book.flow_ticks += ticks
            return
        closing = ticks * -before // moved  # the part that makes it flat
        if ticks_in_all:
            self._end_trade(book.flow_ticks + closing, at_ns)
        book.opened_ns, book.flow_ticks = (at_ns, ticks - closing) if after else (0, 0)

    def _end_trade(self, flow_ticks: int, at_ns: int) -> None:
        """A position became flat; it had paid so much more than it received."""
        state = self.state
        if flow_ticks > 0:
            state.loss_streak += 1
            state.loss_at_ns = at_ns
        else:
            state.loss_streak = 0

    def _attribute(self, order: Reservation, moved: int, ticks: int) -> None:
        """Book a fill to its strategy; one that nobody asked for reduces whoever holds the other side."""
        if not order.adopted:
            held = self.state.attributed.setdefault(order.strategy, {}).setdefault(order.symbol, Attributed())
            held.net_contracts += moved
            held.flow_ticks += ticks
            return
        left = moved
        for symbols in self.state.attributed.values():
            taken = symbols.get(order.symbol)
            if taken is None or taken.net_contracts * left >= 0:
                continue
            part = max(left, -taken.net_contracts) if left < 0 else min(left, -taken.net_contracts)
            taken.net_contracts += part
            taken.flow_ticks += ticks * part // moved
            left -= part

    def note_correction(self, symbol: str, book: Book, net_contracts: int, at_ns: int) -> None:
        """The ledger's position was taken over: its price is not known, so no trade is counted."""
        if not net_contracts:
            book.opened_ns = book.flow_ticks = 0
        elif book.net_contracts * net_contracts <= 0:
            book.opened_ns, book.flow_ticks = at_ns, 0
        book.net_contracts = net_contracts
        for symbols in self.state.attributed.values():
            held = symbols.get(symbol)
            if held is not None and abs(held.net_contracts) > abs(net_contracts):
                kept = net_contracts if held.net_contracts * net_contracts > 0 else 0
                held.flow_ticks = held.flow_ticks * kept // held.net_contracts
                held.net_contracts = kept

    # -- limits that were met ---------------------------------------------------------------------

    def apply_intent_shrunk(self, event: IntentShrunk) -> None:
        """On the record; what follows is in IntentAllowed."""

    def apply_breach_noted(self, event: BreachNoted) -> None:
        self.state.breaches[event.rule] = event.period

    def apply_exit_ordered(self, event: ExitOrdered) -> None:
        self.state.exits[event.symbol] = event.at_ns

    def apply_exit_ended(self, event: ExitEnded) -> None:
        self.state.exits.pop(event.symbol, None)

    def apply_strategy_day_started(self, event: StrategyDayStarted) -> None:
        self.state.strategy_days[event.strategy] = StrategyDay(event.day_start_ns, event.profit_usdt)

    def apply_peak_moved(self, event: PeakMoved) -> None:
        self.state.peak_ledger_usdt, self.state.peak_own_usdt = event.ledger_peak_usdt, event.peak_usdt
        self.state.breaches.pop("drawdown", None)  # measured anew, even from the same peak

    def apply_grant_taken(self, event: GrantTaken) -> None:
        own, together = event.own, event.together
        self.state.grant = Grant(
            *(event.number, own.gross_usdt, own.net_usdt, own.correlated_usdt),
            *(together.gross_usdt, together.net_usdt, together.correlated_usdt),
        )

    def apply_rejects_ended(self, event: RejectsEnded) -> None:
        self.state.rejects_in_row = 0

    # -- limits that were changed -----------------------------------------------------------------

    def apply_limit_tightened(self, event: LimitTightened) -> None:
        state = self.state
        state.tightened[event.limit] = Override(
            event.value, False, event.actor, event.reason, event.at_ns, event.until_ns
        )
        state.loosened.pop(event.limit, None)
        state.asked.pop(event.limit, None)

    def apply_loosening_asked(self, event: LooseningAsked) -> None:
        self.state.asked[event.limit] = Override(
            event.value, True, event.actor, event.reason, event.at_ns, event.until_ns
        )

    def apply_limit_loosened(self, event: LimitLoosened) -> None:
        state = self.state
        state.asked.pop(event.limit, None)
        if not event.until_ns:  # back to what the file says, for good
            state.tightened.pop(event.limit, None)
            state.loosened.pop(event.limit, None)
            return
        state.loosened[event.limit] = Override(
            event.value, True, event.actor, event.reason, event.at_ns, event.until_ns, event.approver
        )

    def apply_near_told(self, event: NearTold) -> None:
        self.state.near[event.rule] = Near(event.scope, event.at_ns)

    def apply_near_ended(self, event: NearEnded) -> None:
        self.state.near.pop(event.rule, None)

    def apply_limit_returned(self, event: LimitReturned) -> None:
        state = self.state
        kinds = {"tightened": state.tightened, "loosened": state.loosened, "asked": state.asked}
        kinds[event.kind].pop(event.limit, None)

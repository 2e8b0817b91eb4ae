"""What each journaled event does to the books: the half of the ledger that a restart repeats."""

from __future__ import annotations

from actors.ledger.events import (
    AccountOpened,
    CashAdjusted,
    DayStarted,
    EquityPeakRaised,
    FillBooked,
    FillSetAside,
    FundingBooked,
)
from actors.ledger.state import Holding, LedgerState, books_faults
from actors.runtime.behaviour import Behaviour, Persistence
from actors.runtime.errors import require

__all__ = ["LedgerBooks"]

# Symbols of set-aside fills that are remembered; more than this is a wrong deployment, not a missing row.
SET_ASIDE_SYMBOLS_MAX = 64

# As many as the reconciler compares: a week of settlements of three symbols.
FUNDING_IDS_MAX = 64


class LedgerBooks(Behaviour):
    """The state of a ledger and the events that make it."""

    EVENTS = (
        *(AccountOpened, FillBooked, FillSetAside, FundingBooked),
        *(CashAdjusted, DayStarted, EquityPeakRaised),
    )
    STATE = LedgerState
    PERSISTENCE = Persistence.EVENT_SOURCED

    state: LedgerState

    def apply_account_opened(self, event: AccountOpened) -> None:
        state, initial = self.state, event.initial_usdt
        state.opened_at_ns = event.at_ns
        state.day_start_ns = event.day_start_ns
        state.initial_usdt = state.cash_usdt = initial
        state.day_start_equity_usdt = state.equity_peak_usdt = initial
        state.week_start_ns, state.week_start_equity_usdt = event.week_start_ns, initial

    def apply_day_started(self, event: DayStarted) -> None:
        self.state.day_start_ns = event.day_start_ns
        self.state.day_start_equity_usdt = event.equity_usdt
        if event.week_start_ns != self.state.week_start_ns:
            self.state.week_start_ns, self.state.week_start_equity_usdt = (
                event.week_start_ns,
                event.equity_usdt,
            )

    def apply_fill_booked(self, event: FillBooked) -> None:
        state = self.state
        holding = state.holdings.get(event.symbol)
        if holding is None:
            holding = state.holdings[event.symbol] = Holding()
        realised, fee = event.realised_usdt, event.fee_usdt
        holding.net_contracts = event.net_contracts
        holding.cost_ticks = event.cost_ticks
        holding.realised_usdt += realised
        holding.fees_usdt += fee
        holding.fills_count += 1
        holding.dust_e8 += event.dust_e8
        state.cash_usdt = event.cash_usdt
        state.realised_usdt += realised
        state.fees_usdt += fee
        state.fills_count += 1

    def apply_fill_set_aside(self, event: FillSetAside) -> None:
        self.state.set_aside_count += 1
        symbols = self.state.set_aside_symbols
        if event.symbol not in symbols and len(symbols) < SET_ASIDE_SYMBOLS_MAX:
            symbols.append(event.symbol)

    def apply_funding_booked(self, event: FundingBooked) -> None:
        holding = self.state.holdings.setdefault(event.symbol, Holding())
        holding.funding_usdt += event.payment_usdt
        self.state.funding_usdt += event.payment_usdt
        self.state.cash_usdt = event.cash_usdt
        ids = self.state.funding_ids
        ids.append(event.funding_id)
        del ids[:-FUNDING_IDS_MAX]

    def apply_cash_adjusted(self, event: CashAdjusted) -> None:
        state = self.state
        state.cash_usdt = event.cash_usdt
        state.adjusted_usdt += event.amount_usdt
        if event.transfer:  # neither profit nor loss: what they are measured from moves along
            state.day_start_equity_usdt += event.amount_usdt
            state.week_start_equity_usdt += event.amount_usdt
            state.equity_peak_usdt += event.amount_usdt

    def apply_equity_peak_raised(self, event: EquityPeakRaised) -> None:
        self.state.equity_peak_usdt = event.equity_peak_usdt

    def books_balance(self) -> bool:
        """Return whether cash equals initial + realised - fees - funding + corrections, by symbol too."""
        return not books_faults(self.state)

    def _check_books(self) -> None:
        faults = books_faults(self.state)
        require(not faults, "the books do not balance", faults=faults)

"""The books of one account: what the journal rebuilds. Amounts are 1e-8 USDT."""

from __future__ import annotations

import msgspec

__all__ = ["Holding", "LedgerState", "books_faults"]


class Holding(msgspec.Struct):
    """What happened in one symbol: the open position and running sums since the account began."""

    net_contracts: int = 0
    cost_ticks: int = 0
    realised_usdt: int = 0
    fees_usdt: int = 0
    funding_usdt: int = 0
    fills_count: int = 0
    dust_e8: int = 0  # spot: coins beside the contracts, in 1e-8


class LedgerState(msgspec.Struct):
    """The whole account. Its size grows with the number of symbols, not with the number of fills."""

    opened_at_ns: int = 0  # 0 until the first start
    initial_usdt: int = 0
    cash_usdt: int = 0
    adjusted_usdt: int = 0  # corrections and transfers; positive was added
    realised_usdt: int = 0
    fees_usdt: int = 0
    funding_usdt: int = 0
    fills_count: int = 0
    day_start_ns: int = 0
    day_start_equity_usdt: int = 0
    equity_peak_usdt: int = 0
    week_start_ns: int = 0
    week_start_equity_usdt: int = 0
    set_aside_count: int = 0
    set_aside_symbols: list[str] = []
    funding_ids: list[str] = []  # those booked last, newest last
    holdings: dict[str, Holding] = {}


def books_faults(state: LedgerState) -> tuple[str, ...]:
    """Return what does not add up; empty when every 1e-8 USDT is accounted for.

    Cash is carried by the events, the sums are kept beside it by account and again by symbol: three ways to
    the same number, so a slip in one of them shows.
    """
    holdings = state.holdings.values()
    booked = state.initial_usdt + state.adjusted_usdt + state.realised_usdt
    booked -= state.fees_usdt + state.funding_usdt
    pairs = (
        ("cash", state.cash_usdt, booked),
        ("realised", state.realised_usdt, sum(holding.realised_usdt for holding in holdings)),
        ("fees", state.fees_usdt, sum(holding.fees_usdt for holding in holdings)),
        ("funding", state.funding_usdt, sum(holding.funding_usdt for holding in holdings)),
        ("fills", state.fills_count, sum(holding.fills_count for holding in holdings)),
    )
    return tuple(f"{name} is {left}, should be {right}" for name, left, right in pairs if left != right)

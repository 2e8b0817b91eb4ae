"""What the ledger journals. Amounts are 1e-8 USDT, prices ticks, contracts signed.

Each event carries the numbers that result from it, so that rebuilding copies instead of computing.
"""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = [
    "AccountOpened",
    "CashAdjusted",
    "DayStarted",
    "EquityPeakRaised",
    "FillBooked",
    "FillSetAside",
    "FundingBooked",
]


class AccountOpened(Message, frozen=True):
    """The books began."""

    initial_usdt: int
    day_start_ns: int
    at_ns: int
    week_start_ns: int = 0


class FillBooked(Message, frozen=True):
    """A fill moved position and cash."""

    symbol: str
    trade_id: str
    client_order_id: str  # empty when the venue acted by itself
    signed_contracts: int
    price_ticks: int
    fee_usdt: int
    realised_usdt: int  # by this fill, before its fee
    net_contracts: int  # from here on: the result
    cost_ticks: int
    cash_usdt: int
    liquidation: bool
    at_ns: int
    dust_e8: int = 0  # spot: coins that the fill left beside the contracts


class FillSetAside(Message, frozen=True):
    """A fill could not be booked; the reconciler will find the difference it leaves."""

    symbol: str
    trade_id: str
    client_order_id: str
    signed_contracts: int
    price_ticks: int
    fee_usdt: int
    reason: str
    at_ns: int


class FundingBooked(Message, frozen=True):
    """Funding moved cash."""

    symbol: str
    funding_id: str
    net_contracts: int  # the position that paid, as the venue counted it
    rate_e8: int
    payment_usdt: int  # positive is paid
    cash_usdt: int
    at_ns: int


class CashAdjusted(Message, frozen=True):
    """Somebody corrected cash, with evidence."""

    amount_usdt: int
    transfer: bool
    reason: str
    evidence: str
    actor: str
    cash_usdt: int
    at_ns: int


class DayStarted(Message, frozen=True):
    """The first equity seen on a new day."""

    day_start_ns: int
    equity_usdt: int
    at_ns: int
    week_start_ns: int = 0  # of the week it belongs to; the first equity of a new one is the week's too


class EquityPeakRaised(Message, frozen=True):
    """Equity was higher than ever; at most one per mark interval."""

    equity_peak_usdt: int
    at_ns: int

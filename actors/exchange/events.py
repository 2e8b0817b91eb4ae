"""What the exchange records. Together with nothing else these rebuild its state, to the last unit.

Fees and payments are in the events as numbers: a later change of the fee table does not rewrite the past.
"""

from __future__ import annotations

import msgspec

from actors.exchange.terms import PLAIN, Terms
from actors.messages.venue import PlaceOrder
from actors.runtime.messages import Message

__all__ = [
    "CashMoved",
    "Execution",
    "FeesSet",
    "FundingCharged",
    "FundingShare",
    "LeverageSet",
    "MarginMoved",
    "OrderBooked",
    "OrderUnbooked",
    "PositionLiquidated",
    "RestingOrderExecuted",
    "WalletOpened",
]


class WalletOpened(Message, frozen=True):
    """An account began with a deposit."""

    account: str
    deposit_usdt: int
    at_ns: int


class Execution(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an incoming order traded at once, at one price, with one counterparty."""

    trade_number: int
    price_ticks: int
    contracts: int
    fee_usdt: int
    maker_number: int  # the resting order met; 0 for the anonymous market
    maker_fee_usdt: int


class OrderBooked(Message, frozen=True):
    """An order was accepted, traded what it could at once, and rests with what is left.

    It does not rest when nothing is left, or when `reason` says why the rest was canceled.
    """

    number: int
    request: PlaceOrder
    executions: tuple[Execution, ...]
    reason: str
    at_ns: int
    terms: Terms = PLAIN


class RestingOrderExecuted(Message, frozen=True):
    """A resting order traded with the anonymous market, at its own limit price."""

    number: int
    trade_number: int
    contracts: int
    fee_usdt: int
    at_ns: int


class OrderUnbooked(Message, frozen=True):
    """A resting order was taken out of the book."""

    number: int
    reason: str
    at_ns: int


class FundingShare(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one account paid at a settlement; negative was received."""

    account: str
    net_contracts: int
    payment_usdt: int
    holding: str = ""  # its key; empty is the symbol


class FundingCharged(Message, frozen=True):
    """Funding of one symbol was settled for everybody who held a position."""

    symbol: str
    rate_e8: int
    mark_ticks: int
    shares: tuple[FundingShare, ...]
    settled_at_ns: int
    at_ns: int


class PositionLiquidated(Message, frozen=True):
    """The insurance fund took over (part of) a position at the bankruptcy price and sold it at the mark."""

    number: int  # of the order that the exchange made for it
    trade_number: int
    account: str
    symbol: str
    closed_contracts: int  # signed as the position was
    bankruptcy_ticks: int
    mark_ticks: int
    at_ns: int
    holding: str = ""  # its key; empty is the symbol
    deleveraged: bool = False  # not its own fault: it was on the other side of a loss the fund could not pay


class LeverageSet(Message, frozen=True):
    """An account chose the leverage of one of its positions, there or not."""

    account: str
    holding: str
    leverage: int
    at_ns: int


class MarginMoved(Message, frozen=True):
    """An account put cash behind an isolated position, or took some back (negative)."""

    account: str
    holding: str
    amount_usdt: int
    at_ns: int


class CashMoved(Message, frozen=True):
    """Money came into an account from elsewhere, or left it (negative)."""

    account: str
    amount_usdt: int
    at_ns: int


class FeesSet(Message, frozen=True):
    """An account has fees of its own from now on, as fractions of notional in 1e-8."""

    account: str
    maker_e8: int
    taker_e8: int
    at_ns: int

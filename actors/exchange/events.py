"""What the exchange records. Together with nothing else these rebuild its state, to the last unit.

Fees and payments are in the events as numbers: a later change of the fee table does not rewrite the past.
"""

from __future__ import annotations

import msgspec

from actors.messages.venue import PlaceOrder
from actors.runtime.messages import Message

__all__ = [
    "Execution",
    "FundingCharged",
    "FundingShare",
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

"""Rows of spot answers, typed. Spot has no envelope, spells its names out, and counts units of the coin.

Source: docs/poloniex.md, Spot.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from actors.poloniex.answers import Answer, row_of, rows_of
from actors.poloniex.decoding import Milliseconds, Name, Row, decoder_of

__all__ = [
    "SpotAccountRow",
    "SpotBalanceRow",
    "SpotCancelRow",
    "SpotFeesRow",
    "SpotFillRow",
    "SpotOrderRow",
    "SpotPlacedRow",
    "read_spot_accounts",
    "read_spot_canceled",
    "read_spot_fees",
    "read_spot_fills",
    "read_spot_orders",
    "read_spot_placed",
]

T = TypeVar("T")


class SpotPlacedRow(Row):
    """What the venue says to an order; `code` and `message` only where a batch refuses one."""

    id: Name = ""
    clientOrderId: Name = ""
    code: int = 200
    message: str = ""


class SpotCancelRow(Row):
    """What the venue says to a cancel."""

    orderId: Name = ""
    clientOrderId: Name = ""
    state: Name = ""
    code: int = 200
    message: str = ""


class SpotOrderRow(Row):
    """One order. Quantities are base units, amounts quote units, both as text."""

    id: Name
    symbol: Name
    state: Name
    side: Name
    type: Name
    clientOrderId: Name = ""
    quantity: str = "0"
    price: str = "0"
    amount: str = "0"
    filledQuantity: str = "0"
    filledAmount: str = "0"
    createTime: Milliseconds = 0
    updateTime: Milliseconds = 0


class SpotFillRow(Row):
    """One fill. The fee is charged in what was received, or in TRX."""

    id: Name
    symbol: Name
    orderId: Name
    side: Name
    price: str
    quantity: str
    clientOrderId: Name = ""
    matchRole: Name = "TAKER"
    amount: str = "0"
    feeCurrency: Name = ""
    feeAmount: str = "0"
    createTime: Milliseconds = 0
    pageId: Name = ""


class SpotBalanceRow(Row):
    """One currency."""

    currency: Name
    available: str
    hold: str = "0"


class SpotAccountRow(Row):
    """One account and what it holds."""

    accountId: Name
    accountType: Name = "SPOT"
    balances: list[SpotBalanceRow] = msgspec.field(default_factory=list)


class SpotFeesRow(Row):
    """What the account pays; with the discount on, fees are taken in TRX."""

    trxDiscount: bool = False


def _rows(kind: type[T]) -> msgspec.json.Decoder[list[T]]:
    found: Any = list[kind]  # type: ignore[valid-type]
    return decoder_of(found)


_placed = _rows(SpotPlacedRow)
_canceled = _rows(SpotCancelRow)
_orders = _rows(SpotOrderRow)
_fills = _rows(SpotFillRow)
_accounts = _rows(SpotAccountRow)
_fees = _rows(SpotFeesRow)


def read_spot_placed(answer: Answer) -> list[SpotPlacedRow]:
    """Return the names of orders placed. Errors: Malformed."""
    return rows_of(answer, _placed, "spot orders placed")


def read_spot_canceled(answer: Answer) -> list[SpotCancelRow]:
    """Return what became of cancels. Errors: Malformed."""
    return rows_of(answer, _canceled, "spot cancels")


def read_spot_orders(answer: Answer) -> list[SpotOrderRow]:
    """Return orders. Errors: Malformed."""
    return rows_of(answer, _orders, "spot orders")


def read_spot_fills(answer: Answer) -> list[SpotFillRow]:
    """Return fills. Errors: Malformed."""
    return rows_of(answer, _fills, "spot fills")


def read_spot_fees(answer: Answer) -> SpotFeesRow:
    """Return what the account pays. Errors: Malformed."""
    return row_of(answer, _fees, "spot fees")


def read_spot_accounts(answer: Answer) -> list[SpotAccountRow]:
    """Return accounts with their balances. Errors: Malformed."""
    return rows_of(answer, _accounts, "spot accounts")

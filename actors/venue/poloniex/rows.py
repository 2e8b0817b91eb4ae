"""Rows of account and trade answers, typed. Only fields that somebody uses are named.

Source: docs/poloniex.md, Objects.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from actors.poloniex.answers import Answer, row_of, rows_of
from actors.poloniex.decoding import Row, decoder_of
from actors.poloniex.frames import OrderRow

__all__ = [
    "BalanceRow",
    "BillRow",
    "FillRow",
    "LeverageRow",
    "OrderRow",
    "PlacedRow",
    "PositionRow",
    "read_balance",
    "read_bills",
    "read_fills",
    "read_leverages",
    "read_mode",
    "read_orders",
    "read_placed",
    "read_positions",
]

T = TypeVar("T")


class PlacedRow(Row):
    """What the venue says to an order or a cancel; `code` only within a batch."""

    ordId: str = ""
    clOrdId: str = ""
    code: int = 200
    msg: str = ""


class FillRow(Row):
    """One fill of ours. `id` is for paging, `trdId` names the fill."""

    id: str
    symbol: str
    side: str
    ordId: str
    trdId: str
    px: str
    qty: int
    clOrdId: str = ""
    role: str = "TAKER"
    feeAmt: str = "0"
    feeCcy: str = "USDT"
    type: str = "TRADE"
    cTime: int = 0
    uTime: int = 0


class MoneyRow(Row):
    """One currency of the account."""

    ccy: str
    eq: str
    upl: str = "0"
    avail: str = "0"


class BalanceRow(Row):
    """The account's money, margin and state."""

    state: str = "NORMAL"
    eq: str = "0"
    upl: str = "0"
    details: list[MoneyRow] = msgspec.field(default_factory=list)


class PositionRow(Row):
    """One open position. `side` says long or short; whether `qty` is signed is not known."""

    symbol: str
    side: str
    qty: int
    openAvgPx: str
    lever: str = "0"
    mgnMode: str = "CROSS"
    posSide: str = "BOTH"
    state: str = "NORMAL"


class BillRow(Row):
    """One movement of money: `sz` is signed, negative when we paid."""

    id: str
    type: str
    symbol: str
    sz: str
    cTime: int
    mgnMode: str = "CROSS"
    posSide: str = "BOTH"
    ccy: str = "USDT"


class LeverageRow(Row):
    """Leverage that new orders take."""

    symbol: str
    lever: str
    mgnMode: str = "CROSS"
    posSide: str = "BOTH"


class _ModeRow(Row):
    posMode: str


def _rows(kind: type[T]) -> msgspec.json.Decoder[list[T]]:
    found: Any = list[kind]  # type: ignore[valid-type]
    return decoder_of(found)


_placed = _rows(PlacedRow)
_orders = _rows(OrderRow)
_fills = _rows(FillRow)
_balances = _rows(BalanceRow)
_positions = _rows(PositionRow)
_bills = _rows(BillRow)
_leverages = _rows(LeverageRow)
_modes = _rows(_ModeRow)


def read_placed(answer: Answer) -> list[PlacedRow]:
    """Return the names of orders placed or canceled. Errors: Malformed."""
    return rows_of(answer, _placed, "placed orders")


def read_orders(answer: Answer) -> list[OrderRow]:
    """Return orders of any list, or of details. Errors: Malformed."""
    return rows_of(answer, _orders, "orders")


def read_fills(answer: Answer) -> list[FillRow]:
    """Return fills. Errors: Malformed."""
    return rows_of(answer, _fills, "fills")


def read_balance(answer: Answer) -> BalanceRow:
    """Return the account's money. Errors: Malformed."""
    return row_of(answer, _balances, "balance")


def read_positions(answer: Answer) -> list[PositionRow]:
    """Return open positions. Errors: Malformed."""
    return rows_of(answer, _positions, "positions")


def read_bills(answer: Answer) -> list[BillRow]:
    """Return movements of money. Errors: Malformed."""
    return rows_of(answer, _bills, "bills")


def read_leverages(answer: Answer) -> list[LeverageRow]:
    """Return leverages. Errors: Malformed."""
    return rows_of(answer, _leverages, "leverages")


def read_mode(answer: Answer) -> str:
    """Return ONE_WAY or HEDGE. Errors: Malformed."""
    return row_of(answer, _modes, "position mode").posMode

"""Rows of account and trade answers, typed. Only fields that somebody uses are named.

Source: docs/poloniex.md, Objects.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from actors.poloniex.answers import Answer, row_of, rows_of
from actors.poloniex.decoding import Count, Milliseconds, Name, Row, decoder_of
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

    ordId: Name = ""
    clOrdId: Name = ""
    code: int = 200
    msg: str = ""


class FillRow(Row):
    """One fill of ours. `id` is for paging, `trdId` names the fill."""

    id: Name
    symbol: Name
    side: Name
    ordId: Name
    trdId: Name
    px: str
    qty: Count
    clOrdId: Name = ""
    role: Name = "TAKER"
    feeAmt: str = "0"
    feeCcy: Name = "USDT"
    type: Name = "TRADE"
    cTime: Milliseconds = 0
    uTime: Milliseconds = 0


class MoneyRow(Row):
    """One currency of the account."""

    ccy: Name
    eq: str
    upl: str = "0"
    avail: str = "0"


class BalanceRow(Row):
    """The account's money, margin and state."""

    state: Name = "NORMAL"
    eq: str = "0"
    upl: str = "0"
    mm: str = "0"
    details: list[MoneyRow] = msgspec.field(default_factory=list)


class PositionRow(Row):
    """One open position. `side` says long or short; whether `qty` is signed is not known."""

    symbol: Name
    side: Name
    qty: Annotated[int, msgspec.Meta(ge=-(10**9), le=10**9)]
    openAvgPx: str
    lever: str = "0"
    mgnMode: Name = "CROSS"
    posSide: Name = "BOTH"
    state: Name = "NORMAL"


class BillRow(Row):
    """One movement of money: `sz` is signed, negative when we paid."""

    id: Name
    type: Name
    sz: str
    cTime: Milliseconds
    symbol: Name = ""  # of a transfer there is none
    mgnMode: Name = "CROSS"
    posSide: Name = "BOTH"
    ccy: Name = "USDT"


class LeverageRow(Row):
    """Leverage that new orders take."""

    symbol: Name
    lever: str
    mgnMode: Name = "CROSS"
    posSide: Name = "BOTH"


class _ModeRow(Row):
    posMode: Name


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

"""What both sides had said about a difference, as text for the record. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from actors.reconciler.compare import Difference, Kind
from actors.reconciler.state import Statements
from actors.runtime.messages import Message

__all__ = ["raw_sides", "raw_text"]

CHARACTERS_MAX = 4_000  # of each side; what is cut off says so


def raw_sides(difference: Difference, said: Statements) -> tuple[str, str]:
    """Return (ours, theirs): the parts of the statements that a difference is about, as JSON."""
    theirs, orders, ledger = said
    symbol, key = difference.symbol, difference.key
    ours_shown: dict[str, Any] = {"request_id": orders.request_id, "at_ns": orders.at_ns}
    theirs_shown: dict[str, Any] = {"request_id": theirs.request_id, "at_ns": theirs.at_ns}
    if symbol:
        ours_shown["positions"] = _of(ledger.positions, symbol)
        ours_shown["orders"] = _of(orders.orders, symbol)
        ours_shown["fills"] = _of(orders.fills, symbol)
        theirs_shown["positions"] = _of(theirs.positions, symbol)
        theirs_shown["orders"] = _of(theirs.open_orders, symbol)
        theirs_shown["fills"] = _of(theirs.fills, symbol)
    if difference.kind is Kind.FUNDING_MISSED:
        ours_shown["funding_ids"] = list(ledger.funding_ids)
        theirs_shown["funding"] = [_shown(paid) for paid in theirs.funding if paid.funding_id == key]
    if difference.kind is Kind.LEVERAGE_WRONG:
        theirs_shown["terms"] = _of(theirs.terms, symbol)
    if difference.kind is Kind.CASH_DRIFT:
        ours_shown["cash_usdt"] = ledger.cash_usdt
        theirs_shown["cash_usdt"] = theirs.cash_usdt
        theirs_shown["transfers"] = [_shown(transfer) for transfer in theirs.transfers]
    return _text(ours_shown), _text(theirs_shown)


def raw_text(message: Message) -> str:
    """Return one statement of the venue as JSON."""
    return _text(_shown(message))


def _of(rows: Iterable[Any], symbol: str) -> list[dict[str, Any]]:
    return [_shown(row) for row in rows if row.symbol == symbol]


def _shown(row: Message) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "account"}


def _text(shown: dict[str, Any]) -> str:
    """Return JSON; the newest rows of lists that are too long."""
    for kept in (64, 8, 1):
        cut = {name: value[-kept:] if isinstance(value, list) else value for name, value in shown.items()}
        text = msgspec.json.encode(cut, enc_hook=lambda value: getattr(value, "value", str(value))).decode()
        if len(text) <= CHARACTERS_MAX:
            return text
    return text[:CHARACTERS_MAX] + " (cut)"

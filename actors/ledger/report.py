"""The account as an operator sees it: plain values, amounts in 1e-8 USDT."""

from __future__ import annotations

from typing import Any

from actors.ledger.state import LedgerState, books_faults
from actors.ledger.valuation import Valuation

__all__ = ["account_report"]


def account_report(state: LedgerState, valuation: Valuation) -> dict[str, Any]:
    """Return cash, equity, margin, sums and positions of one account."""
    return {
        "cash_usdt": state.cash_usdt,
        "equity_usdt": state.cash_usdt + valuation.unrealised_usdt,
        "unrealised_usdt": valuation.unrealised_usdt,
        "realised_usdt": state.realised_usdt,
        "fees_usdt": state.fees_usdt,
        "funding_usdt": state.funding_usdt,
        "adjusted_usdt": state.adjusted_usdt,
        "initial_usdt": state.initial_usdt,
        "margin_usdt_used": valuation.margin_usdt_initial,
        "margin_usdt_maintenance": valuation.margin_usdt_maintenance,
        "day_start_equity_usdt": state.day_start_equity_usdt,
        "equity_peak_usdt": state.equity_peak_usdt,
        "fills_count": state.fills_count,
        "set_aside_count": state.set_aside_count,
        "unmarked": sorted(valuation.unmarked),  # while not empty, equity leaves these positions out
        "books_faults": list(books_faults(state)),
        "positions": [_position(symbol, state, valuation) for symbol in sorted(state.holdings)],
    }


def _position(symbol: str, state: LedgerState, valuation: Valuation) -> dict[str, Any]:
    holding, valued = state.holdings[symbol], valuation.by_symbol.get(symbol)
    return {
        "symbol": symbol,
        "net_contracts": holding.net_contracts,
        "cost_ticks": holding.cost_ticks,
        "mark_ticks": valued.mark_ticks if valued else 0,
        "unrealised_usdt": valued.unrealised_usdt if valued else 0,
        "realised_usdt": holding.realised_usdt,
        "fees_usdt": holding.fees_usdt,
        "funding_usdt": holding.funding_usdt,
        "fills_count": holding.fills_count,
        "dust_e8": holding.dust_e8,
    }

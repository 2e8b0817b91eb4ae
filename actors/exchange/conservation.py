"""The invariant of the whole exchange: no unit of money and no contract comes from nowhere or gets lost."""

from __future__ import annotations

from collections.abc import Mapping

from actors.exchange.prices import Market
from actors.exchange.state import ExchangeState
from actors.exchange.terms import slot_of

__all__ = ["imbalance"]


def imbalance(state: ExchangeState, markets: Mapping[str, Market]) -> tuple[int, dict[str, int]]:
    """Return the money too much (1e-8 USDT), and per symbol the contracts too many; 0 and empty is right.

    Every deposit is in a wallet or behind an isolated position, in the cost of an open position, with the
    anonymous market, in the fees or in the insurance fund. What somebody holds long, somebody holds short.
    """
    money = state.fees_usdt + state.insurance_usdt
    contracts: dict[str, int] = {}
    for symbol, books in state.markets.items():
        money += books.cash_usdt
        contracts[symbol] = books.net_contracts
    for wallet in state.wallets.values():
        money += wallet.cash_usdt - wallet.deposits_usdt
        for key, holding in wallet.holdings.items():
            symbol = slot_of(key)[0]
            money += holding.margin_usdt - holding.position.cost_ticks * markets[symbol].tick_value
            contracts[symbol] += holding.position.net_contracts
    return money, {symbol: count for symbol, count in contracts.items() if count}

"""Counts that only some limits need. They follow from live orders and from what was heard since the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.domain.correlation import correlated_exposure
from actors.messages.account import PortfolioState
from actors.messages.trading import OrderIntent
from actors.risk.state import Reservation

__all__ = ["Others", "Tally"]

E8 = 100_000_000
SLIPPAGE_SHARE = 8  # a fill moves the average by an eighth of its distance
DECISIONS_KEPT = 10_000  # more live orders than any limit allows


class Tally:
    """Orders by symbol and by strategy, and how well strategies do."""

    __slots__ = (
        "alive_ns",
        "decisions",
        "denials",
        "live",
        "slippage_e8",
        "strategy_orders",
        "symbol_orders",
    )

    def __init__(self) -> None:
        self.symbol_orders: dict[str, int] = {}
        self.strategy_orders: dict[str, int] = {}
        self.live: dict[str, dict[str, tuple[int, int]]] = {}  # strategy -> symbol -> what may buy and sell
        self.slippage_e8: dict[str, int] = {}
        self.denials: dict[str, int] = {}  # in a row
        self.alive_ns: dict[str, int] = {}
        self.decisions: dict[str, int] = {}  # price each live order was decided at

    def begin(self, reserved: Mapping[str, Reservation]) -> None:
        """Count what a recovered state holds."""
        self.symbol_orders.clear()
        self.strategy_orders.clear()
        self.live.clear()
        for order in reserved.values():
            self.add(order.strategy, order.symbol, order.side, order.contracts - order.filled_contracts, 1)

    def allowed(self, intent: OrderIntent) -> None:
        """An intent became an order."""
        self.add(intent.strategy, intent.symbol, intent.side, intent.contracts, 1)
        self.denials.pop(intent.strategy, None)
        if intent.decision_ticks and len(self.decisions) < DECISIONS_KEPT:
            self.decisions[intent.intent_id] = intent.decision_ticks

    def add(self, strategy: str, symbol: str, side: int, contracts: int, orders: int) -> None:
        """Add to, or take from, what lives."""
        for counts, name in ((self.symbol_orders, symbol), (self.strategy_orders, strategy)):
            left = counts.get(name, 0) + orders
            if left > 0:
                counts[name] = left
            else:
                counts.pop(name, None)
        of_strategy = self.live.setdefault(strategy, {})
        buys, sells = of_strategy.get(symbol, (0, 0))
        if side > 0:
            buys = max(0, buys + contracts)
        else:
            sells = max(0, sells + contracts)
        if buys or sells:
            of_strategy[symbol] = buys, sells
        else:
            of_strategy.pop(symbol, None)
            if not of_strategy:
                del self.live[strategy]

    def filled(self, intent_id: str, strategy: str, side: int, contracts: int, ticks: int) -> None:
        """So many contracts filled, for so many ticks in all: move the average of what it cost to be late."""
        decided = self.decisions.get(intent_id)
        if not decided or contracts <= 0 or ticks <= 0:
            return
        behind = side * (ticks - decided * contracts) * E8 // (decided * contracts)
        before = self.slippage_e8.get(strategy, 0)
        self.slippage_e8[strategy] = before + (behind - before) // SLIPPAGE_SHARE


@dataclass(slots=True)
class Others:
    """What the other accounts of the deployment hold, by the portfolio's last word."""

    at_ns: int = 0  # 0 until it has spoken
    gross_usdt: int = 0
    net_usdt: int = 0
    loss_usdt: int = 0
    net_by_symbol: dict[str, int] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    correlations: tuple[tuple[float, ...], ...] = ()
    shrinkage: float = 1.0

    def exposure(self, weights: Mapping[str, int]) -> int:
        """Return the exposure of signed values, with correlation counted in."""
        return correlated_exposure(weights, self.symbols, self.correlations, self.shrinkage)

    @staticmethod
    def of(portfolio: PortfolioState, account: str) -> Others:
        """Return the portfolio without one account."""
        others = [share for share in portfolio.shares if share.account != account]
        found = Others(portfolio.at_ns if portfolio.complete else 1)
        for share in others:
            found.loss_usdt += share.loss_usdt
            for symbol, usdt in share.net_usdt:
                found.gross_usdt += abs(usdt)
                found.net_usdt += usdt
                found.net_by_symbol[symbol] = found.net_by_symbol.get(symbol, 0) + usdt
        found.symbols, found.correlations = portfolio.symbols, portfolio.correlations
        found.shrinkage = portfolio.shrinkage_e8 / E8
        return found

"""How many orders may live and how fast they may follow each other, counted again beside the risk actor."""

from __future__ import annotations

from collections.abc import Iterator

from actors.risk.settings import RiskSettings

__all__ = ["OrderLimits"]

SECOND_NS = 1_000_000_000


class OrderLimits:
    """One account's orders. Reductions count and are never too many: risk lets them pass."""

    def __init__(self, limits: RiskSettings) -> None:
        self.limits = limits
        self._live: dict[str, tuple[str, str]] = {}  # client_order_id -> symbol and strategy
        self._exits: dict[str, int] = {}  # symbol -> when risk ordered a close last
        self._full_ns = 0  # when the bucket of tokens is full again

    def submitted(self, client_order_id: str, symbol: str, strategy: str, reduces: bool) -> Iterator[str]:
        """Take an order; yield what it breaks. Of the OMS's own closes risk hears after they left."""
        if strategy.startswith("oms/"):
            return
        self._live[client_order_id] = symbol, strategy
        if reduces:
            return
        own, of_strategy = self.limits.symbols.get(symbol), self.limits.strategies.get(strategy)
        of_symbol = own.max_symbol_orders if own is not None else None
        counts = (
            ("live order", len(self._live), self.limits.max_open_orders),
            (
                f"live order of {symbol}",
                sum(1 for one, _ in self._live.values() if one == symbol),
                self.limits.max_symbol_orders if of_symbol is None else of_symbol,
            ),
            (
                f"live order of {strategy}",
                sum(1 for _, one in self._live.values() if one == strategy),
                of_strategy.max_open_orders if of_strategy is not None else 0,
            ),
        )
        for what, count, most in counts:
            if most and count > most:
                yield f"{client_order_id} is the {count}th {what}, of {most}"

    def exit_ordered(self, symbol: str, at_ns: int) -> None:
        """Risk has a position closed: for a pause nothing may open there."""
        self._exits[symbol] = at_ns

    def ended(self, client_order_id: str) -> None:
        """An order lives no longer."""
        self._live.pop(client_order_id, None)

    def allowed(self, intent_id: str, symbol: str, at_ns: int, reduces: bool) -> Iterator[str]:
        """Take an intent that risk allowed; yield what it breaks."""
        since_ns = at_ns - self._exits.get(symbol, at_ns - self.limits.exit_pause)
        if not reduces and since_ns < self.limits.exit_pause:
            yield f"{intent_id} opened {since_ns / 1e9:.2f} s after risk had {symbol} closed"
        rate = self.limits.max_orders_per_second
        if not rate:
            return
        interval_ns = SECOND_NS // rate
        wait_ns = self._full_ns - at_ns
        if wait_ns > (self.limits.order_burst - 1) * interval_ns and not reduces:
            yield f"{intent_id} was allowed {wait_ns / 1e9:.2f} s before the rate of {rate}/s has room"
        self._full_ns = max(self._full_ns, at_ns) + interval_ns

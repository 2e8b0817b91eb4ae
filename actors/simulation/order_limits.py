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
        self._live: set[str] = set()
        self._full_ns = 0  # when the bucket of tokens is full again

    def submitted(self, client_order_id: str, reduces: bool) -> Iterator[str]:
        """Take an order; yield what it breaks."""
        self._live.add(client_order_id)
        most = self.limits.max_open_orders
        if most and not reduces and len(self._live) > most:
            yield f"{client_order_id} is the {len(self._live)}th live order of {most}"

    def ended(self, client_order_id: str) -> None:
        """An order lives no longer."""
        self._live.discard(client_order_id)

    def allowed(self, intent_id: str, at_ns: int, reduces: bool) -> Iterator[str]:
        """Take an intent that risk allowed; yield what it breaks."""
        rate = self.limits.max_orders_per_second
        if not rate:
            return
        interval_ns = SECOND_NS // rate
        wait_ns = self._full_ns - at_ns
        if wait_ns > (self.limits.order_burst - 1) * interval_ns and not reduces:
            yield f"{intent_id} was allowed {wait_ns / 1e9:.2f} s before the rate of {rate}/s has room"
        self._full_ns = max(self._full_ns, at_ns) + interval_ns

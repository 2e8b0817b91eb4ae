"""An actor that fills the book with limit orders that stay."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.trading import OrderIntent
from actors.runtime.behaviour import Behaviour, Context, Phase
from actors.runtime.messages import Message

__all__ = ["PlaceSome", "Resting"]

ORDERS_PER_STEP = 100
STEP_NS = 1_000_000
BELOW_PERCENT = 3  # of the price: inside the venue's band, and never reached


class PlaceSome(Message, frozen=True):
    """Time to place the next resting orders."""


class Resting(Behaviour):
    """Places limit orders below the markets, so many in all, in one market after the other."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (PlaceSome,)
    EMITS: ClassVar[tuple[type[Message], ...]] = (OrderIntent,)
    PHASE = Phase.DECIDE

    def __init__(
        self,
        address: str,
        markets: list[tuple[str, int]],
        orders_count: int,
        *,
        per_step: int = ORDERS_PER_STEP,
        step_ns: int = STEP_NS,
    ) -> None:
        self._address = address
        self._per_step, self._step_ns = per_step, step_ns
        self._markets = [(symbol, ticks * (100 - BELOW_PERCENT) // 100) for symbol, ticks in markets]
        self._count = self._left = orders_count

    def started(self, context: Context) -> None:
        context.schedule(self._step_ns, PlaceSome())

    def on_place_some(self, message: PlaceSome, context: Context) -> None:
        for _ in range(min(self._per_step, self._left)):
            context.publish(self._intent(context))
            self._left -= 1
        if self._left:
            context.schedule(self._step_ns, message)

    def _intent(self, context: Context) -> OrderIntent:
        symbol, limit_ticks = self._markets[self._left % len(self._markets)]
        return OrderIntent(
            f"{self._address}#{context.epoch}.{self._count - self._left + 1}",
            *(self._address, "main", symbol, Side.BUY, 1, OrderType.LIMIT, limit_ticks),
            *(TimeInForce.GTC, False, limit_ticks, context.now_ns),
        )

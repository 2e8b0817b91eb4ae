"""An order on every quote, buying and selling in turn: for benchmarks and drills; it only loses money."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.orders import Side
from actors.messages.market import Quote
from actors.runtime.settings import setting
from actors.strategy.protocol import Decision, Hold, Order, View
from actors.strategy.settings import StrategySettings

__all__ = ["Pulse", "PulseMemory", "PulseSettings"]

WAIT = Hold("waiting")


class PulseSettings(StrategySettings, frozen=True, kw_only=True):
    """Never for real money: it trades without a reason."""

    contracts: Annotated[int, setting("Size of each order.", minimum=1, risk="raise")] = 1
    orders_at_once: Annotated[
        int, setting("Orders that may be unresolved at a time.", minimum=1, maximum=1_000, risk="raise")
    ] = 1


class PulseMemory(msgspec.Struct):
    """Which side is next."""

    buys_next: bool = True


class Pulse:
    """Buys and sells in turn, a market order on each quote, as fast as earlier orders are resolved.

    When orders fail, so that the turns no longer cancel out, it goes back towards flat first.
    """

    MEMORY: ClassVar[type[msgspec.Struct]] = PulseMemory
    bars_warmup = 0

    def __init__(self, settings: PulseSettings, instrument: Instrument) -> None:
        self.memory = PulseMemory()
        self.orders_at_once = settings.orders_at_once
        self._most = settings.contracts * settings.orders_at_once
        self._buy = Order(Side.BUY, settings.contracts, "pulse")
        self._sell = Order(Side.SELL, settings.contracts, "pulse")

    def on_quote(self, quote: Quote, view: View) -> Decision:
        if not view.can_act:
            return WAIT
        memory, net = self.memory, view.net_contracts
        buys = memory.buys_next
        if net >= self._most or net <= -self._most:
            buys = net < 0
        memory.buys_next = not buys
        return self._buy if buys else self._sell

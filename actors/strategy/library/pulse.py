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


class PulseMemory(msgspec.Struct):
    """Nothing: the side follows from the position."""


class Pulse:
    """Buys when it is flat, sells when it is not; one market order at a time, as fast as quotes come."""

    MEMORY: ClassVar[type[msgspec.Struct]] = PulseMemory
    bars_warmup = 0

    def __init__(self, settings: PulseSettings, instrument: Instrument) -> None:
        self.memory = PulseMemory()
        self._buy = Order(Side.BUY, settings.contracts, "pulse")
        self._sell = Order(Side.SELL, settings.contracts, "pulse")

    def on_quote(self, quote: Quote, view: View) -> Decision:
        if not view.can_act:
            return WAIT
        return self._sell if view.net_contracts > 0 else self._buy

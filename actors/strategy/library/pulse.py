"""Orders on quotes, buying and selling in turn: for benchmarks and drills; it only loses money."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.market import Quote
from actors.runtime.settings import Duration, setting
from actors.strategy.protocol import Amend, Cancel, Decision, Hold, Order, View
from actors.strategy.settings import StrategySettings

__all__ = ["Pulse", "PulseMemory", "PulseSettings"]

WAIT = Hold("waiting")
TAKE_BACK = Cancel("pulse")
REST_PERCENT = 98  # of the best bid: near enough for every price band, too far to be met


class PulseSettings(StrategySettings, frozen=True, kw_only=True):
    """Never for real money: it trades without a reason."""

    contracts: Annotated[int, setting("Size of each order.", minimum=1, risk="raise")] = 1
    orders_at_once: Annotated[
        int, setting("Orders that may be unresolved at a time.", minimum=1, maximum=1_000, risk="raise")
    ] = 1
    pause: Annotated[Duration, setting("Shortest time between two steps.", minimum=0)] = 0
    rests: Annotated[
        bool,
        setting(
            "Every third order rests 2 % below the market. It is amended to the best bid a step later, one "
            "contract larger, then back to where it was, and taken back."
        ),
    ] = False


class PulseMemory(msgspec.Struct):
    """Which step is next, and when."""

    buys_next: bool = True
    due_ns: int = 0  # of the next step
    steps_to_rest: int = 2
    is_resting: bool = False
    amends_left: int = 0


class Pulse:
    """Buys and sells in turn, a market order on a quote, as fast as pause and unresolved orders let it.

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
        self._contracts, self._pause, self._rests = settings.contracts, settings.pause, settings.rests

    def on_quote(self, quote: Quote, view: View) -> Decision:
        memory, net = self.memory, view.net_contracts
        if self._pause and view.now_ns < memory.due_ns:
            return WAIT
        if not view.can_act:
            return self._change_resting(quote, view) if memory.is_resting else WAIT
        memory.due_ns, memory.is_resting, memory.amends_left = view.now_ns + self._pause, False, 2
        if self._rests:
            memory.steps_to_rest = (memory.steps_to_rest - 1) % 3
            if not memory.steps_to_rest and quote.bid_ticks:
                memory.is_resting = True
                price = quote.bid_ticks * REST_PERCENT // 100
                return Order(Side.BUY, self._contracts, "pulse", (), OrderType.LIMIT, price, TimeInForce.GTC)
        buys = memory.buys_next
        if net >= self._most or net <= -self._most:
            buys = net < 0
        memory.buys_next = not buys
        return self._buy if buys else self._sell

    def _change_resting(self, quote: Quote, view: View) -> Decision:
        """Amend what rests, then take it back."""
        memory = self.memory
        memory.due_ns = view.now_ns + self._pause
        if memory.amends_left and quote.bid_ticks:
            memory.amends_left -= 1
            price = quote.bid_ticks if memory.amends_left else quote.bid_ticks * REST_PERCENT // 100
            return Amend("pulse", (), price, self._contracts + 1)
        memory.is_resting = False
        return TAKE_BACK

"""What every part of a strategy's desk needs: prices, reasons, pauses, and orders that find no end."""

from __future__ import annotations

from actors.domain.orders import Side
from actors.domain.place import Place
from actors.messages.trading import Reason
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message, Severity
from actors.strategy.protocol import (
    Reasons,
    View,
)
from actors.strategy.settings import StrategySettings
from actors.strategy.state import StrategyState

__all__ = ["CONTRACTS_MAX", "TICKS_MAX", "DeskBase", "PendingCheck", "texts_of"]

UNRESOLVED = "OrderUnresolved"

BUY, SELL = Side.BUY, Side.SELL

# No market has such sizes and prices; what is larger could not even be journaled.
CONTRACTS_MAX = 10**12
TICKS_MAX = 10**15

PAUSE_DOUBLINGS_MAX = 8  # 256 times `retry_after`: four minutes from a second


class PendingCheck(Message, frozen=True):
    """Look for own orders that found no end."""


class DeskBase:
    """Works on the actor's saved state."""

    def __init__(self, settings: StrategySettings, place: Place, view: View) -> None:
        self.pause_until_ns = 0
        self.denials_count = 0
        self._refusals_in_row = 0
        self._settings = settings
        self._account = settings.account
        self._symbol = place.symbol
        self._instrument = place.instrument
        self._view = view
        self._state = StrategyState()
        self._address = ""
        self._prefix = ""
        self._told: set[str] = set()  # intents of which somebody has been told that they find no end
        self._check_waits = False
        self._constant: dict[str, tuple[Reason, ...]] = {}

    def open(self, state: StrategyState, context: Context) -> None:
        """Take up the recovered state."""
        self._state = state
        self._address = context.name
        self._prefix = context.name + "#" + str(context.epoch) + "."
        self._view.net_contracts, self._view.pending = state.net_contracts, state.pending
        self._check_waits = False
        if state.pending:
            self._check_later(context)
            told_ns = context.now_ns - self._settings.order_alert_after
            self._told |= {name for name, order in state.pending.items() if order.since_ns <= told_ns}

    def _mid_x2(self) -> int:
        """Return best bid + best ask; 0 while not both are known."""
        quote = self._view.quote
        return quote.bid_ticks + quote.ask_ticks if quote and quote.bid_ticks and quote.ask_ticks else 0

    def _price(self, side: Side | None) -> int:
        """Return the price an order of this side would meet: the quote's, else the last one seen."""
        quote, last = self._view.quote, self._view.last_ticks
        if quote is None:
            return last
        if side is BUY:
            return quote.ask_ticks or last
        if side is SELL:
            return quote.bid_ticks or last
        return last or quote.bid_ticks

    def _reasons(self, why: str, reasons: Reasons) -> tuple[Reason, ...]:
        """Return the reasons as a message carries them, `why` first; constant ones are made once."""
        if reasons:
            return (Reason("why", why), *texts_of(reasons))
        found = self._constant.get(why)
        if found is None:
            found = (Reason("why", why),)
            if len(self._constant) < 64:  # a strategy that builds its texts shall not fill the memory
                self._constant[why] = found
        return found

    def _pause(self, context: Context) -> None:
        """Wait before the next try, twice as long after each refusal in a row: a halt may last for days."""
        doublings = min(self._refusals_in_row, PAUSE_DOUBLINGS_MAX)
        self._refusals_in_row += 1
        self.pause_until_ns = context.now_ns + (self._settings.retry_after << doublings)

    def look_for_unresolved(self, context: Context) -> None:
        """Tell somebody about orders in flight for too long; look again while there are any."""
        self._check_waits = False
        if self._state.pending:
            self._check_later(context)
        limit_ns = context.now_ns - self._settings.order_alert_after
        for intent_id, order in self._state.pending.items():
            if order.since_ns <= limit_ns:
                self._told.add(intent_id)
                text = f"{self._address} stands still: {intent_id} has found no end"
                context.alert(UNRESOLVED, Severity.TICKET, text, key=intent_id, symbol=self._symbol)

    def _check_later(self, context: Context) -> None:
        self._check_waits = True
        context.schedule(self._settings.order_alert_after, PendingCheck(), key="pending")

    def _resolved(self, intent_id: str, context: Context) -> None:
        if intent_id in self._told:
            self._told.discard(intent_id)
            context.resolve(UNRESOLVED, key=intent_id)


def texts_of(reasons: Reasons) -> tuple[Reason, ...]:
    """Return the inputs of a decision as a message carries them."""
    return tuple(
        Reason(name, f"{value:.8g}" if isinstance(value, float) else str(value)) for name, value in reasons
    )

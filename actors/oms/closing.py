"""Closing positions: market orders of the OMS itself, until nothing is open and nothing can reopen it."""

from __future__ import annotations

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.place import Place
from actors.messages.control import FlattenPositions
from actors.messages.trading import OrderIntent
from actors.oms.amending import OmsAmending
from actors.oms.events import FlattenEnded, FlattenStarted
from actors.oms.flatten import closing_orders
from actors.oms.settings import OmsSettings
from actors.oms.state import TERMINAL_VALUES, Order
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["OmsClosing"]

FLATTEN_STUCK = "FlattenStuck"
FLATTEN_TRIES_UNTIL_ALERT = 3


class OmsClosing(OmsAmending):
    """Flattens symbols.

    The wish is on the record and ends only when the position is zero and every order that was live at the
    command, or was made for it, has ended: a fill still in flight is closed too. While a closing order has no
    answer its contracts count as being closed; it is reduce-only, but a second one beside it is not sent.
    """

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._closers: dict[str, set[str]] = {}  # by symbol: live closing orders
        self._failures: dict[str, int] = {}  # by symbol: closing orders in a row that filled nothing

    def on_flatten_positions(self, message: FlattenPositions, context: Context) -> None:
        """Cancel what may open more, then close what is open, in one symbol or in all."""
        if message.account and message.account != self._account:
            return
        symbols = {message.symbol} if message.symbol else self._touched()
        self._withdraw_between(message.symbol, "", message.reason, context)
        for symbol in sorted(symbols):
            if symbol not in self.state.flattening:
                context.record(FlattenStarted(symbol, message.reason, context.now_ns))
            self._cover(symbol)
            for order in self._live_in(symbol):
                if order.strategy != self._address:
                    self._cancel(order, message.reason, context)
            self._flatten_step(symbol, context)

    def _touched(self) -> set[str]:
        open_positions = {symbol for symbol, net in self.state.net_contracts.items() if net}
        return open_positions | {order.symbol for order in self.state.live.values()}

    def _live_in(self, symbol: str) -> list[Order]:
        return [order for order in self.state.live.values() if order.symbol == symbol]

    def _cover(self, symbol: str) -> None:
        """Watch every order that is live now: until the last has ended the position may open again."""
        live = self._live_in(symbol)
        self._covered[symbol] = {order.client_order_id for order in live}
        self._closers[symbol] = {order.client_order_id for order in live if order.strategy == self._address}

    def _resume_flattening(self, context: Context) -> None:
        """After a restart: the wish is on the record, so it goes on."""
        for symbol in list(self.state.flattening):
            self._cover(symbol)
            self._flatten_step(symbol, context)

    def _flatten_after(self, order: Order, context: Context) -> None:
        """An order of a symbol that is being flattened changed."""
        if order.state._value_ in TERMINAL_VALUES:
            symbol, client_order_id = order.symbol, order.client_order_id
            self._covered[symbol].discard(client_order_id)
            if client_order_id in self._closers[symbol]:
                self._closers[symbol].discard(client_order_id)
                if order.state is not OrderState.FILLED:
                    self._flatten_later(order, context)
        self._flatten_step(order.symbol, context)

    def _flatten_step(self, symbol: str, context: Context) -> None:
        """Send what is missing, or end."""
        net = self.state.net_contracts.get(symbol, 0)
        instrument = self.place.instruments.get(symbol)
        if instrument is not None and instrument.is_spot and 0 < net < instrument.contracts_min:
            net = 0  # no venue sells so little: it stays
        if net == 0 and not self._covered[symbol]:
            self._flatten_done(symbol, context)
            return
        if net == 0 or symbol in self._retries:
            return
        working = sum(self._working(client_order_id) for client_order_id in self._closers[symbol])
        contracts_max = instrument.contracts_max_market if instrument is not None else 0
        side, sizes = closing_orders(net, working, contracts_max)
        for contracts in sizes:
            self._close_some(symbol, side, contracts, context)

    def _working(self, client_order_id: str) -> int:
        """Return what a closing order may still fill."""
        order = self.state.live.get(client_order_id)
        return order.contracts - order.filled_contracts if order is not None else 0

    def _close_some(self, symbol: str, side: Side, contracts: int, context: Context) -> None:
        count = self.state.sequence + 1
        intent = OrderIntent(
            f"{self._address}#{context.epoch}.{count}",
            self._address,
            self._account,
            symbol,
            side,
            contracts,
            OrderType.MARKET,
            0,
            TimeInForce.IOC,
            True,
            0,
            context.now_ns,
        )
        order = self._submit(intent, (self._address, context.epoch, count), self.state.risk, context)
        self._closers[symbol].add(order.client_order_id)

    def _flatten_later(self, order: Order, context: Context) -> None:
        """A closing order ended without filling wholly: wait a little, then send the rest again."""
        symbol = order.symbol
        failures = self._failures[symbol] = 0 if order.filled_contracts else self._failures.get(symbol, 0) + 1
        due_ns = context.now_ns + self.settings.flatten_retry
        self._retries[symbol] = due_ns
        self._sweep_by(due_ns, context)
        if failures >= FLATTEN_TRIES_UNTIL_ALERT:
            net = self.state.net_contracts.get(symbol, 0)
            text = f"{symbol} cannot be flattened: {net} contracts still open after {failures} tries"
            context.alert(FLATTEN_STUCK, Severity.PAGE, text, key=symbol)

    def _flatten_done(self, symbol: str, context: Context) -> None:
        del self._covered[symbol], self._closers[symbol]
        self._retries.pop(symbol, None)
        self._failures.pop(symbol, None)
        context.resolve(FLATTEN_STUCK, key=symbol)  # an OMS before a restart may have raised it
        context.record(FlattenEnded(symbol, context.now_ns))

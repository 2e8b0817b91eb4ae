"""What happens to single orders: submitted, moved through the table, filled, canceled, told about.

This is the hot path of the node. Three rules keep it fast: constant work per message, messages built by
position, one event per decision.
"""

from __future__ import annotations

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import Side
from actors.domain.place import Place
from actors.messages.control import ReconcileNow
from actors.messages.evidence import ForeignFill, UnexpectedReport, VenueReport
from actors.messages.trading import Fill, OrderIntent
from actors.messages.venue import CancelOrder, OrderFilled, PlaceOrder
from actors.oms.deadlines import Doubts, backoff_ns
from actors.oms.events import CancelWanted, OrderAnomaly, OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.oms.ids import account_mark
from actors.oms.record import ANOMALIES_KEPT
from actors.oms.settings import OmsSettings
from actors.oms.state import NEXT, TERMINAL_VALUES, FillsOrder, Order, fill_key
from actors.oms.telling import OmsTelling
from actors.oms.timers import Sweep
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["FILL_NOT_OURS", "ORDER_UNKNOWN", "REPORT_UNEXPECTED", "OmsOrders"]

REPORT_UNEXPECTED = "OrderReportUnexpected"
FILL_NOT_OURS = "FillNotOurs"
ORDER_UNKNOWN = "OrderUnknown"
CANCEL_REFUSED = "CancelRefused"

CANCELS_UNTIL_ALERT = 3
SWEEP_PAUSE_NS = 50_000_000  # two sweeps are at least so far apart, however many deadlines there are

OPEN, PARTIALLY_FILLED = OrderState.OPEN, OrderState.PARTIALLY_FILLED
BUY = Side.BUY
UNKNOWN, CANCELING = OrderState.UNKNOWN, OrderState.CANCELING

_AFTER_PARTLY = NEXT[OrderEvent.FILLED_PARTLY.value]
_AFTER_WHOLLY = NEXT[OrderEvent.FILLED_WHOLLY.value]


class OmsOrders(OmsTelling):
    """The OMS's dealings with one order at a time."""

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        self._answer_timeout_ns = settings.answer_timeout
        # Begins the name of every order of this account, those that are forgotten or of another journal too.
        self._mark = account_mark(place.deployment, place.account) + "-"
        # None of the following is state: started() makes it again from the orders.
        self._awaiting: dict[str, int] = {}  # unanswered requests -> deadline, soonest first
        self._doubts = Doubts()
        self._fills_order = FillsOrder()
        self._by_intent: dict[str, str] = {}  # live orders by intent_id
        self._covered: dict[str, set[str]] = {}  # by symbol being flattened: live orders that may reopen it
        self._retries: dict[str, int] = {}  # by symbol being flattened: when to try again
        self._by_scope: list[Order] | None = None  # to be canceled by scope, while a halt is carried out
        self._sweep_at_ns = 0  # when the timer goes off; 0 when it is not set
        self.repeats_count = 0  # reports and intents heard before
        self.strangers_count = 0  # reports about orders that are not, or no longer, in the books

    # -- out -----------------------------------------------------------------------------------------

    def _submit(
        self,
        intent: OrderIntent,
        rank: tuple[str, int, int],
        risk: str,
        context: Context,
        replaces: str = "",
        arrival: tuple[int, int] = (0, 0),
    ) -> Order:
        """Make an order of an intent: on the record first, then to the venue.

        `arrival` is when risk allowed it, and the doubled middle of the quote then.
        """
        now_ns = context.now_ns
        state = self.state
        sequence = state.sequence + 1
        client_order_id = self._prefix + str(sequence)
        symbol, side, contracts = intent.symbol, intent.side, intent.contracts
        order_type, limit_ticks = intent.order_type, intent.limit_ticks
        time_in_force, reduce_only = intent.time_in_force, intent.reduce_only
        context.record(
            OrderSubmitted(
                client_order_id,
                sequence,
                intent.intent_id,
                *rank,
                intent.strategy,
                risk,
                symbol,
                side,
                contracts,
                order_type,
                limit_ticks,
                time_in_force,
                reduce_only,
                intent.decision_ticks,
                now_ns,
                replaces,
                *(intent.decided_at_ns, arrival[0], intent.mid_x2, arrival[1]),
            )
        )
        context.publish(
            PlaceOrder(
                self._account,
                client_order_id,
                symbol,
                side,
                contracts,
                order_type,
                limit_ticks,
                time_in_force,
                reduce_only,
            )
        )
        self.tally.submitted(intent.decided_at_ns, arrival[0], now_ns)
        self._by_intent[intent.intent_id] = client_order_id
        self._await(client_order_id, now_ns + self._answer_timeout_ns, context)
        if self._covered and symbol in self._covered:
            self._covered[symbol].add(client_order_id)
        return state.live[client_order_id]

    def _cancel(self, order: Order, reason: str, context: Context) -> None:
        """Have an order canceled: now if the venue surely has it, else as soon as that is known."""
        if self.state.amends:
            self._withdraw(order.intent_id, reason, context)
        state = order.state
        if state is OPEN or state is PARTIALLY_FILLED:
            self._request_cancel(order, reason, context)
        elif not order.cancel_wanted:
            context.record(CancelWanted(order.client_order_id, reason, context.now_ns))

    def _request_cancel(self, order: Order, reason: str, context: Context) -> None:
        client_order_id, now_ns = order.client_order_id, context.now_ns
        context.record(OrderStateChanged(client_order_id, OrderEvent.CANCEL_REQUESTED, "", reason, now_ns))
        if self._by_scope is None:
            context.publish(CancelOrder(self._account, client_order_id, order.symbol))
        else:
            self._by_scope.append(order)
        self._await(client_order_id, now_ns + self._answer_timeout_ns, context)
        self._tell(order, context)

    # -- in ------------------------------------------------------------------------------------------

    def _move(
        self,
        order: Order,
        event: OrderEvent,
        report: VenueReport,
        context: Context,
        venue_order_id: str,
        reason: str,
        sent_at_ns: int = 0,
    ) -> None:
        """Let the table say what a report means for an order."""
        before = order.state
        after = NEXT[event._value_].get(before._value_)
        if after is None:
            self._unexpected(order, event, report, context)
            return
        if after is before and (order.venue_order_id or not venue_order_id):
            self.repeats_count += 1
            return
        since_ns = order.unknown_since_ns
        context.record(
            OrderStateChanged(
                order.client_order_id, event, venue_order_id, reason, context.now_ns, sent_at_ns
            )
        )
        self._changed(order, before, since_ns, context)

    def on_order_filled(self, message: OrderFilled, context: Context) -> None:
        """Apply one fill, once; it is a fact about money whatever the order's state says."""
        state = self.state
        client_order_id, symbol, trade_id = message.client_order_id, message.symbol, message.trade_id
        if symbol + "/" + trade_id in state.fills:
            self.repeats_count += 1
            return
        contracts, side = message.contracts, message.side
        order = state.live.get(client_order_id) or state.closed.get(client_order_id)
        if contracts <= 0 or message.at_ns < state.fills_forgotten_ns:
            self._set_aside(message, order, context)
            return
        if order is None or order.side is not side or order.symbol != symbol:
            self._fill_of_stranger(message, context)
            return
        before, since_ns = order.state, order.unknown_since_ns
        left = order.contracts - order.filled_contracts - contracts
        self._measure_fill(order, message, context)
        self._book(message, client_order_id, order.strategy, context)
        if left < 0 or (_AFTER_WHOLLY if left == 0 else _AFTER_PARTLY).get(before._value_) is None:
            event = OrderEvent.FILLED_PARTLY if left > 0 else OrderEvent.FILLED_WHOLLY
            self._unexpected(order, event, message, context, before=before)
        self._changed(order, before, since_ns, context)

    def _book(self, report: OrderFilled, client_order_id: str, strategy: str, context: Context) -> None:
        """Put a fill on the record and tell the ledger."""
        symbol, trade_id, side = report.symbol, report.trade_id, report.side
        contracts, price_ticks, fee_usdt = report.contracts, report.price_ticks, report.fee_usdt
        venue_order_id, maker, filled_at_ns = report.venue_order_id, report.maker, report.at_ns
        fee_contracts, dust_e8 = report.fee_contracts, report.dust_e8
        instrument = self.place.instruments.get(symbol) if dust_e8 else None
        if instrument is not None:
            held = self.state.dust_e8.get(symbol, 0)
            fee_contracts, dust_e8 = instrument.carry_dust(held, fee_contracts, dust_e8)
            fee_usdt -= instrument.notional(report.fee_contracts - fee_contracts, price_ticks)
        self._fills_order.note(filled_at_ns)
        context.record(
            OrderFillApplied(
                client_order_id,
                venue_order_id,
                symbol,
                trade_id,
                contracts if side is BUY else -contracts,
                price_ticks,
                fee_usdt,
                maker,
                filled_at_ns,
                context.now_ns,
                fee_contracts,
                dust_e8,
            )
        )
        context.publish(
            Fill(
                self._account,
                symbol,
                client_order_id,
                venue_order_id,
                trade_id,
                strategy,
                side,
                contracts,
                price_ticks,
                fee_usdt,
                maker,
                report.liquidation,
                filled_at_ns,
                fee_contracts,
                dust_e8,
            )
        )

    def _fill_of_stranger(self, report: OrderFilled, context: Context) -> None:
        """The venue or a person traded on our account: the position moves all the same."""
        self._book(report, "", "", context)
        # One alert for a symbol, however many trades: another node on the account makes one a second.
        key = report.symbol + ("/liquidation" if report.liquidation else "")
        self._note(FILL_NOT_OURS, key, "", "", "filled", report, context)
        what = "Liquidated by the venue" if report.liquidation else "Traded without an order of ours"
        text = f"{what}: {report.side.name} {report.contracts} {report.symbol}"
        severity = Severity.PAGE if report.liquidation else Severity.TICKET
        context.alert(FILL_NOT_OURS, severity, text, key=key, order=report.client_order_id)
        context.publish(ReconcileNow(self._account))
        if not report.liquidation and not report.client_order_id.startswith(self._mark):
            context.publish(ForeignFill(self._account, report, context.now_ns))
        if report.symbol in self._covered:
            self._flatten_step(report.symbol, context)
        if self.state.parents:
            self._position_moved(report.symbol, context)

    def _set_aside(self, report: OrderFilled, order: Order | None, context: Context) -> None:
        """A fill that cannot be true, or is so old that nobody knows whether it was booked."""
        key = fill_key(report.symbol, report.trade_id)
        if key in self.state.anomalies:
            self.repeats_count += 1
            return
        state = order.state.value if order is not None else ""
        name = report.client_order_id
        key = self._note(REPORT_UNEXPECTED, key, name, state, "filled", report, context)
        text = f"A fill of {report.contracts} {report.symbol} was not booked: impossible or too old to judge"
        context.alert(REPORT_UNEXPECTED, Severity.PAGE, text, key=key, trade_id=report.trade_id)
        if order is not None:
            self._report(order, order.state, OrderEvent.FILLED_PARTLY, report, context)

    def _changed(self, order: Order, before: OrderState, since_ns: int, context: Context) -> None:
        """Do what follows when an order changed; `since_ns` is since when it had been UNKNOWN, if it was."""
        if self.state.amends or order.replaced_by:
            self._tell_changed(order, context)
        else:
            self._tell(order, context)
        client_order_id, state = order.client_order_id, order.state
        if state is not CANCELING:
            self._awaiting.pop(client_order_id, None)
        if before is UNKNOWN and state is not UNKNOWN:
            self._doubts.settle(client_order_id)
            if context.now_ns - since_ns >= self.settings.unknown_alert_after:
                context.resolve(ORDER_UNKNOWN, key=client_order_id)
        if state._value_ in TERMINAL_VALUES:
            if self._by_intent.get(order.intent_id) == client_order_id:
                del self._by_intent[order.intent_id]
            if order.cancels_count >= CANCELS_UNTIL_ALERT:
                context.resolve(CANCEL_REFUSED, key=client_order_id)
        elif order.cancel_wanted and (state is OPEN or state is PARTIALLY_FILLED):
            self._request_cancel(order, order.reason or "wanted before", context)
        if self._covered and order.symbol in self._covered:
            self._flatten_after(order, context)
        if self.state.parents or self.state.parents_ended:
            self._parents_after(order, context)

    def _unexpected(
        self,
        order: Order,
        event: OrderEvent,
        report: VenueReport,
        context: Context,
        *,
        before: OrderState | None = None,
    ) -> None:
        """The table has no such pair: on the record, to somebody's attention, and to the reconciler."""
        state, name = before or order.state, order.client_order_id
        key = self._note(REPORT_UNEXPECTED, name, name, state.value, event.value, report, context)
        severity = Severity.PAGE if type(report) is OrderFilled else Severity.TICKET
        text = f"Order {name} is {state.value}, but the venue says {event.value}"
        context.alert(REPORT_UNEXPECTED, severity, text, key=key, symbol=order.symbol)
        self._report(order, state, event, report, context)

    def _note(
        self,
        alert: str,
        key: str,
        client_order_id: str,
        state: str,
        event: str,
        report: VenueReport,
        context: Context,
    ) -> str:
        """Put a report that our books do not allow on the record; return the key of the alert about it.

        That is the account's for all that find no room: what is not kept here could not be ended either.
        """
        anomalies = self.state.anomalies
        if key not in anomalies and len(anomalies) >= ANOMALIES_KEPT - 1:
            key = self._account
        context.record(OrderAnomaly(client_order_id, alert, key, state, event, report, context.now_ns))
        return key

    def _report(
        self, order: Order, state: OrderState, event: OrderEvent, report: VenueReport, context: Context
    ) -> None:
        context.publish(
            UnexpectedReport(self._account, order.client_order_id, state, event, report, context.now_ns)
        )

    # -- doubt ---------------------------------------------------------------------------------------

    def _lose(self, order: Order, reason: str, context: Context) -> None:
        """A request has no answer: nothing is known until the venue's evidence says it."""
        client_order_id, now_ns = order.client_order_id, context.now_ns
        context.record(OrderStateChanged(client_order_id, OrderEvent.ANSWER_LOST, "", reason, now_ns))
        self._awaiting.pop(client_order_id, None)
        self._ask_later(client_order_id, context)
        self._tell(order, context)

    def _ask_later(self, client_order_id: str, context: Context) -> None:
        """Ask the venue about an order after the shortest pause, unless it is being asked about."""
        settings = self.settings
        pause_ns = backoff_ns(0, settings.query_backoff_min, settings.query_backoff_max, context.random)
        due_ns = context.now_ns + pause_ns
        if self._doubts.add(client_order_id, due_ns):
            self._sweep_by(due_ns, context)

    def _await(self, client_order_id: str, due_ns: int, context: Context) -> None:
        self._awaiting[client_order_id] = due_ns
        if not 0 < self._sweep_at_ns <= due_ns:
            self._sweep_by(due_ns, context)

    def _sweep_by(self, due_ns: int, context: Context) -> None:
        """See that the deadlines are looked at when this one has come."""
        if 0 < self._sweep_at_ns <= due_ns:
            return
        self._sweep_at_ns = due_ns
        context.schedule(max(0, due_ns - context.now_ns), Sweep(), key="sweep")

    # -- for amending.py and closing.py to fill in ----------------------------------------------------

    def _withdraw(self, intent_id: str, reason: str, context: Context) -> None:
        raise NotImplementedError

    def _tell_changed(self, order: Order, context: Context) -> None:
        raise NotImplementedError

    def _flatten_step(self, symbol: str, context: Context) -> None:
        raise NotImplementedError

    def _flatten_after(self, order: Order, context: Context) -> None:
        raise NotImplementedError

    def _parents_after(self, order: Order, context: Context) -> None:
        raise NotImplementedError

    def _position_moved(self, symbol: str, context: Context) -> None:
        raise NotImplementedError

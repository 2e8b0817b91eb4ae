"""Orders in doubt: deadlines, questions to the venue, and what its evidence does."""

from __future__ import annotations

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.messages.evidence import VerifyOrders
from actors.messages.venue import OutcomeUnknown, QueryOrder, RequestKind, VenueConnection, VenueOrder
from actors.oms.deadlines import Doubt, backoff_ns
from actors.oms.evidence import judge
from actors.oms.orders import (
    CANCEL_REFUSED,
    CANCELS_UNTIL_ALERT,
    ORDER_UNKNOWN,
    SWEEP_PAUSE_NS,
    OmsOrders,
)
from actors.oms.state import NEXT, TERMINAL_VALUES, Order
from actors.oms.timers import Sweep
from actors.runtime.behaviour import Context
from actors.runtime.messages import Severity

__all__ = ["OmsInquiry"]

CLOCKS_APART_NS = (
    2_000_000_000  # by how much the clocks of evidence (the venue's) and reports (ours) may differ
)


class OmsInquiry(OmsOrders):
    """Ends doubt by evidence, and by nothing else."""

    def on_outcome_unknown(self, message: OutcomeUnknown, context: Context) -> None:
        """A request has no answer. Moot when the answer came by another way."""
        order = self.state.live.get(message.client_order_id)
        if order is None:
            self.strangers_count += 1
            return
        placing = message.request is RequestKind.PLACE and order.state is OrderState.SUBMITTING
        canceling = message.request is RequestKind.CANCEL and order.state is OrderState.CANCELING
        if placing or canceling:
            self._lose(order, message.reason, context)
            if canceling:
                self._cancel_failed(order, message.reason, context)
        else:
            self.repeats_count += 1

    def _cancel_failed(self, order: Order, why: str, context: Context) -> None:
        """The venue did not take an order back. Tell somebody if it still lives, and was asked before."""
        if order.cancels_count >= CANCELS_UNTIL_ALERT and order.state._value_ not in TERMINAL_VALUES:
            name = order.client_order_id
            text = f"The venue is asked again and again to cancel {name} ({order.symbol}): {why}"
            context.alert(CANCEL_REFUSED, Severity.TICKET, text, key=name)

    def on_venue_connection(self, message: VenueConnection, context: Context) -> None:
        """The venue can be reached again: ask everything now."""
        if message.up and len(self._doubts):
            self._doubts.hurry(context.now_ns)
            self._sweep_by(context.now_ns, context)

    def on_verify_orders(self, message: VerifyOrders, context: Context) -> None:
        """The reconciler found that our books and the venue's list do not agree about these orders."""
        for client_order_id in message.client_order_ids:
            known = self.state.order(client_order_id) is not None
            if known and self._doubts.add(client_order_id, context.now_ns):
                self._sweep_by(context.now_ns, context)

    def on_venue_order(self, message: VenueOrder, context: Context) -> None:
        """Evidence: first its fills, through the path of all fills, then what it says about the order."""
        for fill in message.fills:
            self.on_order_filled(fill, context)
        order = self.state.order(message.client_order_id)
        if order is None:
            self._doubts.settle(message.client_order_id)
            self.strangers_count += 1
            return
        self._weigh(order, message, context)

    def _weigh(self, order: Order, theirs: VenueOrder, context: Context) -> None:
        client_order_id = order.client_order_id
        event, conclusive, impossible = judge(order, theirs)
        if not conclusive:
            if theirs.filled_contracts > order.filled_contracts:
                self._ask_later(client_order_id, context)
            return
        contradicts = event is not None and (impossible or order.state.value not in NEXT[event.value])
        if contradicts and theirs.at_ns < order.changed_at_ns + CLOCKS_APART_NS:
            # Its reading may have begun before the report that we have: that is no contradiction. Read again.
            self.repeats_count += 1
            self._ask_later(client_order_id, context)
            return
        if impossible and event is not None:
            self._unexpected(order, event, theirs, context)
        elif event is OrderEvent.PROVEN_ABSENT and self._too_early(order):
            return
        elif event is not None:
            reason = "by the venue's account of it"
            self._move(order, event, theirs, context, theirs.venue_order_id, reason)
        if order.state is not OrderState.UNKNOWN:
            self._doubts.settle(client_order_id)

    def _too_early(self, order: Order) -> bool:
        """Tell whether the request's bytes may still have been on their way when the venue was asked."""
        doubt = self._doubts.get(order.client_order_id)
        asked_at_ns = doubt.asked_at_ns if doubt is not None else 0
        return asked_at_ns - order.submitted_at_ns < self.settings.absent_after

    # -- the timer -----------------------------------------------------------------------------------

    def on_sweep(self, message: Sweep, context: Context) -> None:
        """Look at every deadline that has come."""
        now_ns = context.now_ns
        self._sweep_at_ns = now_ns  # whatever is scheduled below waits for the end of this sweep
        for client_order_id in self._overdue(now_ns):
            order = self.state.live.get(client_order_id)
            if order is not None and order.state in (OrderState.SUBMITTING, OrderState.CANCELING):
                was_canceling = order.state is OrderState.CANCELING
                self._lose(order, "no answer in time", context)
                if was_canceling:
                    self._cancel_failed(order, "no answer in time", context)
        for doubt in self._doubts.take_due(now_ns, self.settings.query_burst_max):
            self._ask(doubt, context)
        for symbol in [symbol for symbol, due_ns in self._retries.items() if due_ns <= now_ns]:
            del self._retries[symbol]
            self._flatten_step(symbol, context)
        self._sweep_at_ns = 0
        dues = [*self._retries.values()]
        dues += [next(iter(self._awaiting.values()))] if self._awaiting else []
        next_question_ns = self._doubts.next_due_ns()
        dues += [next_question_ns] if next_question_ns is not None else []
        if dues:
            self._sweep_by(max(min(dues), now_ns + SWEEP_PAUSE_NS), context)

    def _overdue(self, now_ns: int) -> list[str]:
        """Take the requests out whose answer should have come; the dict is in order of deadlines."""
        overdue: list[str] = []
        for client_order_id, due_ns in self._awaiting.items():
            if due_ns > now_ns:
                break
            overdue.append(client_order_id)
        for client_order_id in overdue:
            del self._awaiting[client_order_id]
        return overdue

    def _ask(self, doubt: Doubt, context: Context) -> None:
        """Put the question to the venue, and set when to put it again."""
        order = self.state.order(doubt.client_order_id)
        if order is None:
            self._doubts.settle(doubt.client_order_id)
            return
        settings, now_ns = self.settings, context.now_ns
        context.publish(QueryOrder(self._account, order.client_order_id, order.symbol))
        doubt.asked_at_ns = now_ns
        doubt.attempts += 1
        pause_ns = backoff_ns(
            doubt.attempts, settings.query_backoff_min, settings.query_backoff_max, context.random
        )
        if order.unknown_since_ns:
            alert_at_ns = order.unknown_since_ns + settings.unknown_alert_after
            if now_ns >= alert_at_ns:
                self._page(order, doubt, context)
            else:
                pause_ns = min(pause_ns, alert_at_ns - now_ns)
        self._doubts.again(doubt, now_ns + pause_ns)

    def _page(self, order: Order, doubt: Doubt, context: Context) -> None:
        context.alert(
            ORDER_UNKNOWN,
            Severity.PAGE,
            f"Nobody knows what became of order {order.client_order_id} ({order.symbol})",
            key=order.client_order_id,
            strategy=order.strategy,
            side=order.side.name,
            contracts=order.contracts,
            filled_contracts=order.filled_contracts,
            questions=doubt.attempts,
        )

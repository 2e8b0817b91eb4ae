"""The OMS: owns the orders of one account, from the wish that risk allowed to the venue's last word."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain.lifecycle import OrderEvent, OrderState
from actors.messages.account import LedgerSnapshotRequest
from actors.messages.amending import (
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.control import (
    Acknowledged,
    FlattenPositions,
    ReconcileFinished,
    ReconcileNow,
    Rejected,
    ResolveOrder,
)
from actors.messages.evidence import ForeignFill, UnexpectedReport, VerifyOrders
from actors.messages.market import CandleAhead, FeedStatus, MarkPrice, Quote, Trade
from actors.messages.orders import CancelScope, OrdersListed, OrdersRequest
from actors.messages.parents import ChildIntent, ParentUpdate, SubmitParent
from actors.messages.scopes import CancelAll
from actors.messages.trading import (
    CancelIntent,
    CancelOrders,
    Fill,
    OrderDenied,
    OrderIntent,
    OrdersSnapshot,
    OrdersSnapshotRequest,
    OrderUpdate,
    SubmitOrder,
)
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    QueryOrder,
    VenueConnection,
    VenueOrder,
)
from actors.oms.asking import OmsAsking
from actors.oms.events import AnomaliesSettled
from actors.oms.ids import id_prefix, intent_rank
from actors.oms.timers import ParentSweep, SightCheck, Sweep
from actors.oms.triggers import STOP_BLIND
from actors.oms.views import described, snapshot_of
from actors.runtime.behaviour import Context
from actors.runtime.messages import Message, MessageRefused

__all__ = ["OmsActor"]


class OmsActor(OmsAsking):
    """One account's order management."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (
        SubmitOrder,
        SubmitAmend,
        PlaceReplacement,
        ReplacementDenied,
        CancelIntent,
        CancelOrders,
        FlattenPositions,
        OrderAccepted,
        OrderRejected,
        OrderFilled,
        OrderCanceled,
        CancelRejected,
        OutcomeUnknown,
        VenueOrder,
        VenueConnection,
        VerifyOrders,
        ReconcileFinished,
        OrdersSnapshotRequest,
        ResolveOrder,
        OrdersRequest,
        CancelScope,
        Sweep,
        *(SubmitParent, OrderDenied, MessageRefused, ParentSweep, SightCheck),
        *(Quote, MarkPrice, Trade, FeedStatus, CandleAhead),
    )
    EMITS: ClassVar[tuple[type[Message], ...]] = (
        PlaceOrder,
        CancelOrder,
        CancelAll,
        QueryOrder,
        Fill,
        UnexpectedReport,
        ForeignFill,
        ReconcileNow,
        LedgerSnapshotRequest,
        ChildIntent,
    )
    REPLIES: ClassVar[tuple[type[Message], ...]] = (
        *(OrderUpdate, ParentUpdate, AmendUpdate, ReplacementReady),
        *(OrdersSnapshot, OrdersListed, Acknowledged, Rejected),
    )

    def started(self, context: Context) -> None:
        """Whatever was on its way when the node went down is in doubt now; the rest is compared at once."""
        self._prefix = id_prefix(
            self.place.deployment, self._account, context.journal_identity, context.epoch
        )
        self._started_at_ns = context.now_ns
        self._anomalies_stated = self.state.anomalies_count
        for _, at_ns in self.state.fills.values():
            self._fills_order.note(at_ns)
        for order in list(self.state.live.values()):
            self._by_intent[order.intent_id] = order.client_order_id
            if order.state is OrderState.SUBMITTING or order.state is OrderState.CANCELING:
                self._lose(order, "restarted before an answer came", context)
            elif order.state is OrderState.UNKNOWN:
                self._ask_later(order.client_order_id, context)
        if self.state.live or self.state.parents:
            context.publish(ReconcileNow(self._account))
        self._resume_flattening(context)
        self._resume_amending(context)
        self._resume_parents(context)
        self._watches.restore(self.state.trails)
        for symbol in sorted({parent.symbol for parent in self.state.parents.values()}):
            context.resolve(STOP_BLIND, key=symbol)  # if it still is so, it is told again

    # -- what our side wants -------------------------------------------------------------------------

    def on_submit_order(self, message: SubmitOrder, context: Context) -> None:
        """Bring an allowed intent to the venue, once however often it comes."""
        intent = message.intent
        if intent.account != self._account:
            return
        rank = intent_rank(intent.intent_id)
        who = rank[0]
        if who:
            highest = self.state.intents.get(who)
            new = highest is None or rank[1:] > highest
        else:
            new = context.once("intent/" + intent.intent_id)
        if new:
            arrival = (message.allowed_at_ns, message.mid_x2)
            order = self._submit(intent, rank, context.sender, context, "", arrival)
            if self.state.parents:
                self._parents_after(order, context)
        else:
            self._heard_before(intent, context)

    def _heard_before(self, intent: OrderIntent, context: Context) -> None:
        """Tell how the intent's order stands, without making a second one."""
        self.repeats_count += 1
        live = self.state.live.get(self._by_intent.get(intent.intent_id, ""))
        for order in self.state.closed.values() if live is None else (live,):
            if order.intent_id == intent.intent_id and not order.replaced_by:
                self._tell(order, context)
                return
        context.log("intent is older than one that was submitted before", intent_id=intent.intent_id)
        update = OrderUpdate(
            "",
            intent.intent_id,
            intent.strategy,
            self._account,
            intent.symbol,
            intent.side,
            intent.contracts,
            0,
            0,
            OrderState.REJECTED,
            "an intent with this or a higher number was submitted before",
            context.now_ns,
        )
        for address in (intent.strategy, context.sender):
            if address:
                self._send(address, update, context)

    def on_cancel_intent(self, message: CancelIntent, context: Context) -> None:
        """Cancel the order of one intent."""
        if message.account == self._account:
            self._cancel_intent(message.intent_id, "canceled by its strategy", context)

    def on_cancel_orders(self, message: CancelOrders, context: Context) -> None:
        """Cancel every live order in a scope; for a halt, whatever rests there."""
        if message.account and message.account != self._account:
            return
        if message.intent_id:
            self._cancel_intent(message.intent_id, message.reason, context)
            return
        if self.state.parents:
            self._halt_parents(message.symbol, message.strategy, message.reason, context)
        symbol, strategy = message.symbol, message.strategy
        self._withdraw_between(symbol, strategy, message.reason, context)
        if message.at_venue and not strategy and self.settings.cancel_by_scope:
            self._cancel_by_scope(symbol, message.reason, context)
        else:
            self._cancel_live(symbol, strategy, message.reason, context)

    def _cancel_intent(self, intent_id: str, reason: str, context: Context) -> None:
        client_order_id = self._by_intent.get(intent_id)
        if client_order_id is None and intent_id in self.state.amends:
            self._withdraw(intent_id, reason, context)
        elif client_order_id is None and intent_id in self.state.parents:
            self._cancel_parent(self.state.parents[intent_id], reason, context)
        elif client_order_id is None:
            self.repeats_count += 1  # it has ended, or never left the house
        else:
            self._cancel(self.state.live[client_order_id], reason, context)

    # -- what the venue says -------------------------------------------------------------------------

    def on_order_accepted(self, message: OrderAccepted, context: Context) -> None:
        """The venue has the order."""
        client_order_id, venue_order_id = message.client_order_id, message.venue_order_id
        order = self.state.live.get(client_order_id) or self.state.closed.get(client_order_id)
        if order is None:
            self.strangers_count += 1
            self._look_at_stranger(message, context)
        elif venue_order_id and order.venue_order_id:
            if order.venue_order_id == venue_order_id:
                self.repeats_count += 1
            else:  # two orders at the venue under one name of ours
                self._unexpected(order, OrderEvent.ACCEPTED, message, context)
        else:
            sent_at_ns, now_ns = message.sent_at_ns, context.now_ns
            self.tally.stage("oms_to_wire", order.submitted_at_ns, sent_at_ns)
            self.tally.stage("wire_to_ack", sent_at_ns, now_ns)
            self._move(order, OrderEvent.ACCEPTED, message, context, venue_order_id, "", sent_at_ns)

    def on_order_rejected(self, message: OrderRejected, context: Context) -> None:
        """The venue refused the order."""
        order = self.state.order(message.client_order_id)
        if order is None:
            self.strangers_count += 1
        elif order.state is OrderState.REJECTED:
            self.repeats_count += 1
        else:
            reason = message.code + ": " + message.text
            self._move(order, OrderEvent.REJECTED, message, context, "", reason)

    def on_cancel_rejected(self, message: CancelRejected, context: Context) -> None:
        """The cancel was refused; most often the order has just ended, and the venue will show how."""
        order = self.state.order(message.client_order_id)
        if order is None:
            self.strangers_count += 1
            return
        reason = "cancel refused: " + message.code + ": " + message.text
        self._move(order, OrderEvent.CANCEL_REJECTED, message, context, "", reason)
        if order.state is OrderState.UNKNOWN:
            self._ask_later(order.client_order_id, context)
        self._cancel_failed(order, f"{message.code}: {message.text}", context)

    # -- questions and commands from elsewhere ---------------------------------------------------------

    def on_reconcile_finished(self, message: ReconcileFinished, context: Context) -> None:
        """Our books and the venue's agree: what looked impossible has found its explanation."""
        if message.account == self._account:
            self._note_agreement(message.agrees, context)
        if not message.agrees or message.account != self._account or not self.state.anomalies:
            return
        if self.state.anomalies_count > self._anomalies_stated:
            return  # our side of it was stated before the newest: it says nothing about that
        for key, alert in self.state.anomalies.items():
            context.resolve(alert, key=key)
        context.record(AnomaliesSettled(context.now_ns))

    def on_orders_snapshot_request(self, message: OrdersSnapshotRequest, context: Context) -> None:
        """State the books, and have the ledger state its own behind every fill it was sent."""
        if message.account != self._account:
            return
        disorder_ns = self._fills_order.disorder_ns
        self._anomalies_stated = self.state.anomalies_count
        context.reply(snapshot_of(self.state, message, context.now_ns, disorder_ns, self._mark))
        context.publish(LedgerSnapshotRequest(self._account, message.request_id))

    def describe(self) -> Any:
        """Return counts and the open orders, those in doubt first."""
        return described(self.state, len(self._awaiting), self.repeats_count, self.strangers_count)

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        state = self.state
        return {
            "orders_live": len(state.live),
            "parents_live": len(state.parents),
            "orders_in_doubt": len(self._doubts),
            "orders_submitted": state.sequence,
            "fills": state.fills_count,
            "anomalies": state.anomalies_count,
            "repeats": self.repeats_count,
            "strangers": self.strangers_count,
            **self.tally.gauges(),
        }

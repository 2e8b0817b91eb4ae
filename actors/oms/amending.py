"""Another price or size for a live order: cancel, wait for evidence, place the rest; one linked operation.

The intent stays the same through it: strategy and risk see one order that changes. At no time may two orders
of one intent rest at the venue: the second is placed on evidence that the first has ended, and only for what
is left by the venue's own count. Whatever happens instead is told.
"""

from __future__ import annotations

from actors.domain.amending import AMEND_ENDED, AmendEvent, AmendState
from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import OrderType
from actors.domain.place import Place
from actors.messages.amending import (
    AmendIntent,
    AmendUpdate,
    PlaceReplacement,
    ReplacementDenied,
    ReplacementReady,
    SubmitAmend,
)
from actors.messages.trading import OrderIntent
from actors.messages.venue import OrderCanceled
from actors.oms.events import AmendMoved, AmendRefused, AmendStarted
from actors.oms.ids import intent_rank
from actors.oms.inquiry import OmsInquiry
from actors.oms.settings import OmsSettings
from actors.oms.state import TERMINAL_VALUES, Amend, Order
from actors.runtime.behaviour import Context
from actors.runtime.errors import InvariantError

__all__ = ["OmsAmending"]

RESTS = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)
NEVER_THERE = (OrderState.REJECTED, OrderState.ABSENT)
BEFORE_PLACING = (AmendState.WAITING, AmendState.CANCELING, AmendState.JUDGING)


class OmsAmending(OmsInquiry):
    """Carries amendments out."""

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        super().__init__(settings, place)
        # Ends that the venue reported with more filled than we have heard of. Not state: asked about again.
        self._early_ends: dict[str, OrderCanceled] = {}

    # -- what our side wants -------------------------------------------------------------------------

    def on_submit_amend(self, message: SubmitAmend, context: Context) -> None:
        """Begin an amendment, once however often it comes."""
        intent = message.intent
        wish = intent.order
        if wish.account != self._account:
            return
        rank = intent_rank(wish.intent_id)
        who = rank[0]
        new = rank[1:] > self.state.intents.get(who, (-1, -1)) if who else context.once(wish.intent_id)
        if not new:
            self.repeats_count += 1
            return
        order = self.state.live.get(self._by_intent.get(intent.amends, ""))
        fault = _fault(order, intent, self.state.amends.get(intent.amends))
        now_ns = context.now_ns
        if order is None or fault:
            context.record(AmendRefused(wish.intent_id, *rank, intent.amends, fault, now_ns))
            contracts, limit = (order.intent_contracts, order.limit_ticks) if order is not None else (0, 0)
            update = AmendUpdate(
                *(wish.intent_id, intent.amends, wish.strategy, self._account, wish.symbol),
                *(AmendState.KEPT, contracts, limit, fault, now_ns),
            )
            for address in (wish.strategy, context.sender):
                if address:
                    self._send(address, update, context)
            return
        context.record(
            AmendStarted(
                wish.intent_id,
                *rank,
                intent.amends,
                order.client_order_id,
                wish.contracts,
                wish.limit_ticks,
                wish.decision_ticks,
                context.sender,
                now_ns,
            )
        )
        if order.state in RESTS:
            self._cancel_amended(order, self.state.amends[intent.amends], context)

    def _cancel_amended(self, order: Order, amend: Amend, context: Context) -> None:
        self._move_amend(amend, AmendEvent.CANCEL_SENT, "", context)
        self._request_cancel(order, "to be amended", context)

    def _withdraw(self, intent_id: str, reason: str, context: Context) -> None:
        """Somebody wants the order gone: no other one is placed for it."""
        amend = self.state.amends.get(intent_id)
        if amend is None or amend.state not in BEFORE_PLACING:
            return
        is_between = amend.state is AmendState.JUDGING
        self._move_amend(amend, AmendEvent.WITHDRAWN, reason, context)
        order = self.state.order(amend.client_order_id)
        if is_between and order is not None:
            self._tell(order, context)

    def _withdraw_between(self, symbol: str, strategy: str, reason: str, context: Context) -> None:
        """Withdraw the amendments in a scope that have no live order in this moment."""
        for amend in list(self.state.amends.values()):
            order = self.state.order(amend.client_order_id)
            if amend.state is not AmendState.JUDGING or order is None:
                continue
            if (not symbol or order.symbol == symbol) and (not strategy or order.strategy == strategy):
                self._withdraw(amend.intent_id, reason, context)

    # -- what happens to the orders ------------------------------------------------------------------

    def _tell_changed(self, order: Order, context: Context) -> None:
        """An order that is amended, or was, has changed: say what that means for its intent."""
        amend = self.state.amends.get(order.intent_id)
        if order.replaced_by:
            self._heard_late(order, context)
        elif amend is None:
            self._tell(order, context)
        elif amend.replacement == order.client_order_id:
            self._replacement_changed(order, amend, context)
        else:
            self._amended_changed(order, amend, context)

    def _amended_changed(self, order: Order, amend: Amend, context: Context) -> None:
        state = order.state
        early = self._early_ends.get(order.client_order_id)
        if state in NEVER_THERE:
            self._move_amend(amend, AmendEvent.NEVER_WAS, order.reason or state.value, context)
            self._tell(order, context)
        elif state._value_ in TERMINAL_VALUES:
            self._amended_ended(order, amend, context)
        else:
            self._tell(order, context)
            if early is not None and order.filled_contracts >= early.filled_contracts:
                del self._early_ends[order.client_order_id]
                self.on_order_canceled(early, context)
            elif state in RESTS and amend.state is AmendState.WAITING:
                self._cancel_amended(order, amend, context)

    def _amended_ended(self, order: Order, amend: Amend, context: Context) -> None:
        """Evidence: it rests no more, and all that it filled is booked."""
        self._early_ends.pop(order.client_order_id, None)
        if order.intent_filled_contracts >= amend.contracts:
            self._move_amend(amend, AmendEvent.ENDED_FILLED, "it filled first", context)
            self._tell(order, context, OrderState.FILLED)
        elif amend.state is not AmendState.JUDGING:
            self._move_amend(amend, AmendEvent.ENDED, "", context)
            self._ask_risk(order, amend, context)

    def on_order_canceled(self, message: OrderCanceled, context: Context) -> None:
        """The order rests no more. What of it filled must be known before anything is placed for it."""
        order = self.state.order(message.client_order_id)
        if order is None:
            self.strangers_count += 1
            return
        amend = self.state.amends.get(order.intent_id) if self.state.amends else None
        is_amended = amend is not None and amend.client_order_id == order.client_order_id
        if is_amended and message.filled_contracts > order.filled_contracts:
            self._early_ends[order.client_order_id] = message
            self._ask_later(order.client_order_id, context)
            return
        self._take_cancel(order, message, context)

    def _take_cancel(self, order: Order, message: OrderCanceled, context: Context) -> None:
        self._move(order, OrderEvent.CANCELED, message, context, message.venue_order_id, message.reason)
        if message.filled_contracts != order.filled_contracts:
            self._ask_later(order.client_order_id, context)

    def _replacement_changed(self, order: Order, amend: Amend, context: Context) -> None:
        if order.state in NEVER_THERE:
            self._move_amend(amend, AmendEvent.REFUSED, order.reason or order.state.value, context)
        elif order.state in RESTS or order.state._value_ in TERMINAL_VALUES:
            self._move_amend(amend, AmendEvent.TAKEN, "", context)
        self._tell(order, context)

    def _heard_late(self, order: Order, context: Context) -> None:
        """An order that was replaced still filled: what stands in its place is too large by that."""
        last = order
        while last.replaced_by:
            after = self.state.order(last.replaced_by)
            if after is None:
                return
            last = after
        self._tell_changed(last, context)
        if last.state._value_ not in TERMINAL_VALUES and not last.cancel_wanted:
            self._cancel(last, "the order before it filled after its end", context)

    # -- the rest ------------------------------------------------------------------------------------

    def _ask_risk(self, order: Order, amend: Amend, context: Context) -> None:
        """May the rest be placed? Time has passed since it was allowed."""
        ready = ReplacementReady(self._account, amend.amend_id, _rest(order, amend, self._account, context))
        try:
            context.send(amend.risk, ready)
        except InvariantError:
            self._not_placed(amend, f"{amend.risk} is not there to allow the rest", context)

    def on_place_replacement(self, message: PlaceReplacement, context: Context) -> None:
        """Risk lets the rest pass: place it, linked with the order that has ended for it."""
        amend = self._judged(message.intent_id, message.amend_id)
        order = self.state.order(amend.client_order_id) if amend is not None else None
        if amend is None or order is None:
            return
        rest = _rest(order, amend, self._account, context)
        if rest.contracts > message.contracts:
            self._ask_risk(order, amend, context)  # it was not this that was judged
            return
        placed = self._submit(rest, ("", 0, 0), amend.risk, context, order.client_order_id)
        context.record(
            AmendMoved(
                *(amend.amend_id, amend.intent_id, AmendEvent.ALLOWED),
                *(placed.client_order_id, "", context.now_ns),
            )
        )
        self._tell(placed, context)

    def on_replacement_denied(self, message: ReplacementDenied, context: Context) -> None:
        """Risk does not let the rest pass: the order is gone, and that is told."""
        amend = self._judged(message.intent_id, message.amend_id)
        if amend is not None:
            self._not_placed(amend, f"denied by {message.rule}: {message.text}", context)

    def _judged(self, intent_id: str, amend_id: str) -> Amend | None:
        amend = self.state.amends.get(intent_id)
        if amend is not None and amend.amend_id == amend_id and amend.state is AmendState.JUDGING:
            return amend
        self.repeats_count += 1
        return None

    def _not_placed(self, amend: Amend, reason: str, context: Context) -> None:
        self._move_amend(amend, AmendEvent.DENIED, reason, context)
        order = self.state.order(amend.client_order_id)
        if order is not None:
            self._tell(order, context)

    def _resume_amending(self, context: Context) -> None:
        """After a restart: an answer of risk may have been lost."""
        for amend in list(self.state.amends.values()):
            order = self.state.order(amend.client_order_id)
            if amend.state is AmendState.JUDGING and order is not None:
                self._ask_risk(order, amend, context)

    def _move_amend(self, amend: Amend, event: AmendEvent, reason: str, context: Context) -> None:
        """Let the table say what follows; tell when it is over."""
        now_ns = context.now_ns
        context.record(AmendMoved(amend.amend_id, amend.intent_id, event, "", reason, now_ns))
        if amend.state not in AMEND_ENDED:
            return
        order = self.state.order(amend.replacement or amend.client_order_id)
        if order is None:
            return
        is_live = order.state._value_ not in TERMINAL_VALUES
        contracts = order.intent_contracts if is_live else order.intent_filled_contracts
        limit = amend.limit_ticks if amend.state is AmendState.AMENDED else order.limit_ticks
        update = AmendUpdate(
            *(amend.amend_id, amend.intent_id, order.strategy, self._account, order.symbol),
            *(amend.state, contracts, limit, reason, now_ns),
        )
        for address in (order.strategy, amend.risk):
            if address and address != self._address:
                self._send(address, update, context)


def _rest(order: Order, amend: Amend, account: str, context: Context) -> OrderIntent:
    """Return what is left of an amended order, as an intent of the same name."""
    return OrderIntent(
        order.intent_id,
        order.strategy,
        account,
        order.symbol,
        order.side,
        amend.contracts - order.intent_filled_contracts,
        order.order_type,
        amend.limit_ticks,
        order.time_in_force,
        order.reduce_only,
        amend.decision_ticks,
        context.now_ns,
    )


def _fault(order: Order | None, intent: AmendIntent, under_way: Amend | None) -> str:
    """Return why an order cannot be amended so; empty when it can."""
    wish = intent.order
    if under_way is not None:
        return f"amendment {under_way.amend_id} of it is under way"
    if order is None:
        return "no such order lives"
    if order.cancel_wanted:
        return "it is being canceled"
    if order.order_type is OrderType.MARKET:
        return "a market order does not rest"
    theirs = (wish.strategy, wish.symbol, wish.side, wish.order_type, wish.reduce_only, wish.time_in_force)
    ours = (order.strategy, order.symbol, order.side, order.order_type, order.reduce_only)
    if theirs != (*ours, order.time_in_force):
        return "an amendment changes price and size, nothing else"
    if wish.limit_ticks <= 0:
        return "it needs a limit price"
    if wish.contracts <= order.intent_filled_contracts:
        return f"{order.intent_filled_contracts} contracts have filled already: cancel the rest instead"
    if (wish.contracts, wish.limit_ticks) == (order.intent_contracts, order.limit_ticks):
        return "nothing would change"
    return ""

"""How the OMS's events become its state: pure functions of (state, event), the same live and in recovery."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.amending import AMEND_ENDED
from actors.domain.lifecycle import OrderEvent, OrderState
from actors.domain.orders import Side, TimeInForce
from actors.domain.place import Place
from actors.oms.events import (
    AmendMoved,
    AmendRefused,
    AmendStarted,
    AnomaliesSettled,
    CancelWanted,
    FlattenEnded,
    FlattenStarted,
    OrderAnomaly,
    OrderFillApplied,
    OrderResolved,
    OrderStateChanged,
    OrderSubmitted,
    ScopeCanceled,
)
from actors.oms.parents.events import (
    ChildAsked,
    ChildGivenUp,
    ParentAccepted,
    ParentMoved,
    PricesNoted,
    TrailMoved,
)
from actors.oms.parents.fold import (
    accept_parent,
    ask_child,
    fit_parents,
    follow,
    give_up_child,
    move_parent,
    note_child_ended,
    note_child_filled,
    note_child_submitted,
)
from actors.oms.settings import OmsSettings
from actors.oms.state import AMEND_NEXT, NEXT, TERMINAL_VALUES, Amend, OmsState, Order, keep_newest
from actors.runtime.behaviour import Behaviour, Persistence, Phase
from actors.runtime.messages import Message

__all__ = ["ANOMALIES_KEPT", "OmsRecord"]

# An enum's member costs less as a name of the module than as an attribute of its class.
UNKNOWN, CANCEL_REQUESTED = OrderState.UNKNOWN, OrderEvent.CANCEL_REQUESTED
ACCEPTED = OrderEvent.ACCEPTED
BUY, SELL = Side.BUY, Side.SELL

GTC = TimeInForce.GTC
ANOMALIES_KEPT = 256  # alerts that wait for a comparison to agree; whatever comes beyond shares one

_BY_FILLED_PARTLY = NEXT[OrderEvent.FILLED_PARTLY.value]
_BY_FILLED_WHOLLY = NEXT[OrderEvent.FILLED_WHOLLY.value]


class OmsRecord(Behaviour):
    """The journaled half of the OMS: its state, and what each event does to it."""

    EVENTS: ClassVar[tuple[type[Message], ...]] = (
        OrderSubmitted,
        AmendStarted,
        AmendRefused,
        AmendMoved,
        OrderStateChanged,
        OrderFillApplied,
        CancelWanted,
        OrderAnomaly,
        AnomaliesSettled,
        OrderResolved,
        ScopeCanceled,
        FlattenStarted,
        FlattenEnded,
        ParentAccepted,
        ParentMoved,
        ChildAsked,
        ChildGivenUp,
        PricesNoted,
        TrailMoved,
    )
    STATE = OmsState
    PERSISTENCE = Persistence.EVENT_SOURCED
    PHASE = Phase.STATE

    state: OmsState

    def __init__(self, settings: OmsSettings, place: Place) -> None:
        self.settings = settings
        self.place = place
        self._closed_kept = settings.closed_orders_kept
        self._fills_kept = settings.fills_kept

    def apply_order_submitted(self, event: OrderSubmitted) -> None:
        """A new order, waiting for the venue's answer."""
        state = self.state
        state.sequence = event.sequence
        state.risk = event.risk
        if event.intent_who:
            state.intents[event.intent_who] = (event.intent_epoch, event.intent_count)
        order = state.live[event.client_order_id] = Order(
            event.client_order_id,
            event.intent_id,
            event.strategy,
            event.risk,
            event.symbol,
            event.side,
            event.contracts,
            event.order_type,
            event.limit_ticks,
            event.reduce_only,
            event.at_ns,
        )
        order.decision_x2, order.arrival_x2 = event.decision_x2, event.arrival_x2
        if event.time_in_force is not GTC:
            order.time_in_force = event.time_in_force
        if event.replaces:
            _replace(state, order, event.replaces)
        if state.parents or state.parents_ended:
            note_child_submitted(state, event)

    def apply_amend_started(self, event: AmendStarted) -> None:
        """Under way, and its number is used."""
        state = self.state
        _use_rank(state, event.amend_who, event.amend_epoch, event.amend_count)
        state.amends[event.intent_id] = Amend(
            event.amend_id,
            event.intent_id,
            event.client_order_id,
            event.contracts,
            event.limit_ticks,
            event.decision_ticks,
            event.risk,
            event.at_ns,
        )

    def apply_amend_refused(self, event: AmendRefused) -> None:
        """Only its number is used."""
        _use_rank(self.state, event.amend_who, event.amend_epoch, event.amend_count)

    def apply_amend_moved(self, event: AmendMoved) -> None:
        """The table says what follows; one that is over is forgotten."""
        amends = self.state.amends
        amend = amends[event.intent_id]
        amend.state = AMEND_NEXT[event.event.value][amend.state.value]
        amend.replacement = event.client_order_id or amend.replacement
        if amend.state in AMEND_ENDED:
            del amends[event.intent_id]

    def apply_order_state_changed(self, event: OrderStateChanged) -> None:
        """The table says what follows."""
        order = self.state.known(event.client_order_id)
        happened = event.event
        order.state = after = NEXT[happened._value_][order.state._value_]
        if event.venue_order_id and not order.venue_order_id:
            order.venue_order_id = event.venue_order_id
        if happened is ACCEPTED and not order.acked_at_ns:
            order.acked_at_ns = event.at_ns
        if happened is CANCEL_REQUESTED:
            order.cancel_wanted = True
            order.cancels_count += 1
        _stamp(order, event.reason, event.at_ns)
        if after._value_ in TERMINAL_VALUES:
            self._close(order)

    def apply_order_fill_applied(self, event: OrderFillApplied) -> None:
        """Contracts changed hands: position and sums follow, the state does where the table has the pair."""
        state, signed = self.state, event.signed_contracts
        state.fills_count += 1
        moved = signed - event.fee_contracts
        state.fills[event.symbol + "/" + event.trade_id] = (moved, event.filled_at_ns)
        if len(state.fills) > 2 * self._fills_kept:
            self._forget_fills()
        net = state.net_contracts
        net[event.symbol] = net.get(event.symbol, 0) + moved
        if event.dust_e8:
            state.dust_e8[event.symbol] = state.dust_e8.get(event.symbol, 0) + event.dust_e8
        order = state.live.get(event.client_order_id) or state.closed.get(event.client_order_id)
        contracts = signed if signed > 0 else -signed
        if state.parents or state.parents_ended:
            if order is not None:
                note_child_filled(state, order, contracts, event.at_ns)
            fit_parents(state, event.symbol, BUY if signed > 0 else SELL)
        if order is None:
            return
        order.filled_contracts += contracts
        order.acked_at_ns = order.acked_at_ns or event.at_ns
        order.filled_ticks += contracts * event.price_ticks
        order.fee_usdt += event.fee_usdt
        order.fee_contracts += event.fee_contracts
        if order.replaced_by:
            _pass_on(state, order, contracts, event)
        if event.venue_order_id and not order.venue_order_id:
            order.venue_order_id = event.venue_order_id
        whole = order.filled_contracts >= order.contracts
        after = (_BY_FILLED_WHOLLY if whole else _BY_FILLED_PARTLY).get(order.state._value_)
        if after is not None:
            order.state = after
            _stamp(order, "", event.at_ns)
            if whole:
                self._close(order)

    def apply_cancel_wanted(self, event: CancelWanted) -> None:
        """Remembered until the order can be canceled."""
        order = self.state.live[event.client_order_id]
        order.cancel_wanted = True
        order.reason = event.reason

    def apply_order_anomaly(self, event: OrderAnomaly) -> None:
        """Only counted; the order stays as it was."""
        state = self.state
        state.anomalies_count += 1
        if len(state.anomalies) < ANOMALIES_KEPT:
            state.anomalies[event.key] = event.alert

    def apply_anomalies_settled(self, event: AnomaliesSettled) -> None:
        """Nothing is open any more."""
        self.state.anomalies.clear()

    def apply_order_resolved(self, event: OrderResolved) -> None:
        """A person's word stands above the table."""
        order = self.state.live[event.client_order_id]
        order.state = event.as_state
        _stamp(order, "resolved by " + event.actor, event.at_ns)
        if event.as_state._value_ in TERMINAL_VALUES:
            self._close(order)

    def apply_scope_canceled(self, event: ScopeCanceled) -> None:
        """Only for the record; each order has an event of its own."""

    def apply_flatten_started(self, event: FlattenStarted) -> None:
        """The wish is held until the position is flat."""
        self.state.flattening[event.symbol] = event.reason

    def apply_flatten_ended(self, event: FlattenEnded) -> None:
        """The wish is fulfilled."""
        self.state.flattening.pop(event.symbol, None)

    def apply_parent_accepted(self, event: ParentAccepted) -> None:
        """A parent order begins."""
        accept_parent(self.state, event)

    def apply_parent_moved(self, event: ParentMoved) -> None:
        """The table of its type says what follows."""
        move_parent(self.state, event)

    def apply_child_asked(self, event: ChildAsked) -> None:
        """A child is on its way to risk."""
        ask_child(self.state, event)

    def apply_child_given_up(self, event: ChildGivenUp) -> None:
        """It did not come to be."""
        give_up_child(self.state, event)

    def apply_trail_moved(self, event: TrailMoved) -> None:
        """Stops follow a better price."""
        follow(self.state, event)

    def apply_prices_noted(self, event: PricesNoted) -> None:
        """Triggers look at a symbol's prices only while they are good."""
        if event.stale:
            self.state.stale_prices[event.symbol] = event.stale
        else:
            self.state.stale_prices.pop(event.symbol, None)

    def _close(self, order: Order) -> None:
        state = self.state
        if state.live.pop(order.client_order_id, None) is None:
            return
        state.closed[order.client_order_id] = order
        if state.parents or state.parents_ended:
            note_child_ended(state, order, self.settings.flatten_retry, order.changed_at_ns)
        if len(state.closed) > 2 * self._closed_kept:
            state.closed, _ = keep_newest(state.closed, self._closed_kept)

    def _forget_fills(self) -> None:
        state = self.state
        state.fills, gone = keep_newest(state.fills, self._fills_kept)
        state.fills_forgotten_ns = max(state.fills_forgotten_ns, max(at_ns for _, at_ns in gone))


def _use_rank(state: OmsState, who: str, epoch: int, count: int) -> None:
    if who:
        state.intents[who] = (epoch, count)


def _replace(state: OmsState, order: Order, replaces: str) -> None:
    """Link an order with the one that ended for it, and take its sums over."""
    before = state.known(replaces)
    before.replaced_by, order.replaces = order.client_order_id, replaces
    order.before_contracts = before.before_contracts + before.filled_contracts
    order.before_ticks = before.before_ticks + before.filled_ticks
    order.before_fee_contracts = before.before_fee_contracts + before.fee_contracts


def _pass_on(state: OmsState, order: Order, contracts: int, event: OrderFillApplied) -> None:
    """A fill of an order that was replaced counts in all those that came after it."""
    after = state.order(order.replaced_by)
    while after is not None:
        after.before_contracts += contracts
        after.before_ticks += contracts * event.price_ticks
        after.before_fee_contracts += event.fee_contracts
        after = state.order(after.replaced_by) if after.replaced_by else None


def _stamp(order: Order, reason: str, at_ns: int) -> None:
    order.reason = reason
    order.changed_at_ns = at_ns
    if order.state is UNKNOWN:
        order.unknown_since_ns = order.unknown_since_ns or at_ns
    else:
        order.unknown_since_ns = 0

"""Wishes beyond a single order: parent orders that the OMS runs, and amendments of live orders."""

from __future__ import annotations

from actors.domain.amending import AmendState
from actors.domain.orders import Side
from actors.domain.parent_states import PARENT_ENDED, ParentState
from actors.messages.amending import AmendIntent, AmendUpdate
from actors.messages.parents import ParentIntent, ParentUpdate
from actors.messages.trading import OrderIntent
from actors.runtime.behaviour import Context
from actors.runtime.errors import require
from actors.strategy.amending import amendable, take_amend
from actors.strategy.desk_base import CONTRACTS_MAX, TICKS_MAX, DeskBase
from actors.strategy.events import SignalDecided
from actors.strategy.protocol import (
    Amend,
    Launch,
)
from actors.strategy.state import OwnParent, PendingOrder

__all__ = ["DeskChanges"]


class DeskChanges(DeskBase):
    """Parents and amendments."""

    def _launch(self, launch: Launch, context: Context) -> None:
        """Ask for a parent order; it is pending until the OMS has it, and while it may still open."""
        side, contracts, plan, why, reasons, reduce_only = launch
        require(0 <= contracts <= CONTRACTS_MAX, "a parent order has a size", contracts=contracts, why=why)
        state, symbol, now_ns = self._state, self._symbol, context.now_ns
        number = state.intents_count = state.intents_count + 1
        intent_id, name = self._prefix + str(number), type(plan).__name__
        state.last_action, state.last_why = "launch", why
        state.goal_pursued = False
        state.pending[intent_id] = PendingOrder(side, contracts, 0, now_ns, reduce_only)
        state.parents[intent_id] = OwnParent(name, side, contracts, now_ns)
        if not self._check_waits:
            self._check_later(context)
        price, net = self._price(side), state.net_contracts
        target = net if reduce_only else net + side * contracts
        texts = self._reasons(why, (("plan", name), *reasons))
        context.record(SignalDecided(symbol, "launch", why, net, target, price, intent_id, texts, now_ns))
        context.publish(
            ParentIntent(
                *(intent_id, self._address, self._account, symbol, side, contracts, reduce_only, plan),
                *(price, now_ns, texts),
            )
        )
        context.save()

    def take_parent(self, update: ParentUpdate, context: Context) -> None:
        """The OMS says how a parent order of ours stands."""
        state, parent_id = self._state, update.parent_id
        if update.account != self._account or (update.symbol and update.symbol != self._symbol):
            return
        own = state.parents.get(parent_id)
        if own is not None:
            own.state, own.entry_filled, own.exit_filled = (
                update.state.value,
                update.entry_filled,
                update.exit_filled,
            )
        if update.state in PARENT_ENDED:
            state.parents.pop(parent_id, None)
            if update.state is ParentState.FAILED:
                self._pause(context)
        if update.entry_is_over and state.pending.pop(parent_id, None) is not None and self._told:
            self._resolved(parent_id, context)
        context.save()

    def _amend(self, decision: Amend, context: Context) -> None:
        """Wish another price or size for an own order."""
        state, symbol, now_ns = self._state, self._symbol, context.now_ns
        found = amendable(state, decision)
        if found is None:
            return
        amends, order = found
        require(
            0 < order.contracts <= CONTRACTS_MAX and 0 < order.limit_ticks <= TICKS_MAX, "an order has a size"
        )
        number = state.intents_count = state.intents_count + 1
        amend_id = state.pending[amends].amend_id = self._prefix + str(number)
        side, why = Side(order.side), decision.why
        price, reasons = self._price(side), self._reasons(why, decision.reasons)
        state.last_action, state.last_why = "amend", why
        net = state.net_contracts
        target = net + side * (order.contracts - order.filled_contracts)
        context.record(SignalDecided(symbol, "amend", why, net, target, price, amend_id, reasons, now_ns))
        wish = OrderIntent(
            *(amend_id, self._address, self._account, symbol, side, order.contracts),
            *(order.order_type, order.limit_ticks, order.time_in_force, order.reduce_only),
            *(price, now_ns, reasons),
        )
        context.publish(AmendIntent(amends, wish))
        context.save()

    def take_amend(self, update: AmendUpdate, context: Context) -> None:
        """An amendment is over. What became of the order itself its own updates tell."""
        if update.account == self._account and take_amend(self._state, update):
            if update.state in (AmendState.KEPT, AmendState.GONE):
                context.log("not amended", intent_id=update.intent_id, state=update.state, why=update.reason)
            context.save()

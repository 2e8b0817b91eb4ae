"""Parent orders of a strategy: asked for, followed, and what their end means for its targets."""

from __future__ import annotations

from actors.domain.parent_states import PARENT_ENDED, ParentState
from actors.messages.parents import ParentIntent, ParentUpdate
from actors.runtime.behaviour import Context
from actors.runtime.errors import require
from actors.strategy.desk_base import CONTRACTS_MAX, DeskBase
from actors.strategy.events import SignalDecided
from actors.strategy.protocol import Launch, Target
from actors.strategy.state import OwnParent, PendingOrder

__all__ = ["BARRED", "Launching"]

BARRED = "a protective exit closed this side; it stays out until the target changes"


class Launching(DeskBase):
    """The part of the desk that knows parent orders."""

    def _pursue(self, context: Context) -> None:
        raise NotImplementedError

    def _launch(self, action: str, launch: Launch, context: Context, target: int | None = None) -> None:
        """Ask for a parent order; it is pending until the OMS has it, and while it may still open.

        `target` is the position that it is a step to, where it is one.
        """
        side, contracts, plan, why, reasons, reduce_only = launch
        require(0 <= contracts <= CONTRACTS_MAX, "a parent order has a size", contracts=contracts, why=why)
        state, symbol, now_ns = self._state, self._symbol, context.now_ns
        number = state.intents_count = state.intents_count + 1
        intent_id, name = self._prefix + str(number), type(plan).__name__
        state.last_action, state.last_why = action, why
        state.goal_pursued = state.goal_pursued and target is not None
        state.pending[intent_id] = PendingOrder(side, contracts, 0, now_ns, reduce_only)
        state.parents[intent_id] = OwnParent(name, int(side), contracts, now_ns, protects=target is not None)
        if not self._check_waits:
            self._check_later(context)
        price, net = self._price(side), state.net_contracts
        if target is None:
            target = net if reduce_only else net + side * contracts
        texts = self._reasons(why, (("plan", name), *reasons))
        context.record(SignalDecided(symbol, action, why, net, target, price, intent_id, texts, now_ns))
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
            if own.protects and (update.state is ParentState.FIRING or update.exit_filled):
                state.barred_side, state.goal_pursued = own.side, False
        if update.state in PARENT_ENDED:
            state.parents.pop(parent_id, None)
            if update.state is ParentState.FAILED:
                self._pause(context)
        if update.entry_is_over and state.pending.pop(parent_id, None) is not None:
            if self._told:
                self._resolved(parent_id, context)
            wholly = update.entry_filled >= update.contracts
            if wholly and state.goal_pursued and not state.pending:
                self._pursue(context)
            elif not wholly:
                state.goal_pursued = False
        context.save()

    def _is_barred(self, target: Target) -> bool:
        """Tell whether an exit has closed this side, and the strategy has not wanted anything else since."""
        state = self._state
        if state.barred_side and target.net_contracts * state.barred_side <= 0:
            state.barred_side = 0
        return bool(state.barred_side) and target.net_contracts * state.barred_side > 0

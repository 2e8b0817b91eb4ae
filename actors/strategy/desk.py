"""The order side of a strategy actor: decisions become intents, answers become a position."""

from __future__ import annotations

import msgspec

from actors.domain.orders import Side
from actors.messages.account import PositionOverruled
from actors.messages.amending import AmendIntent
from actors.messages.parents import ParentIntent
from actors.messages.trading import CancelIntent, OrderDenied, OrderIntent, OrderUpdate, Reason
from actors.runtime.behaviour import Context
from actors.runtime.errors import require
from actors.runtime.messages import MessageRefused
from actors.strategy.amending import take_amend_denial
from actors.strategy.desk_base import CONTRACTS_MAX, TICKS_MAX, PendingCheck, texts_of
from actors.strategy.desk_changes import DeskChanges
from actors.strategy.events import PositionAdopted, SignalDecided
from actors.strategy.launching import BARRED
from actors.strategy.own_orders import adopt_position, take_update
from actors.strategy.protection import protected
from actors.strategy.protocol import (
    Amend,
    Cancel,
    Decision,
    Hold,
    Launch,
    Order,
    Target,
)
from actors.strategy.size_rule import sized
from actors.strategy.sizing import is_reached, next_step
from actors.strategy.state import PendingOrder

__all__ = ["Desk", "PendingCheck"]

DUPLICATE = "duplicate_intent"  # risk's rules whose denial says more than no
REDUCE_ONLY = "reduce_only"
NOTHING_TO_SELL = "nothing held to sell"

SELL = Side.SELL

_decode_refused = msgspec.msgpack.Decoder(OrderIntent | AmendIntent | ParentIntent).decode


class Desk(DeskChanges):
    """Works on the actor's saved state; the actor decides when anything may leave."""

    # -- decisions --------------------------------------------------------------------------------

    def carry_out(self, decision: Decision, context: Context) -> None:
        """Do what a decision says; the actor has seen that it may be done."""
        kind = type(decision)
        if kind is Hold:
            self.note("hold", decision, context)
        elif kind is Order:
            self._place(decision, context)  # type: ignore[arg-type]
        elif kind is Target:
            self._aim(decision, context)  # type: ignore[arg-type]
        elif kind is Launch:
            self._launch("launch", decision, context)  # type: ignore[arg-type]
        elif kind is Amend:
            self._amend(decision, context)  # type: ignore[arg-type]
        elif kind is Cancel:
            self._take_back(decision, context)  # type: ignore[arg-type]

    def note(self, action: str, decision: Decision, context: Context) -> None:
        """Journal a decision that leads to no order, when it is not the one noted last."""
        state, why = self._state, decision.why
        if state.last_action == action and state.last_why == why:
            return
        state.last_action, state.last_why = action, why
        net = state.net_contracts
        target = decision.net_contracts if isinstance(decision, Target) else net
        reasons, now_ns = texts_of(decision.reasons), context.now_ns
        context.record(
            SignalDecided(self._symbol, action, why, net, target, self._price(None), "", reasons, now_ns)
        )
        context.save()

    def _place(self, order: Order, context: Context) -> None:
        sane = 0 < order.contracts <= CONTRACTS_MAX and 0 <= order.limit_ticks <= TICKS_MAX
        require(sane, "an order has a size and a price", contracts=order.contracts, why=order.why)
        self._state.goal_pursued = False
        if self._instrument.is_spot and order.side is SELL:
            held = self._sellable()
            if held <= 0:
                self.note("hold", Hold(NOTHING_TO_SELL, order.reasons), context)
                return
            if held < order.contracts:
                order = order._replace(contracts=held)
        target = self._state.net_contracts + order.side * order.contracts
        self._submit("order", order, target, self._reasons(order.why, order.reasons), context)

    def _sellable(self) -> int:
        """Return what may still be sold at a spot market: what is held, less what is on offer already."""
        offered = sum(
            order.contracts - order.filled_contracts
            for order in self._state.pending.values()
            if order.side < 0
        )
        return self._state.net_contracts - offered

    def _aim(self, target: Target, context: Context) -> None:
        state = self._state
        if self._is_barred(target):
            self.note("hold", Hold(BARRED, target.reasons), context)
            return
        limit = self._settings.contracts_max or self._instrument.tiers[-1].contracts_max
        least = 0 if self._instrument.is_spot else -limit  # nobody is short of coins: it stays flat instead
        goal = max(least, min(limit, self._sized(target.net_contracts)))
        if is_reached(state.net_contracts, goal, self._instrument):
            state.goal_pursued = False
            self.note("target", target, context)
            return
        state.goal_contracts, state.goal_pursued = goal, True
        state.goal_why, state.goal_reasons = target.why, self._reasons(target.why, target.reasons)
        self._pursue(context)

    def _sized(self, wished_contracts: int) -> int:
        """Return the contracts to aim for: the strategy's, or those of the rule that decides sizes."""
        memory, settings = self._state.size, self._settings
        if memory is None or settings.size.rule == "strategy":
            return wished_contracts
        return sized(
            *(memory, settings.size, wished_contracts, self._view.equity_usdt, self._view.last_ticks),
            *(settings.notional_fraction, self._instrument, settings.bar),
        )

    def _pursue(self, context: Context) -> None:
        """Send the next order on the way to the goal, if it is not reached."""
        state, instrument = self._state, self._instrument
        net, goal = state.net_contracts, state.goal_contracts
        step = next_step(net, goal, instrument.contracts_max_market)
        if step is None or is_reached(net, goal, instrument):
            state.goal_pursued = False
            return
        order = Order(step.side, step.contracts, state.goal_why, reduce_only=step.reduce_only)
        self._submit("target", order, state.goal_contracts, state.goal_reasons, context)

    def _submit(
        self, action: str, order: Order, target: int, reasons: tuple[Reason, ...], context: Context
    ) -> None:
        state, symbol, now_ns = self._state, self._symbol, context.now_ns
        side, contracts, why, _, order_type, limit_ticks, time_in_force, reduce_only = order
        if self._settings.protect.is_on and not reduce_only and state.net_contracts * side >= 0:
            self._launch(action, protected(order, self._price(side), self._settings.protect), context, target)
            return
        number = state.intents_count = state.intents_count + 1
        intent_id = self._prefix + str(number)
        price = self._price(side)
        state.last_action, state.last_why = action, why
        state.pending[intent_id] = PendingOrder(
            side, contracts, 0, now_ns, reduce_only, False, 0, limit_ticks, order_type, time_in_force
        )
        if not self._check_waits:
            self._check_later(context)
        context.record(
            SignalDecided(symbol, action, why, state.net_contracts, target, price, intent_id, reasons, now_ns)
        )
        context.publish(
            OrderIntent(
                intent_id,
                self._address,
                self._account,
                symbol,
                side,
                contracts,
                order_type,
                limit_ticks,
                time_in_force,
                reduce_only,
                price,
                now_ns,
                reasons,
                self._mid_x2(),
            )
        )
        context.save()

    def _take_back(self, decision: Cancel, context: Context) -> None:
        if not self._state.pending and not self._state.parents:
            return
        self._state.goal_pursued = False
        self.note("cancel", decision, context)
        for intent_id, order in self._state.pending.items():
            order.taken_back = True
            context.publish(CancelIntent(intent_id, self._address, self._account))
        for parent_id in self._state.parents:
            if parent_id not in self._state.pending:
                context.publish(CancelIntent(parent_id, self._address, self._account))
        context.save()

    def take_back_resting(self, context: Context) -> None:
        """Cancel single orders of the settings before: nobody remembers what they rest for. Plans stay."""
        for intent_id, order in self._state.pending.items():
            if intent_id not in self._state.parents:
                order.taken_back = True
                context.publish(CancelIntent(intent_id, self._address, self._account))

    # -- answers ----------------------------------------------------------------------------------

    def take_update(self, update: OrderUpdate, is_live: bool, context: Context) -> None:
        """Move the position; an order that filled wholly may have been a step on the way to a goal.

        The next step waits for the next decision when the feed is not live.
        """
        state = self._state
        if update.account != self._account or update.symbol != self._symbol:
            return
        outcome = take_update(state, update)
        if not outcome.changed:
            return
        self._view.net_contracts = state.net_contracts
        if state.pending and not self._check_waits:
            self._check_later(context)
        if outcome.ended:
            if outcome.filled:
                self._refusals_in_row = 0
            if self._told:
                self._resolved(update.intent_id, context)
            if not is_live:
                state.goal_pursued = False
            if not outcome.filled:
                state.goal_pursued = False
                if outcome.refused:
                    self._pause(context)
            elif state.goal_pursued and not state.pending:
                self._pursue(context)
        context.save()

    def take_denial(self, denied: OrderDenied, context: Context) -> None:
        """Risk said no: nothing left the house. A duplicate is the exception: its first copy did."""
        self.denials_count += 1
        if take_amend_denial(self._state, denied.intent_id):
            self._pause(context)
            context.save()
            return
        order = self._state.pending.get(denied.intent_id)
        if order is None or denied.rule == DUPLICATE:
            return
        self._drop(denied.intent_id, context)
        if order.reduce_only and denied.rule == REDUCE_ONLY:
            self._adopt(-order.side * denied.limit, denied.text, context)

    def take_refusal(self, refused: MessageRefused, context: Context) -> None:
        """Risk was too busy to take an intent: as if it had never been sent."""
        try:
            intent: OrderIntent | AmendIntent | ParentIntent = _decode_refused(refused.refused)
        except msgspec.MsgspecError:
            context.log("a message other than an intent was refused", reader=refused.reader)
            return
        if isinstance(intent, AmendIntent):
            if take_amend_denial(self._state, intent.order.intent_id):
                self._pause(context)
                context.save()
        elif intent.intent_id in self._state.pending:
            self._drop(intent.intent_id, context)

    def _drop(self, intent_id: str, context: Context) -> None:
        self._state.pending.pop(intent_id, None)
        self._state.parents.pop(intent_id, None)
        self._state.goal_pursued = False
        self._pause(context)
        if self._told:
            self._resolved(intent_id, context)
        context.save()

    def take_overruling(self, overruled: PositionOverruled, context: Context) -> None:
        """Somebody else moved the position; while an own order is on its way, its answer will tell."""
        ours = overruled.account == self._account and overruled.symbol == self._symbol
        if ours and not self._state.pending:
            self._adopt(overruled.net_contracts, "the account holds less", context)
            context.save()

    def _adopt(self, account_contracts: int, why: str, context: Context) -> None:
        state = self._state
        before = state.net_contracts
        if adopt_position(state, account_contracts):
            self._view.net_contracts = state.net_contracts
            context.record(PositionAdopted(self._symbol, before, state.net_contracts, why, context.now_ns))

    # -- orders without an end --------------------------------------------------------------------

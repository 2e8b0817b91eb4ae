"""What a person asks of an OMS: to list orders, cancel some, settle one; and what a halt asks: cancel all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from actors.domain.lifecycle import OrderState
from actors.domain.parent_states import PARENT_ENDED, ParentState, parent_id_of
from actors.messages.control import Acknowledged, Rejected, ResolveOrder
from actors.messages.orders import CancelScope, OrdersListed, OrdersRequest, OrderStatus, ParentStatus
from actors.messages.scopes import CancelAll
from actors.oms.events import OrderResolved, ScopeCanceled
from actors.oms.parenting import entry_is_over
from actors.oms.parents.registry import kind_of
from actors.oms.parents.state import Parent
from actors.oms.resolution import resolution_fault
from actors.oms.state import Order
from actors.oms.triggers import OmsTriggers
from actors.runtime.behaviour import Context

__all__ = ["OmsAsking"]

LISTED_MAX = 1_000  # live orders in one answer; an account has at most some hundreds


class OmsAsking(OmsTriggers):
    """Answers people. What they have done is on the record with their name."""

    def on_orders_request(self, message: OrdersRequest, context: Context) -> None:
        """List the orders that match, and the parents."""
        live = self._matching_live(message.account, message.symbol, message.strategy, message.order_ids)
        closed = list(islice(self._matching_closed(message), message.closed_max))
        self._list(live, closed, self._matching_parents(message), context)

    def on_cancel_scope(self, message: CancelScope, context: Context) -> None:
        """Cancel every live order in the scope, and say which those are; whoever asked looks what follows."""
        if message.order_id in self.state.parents:
            self._cancel_one_parent(self.state.parents[message.order_id], message, context)
            return
        if message.order_id in self.state.parents_ended:
            self._see_to(self.state.parents_ended[message.order_id], message, context)
            return
        wanted = (message.order_id,) if message.order_id else ()
        hit = self._matching_live(message.account, message.symbol, message.strategy, wanted)
        if hit:
            context.record(
                ScopeCanceled(
                    message.symbol,
                    message.strategy,
                    message.order_id,
                    message.actor,
                    message.reason,
                    len(hit),
                    context.now_ns,
                )
            )
        reason = f"canceled by {message.actor}" + (f": {message.reason}" if message.reason else "")
        for order in hit:
            self._cancel(order, reason, context)
        if not message.order_id and message.account in ("", self._account):
            self._withdraw_between(message.symbol, message.strategy, reason, context)
            self._halt_parents(message.symbol, message.strategy, reason, context)
        self._list(hit, [], [], context)

    def _cancel_one_parent(self, parent: Parent, message: CancelScope, context: Context) -> None:
        """End a parent as far as its type lets a person; say what it is, and which orders go with it."""
        reason = f"canceled by {message.actor}" + (f": {message.reason}" if message.reason else "")
        out = [child.client_order_id for child in parent.children.values() if child.client_order_id]
        context.record(
            ScopeCanceled(
                *(parent.symbol, parent.strategy, parent.parent_id, message.actor, message.reason),
                *(len(out), context.now_ns),
            )
        )
        self._cancel_parent(parent, reason, context)
        hit = [order for name in out if (order := self.state.live.get(name)) is not None]
        self._list([order for order in hit if order.cancel_wanted], [], [parent], context)

    def _see_to(self, parent: Parent, message: CancelScope, context: Context) -> None:
        """A person looked at a parent that has ended: if it failed, nobody has to be told any more."""
        if parent.state is ParentState.FAILED:
            context.record(
                ScopeCanceled(
                    *(parent.symbol, parent.strategy, parent.parent_id, message.actor, message.reason),
                    *(0, context.now_ns),
                )
            )
            self._maimed.add(parent.parent_id)  # a node that was started since does not know
            self._forget_loss(parent.parent_id, context)
        self._list([], [], [parent], context)

    def on_resolve_order(self, message: ResolveOrder, context: Context) -> None:
        """Settle an order on a person's word, if what they say can be true."""
        order = self.state.live.get(message.client_order_id)
        fault = resolution_fault(order, message)
        if order is None or fault:
            context.reply(Rejected(fault))
            return
        before, since_ns = order.state, order.unknown_since_ns
        context.record(
            OrderResolved(
                order.client_order_id, message.as_state, message.evidence, message.actor, context.now_ns
            )
        )
        self._changed(order, before, since_ns, context)
        context.reply(Acknowledged(f"{order.client_order_id}: {before.value} -> {message.as_state.value}"))

    def _cancel_by_scope(self, symbol: str, reason: str, context: Context) -> None:
        """Have the venue cancel all that rests in a scope; each order of ours is on the record first.

        Orders that may not have arrived yet are not named: whichever turns out to rest is canceled by itself.
        """
        live = sum(symbol in ("", order.symbol) for order in self.state.live.values())
        now_ns = context.now_ns
        context.record(ScopeCanceled(symbol, "", "", context.sender, reason, live, now_ns))
        self._by_scope = named = []
        try:
            self._cancel_live(symbol, "", reason, context)
        finally:
            self._by_scope = None
        names, symbols = tuple([one.client_order_id for one in named]), tuple([one.symbol for one in named])
        context.publish(CancelAll(self._account, symbol, names, symbols))

    def _cancel_live(self, symbol: str, strategy: str, reason: str, context: Context) -> None:
        for order in list(self.state.live.values()):
            if (not symbol or order.symbol == symbol) and (not strategy or order.strategy == strategy):
                self._cancel(order, reason, context)

    def _list(self, live: list[Order], closed: list[Order], parents: list[Parent], context: Context) -> None:
        shown = [self._status(order) for order in (*live[:LISTED_MAX], *closed)]
        left_out = max(0, len(live) - LISTED_MAX)
        told = tuple(_parent_status(parent) for parent in parents)
        context.reply(OrdersListed(self._account, tuple(shown), left_out, context.now_ns, told))

    def _matching_live(
        self, account: str, symbol: str, strategy: str, order_ids: tuple[str, ...]
    ) -> list[Order]:
        """Return the live orders that match, those in doubt first."""
        if account not in ("", self._account):
            return []
        found = [order for order in self.state.live.values() if _matches(order, symbol, strategy, order_ids)]
        found.sort(key=lambda order: order.state is not OrderState.UNKNOWN)
        return found

    def _matching_closed(self, message: OrdersRequest) -> Iterator[Order]:
        if message.account not in ("", self._account):
            return
        for order in reversed(self.state.closed.values()):
            if _matches(order, message.symbol, message.strategy, message.order_ids):
                yield order

    def _matching_parents(self, message: OrdersRequest) -> list[Parent]:
        """Return the living parents that match, and the newest that have ended: one that is named, always."""
        if message.account not in ("", self._account):
            return []
        ids = message.order_ids

        def matches(parent: Parent) -> bool:
            return (
                (not ids or parent.parent_id in ids)
                and (not message.symbol or parent.symbol in ("", message.symbol))
                and (not message.strategy or parent.strategy == message.strategy)
            )

        live = [parent for parent in self.state.parents.values() if matches(parent)]
        ended = (parent for parent in reversed(self.state.parents_ended.values()) if matches(parent))
        return live[:LISTED_MAX] + list(islice(ended, max(message.closed_max, len(ids))))

    def _status(self, order: Order) -> OrderStatus:
        doubt = self._doubts.get(order.client_order_id)
        return OrderStatus(
            order.client_order_id,
            order.venue_order_id,
            order.intent_id,
            order.strategy,
            order.symbol,
            order.side,
            order.contracts,
            order.order_type,
            order.limit_ticks,
            order.reduce_only,
            order.filled_contracts,
            order.filled_ticks,
            order.fee_usdt,
            order.state,
            order.reason,
            order.cancel_wanted,
            order.submitted_at_ns,
            order.changed_at_ns,
            order.unknown_since_ns,
            doubt.attempts if doubt is not None else 0,
            order.replaces,
            order.replaced_by,
        )


def _matches(order: Order, symbol: str, strategy: str, order_ids: tuple[str, ...]) -> bool:
    names = (order.client_order_id, order.intent_id, parent_id_of(order.intent_id))
    if order_ids and not any(name in order_ids for name in names):
        return False
    return (not symbol or order.symbol == symbol) and (not strategy or order.strategy == strategy)


def _parent_status(parent: Parent) -> ParentStatus:
    is_live = parent.state not in PARENT_ENDED
    # A person's cancel ends all but a bracket, whose exits stay with what it has entered.
    is_withdrawn = entry_is_over(parent) if parent.enters else not is_live
    return ParentStatus(
        *(parent.parent_id, kind_of(parent).name, parent.strategy, parent.symbol, parent.side),
        *(parent.contracts, parent.reduce_only, parent.plan, parent.state),
        *(parent.entry_filled, parent.exit_filled, is_live, is_withdrawn),
        tuple(child.client_order_id or intent_id for intent_id, child in parent.children.items()),
        *(parent.why, parent.accepted_at_ns, parent.changed_at_ns),
    )

"""What a person asks of an OMS: to list orders, to cancel some, to settle one on their word."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from actors.domain.lifecycle import OrderState
from actors.messages.control import Acknowledged, Rejected, ResolveOrder
from actors.messages.orders import CancelScope, OrdersListed, OrdersRequest, OrderStatus
from actors.oms.events import OrderResolved, ScopeCanceled
from actors.oms.resolution import resolution_fault
from actors.oms.state import Order
from actors.oms.triggers import OmsTriggers
from actors.runtime.behaviour import Context

__all__ = ["OmsAsking"]

LISTED_MAX = 1_000  # live orders in one answer; an account has at most some hundreds


class OmsAsking(OmsTriggers):
    """Answers people. What they have done is on the record with their name."""

    def on_orders_request(self, message: OrdersRequest, context: Context) -> None:
        """List the orders that match."""
        live = self._matching_live(message.account, message.symbol, message.strategy, message.order_ids)
        self._list(live, list(islice(self._matching_closed(message), message.closed_max)), context)

    def on_cancel_scope(self, message: CancelScope, context: Context) -> None:
        """Cancel every live order in the scope, and say which those are; whoever asked looks what follows."""
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
        elif message.order_id in self.state.parents:
            self._cancel_parent(self.state.parents[message.order_id], reason, context)
        self._list(hit, [], context)

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

    def _list(self, live: list[Order], closed: list[Order], context: Context) -> None:
        shown = [self._status(order) for order in (*live[:LISTED_MAX], *closed)]
        left_out = max(0, len(live) - LISTED_MAX)
        context.reply(OrdersListed(self._account, tuple(shown), left_out, context.now_ns))

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
    if order_ids and order.client_order_id not in order_ids and order.intent_id not in order_ids:
        return False
    return (not symbol or order.symbol == symbol) and (not strategy or order.strategy == strategy)

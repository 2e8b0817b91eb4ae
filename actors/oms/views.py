"""What others may see of an OMS's state: the reconciler's snapshot and the operator's description. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.domain.lifecycle import OrderState
from actors.messages.plans import Plan
from actors.messages.trading import KnownFill, OpenOrder, OrdersSnapshot, OrdersSnapshotRequest
from actors.oms.parents.registry import kind_of
from actors.oms.parents.state import Parent
from actors.oms.parents.trails import best_of
from actors.oms.state import OmsState, Order

__all__ = ["described", "shown_parent", "snapshot_of"]

SHOWN_ORDERS_MAX = 200  # orders an operator is shown; the counts are always complete
SHOWN_CLOSED_MAX = 20


def snapshot_of(
    state: OmsState, request: OrdersSnapshotRequest, now_ns: int, fills_disorder_ns: int, mark: str
) -> OrdersSnapshot:
    """Return the books as the reconciler compares them.

    No fill came so long, or longer, after one that the venue dates later: further back nobody need look.
    """
    since_ns = request.fills_since_ns
    fills = []
    for key, (signed, at_ns) in reversed(state.fills.items()):
        if at_ns >= since_ns:
            symbol, _, trade_id = key.partition("/")
            fills.append(KnownFill(symbol, trade_id, signed, at_ns))
        elif at_ns < since_ns - fills_disorder_ns:
            break
    fills.reverse()
    return OrdersSnapshot(
        request.account,
        request.request_id,
        tuple(_open_order(order) for order in state.live.values()),
        tuple((symbol, net) for symbol, net in state.net_contracts.items() if net),
        tuple(fills),
        max(since_ns, state.fills_forgotten_ns),
        state.fills_count,
        now_ns,
        mark,
    )


def _open_order(order: Order) -> OpenOrder:
    return OpenOrder(
        order.client_order_id,
        order.venue_order_id,
        order.symbol,
        order.side,
        order.contracts,
        order.filled_contracts,
        order.state,
    )


def described(state: OmsState, awaiting_count: int, repeats_count: int, strangers_count: int) -> Any:
    """Return plain values for an operator: counts, then orders, those in doubt first."""
    live = list(state.live.values())
    unknown = [order for order in live if order.state is OrderState.UNKNOWN]
    others = [order for order in live if order.state is not OrderState.UNKNOWN]
    by_state: dict[str, int] = {}
    for order in live:
        by_state[order.state.value] = by_state.get(order.state.value, 0) + 1
    closed = list(state.closed.values())[-SHOWN_CLOSED_MAX:]
    return {
        "orders_submitted": state.sequence,
        "orders_live": len(live),
        "orders_live_by_state": by_state,
        "orders_awaiting_answer": awaiting_count,
        "fills": state.fills_count,
        "anomalies": state.anomalies_count,
        "anomalies_open": [{"alert": alert, "key": key} for key, alert in state.anomalies.items()],
        "repeats": repeats_count,
        "strangers": strangers_count,
        "net_contracts": {symbol: net for symbol, net in state.net_contracts.items() if net},
        "flattening": dict(state.flattening),
        "unknown_orders": [_shown(order) for order in unknown[:SHOWN_ORDERS_MAX]],
        "open_orders": [_shown(order) for order in others[:SHOWN_ORDERS_MAX]],
        "parents": [
            shown_parent(state, parent) for parent in list(state.parents.values())[:SHOWN_ORDERS_MAX]
        ],
        "closed_parents": [
            shown_parent(state, parent)
            for parent in reversed(list(state.parents_ended.values())[-SHOWN_CLOSED_MAX:])
        ],
        "closed_orders": [_shown(order) for order in reversed(closed)],
    }


def shown_parent(state: OmsState, parent: Parent) -> dict[str, Any]:
    """Return a parent order as an operator sees it."""
    best = best_of(state.trails, parent.symbol, parent.parent_id) if state.trails else 0
    return {
        "parent_id": parent.parent_id,
        "type": kind_of(parent).name,
        "strategy": parent.strategy,
        "symbol": parent.symbol,
        "side": parent.side.name.lower(),
        "contracts": parent.contracts,
        "state": parent.state.value,
        "plan": _shown_plan(parent.plan),
        "entry_filled": parent.entry_filled,
        "exit_filled": parent.exit_filled,
        "closed_by_others": parent.shrunk if parent.contracts else 0,
        "best_ticks": best / 2,
        "children": [child.client_order_id or "asking risk" for child in parent.children.values()],
        "why": parent.why,
        "accepted_at_ns": parent.accepted_at_ns,
        "changed_at_ns": parent.changed_at_ns,
    }


def _shown_plan(plan: Plan) -> dict[str, Any]:
    """Return what a plan says, by name; what it leaves out is left out."""
    found = {name: getattr(plan, name) for name in plan.__struct_fields__}
    return {name: msgspec.to_builtins(value) for name, value in found.items() if value}


def _shown(order: Order) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "intent_id": order.intent_id,
        "strategy": order.strategy,
        "symbol": order.symbol,
        "side": order.side.name.lower(),
        "order_type": order.order_type.value,
        "contracts": order.contracts,
        "filled_contracts": order.filled_contracts,
        "filled_ticks": order.filled_ticks,
        "limit_ticks": order.limit_ticks,
        "reduce_only": order.reduce_only,
        "state": order.state.value,
        "reason": order.reason,
        "cancel_wanted": order.cancel_wanted,
        "submitted_at_ns": order.submitted_at_ns,
        "changed_at_ns": order.changed_at_ns,
        "unknown_since_ns": order.unknown_since_ns,
    }

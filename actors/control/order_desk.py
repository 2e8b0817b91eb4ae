"""What an operator asks about orders and has done to them, put to every actor that owns orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pykka

from actors.control.desk import ANSWER_WITHIN_S, ControlError, Desk
from actors.control.trading_view import Instruments
from actors.domain.lifecycle import TERMINAL, OrderState
from actors.messages.control import Rejected, ResolveOrder
from actors.messages.orders import CancelScope, OrdersListed, OrdersRequest, OrderStatus, ParentStatus
from actors.runtime.messages import Message

__all__ = ["CLOSED_SHOWN_MAX", "OrderDesk", "shown_order"]

CLOSED_SHOWN_MAX = 1_000  # closed orders in one answer
WAIT_S_MAX = 60.0  # for confirmations, on behalf of one request
LOOK_EVERY_S = 0.1
STATES = {state.value: state for state in OrderState}


class OrderDesk:
    """Answers for the orders of one node. Its coroutines run on the control thread."""

    def __init__(self, desk: Desk, instruments: Instruments) -> None:
        self._desk = desk
        self._instruments = instruments

    async def orders(self, query: Mapping[str, str], closed_max: int) -> dict[str, Any]:
        """Return the orders that match `account`, `symbol`, `strategy`, `id`, live ones first.

        Errors: ControlError 404 when nobody owns orders, 503 when an owner does not answer.
        """
        wanted = (query["id"],) if query.get("id") else ()
        request = OrdersRequest(*_scope(query), wanted, max(0, min(closed_max, CLOSED_SHOWN_MAX)))
        found = await self._listed(request)
        orders = [order for address, listed in found.items() for order in self._shown(address, listed)]
        parents = [parent for address, listed in found.items() for parent in self._parents(address, listed)]
        return {
            "orders": orders,
            "parents": parents,
            "live": sum(1 for order in orders if order["is_live"]),
            "unknown": sum(1 for order in orders if order["state"] == OrderState.UNKNOWN.value),
            "left_out": sum(listed.left_out_count for listed in found.values()),
            "at_ns": max(listed.at_ns for listed in found.values()),
        }

    async def cancel(
        self, scope: Mapping[str, str], order_id: str, actor: str, reason: str, wait_s: float
    ) -> dict[str, Any]:
        """Cancel what lives in a scope and say what is confirmed when the wait is over.

        A parent that was named is confirmed when it has ended; a bracket when its entry is taken back, for
        its exits stay. Errors: ControlError 404 when an order was named and nobody has it alive; 503.
        """
        request = CancelScope(*_scope(scope), order_id, actor, reason)
        hit = await self._listed(request)
        names = {order.client_order_id for listed in hit.values() for order in listed.orders}
        if order_id and not names and not any(listed.parents for listed in hit.values()):
            raise self._nowhere(order_id)
        orders, parents = await self._watched(hit, names, min(max(wait_s, 0.0), WAIT_S_MAX))
        confirmed = [order for order in orders if not order["is_live"]]
        open_still = [order for order in orders if order["is_live"]]
        left_out = sum(listed.left_out_count for listed in hit.values())
        return {
            "asked": len(orders) + left_out,
            "confirmed": confirmed,
            "not_confirmed": open_still,
            "parents": parents,
            "left_out": left_out,
            "accepted": True,
        }

    async def resolve(self, order_id: str, state: str, evidence: str, actor: str) -> dict[str, Any]:
        """Settle one order on a person's word. Errors: ControlError 400, 404."""
        if state not in STATES:
            raise ControlError(400, f"there is no order state {state!r}", f"use one of {', '.join(STATES)}")
        found = await self._listed(OrdersRequest("", "", "", (order_id,), 1))
        for address, listed in found.items():
            for order in listed.orders:
                if order_id not in (order.client_order_id, order.intent_id):
                    continue  # it belongs to the parent that was named
                command = ResolveOrder(order.client_order_id, STATES[state], evidence, actor)
                answer = await self._ask(address, command)
                accepted = not isinstance(answer, Rejected)
                told = {"actor": address, "accepted": accepted, "text": getattr(answer, "text", str(answer))}
                return {"accepted": accepted, "answers": [told]}
        raise self._nowhere(order_id)

    # -- steps ---------------------------------------------------------------------------------------------

    async def _watched(
        self, hit: dict[str, OrdersListed], names: set[str], wait_s: float
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Look at the orders and parents until all have ended or the wait is over."""
        until = asyncio.get_running_loop().time() + wait_s
        while True:
            now = await self._now(hit)
            orders = [
                order
                for address, listed in now.items()
                for order in self._shown(address, listed)
                if order["client_order_id"] in names
            ]
            parents = [parent for address, listed in now.items() for parent in self._parents(address, listed)]
            over = asyncio.get_running_loop().time() >= until
            left = any(order["is_live"] for order in orders)
            if over or not (left or any(not parent["is_withdrawn"] for parent in parents)):
                return orders, parents
            await asyncio.sleep(LOOK_EVERY_S)

    async def _now(self, hit: dict[str, OrdersListed]) -> dict[str, OrdersListed]:
        found = {}
        for address, listed in hit.items():
            ids = tuple(order.client_order_id for order in listed.orders)
            ids += tuple(parent.parent_id for parent in listed.parents)
            if ids:
                request = OrdersRequest("", "", "", ids, CLOSED_SHOWN_MAX)
                found[address] = await self._ask(address, request)
        return found

    async def _listed(self, request: Message) -> dict[str, OrdersListed]:
        cells = self._desk.node.loop.cells.values()
        owners = [cell.name for cell in cells if type(request) in cell.behaviour.HANDLERS]
        if not owners:
            raise ControlError(404, "no actor of this deployment owns orders", "add an oms to its file")
        answers = await asyncio.gather(*(self._ask(address, request) for address in owners))
        return dict(zip(owners, answers, strict=True))

    async def _ask(self, address: str, message: Message) -> Any:
        node = self._desk.node
        asked = asyncio.get_running_loop().run_in_executor(
            None, lambda: node.ask(address, message, ANSWER_WITHIN_S)
        )
        try:
            return await asked
        except pykka.Timeout:
            state = node.cell(address).state.value
            raise ControlError(
                503,
                f"{address} gave no answer in {ANSWER_WITHIN_S:g} s; it is {state}",
                f"`polytrade inspect {address}` shows why; what was ordered stays in its mailbox",
            ) from None

    def _shown(self, address: str, listed: OrdersListed) -> list[dict[str, Any]]:
        return [shown_order(order, address, listed.account, self._instruments) for order in listed.orders]

    def _parents(self, address: str, listed: OrdersListed) -> list[dict[str, Any]]:
        return [
            _shown_parent(parent, address, listed.account, self._instruments) for parent in listed.parents
        ]

    def _nowhere(self, order_id: str) -> ControlError:
        return ControlError(
            404,
            f"no order {order_id!r} is in the books of this node",
            f"`polytrade orders ls` lists orders; `polytrade why {order_id}` finds older ones",
        )


def _scope(query: Mapping[str, str]) -> tuple[str, str, str]:
    return query.get("account", ""), query.get("symbol", ""), query.get("strategy", "")


def shown_order(order: OrderStatus, address: str, account: str, instruments: Instruments) -> dict[str, Any]:
    """Return an order as plain values, with prices as text beside the ticks where the symbol is known."""
    shown: dict[str, Any] = {"owner": address, "account": account}
    for name in order.__struct_fields__:
        shown[name] = getattr(order, name)
    shown |= {
        "side": order.side.name.lower(),
        "order_type": order.order_type.value,
        "state": order.state.value,
        "is_live": order.state not in TERMINAL,
    }
    instrument = instruments.get(order.symbol)
    if instrument is not None:
        if order.limit_ticks:
            shown["limit"] = instrument.price_text(order.limit_ticks)
        if order.filled_contracts:
            shown["filled_price"] = instrument.price_text(order.filled_ticks // order.filled_contracts)
    return shown


def _shown_parent(
    parent: ParentStatus, address: str, account: str, instruments: Instruments
) -> dict[str, Any]:
    """Return a parent as plain values; prices of its plan as text where the symbol is known."""
    shown: dict[str, Any] = {"owner": address, "account": account}
    for name in parent.__struct_fields__:
        shown[name] = getattr(parent, name)
    plan: dict[str, Any] = {}
    instrument = instruments.get(parent.symbol)
    for name in parent.plan.__struct_fields__:
        value = msgspec.to_builtins(getattr(parent.plan, name))
        if name.endswith("_ticks") and value and instrument is not None and name != "trail_ticks":
            plan[name.removesuffix("_ticks")] = instrument.price_text(value)
        if value:
            plan[name] = value
    return shown | {
        "side": parent.side.name.lower(),
        "state": parent.state.value,
        "children": list(parent.children),
        "plan": plan,
    }

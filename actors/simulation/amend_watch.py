"""Amendments watched from outside: one order of an intent rests at a time, never for more than was wished."""

from __future__ import annotations

from collections.abc import Iterator

from actors.exchange.events import OrderBooked, OrderUnbooked, RestingOrderExecuted
from actors.oms.events import AmendMoved, AmendStarted, OrderSubmitted
from actors.risk.events import ReplacementAllowed

__all__ = ["AmendWatch", "ExchangeBooks"]


class ExchangeBooks:
    """Which orders rest at the far side, by what the exchange decided."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}  # by the exchange's number
        self._left: dict[str, int] = {}  # contracts that rest

    def booked(self, event: OrderBooked) -> None:
        """An order came, and what it met went."""
        request = event.request
        left = request.contracts - sum(part.contracts for part in event.executions)
        for part in event.executions:
            self._take(part.maker_number, part.contracts)
        if left > 0 and not event.reason:
            self._names[event.number] = request.client_order_id
            self._left[request.client_order_id] = left

    def executed(self, event: RestingOrderExecuted) -> None:
        """A resting order traded."""
        self._take(event.number, event.contracts)

    def unbooked(self, event: OrderUnbooked) -> None:
        """A resting order was taken out."""
        self._left.pop(self._names.pop(event.number, ""), None)

    def rests(self, client_order_id: str) -> bool:
        """Tell whether an order rests."""
        return client_order_id in self._left

    def _take(self, number: int, contracts: int) -> None:
        name = self._names.get(number, "")
        if name in self._left:
            self._left[name] -= contracts
            if self._left[name] <= 0:
                del self._left[name], self._names[number]


class AmendWatch:
    """The orders of each intent that was amended, by the journal."""

    def __init__(self) -> None:
        self._orders: dict[str, list[str]] = {}  # client_order_ids by intent_id, oldest first
        self._intents: dict[str, str] = {}  # intent_id by client_order_id
        self._judged: dict[str, int] = {}  # contracts that risk let pass last, by intent_id
        self._wished: dict[str, int] = {}  # contracts in all by intent_id, of the amendment under way

    def judged(self, event: ReplacementAllowed) -> None:
        """Risk let the rest of an order pass."""
        self._judged[event.intent_id] = event.contracts

    def started(self, event: AmendStarted) -> None:
        """An amendment begins."""
        self._wished[event.intent_id] = event.contracts

    def moved(self, event: AmendMoved) -> Iterator[str]:
        """Take a step of an amendment."""
        if event.intent_id not in self._wished:
            yield f"{event.amend_id} moved on and had not begun"

    def submitted(
        self, order: OrderSubmitted, ended: set[str], filled: dict[str, int]
    ) -> Iterator[tuple[str, str]]:
        """Take an order; yield (promise, detail) of what it breaks."""
        intent_id, name = order.intent_id, order.client_order_id
        before = self._orders.setdefault(intent_id, [])
        if before and order.replaces != before[-1]:
            yield "an intent becomes one order", f"{intent_id} became {name} beside {before[-1]}"
        elif before:
            if before[-1] not in ended:
                yield "an amended order ends first", f"{name} was placed while {before[-1]} lived"
            if order.contracts > self._judged.pop(intent_id, 0):
                yield "a replacement is judged", f"{name}: risk did not let {order.contracts} pass"
            all_filled = sum(filled.get(one, 0) for one in before)
            wished = self._wished.get(intent_id, 0)
            if order.contracts + all_filled > wished:
                detail = f"{name}: {order.contracts} after {all_filled} filled, {wished} wished"
                yield "a replacement is what is left", detail
        before.append(name)
        self._intents[name] = intent_id

    def filled_before(self, intent_id: str, filled: dict[str, int]) -> int:
        """Return what the orders of an intent have filled."""
        return sum(filled.get(name, 0) for name in self._orders.get(intent_id, ()))

    def beside(self, client_order_id: str, books: ExchangeBooks) -> str:
        """Return another order of the same intent that rests at the exchange; empty when there is none."""
        intent_id = self._intents.get(client_order_id, "")
        others = (name for name in self._orders.get(intent_id, ()) if name != client_order_id)
        return next((name for name in others if books.rests(name)), "")

"""Whether a halt that cancels takes back every live order, in doubt or not, in one and the same turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from actors.domain.lifecycle import OrderEvent
from actors.messages.control import HaltLevel
from actors.oms.events import CancelWanted, OrderStateChanged, OrderSubmitted, ScopeCanceled
from actors.risk.events import HaltLatched, HaltReleased
from actors.runtime.messages import ActorFailed, ActorRestarted
from actors.runtime.node import NodeStarted

__all__ = ["CancelWatch"]

FORGIVES = (HaltReleased, NodeStarted, ActorFailed, ActorRestarted)
LIVES_ON = (OrderEvent.ACCEPTED, OrderEvent.PROVEN_OPEN, OrderEvent.PROVEN_PARTLY_FILLED)


class CancelWatch:
    """Reads the journal turn by turn. The OMS takes all its live orders back in one message, or none."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()  # orders that somebody wants canceled
        self._owed: set[str] = set()  # those that a halt has passed over, as far as can be seen

    def turn(
        self, entries: list[tuple[str, Any]], live: Iterable[tuple[str, OrderSubmitted]]
    ) -> Iterator[str]:
        """Take a turn; `live`: orders that lived before it and still do, with their OMS."""
        halts, scopes, wanted = [], [], set()
        for cell, event in entries:
            if isinstance(event, HaltLatched) and event.level >= HaltLevel.CANCEL_ALL:
                halts.append((cell.partition("/")[2], event.scope))
            elif isinstance(event, ScopeCanceled) and not event.strategy and not event.order_id:
                scopes.append((cell, event.symbol))
            elif isinstance(event, CancelWanted) or (
                isinstance(event, OrderStateChanged) and event.event is OrderEvent.CANCEL_REQUESTED
            ):
                wanted.add(event.client_order_id)
        before, self._wanted = self._wanted, self._wanted | wanted
        yield from self._moved_on(entries, wanted)
        for cell, order in live if halts or scopes else ():
            name, account = order.client_order_id, cell.partition("/")[2]
            if name not in self._wanted and any((cell, one) in scopes for one in ("", order.symbol)):
                yield f"{name} was live and not taken back with all that its scope holds"
            meant = any(account == one and _binds(scope, order) for one, scope in halts)
            if meant and name not in wanted and name not in before:
                self._owed.add(name)
                if wanted:
                    yield f"{name} was live and nobody took it back when others were"

    def _moved_on(self, entries: list[tuple[str, Any]], wanted: set[str]) -> Iterator[str]:
        """See what becomes of orders that were passed over. An OMS that was away has not heard yet."""
        self._owed -= wanted
        if any(isinstance(event, FORGIVES) for _, event in entries):
            self._owed.clear()
        for _, event in entries:
            if isinstance(event, OrderStateChanged) and event.client_order_id in self._owed:
                self._owed.discard(event.client_order_id)
                if event.event in LIVES_ON:
                    yield f"{event.client_order_id} lives on under a halt that takes all orders back"


def _binds(scope: str, order: OrderSubmitted) -> bool:
    kind, _, name = scope.partition("/")
    return {"symbol": order.symbol, "strategy": order.strategy}.get(kind, name) == name

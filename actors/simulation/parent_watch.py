"""Parent orders watched from outside: never too much, never a position without its stop.

What each parent was to do and what its orders did is read from the journal, and added up here anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from actors.domain.orders import OrderType
from actors.domain.parent_states import PARENT_ENDED, ParentState, parent_id_of
from actors.messages.parents import ParentIntent
from actors.messages.plans import Bracket, CloseAll
from actors.oms.events import OrderFillApplied, OrderSubmitted
from actors.oms.parents.events import ParentAccepted
from actors.oms.parents.kind import Level
from actors.oms.parents.registry import kind_of
from actors.runtime.node import Node

__all__ = ["ParentWatch", "stops_unheeded"]

TOO_MUCH = "a parent trades no more than it was to"
UNCOVERED = "what was entered is watched"
FRESH_NS = 2_000_000_000  # an older price, or one of another clock, may have been left out
WATCHING = frozenset({ParentState.PROTECTING, ParentState.FIRING})


@dataclass
class _Working:
    """One of its orders, as far as it may still fill."""

    opens: bool
    order_type: OrderType
    left: int


@dataclass
class _Seen:
    """One parent, by its intent and the fills of its orders."""

    intent: ParentIntent
    opened: int = 0  # by orders on its own side, or worked off
    closed: int = 0  # by a bracket's exits
    orders: dict[str, _Working] = field(default_factory=dict)  # by client_order_id

    @property
    def enters(self) -> bool:
        return isinstance(self.intent.plan, Bracket)


class ParentWatch:
    """The parents of all accounts, by the journal."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._parent_of: dict[str, str] = {}  # by client_order_id
        self._foreign: set[str] = set()  # symbols in which others have traded on our account

    def __len__(self) -> int:
        return len(self._seen)

    def accepted(self, event: ParentAccepted) -> None:
        """A parent begins."""
        self._seen[event.intent.intent_id] = _Seen(event.intent)

    def submitted(self, order: OrderSubmitted) -> Iterator[tuple[str, str]]:
        """Take an order; yield (promise, detail) of what it breaks."""
        seen = self._seen.get(parent_id_of(order.intent_id))
        if seen is None or isinstance(seen.intent.plan, CloseAll):
            return
        name, wanted = order.client_order_id, seen.intent.contracts
        opens = order.side is seen.intent.side
        self._parent_of[name] = seen.intent.intent_id
        # A market order that closes may stand beside a resting target of the same contracts: the venue trims.
        kind = order.order_type if seen.intent.reduce_only or not opens else None
        working = sum(
            o.left for o in seen.orders.values() if o.opens is opens and kind in (None, o.order_type)
        )
        seen.orders[name] = _Working(opens, order.order_type, order.contracts)
        if opens and wanted and seen.opened + working + order.contracts > wanted:
            parts = f"{seen.opened} traded, {working} working, {order.contracts} more"
            yield TOO_MUCH, f"{order.intent_id}: {parts}, of {wanted}"
        if not opens and working + order.contracts > seen.opened - seen.closed:
            parts = f"{seen.opened} entered, {seen.closed} closed, {working} working"
            yield TOO_MUCH, f"{order.intent_id}: closes {order.contracts}; {parts}"

    def filled(self, event: OrderFillApplied) -> None:
        """Take a fill."""
        if not event.client_order_id:
            self._foreign.add(event.symbol)
        seen = self._seen.get(self._parent_of.get(event.client_order_id, ""))
        if seen is None or event.client_order_id not in seen.orders:
            return
        order = seen.orders[event.client_order_id]
        contracts = abs(event.signed_contracts)
        order.left = max(0, order.left - contracts)
        if order.opens:
            seen.opened += contracts
        else:
            seen.closed += contracts

    def ended(self, client_order_id: str) -> None:
        """An order works no longer; what comes late is counted all the same."""
        seen = self._seen.get(self._parent_of.get(client_order_id, ""))
        if seen is not None and client_order_id in seen.orders:
            seen.orders[client_order_id].left = 0

    def uncovered(self, account: str, oms: Any, symbol: str, net: int) -> Iterator[tuple[str, str]]:
        """Yield positions of brackets that no living bracket watches.

        Only what is still open counts, and only where nothing else than brackets opens positions.
        """
        ours = [s for s in self._seen.values() if (s.intent.account, s.intent.symbol) == (account, symbol)]
        if symbol in self._foreign or any(not s.enters and not s.intent.reduce_only for s in ours):
            return
        entered = sum(int(s.intent.side) * (s.opened - s.closed) for s in ours if s.enters)
        held = min(abs(net), abs(entered)) if net * entered > 0 else 0
        states = oms.state.parents
        watched = sum(
            s.opened - s.closed
            for s in ours
            if s.enters
            and int(s.intent.side) * net > 0
            and (found := states.get(s.intent.intent_id)) is not None
            and found.state in WATCHING
        )
        if held > watched:
            yield UNCOVERED, f"{account} {symbol}: {held} entered and open, {watched} watched"


def stops_unheeded(node: Node) -> list[str]:
    """Return fixed stops that a good price has passed and that have not fired.

    Compares the mark that risk has heard last with the plans of the parents: what the OMS has in memory about
    the prices to watch is not asked.
    """
    found = []
    cells = node.loop.cells
    for name, cell in cells.items():
        if not name.startswith("oms/"):
            continue
        account = name.partition("/")[2]
        risk = cells.get(f"risk/{account}")
        if risk is None or not _is_up(cell) or not _is_up(risk):
            continue
        state, picture = cell.behaviour.state, risk.behaviour._picture
        for parent in state.parents.values():
            market = picture.markets.get(parent.symbol)
            stop = _fixed_stop(parent)
            if market is None or market.mark is None or not stop or parent.symbol in state.stale_prices:
                continue
            age_ns = node.loop.now_ns - market.mark.at_ns
            if market.mark.at_ns <= parent.changed_at_ns or not 0 <= age_ns < FRESH_NS:
                continue
            mark = market.mark.mark_ticks
            if mark and (mark >= stop.ticks if stop.rises else mark <= stop.ticks):
                found.append(f"{parent.parent_id}: the mark is {mark}, its stop at {stop.ticks}")
    return found


def _is_up(cell: Any) -> bool:
    return bool(cell.state.name == "RUNNING")


def _fixed_stop(parent: Any) -> Level | None:
    if parent.state in PARENT_ENDED:
        return None
    for level in kind_of(parent).levels(parent):
        if level.event.value == "triggered" and level.ticks and level.source.value == "mark":
            return level
    return None

"""What a canary did since it began: orders by the journal, money, restarts, alerts, halts by the actors."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from actors.alerter.state import AlerterState
from actors.control.event_tail import read_records
from actors.control.fields import FieldNames
from actors.deployment.canary.criteria import Measures, OrderCounts
from actors.risk.state import RiskState
from actors.runtime.cell import CellState
from actors.runtime.journal import TurnRecord
from actors.runtime.messages import Severity
from actors.runtime.node import Node

__all__ = ["Gauge", "OrderTail"]

ANSWERS_KEPT = 5_000
PENDING_MAX = 10_000
BITES_PER_LOOK = 50  # of a millisecond each
ORDER_KINDS = ("oms", "risk")
LEDGER = "ledger"
Inside = Callable[[Callable[[], Any]], Any]  # runs something in the loop's thread and waits


class OrderTail:
    """Counts orders, the canary's and the others', by the events of the journal in their order."""

    def __init__(self, is_ours: Callable[[str, str], bool]) -> None:
        self.ours, self.others = OrderCounts(), OrderCounts()
        self._is_ours = is_ours  # of an actor's address and a symbol
        self._pending: dict[str, tuple[OrderCounts, int]] = {}  # by client_order_id

    def take(self, cell: str, kind: str, fields: dict[str, Any]) -> None:
        """Take the next event, by its type's name."""
        if kind == "IntentDenied":
            counts = self._counts(cell, fields["symbol"])
            counts.orders += 1
            counts.refused += 1
        elif kind == "OrderSubmitted":
            counts = self._counts(cell, fields["symbol"])
            counts.orders += not fields["replaces"]
            self._pending[fields["client_order_id"]] = (counts, fields["at_ns"])
            if len(self._pending) > PENDING_MAX:
                del self._pending[next(iter(self._pending))]
        elif kind == "OrderFillApplied" or (
            kind == "OrderStateChanged" and fields["event"] in ("accepted", "rejected")
        ):
            self._answered(fields)

    def _answered(self, fields: dict[str, Any]) -> None:
        waited = self._pending.pop(fields["client_order_id"], None)
        if waited is None:
            return
        counts, submitted_at_ns = waited
        counts.refused += fields.get("event") == "rejected"
        counts.answers_ns.append(max(0, fields["at_ns"] - submitted_at_ns))
        del counts.answers_ns[:-ANSWERS_KEPT]

    def _counts(self, cell: str, symbol: str) -> OrderCounts:
        return self.ours if self._is_ours(cell, symbol) else self.others


class Gauge:
    """Measures one canary. `inside` runs what is asked in the loop's thread, between two turns."""

    def __init__(
        self, node: Node, inside: Inside, target: str, owned: Collection[str], changed: Collection[str]
    ) -> None:
        self._node, self._inside = node, inside
        self._target, self._owned, self._changed = target, frozenset(owned), tuple(changed)
        self._names = FieldNames()
        self._order_cells = {
            name for name, cell in node.loop.cells.items() if cell.kind.partition(".")[0] in ORDER_KINDS
        }
        self._orders = OrderTail(lambda cell, symbol: cell in self._owned or symbol == target)
        self._began_ns, self._next, self._profit_peak_usdt, self._restarts = inside(self._start)

    def _start(self) -> tuple[int, int, int, int]:
        node = self._node
        return node.now_ns, node.journal.sequence + 1, self._profit(), self._restarts_count()

    def measure(self) -> Measures:
        """Return where it stands. Errors: whatever `inside` has."""
        for _ in range(BITES_PER_LOOK):
            records, self._next = self._inside(lambda: read_records(self._node, self._next))
            if not records:
                break
            self._count(records)
        found: Measures = self._inside(self._measure)
        return found

    def _count(self, records: list[TurnRecord]) -> None:
        for record in records:
            for entry in record.entries:
                if entry.cell in self._order_cells:
                    self._orders.take(entry.cell, *self._names.event(entry.event))

    # -- in the loop's thread ----------------------------------------------------------------------------

    def _measure(self) -> Measures:
        profit = self._profit()
        self._profit_peak_usdt = max(self._profit_peak_usdt, profit)
        cells = self._node.loop.cells
        down = [
            name for name in self._changed if name in cells and cells[name].state is not CellState.RUNNING
        ]
        return Measures(
            self._orders.ours,
            self._orders.others,
            self._profit_peak_usdt - profit,
            self._restarts_count() - self._restarts,
            tuple(down),
            tuple(self._pages()),
            tuple(self._halts()),
        )

    def _restarts_count(self) -> int:
        cells = self._node.loop.cells
        return sum(cells[name].restarts_count for name in self._changed if name in cells)

    def _profit(self) -> int:
        """Return the profit of the symbol in all books, or of the account; 1e-8 USDT."""
        found = 0
        for cell in self._node.loop.cells.values():
            if cell.kind != LEDGER:
                continue
            report = cell.behaviour.describe()
            is_account = cell.name in self._owned
            for one in report["positions"]:
                if is_account or one["symbol"] == self._target:
                    found += one["realised_usdt"] + one["unrealised_usdt"]
                    found -= one["fees_usdt"] + one["funding_usdt"]
        return found

    def _pages(self) -> list[str]:
        states = [getattr(cell.behaviour, "state", None) for cell in self._node.loop.cells.values()]
        return [
            f"{alert.name}: {alert.summary}"
            for state in states
            if isinstance(state, AlerterState)
            for alert in state.alerts.values()
            if alert.severity is Severity.PAGE and not alert.over and alert.raised_at_ns >= self._began_ns
        ]

    def _halts(self) -> list[str]:
        states = [getattr(cell.behaviour, "state", None) for cell in self._node.loop.cells.values()]
        return [
            f"{scope} by {halt.actor}: {halt.reason}"
            for state in states
            if isinstance(state, RiskState)
            for scope, halt in state.halts.items()
            if halt.at_ns >= self._began_ns
        ]

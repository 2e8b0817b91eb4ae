"""How well orders were executed: what a fill cost against the prices before it, and how long each stage took.

Two prices are on the record of each order, both the middle of the quote, doubled so that they stay whole: the
one that its strategy saw when it decided, and the one that risk saw when the order left for the market
(arrival). The cost of a fill is by what it is worse than that: positive is paid. An order that nobody decided
on a quote (a flatten) has no such price and is left out of costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

import msgspec

from actors.domain.lifecycle import TERMINAL, OrderEvent
from actors.domain.money import divide_half_even
from actors.oms.events import OrderFillApplied, OrderResolved, OrderStateChanged, OrderSubmitted

__all__ = ["STAGES", "Execution", "ExecutionTally", "Executions", "cost_bps", "cost_usdt"]

# Stage -> (from, to), by the fields of Execution.
STAGES: dict[str, tuple[str, str]] = {
    "decision_to_risk": ("decided_at_ns", "allowed_at_ns"),
    "risk_to_oms": ("allowed_at_ns", "submitted_at_ns"),
    "oms_to_wire": ("submitted_at_ns", "sent_at_ns"),
    "wire_to_ack": ("sent_at_ns", "acked_at_ns"),
    "ack_to_first_fill": ("acked_at_ns", "first_fill_at_ns"),
    "first_to_last_fill": ("first_fill_at_ns", "last_fill_at_ns"),
    "decision_to_ack": ("decided_at_ns", "acked_at_ns"),
}
# Upper ends of the buckets that stages are counted in; from a wire on this machine to a venue in trouble.
BUCKETS_NS = tuple(ms * 1_000_000 for ms in (1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000))
ENDS = frozenset(
    {OrderEvent.REJECTED, OrderEvent.CANCELED, OrderEvent.PROVEN_ABSENT, OrderEvent.FILLED_WHOLLY}
)


def cost_usdt(side: int, contracts: int, filled_ticks: int, mid_x2: int, tick_value: int) -> int:
    """Return what fills cost against a price, in 1e-8 USDT; positive is paid, 0 when there is no price.

    Units: filled_ticks is the sum of contracts x price_ticks; mid_x2 is the doubled price in ticks;
    tick_value is 1e-8 USDT a contract and tick. Rounded half-even.
    """
    if not mid_x2 or not contracts:
        return 0
    return divide_half_even(side * (2 * filled_ticks - mid_x2 * contracts) * tick_value, 2)


def cost_bps(side: int, contracts: int, filled_ticks: int, mid_x2: int) -> float | None:
    """Return the same in hundredths of a percent of the value at that price; None when there is no price."""
    if not mid_x2 or not contracts:
        return None
    return 10_000 * side * (2 * filled_ticks - mid_x2 * contracts) / (mid_x2 * contracts)


class Execution(msgspec.Struct):
    """One intent at the venue; the orders that replaced each other for it count as one."""

    client_order_id: str  # of the first of its orders
    intent_id: str
    account: str
    strategy: str
    symbol: str
    side: int
    contracts: int
    decision_x2: int = 0
    arrival_x2: int = 0
    decided_at_ns: int = 0
    allowed_at_ns: int = 0
    submitted_at_ns: int = 0
    sent_at_ns: int = 0  # the first bytes left; 0 when the venue's word came before its answer
    acked_at_ns: int = 0  # the first word of the venue, an acceptance or a fill
    first_fill_at_ns: int = 0  # when we heard of it
    last_fill_at_ns: int = 0
    orders_count: int = 1
    filled_contracts: int = 0
    filled_ticks: int = 0
    maker_contracts: int = 0
    fee_usdt: int = 0
    is_over: bool = False

    def stage_ns(self, stage: str) -> int | None:
        """Return how long a stage took; None when one of its ends is not on the record."""
        first, last = (getattr(self, name) for name in STAGES[stage])
        return max(0, last - first) if first and last else None

    def decision_bps(self) -> float | None:
        """Return the cost against the middle when it was decided."""
        return cost_bps(self.side, self.filled_contracts, self.filled_ticks, self.decision_x2)

    def arrival_bps(self) -> float | None:
        """Return the cost against the middle when it left for the market."""
        return cost_bps(self.side, self.filled_contracts, self.filled_ticks, self.arrival_x2)


class Executions:
    """Folds the journal of an OMS into executions; give it events in order."""

    EVENTS = (OrderSubmitted, OrderStateChanged, OrderFillApplied, OrderResolved)

    def __init__(self) -> None:
        self.found: dict[str, Execution] = {}  # by client_order_id of each order, replacements included

    def take(self, account: str, event: object) -> None:
        """Take the next event."""
        if isinstance(event, OrderSubmitted):
            self._submitted(account, event)
            return
        if not isinstance(event, OrderStateChanged | OrderFillApplied | OrderResolved):
            return
        execution = self.found.get(event.client_order_id)
        if execution is None:
            return  # submitted before what was read, or none of ours
        if isinstance(event, OrderFillApplied):
            _fill(execution, event)
        elif isinstance(event, OrderResolved):
            execution.is_over = event.as_state in TERMINAL
        else:
            _move(execution, event)

    def all(self) -> Iterable[Execution]:
        """Return them in the order of their submission, each once."""
        return {id(execution): execution for execution in self.found.values()}.values()

    def _submitted(self, account: str, event: OrderSubmitted) -> None:
        before = self.found.get(event.replaces) if event.replaces else None
        if before is not None:
            before.orders_count += 1
            before.contracts = before.filled_contracts + event.contracts
            before.is_over = False
            self.found[event.client_order_id] = before
            return
        self.found[event.client_order_id] = Execution(
            event.client_order_id,
            event.intent_id,
            account,
            event.strategy,
            event.symbol,
            int(event.side),
            event.contracts,
            event.decision_x2,
            event.arrival_x2,
            event.decided_at_ns,
            event.allowed_at_ns,
            event.at_ns,
        )


def _move(execution: Execution, event: OrderStateChanged) -> None:
    if event.sent_at_ns and not execution.sent_at_ns:
        execution.sent_at_ns = event.sent_at_ns
    if event.event is OrderEvent.ACCEPTED and not execution.acked_at_ns:
        execution.acked_at_ns = event.at_ns
    execution.is_over = event.event in ENDS


def _fill(execution: Execution, event: OrderFillApplied) -> None:
    contracts = abs(event.signed_contracts)
    execution.filled_contracts += contracts
    execution.filled_ticks += contracts * event.price_ticks
    execution.fee_usdt += event.fee_usdt
    execution.maker_contracts += contracts if event.maker else 0
    execution.first_fill_at_ns = execution.first_fill_at_ns or event.at_ns
    execution.acked_at_ns = execution.acked_at_ns or event.at_ns
    execution.last_fill_at_ns = event.at_ns
    if execution.filled_contracts >= execution.contracts:
        execution.is_over = True


class ExecutionTally:
    """Sums over the run of a node, for metrics. Plain numbers: read from another thread at scrape."""

    __slots__ = ("_buckets", "_longest", "_sums", "arrival_usdt", "decision_usdt", "fills")

    def __init__(self) -> None:
        self.decision_usdt = self.arrival_usdt = self.fills = 0
        self._buckets: dict[str, list[int]] = {}  # by stage, the last for what took longer than all ends
        self._sums: dict[str, int] = {}
        self._longest: dict[str, int] = {}

    def stage(self, name: str, first_ns: int, last_ns: int) -> None:
        """Count a stage, if both of its ends are known."""
        if not first_ns or not last_ns:
            return
        took_ns = max(0, last_ns - first_ns)
        buckets = self._buckets.get(name)
        if buckets is None:
            buckets = self._buckets[name] = [0] * (len(BUCKETS_NS) + 1)
        buckets[bisect_left(BUCKETS_NS, took_ns)] += 1
        self._sums[name] = self._sums.get(name, 0) + took_ns
        self._longest[name] = max(took_ns, self._longest.get(name, 0))

    def submitted(self, decided_at_ns: int, allowed_at_ns: int, now_ns: int) -> None:
        """Count the stages inside the house."""
        self.stage("decision_to_risk", decided_at_ns, allowed_at_ns)
        self.stage("risk_to_oms", allowed_at_ns, now_ns)

    def fill(self, decision_usdt: int, arrival_usdt: int) -> None:
        """Count what a fill cost against both prices, in 1e-8 USDT."""
        self.fills += 1
        self.decision_usdt += decision_usdt
        self.arrival_usdt += arrival_usdt

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric: sums since the node started; rates are the monitoring's part."""
        found: dict[str, int | float] = {
            "cost_decision_usdt": self.decision_usdt / 1e8,
            "cost_arrival_usdt": self.arrival_usdt / 1e8,
            "fills_measured_count": self.fills,
        }
        for name, buckets in list(self._buckets.items()):
            counted = list(accumulate(buckets))
            for upper_ns, count in zip(BUCKETS_NS, counted, strict=False):
                found[f"stage_latency_bucket{{stage={name},le={upper_ns / 1e9}}}"] = count
            found[f"stage_latency_count{{stage={name}}}"] = counted[-1]
            found[f"stage_latency_sum_ns{{stage={name}}}"] = self._sums.get(name, 0)
            found[f"stage_latency_max_ns{{stage={name}}}"] = self._longest.get(name, 0)
        return found

"""Transaction cost analysis, by the journal: what execution cost against which price, and where time went.

Costs are value-weighted: the sum of money over the sum of value at the price that is compared with. Orders
without such a price (`unmeasured`) are in counts, value and fees, and not in costs. Money is 1e-8 USDT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from actors.audit.export import event_type
from actors.control.journal_reader import JournalReader
from actors.domain.instrument import Instrument
from actors.domain.money import divide_half_even
from actors.oms.execution import STAGES, Execution, Executions, cost_usdt
from actors.runtime.codec import decoder_for

__all__ = ["GROUPS", "Costs", "Stage", "costs", "quantile", "read_executions", "stages"]

NAMES = frozenset(kind.__name__ for kind in Executions.EVENTS)
DECODE = decoder_for(Executions.EVENTS).decode
GROUPS: dict[str, Callable[[Execution], str]] = {
    "strategy": lambda one: one.strategy,
    "symbol": lambda one: one.symbol,
    "order": lambda one: one.client_order_id,
}


class Costs(msgspec.Struct, frozen=True):
    """What the orders of one group cost. Positive costs are paid, negative ones gained."""

    group: str
    orders_count: int
    filled_count: int  # of them, that filled at all
    unmeasured_count: int  # of those, without a price on arrival
    value_usdt: int  # of all fills at their prices
    decision_usdt: int
    decision_bps: float | None  # None when nothing could be measured
    arrival_usdt: int
    arrival_bps: float | None
    fees_usdt: int
    fees_bps: float | None
    maker_fraction: float | None  # of the value


class Stage(msgspec.Struct, frozen=True):
    """How long one stage took, over the orders that have both of its ends on the record."""

    stage: str
    count: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    max_ns: int


def read_executions(
    reader: JournalReader, from_ns: int = 0, to_ns: int = 0, *, symbol: str = "", strategy: str = ""
) -> list[Execution]:
    """Return the orders that were submitted in a period, oldest first. Errors: JournalError."""
    executions = Executions()
    for _, raw in reader.raw_records():
        for entry in reader.decode(raw).entries:
            if event_type(entry) in NAMES:
                executions.take(entry.cell.partition("/")[2], DECODE(entry.event))
    return [
        one
        for one in executions.all()
        if from_ns <= one.submitted_at_ns
        and (not to_ns or one.submitted_at_ns < to_ns)
        and (not symbol or one.symbol == symbol)
        and (not strategy or one.strategy == strategy)
    ]


def costs(
    executions: Iterable[Execution], by: str, instruments: Mapping[str, Instrument]
) -> tuple[list[Costs], Costs]:
    """Return the costs of each group, the largest value first, and of all together.

    Errors: KeyError for a grouping that does not exist, or a symbol without instrument.
    """
    key = GROUPS[by]
    groups: dict[str, list[Execution]] = {}
    everything = list(executions)
    for one in everything:
        groups.setdefault(key(one), []).append(one)
    found = [_costs(group, members, instruments) for group, members in groups.items()]
    found.sort(key=lambda one: (-one.value_usdt, one.group))
    return found, _costs("all", everything, instruments)


def _costs(group: str, members: Sequence[Execution], instruments: Mapping[str, Instrument]) -> Costs:
    sums = {"value": 0, "decision": 0, "decision_value": 0, "arrival": 0, "arrival_value": 0, "maker": 0}
    filled = [one for one in members if one.filled_contracts]
    for one in filled:
        tick = instruments[one.symbol].tick_value
        value = one.filled_ticks * tick
        sums["value"] += value
        sums["maker"] += value * one.maker_contracts // one.filled_contracts
        for name, mid_x2 in (("decision", one.decision_x2), ("arrival", one.arrival_x2)):
            if mid_x2:
                sums[name] += cost_usdt(one.side, one.filled_contracts, one.filled_ticks, mid_x2, tick)
                sums[name + "_value"] += divide_half_even(one.filled_contracts * mid_x2 * tick, 2)
    fees = sum(one.fee_usdt for one in filled)
    return Costs(
        group,
        len(members),
        len(filled),
        sum(1 for one in filled if not one.arrival_x2),
        sums["value"],
        sums["decision"],
        _bps(sums["decision"], sums["decision_value"]),
        sums["arrival"],
        _bps(sums["arrival"], sums["arrival_value"]),
        fees,
        _bps(fees, sums["value"]),
        sums["maker"] / sums["value"] if sums["value"] else None,
    )


def _bps(cost: int, value: int) -> float | None:
    return 10_000 * cost / value if value else None


def stages(executions: Iterable[Execution]) -> list[Stage]:
    """Return how long each stage took; one that no order has on the record has count 0."""
    everything = list(executions)
    found = []
    for name in STAGES:
        spans = sorted(span for one in everything if (span := one.stage_ns(name)) is not None)
        figures = [quantile(spans, part) for part in (50, 90, 99, 100)]
        found.append(Stage(name, len(spans), *figures))
    return found


def quantile(values: Sequence[int], percent: int) -> int:
    """Return the nearest-rank quantile of sorted values; 0 of none."""
    if not values:
        return 0
    return values[max(0, -(-len(values) * percent // 100) - 1)]

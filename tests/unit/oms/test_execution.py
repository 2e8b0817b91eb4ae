"""Execution quality: known answers, and what of it is on the record."""

from __future__ import annotations

import pytest

from actors.domain.lifecycle import OrderEvent
from actors.domain.orders import Side
from actors.messages.trading import SubmitOrder
from actors.messages.venue import OrderAccepted
from actors.oms.events import OrderFillApplied, OrderStateChanged, OrderSubmitted
from actors.oms.execution import Execution, Executions, cost_bps, cost_usdt
from tests.unit.oms.oms_bench import MS, PRICE, RISK, OmsBench
from tests.unit.oms.test_oms_amends import allow, amend
from tests.unit.risk.risk_bench import CATALOG

# 10 contracts bought at 101 against a middle of 100: 1 tick on 100, 10 contracts.
KNOWN = [
    (Side.BUY, 10, 1010, 200, 7, 70, 100.0),
    (Side.SELL, 10, 1010, 200, 7, -70, -100.0),
    (Side.BUY, 10, 990, 200, 7, -70, -100.0),
    (Side.SELL, 10, 990, 200, 7, 70, 100.0),
    (Side.BUY, 1, 101, 201, 7, 4, 10_000 * 0.5 / 100.5),  # 3.5 is rounded half-even
    (Side.BUY, 1, 101, 201, 9, 4, 10_000 * 0.5 / 100.5),  # 4.5 too
    (Side.BUY, 3, 100 + 101 + 103, 200, 2, 8, 10_000 * 4 / 300),
]


@pytest.mark.parametrize(("side", "contracts", "ticks", "mid_x2", "value", "usdt", "bps"), KNOWN)
def test_costs_are_as_computed_by_hand(side, contracts, ticks, mid_x2, value, usdt, bps) -> None:
    assert cost_usdt(side, contracts, ticks, mid_x2, value) == usdt
    assert cost_bps(side, contracts, ticks, mid_x2) == pytest.approx(bps)


def test_without_a_price_or_a_fill_there_is_no_cost() -> None:
    assert (cost_usdt(1, 10, 1010, 0, 7), cost_bps(1, 10, 1010, 0)) == (0, None)
    assert (cost_usdt(1, 0, 0, 200, 7), cost_bps(1, 0, 0, 200)) == (0, None)


def folded(bench: OmsBench) -> list[Execution]:
    executions = Executions()
    for event in bench.events:
        executions.take("main", event)
    return list(executions.all())


def measured(bench: OmsBench, **changes: object) -> str:
    """Submit an order that was decided at a middle of 100.5 and allowed 2 ms later at 101."""
    intent = bench.intent(mid_x2=201, **changes)
    bench.advance(2 * MS)
    allowed_at_ns = bench.now_ns
    bench.advance(1 * MS)
    bench.tell(SubmitOrder(intent, allowed_at_ns, 202), sender=RISK)
    return bench.placed()[-1].client_order_id


def test_prices_and_stages_are_on_the_record_of_an_order() -> None:
    bench = OmsBench(instruments=CATALOG)
    began_ns = bench.now_ns
    name = measured(bench)
    bench.advance(4 * MS)
    sent_at_ns = bench.now_ns
    bench.advance(8 * MS)
    bench.tell(OrderAccepted("main", name, "v1", bench.now_ns, sent_at_ns))
    bench.advance(16 * MS)
    bench.fill(name, 4, price_ticks=103, fee_usdt=5, maker=True)
    bench.advance(32 * MS)
    bench.fill(name, 6, price_ticks=104, fee_usdt=6)
    (one,) = folded(bench)
    assert one.decided_at_ns == began_ns
    spans = {stage: one.stage_ns(stage) for stage in ("decision_to_risk", "risk_to_oms", "oms_to_wire")}
    assert spans == {"decision_to_risk": 2 * MS, "risk_to_oms": MS, "oms_to_wire": 4 * MS}
    assert one.stage_ns("wire_to_ack") == 8 * MS
    assert one.stage_ns("ack_to_first_fill") == 16 * MS
    assert one.stage_ns("first_to_last_fill") == 32 * MS
    assert one.stage_ns("decision_to_ack") == 15 * MS
    assert (one.filled_contracts, one.filled_ticks, one.fee_usdt, one.maker_contracts) == (10, 1036, 11, 4)
    assert one.decision_bps() == pytest.approx(10_000 * (103.6 - 100.5) / 100.5)
    assert one.arrival_bps() == pytest.approx(10_000 * (103.6 - 101) / 101)
    assert one.is_over


def test_metrics_count_what_the_journal_says() -> None:
    bench = OmsBench(instruments=CATALOG)
    name = measured(bench)
    bench.tell(OrderAccepted("main", name, "v1", bench.now_ns + 5, bench.now_ns))
    bench.advance(16 * MS)
    bench.fill(name, 4, price_ticks=103)
    bench.fill(name, 6, price_ticks=104)
    (one,) = folded(bench)
    gauges = bench.oms.gauges()
    tick = CATALOG[one.symbol].tick_value
    for name, mid_x2 in (("cost_decision_usdt", one.decision_x2), ("cost_arrival_usdt", one.arrival_x2)):
        assert gauges[name] == cost_usdt(1, 10, one.filled_ticks, mid_x2, tick) / 1e8
    assert gauges["fills_measured_count"] == 2
    assert gauges["stage_latency_sum_ns{stage=ack_to_first_fill}"] == 16 * MS
    assert gauges["stage_latency_count{stage=decision_to_risk}"] == 1
    assert gauges["stage_latency_max_ns{stage=decision_to_risk}"] == 2 * MS


def test_a_fill_before_the_acceptance_is_the_first_word_of_the_venue(bench: OmsBench) -> None:
    name = measured(bench)
    bench.advance(3 * MS)
    bench.fill(name)
    (one,) = folded(bench)
    assert one.stage_ns("ack_to_first_fill") == 0
    assert (one.stage_ns("wire_to_ack"), one.sent_at_ns) == (None, 0)


def test_an_amended_order_counts_as_one_from_its_first_decision(bench: OmsBench) -> None:
    name = measured(bench)
    bench.accept(name)
    bench.fill(name, 4, price_ticks=102)
    amend(bench, name, contracts=12)
    bench.canceled(name, 4)
    replacement = allow(bench)
    bench.accept(replacement)
    bench.fill(replacement, 8, price_ticks=104)
    (one,) = folded(bench)
    assert (one.client_order_id, one.orders_count) == (name, 2)
    assert (one.contracts, one.filled_contracts, one.filled_ticks) == (12, 12, 4 * 102 + 8 * 104)
    assert (one.arrival_x2, one.is_over) == (202, True)


def test_an_order_without_a_quote_is_not_measured(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, price_ticks=PRICE)
    (one,) = folded(bench)
    assert (one.arrival_bps(), one.decision_bps(), one.filled_contracts) == (None, None, 10)


def test_events_of_orders_submitted_before_are_left_out() -> None:
    executions = Executions()
    executions.take("main", OrderStateChanged("old", OrderEvent.ACCEPTED, "v", "", 1))
    fill = OrderFillApplied("old", "", "BTC_USDT_PERP", "t1", 1, 1, 0, False, 1, 1)
    executions.take("main", fill)
    assert list(executions.all()) == []


def test_old_journals_are_read_without_the_new_facts(bench: OmsBench) -> None:
    bench.opened()
    new = next(event for event in bench.events if isinstance(event, OrderSubmitted))
    old = OrderSubmitted(*[getattr(new, name) for name in new.__struct_fields__[:17]])
    executions = Executions()
    executions.take("main", old)
    (one,) = executions.all()
    assert (one.decided_at_ns, one.arrival_x2, one.stage_ns("decision_to_risk")) == (0, 0, None)

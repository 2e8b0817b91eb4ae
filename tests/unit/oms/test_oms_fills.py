"""Fills are facts about money: each counts once, whatever the order's state says."""

from actors.domain.lifecycle import OrderState
from actors.domain.orders import Side
from actors.messages.control import ReconcileNow
from actors.messages.evidence import UnexpectedReport
from actors.messages.trading import Fill
from actors.messages.venue import CancelOrder, QueryOrder
from actors.oms.record import ANOMALIES_KEPT
from actors.oms.settings import OmsSettings
from actors.runtime.messages import Severity
from tests.unit.oms.oms_bench import BTC, ETH, PRICE, SECOND, TREND, OmsBench

S = OrderState


def test_a_fill_goes_to_the_ledger_with_the_order_and_the_strategy(bench: OmsBench) -> None:
    name = bench.opened()
    report = bench.fill(name, 4)
    assert bench.take(Fill) == [
        Fill("main", BTC, name, "", report.trade_id, TREND, Side.BUY, 4, PRICE, 7, False, False, report.at_ns)
    ]


def test_an_order_keeps_the_sums_of_its_fills(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4, price_ticks=100, fee_usdt=3)
    bench.fill(name, 5, price_ticks=200, fee_usdt=-1)
    order = bench.order(name)
    assert (order.filled_contracts, order.filled_ticks, order.fee_usdt) == (9, 1_400, 2)


def test_a_fill_before_the_acceptance_counts(bench: OmsBench) -> None:
    name = bench.submit()
    bench.fill(name, 4)
    assert bench.order(name).state is S.PARTIALLY_FILLED
    bench.accept(name)
    assert bench.order(name).state is S.PARTIALLY_FILLED
    assert bench.order(name).venue_order_id == f"v{name}"
    assert bench.alerts == []


def test_a_fill_after_the_cancel_still_moves_the_position(bench: OmsBench) -> None:
    name = bench.opened()
    bench.canceled(name)
    bench.fill(name, 4)
    assert bench.order(name).state is S.CANCELED
    assert bench.oms.state.net_contracts[BTC] == 4
    assert len(bench.take(Fill)) == 1
    assert bench.alerts == []


def test_a_fill_that_completes_a_canceled_order_makes_it_filled(bench: OmsBench) -> None:
    name = bench.opened()
    bench.canceled(name)
    bench.fill(name)
    assert bench.order(name).state is S.FILLED


def test_the_same_fill_twice_counts_once(bench: OmsBench) -> None:
    name = bench.opened()
    report = bench.fill(name, 4)
    bench.tell(report)
    assert bench.order(name).filled_contracts == 4
    assert len(bench.take(Fill)) == 1
    assert bench.oms.repeats_count == 1


def test_the_same_fill_counts_once_across_a_restart(bench: OmsBench) -> None:
    report = bench.fill(bench.opened(), 4)
    bench.restart()
    bench.tell(report)
    assert bench.oms.state.net_contracts == {BTC: 4}


def test_the_same_fill_of_a_forgotten_order_counts_once() -> None:
    bench = OmsBench(OmsSettings(closed_orders_kept=10))
    report = bench.fill(bench.opened())
    for _ in range(30):
        bench.fill(bench.opened())
    assert bench.oms.state.order(report.client_order_id) is None
    bench.tell(report)
    assert bench.oms.state.fills_count == 31


def test_equal_trade_ids_of_two_symbols_are_two_fills(bench: OmsBench) -> None:
    bench.fill(bench.opened(), trade_id="1")
    bench.fill(bench.opened(symbol=ETH), trade_id="1", symbol=ETH)
    assert bench.oms.state.net_contracts == {BTC: 10, ETH: 10}


def test_sells_count_down(bench: OmsBench) -> None:
    bench.fill(bench.opened(side=Side.SELL), 3, side=Side.SELL)
    assert bench.oms.state.net_contracts == {BTC: -3}


def test_an_overfill_is_booked_and_pages_somebody(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 8)
    bench.fill(name, 5)
    assert (bench.order(name).state, bench.order(name).filled_contracts) == (S.FILLED, 13)
    assert sum(fill.contracts for fill in bench.take(Fill)) == 13
    assert len(bench.take(UnexpectedReport)) == 1
    assert [(a.name, a.severity) for a in bench.alerts] == [("OrderReportUnexpected", Severity.PAGE)]


def test_a_fill_of_a_rejected_order_is_booked_but_does_not_revive_it(bench: OmsBench) -> None:
    name = bench.submit()
    bench.reject(name)
    bench.fill(name, 4)
    assert (bench.order(name).state, bench.order(name).filled_contracts) == (S.REJECTED, 4)
    assert len(bench.take(Fill)) == 1
    assert len(bench.take(UnexpectedReport)) == 1


def test_a_liquidation_reaches_the_ledger_and_pages_somebody(bench: OmsBench) -> None:
    bench.fill("", 4, liquidation=True)
    (fill,) = bench.take(Fill)
    assert (fill.client_order_id, fill.strategy, fill.liquidation) == ("", "", True)
    assert [(a.name, a.severity) for a in bench.alerts] == [("FillNotOurs", Severity.PAGE)]
    assert bench.take(ReconcileNow) == [ReconcileNow("main")]


def test_a_trade_made_by_hand_reaches_the_ledger_without_an_order(bench: OmsBench) -> None:
    bench.fill("made-on-the-web-page", 4)
    (fill,) = bench.take(Fill)
    assert fill.client_order_id == ""
    assert bench.oms.state.net_contracts == {BTC: 4}
    assert [(a.name, a.severity) for a in bench.alerts] == [("FillNotOurs", Severity.TICKET)]


def test_many_trades_of_others_in_a_symbol_are_one_alert_and_a_liquidation_is_another(
    bench: OmsBench,
) -> None:
    for _ in range(50):
        bench.fill("another-node", 1)
    bench.fill("another-node", 1, symbol=ETH)
    bench.fill("", 4, liquidation=True)
    assert {(a.key, a.severity) for a in bench.alerts} == {
        (BTC, Severity.TICKET),
        (ETH, Severity.TICKET),
        (f"{BTC}/liquidation", Severity.PAGE),
    }
    bench.state_books()
    bench.find_agreement()
    assert {a.key for a in bench.resolved} == {a.key for a in bench.alerts}


def test_a_comparison_that_began_before_a_fill_does_not_settle_it(bench: OmsBench) -> None:
    bench.fill("by-hand", 1)
    bench.state_books()
    bench.fill("by-hand", 1)
    bench.find_agreement()
    assert bench.resolved == []
    bench.state_books()
    bench.find_agreement()
    assert [alert.key for alert in bench.resolved] == [BTC]


def test_anomalies_beyond_what_is_kept_share_an_alert_that_ends_like_the_others(bench: OmsBench) -> None:
    for _ in range(ANOMALIES_KEPT + 20):
        name = bench.submit()
        bench.reject(name)
        bench.accept(name)
    keys = {alert.key for alert in bench.alerts}
    assert len(keys) == ANOMALIES_KEPT
    assert "main" in keys
    bench.state_books()
    bench.find_agreement()
    assert {alert.key for alert in bench.resolved} == keys


def test_a_fill_that_contradicts_its_order_is_nobodys_fill(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 4, side=Side.SELL)
    bench.fill(name, 4, symbol=ETH)
    assert bench.order(name).filled_contracts == 0
    assert bench.oms.state.net_contracts == {BTC: -4, ETH: 4}
    assert [a.name for a in bench.alerts] == ["FillNotOurs", "FillNotOurs"]


def test_a_fill_of_nothing_is_set_aside(bench: OmsBench) -> None:
    name = bench.opened()
    bench.fill(name, 0)
    assert bench.order(name).filled_contracts == 0
    assert bench.take(Fill) == []
    assert [a.name for a in bench.alerts] == ["OrderReportUnexpected"]


def test_a_fill_too_old_to_judge_is_set_aside_once() -> None:
    bench = OmsBench(OmsSettings(fills_kept=100))
    name = bench.opened(contracts=1_000)
    for _ in range(201):
        bench.advance(1)
        bench.fill(name, 1)
    booked = bench.oms.state.fills_count
    ancient = bench.filled(name, 1, at_ns=bench.now_ns - 200)
    bench.tell(ancient)
    bench.tell(ancient)
    assert bench.oms.state.fills_count == booked
    assert [a.severity for a in bench.alerts] == [Severity.PAGE]
    assert len(bench.take(UnexpectedReport)) == 1


def test_a_cancel_that_counts_more_fills_than_we_do_is_asked_about(bench: OmsBench) -> None:
    name = bench.opened()
    bench.canceled(name, filled_contracts=4)
    assert bench.order(name).state is S.CANCELED
    bench.advance(SECOND)
    assert bench.take(QueryOrder) == [QueryOrder("main", name, BTC)]
    bench.show(name, S.CANCELED, fills=(bench.filled(name, 4),))
    assert bench.order(name).filled_contracts == 4
    bench.advance(600 * SECOND)
    assert bench.take(QueryOrder) == []


def test_a_partial_fill_lets_a_wanted_cancel_out(bench: OmsBench) -> None:
    name = bench.submit()
    bench.cancel()
    assert bench.take(CancelOrder) == []
    bench.fill(name, 4)
    assert bench.take(CancelOrder) == [CancelOrder("main", name, BTC)]
    assert bench.order(name).state is S.CANCELING

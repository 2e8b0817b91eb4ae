"""Parent orders before risk: as a whole when they are asked for, each of their orders when it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.control import Halt, HaltLevel
from actors.messages.parents import ChildIntent, ParentIntent, SubmitParent
from actors.messages.plans import (
    Bracket,
    CloseAll,
    Iceberg,
    OneCancelsOther,
    Plan,
    ScheduledClose,
    Stop,
    StopLimit,
    TakeProfit,
    TrailingStop,
    Twap,
    Vwap,
)
from actors.messages.trading import OrderDenied, SubmitOrder
from actors.risk.parents import ABOUT_ONE_ORDER, parent_fault
from actors.risk.settings import StrategyLimits
from actors.risk.table import RULE_OF
from tests.unit.risk.risk_bench import BTC, MARKS, SECOND, TREND, USDT, RiskBench, settings

MARK = MARKS[BTC]
BRACKET = Bracket(stop_ticks=MARK - 10_000, target_ticks=MARK + 10_000)


def parent(plan: Plan, contracts: int = 10, **changes: Any) -> ParentIntent:
    fields: dict[str, Any] = {
        "intent_id": f"{TREND}#1.77",
        "strategy": TREND,
        "account": "main",
        "symbol": BTC,
        "side": Side.BUY,
        "contracts": contracts,
        "reduce_only": False,
        "plan": plan,
        "decision_ticks": MARK,
        "decided_at_ns": 1,
    }
    return ParentIntent(**(fields | changes))


def judged(bench: RiskBench, intent: ParentIntent) -> str:
    """Return the rule that denied it; empty when it was allowed."""
    bench.tell(intent, sender=intent.strategy)
    allowed = bench.take(SubmitParent)
    denied = [reply for reply in bench.replies if isinstance(reply, OrderDenied)]
    bench.replies.clear()
    assert len(allowed) + len(denied) == 1
    return denied[0].rule if denied else ""


def test_a_bracket_is_judged_by_the_worst_its_entry_can_do() -> None:
    for limit, rule in ((799, "position_notional"), (800, ""), (801, "")):
        bench = RiskBench(settings(max_position_notional_usdt=limit * USDT))
        assert judged(bench, parent(BRACKET)) == rule


# A parent in pieces is held to these as a whole, by all that its pieces can add up to, and one live order.
ABOUT_THE_WHOLE = frozenset(
    {
        *("account_unknown", "clock_ahead", "collar", "correlated_exposure", "daily_loss", "decision_drift"),
        *("denials", "drawdown", "duplicate_intent", "exit_pause", "funding_cost", "gross_exposure"),
        *("halted", "leverage", "loss_streak", "lying_data", "margin", "margin_use", "max_holding"),
        *("model_output", "net_exposure", "not_reconciled", "open_orders", "open_trades", "order_form"),
        *("portfolio_grant", "portfolio_gross", "portfolio_loss", "portfolio_net", "portfolio_stale"),
        *("position_contracts",),
        *("position_notional", "price_band", "reduce_only", "rejects", "slippage", "spot_inventory"),
        *("stale_data", "stop_loss", "strategy_loss", "strategy_notional", "strategy_orders"),
        *("strategy_silence", "symbol_orders", "take_profit", "weekly_loss"),
    }
)


def test_of_every_rule_it_is_decided_whether_it_holds_a_parent_in_pieces_as_a_whole() -> None:
    assert not ABOUT_ONE_ORDER & ABOUT_THE_WHOLE
    assert set(RULE_OF) == ABOUT_ONE_ORDER | ABOUT_THE_WHOLE


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"max_symbol_orders": 1}, "symbol_orders"),
        ({"max_open_orders": 1}, "open_orders"),
        ({"strategies": {TREND: StrategyLimits(max_open_orders=1)}}, "strategy_orders"),
    ],
)
def test_a_parent_in_pieces_needs_room_for_one_live_order(changes: dict[str, Any], rule: str) -> None:
    bench = RiskBench(settings(**changes))
    assert judged(bench, parent(Twap(10, 60 * SECOND))) == ""
    bench.allowed()
    assert judged(bench, parent(Twap(10, 60 * SECOND), intent_id=f"{TREND}#1.99")) == rule


def test_slices_are_judged_as_a_whole_but_not_as_one_order() -> None:
    bench = RiskBench(settings(max_order_notional_usdt=100 * USDT, max_position_notional_usdt=800 * USDT))
    assert judged(bench, parent(Twap(10, 60 * SECOND))) == ""
    assert judged(bench, parent(Twap(10, 60 * SECOND), 11)) == "position_notional"
    assert judged(bench, parent(BRACKET)) == "order_notional"


def test_what_can_only_close_passes_whatever_is_in_force() -> None:
    bench = RiskBench(settings())
    bench.tell(Halt("all", HaltLevel.CANCEL_ALL, "me", "test"))
    bench.replies.clear()
    stop = parent(Stop(MARK - 10_000), side=Side.SELL, reduce_only=True)
    assert judged(bench, stop) == ""
    assert judged(bench, parent(BRACKET, intent_id=f"{TREND}#1.78")) == "halted"


def test_a_parent_in_another_s_name_is_denied() -> None:
    bench = RiskBench(settings())
    bench.tell(parent(BRACKET), sender="trend/OTHER")
    assert [reply.rule for reply in bench.replies if isinstance(reply, OrderDenied)] == ["wrong_sender"]


def test_an_unknown_symbol_is_denied_and_none_means_every_one_for_close_all() -> None:
    bench = RiskBench(settings())
    assert judged(bench, parent(BRACKET, symbol="NONE")) == "unknown_symbol"
    assert judged(bench, parent(CloseAll(), 0, symbol="", reduce_only=True)) == ""
    assert judged(bench, parent(BRACKET, symbol="")) == "unknown_symbol"


def child(bench: RiskBench, signed: int, **changes: Any) -> str:
    """Send a child; return the rule that denied it, empty when it was allowed."""
    bench.count += 1
    intent = bench.intent(signed, intent_id=f"{TREND}#1.77#1.{bench.count}", **changes)
    bench.tell(ChildIntent(f"{TREND}#1.77", intent), sender="oms/main")
    allowed = bench.take(SubmitOrder)
    denied = [reply for reply in bench.replies if isinstance(reply, OrderDenied)]
    bench.replies.clear()
    assert len(allowed) + len(denied) == 1
    return denied[0].rule if denied else ""


def test_every_child_is_judged_by_the_rules_in_force_when_it_is_sent() -> None:
    bench = RiskBench(settings())
    assert child(bench, 5) == ""
    bench.tell(Halt("all", HaltLevel.NO_NEW_RISK, "me", "test"))
    bench.replies.clear()
    assert child(bench, 5) == "halted"


def test_an_exit_passes_beside_a_resting_target_for_the_same_contracts() -> None:
    bench = RiskBench(settings())
    bench.filled(5)
    limit = {"limit_ticks": MARK + 100, "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC}
    assert child(bench, -5, reduce_only=True, **limit) == ""
    assert child(bench, -5, reduce_only=True) == ""
    assert child(bench, -6, reduce_only=True) == "reduce_only"


def test_an_exit_passes_under_a_halt_and_while_books_disagree() -> None:
    bench = RiskBench(settings())
    bench.filled(5)
    bench.tell(Halt("all", HaltLevel.CANCEL_ALL, "me", "test"))
    bench.replies.clear()
    bench.reconciled(False)
    assert child(bench, -5, reduce_only=True) == ""


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        (parent(Stop(0)), "needs a stop price"),
        (parent(Stop(5), 0), "a number of contracts"),
        (parent(Stop(5), -1), "a number of contracts"),
        (parent(StopLimit(5, 0)), "a stop price and a limit price"),
        (parent(TakeProfit(5)), "only closes"),
        (parent(TakeProfit(0), reduce_only=True), "needs a target price"),
        (parent(TrailingStop()), "one distance"),
        (parent(TrailingStop(5, 5)), "one distance"),
        (parent(TrailingStop(-5)), "positive"),
        (parent(TrailingStop(trail_e8=100_000_000)), "less than the whole price"),
        (parent(OneCancelsOther(5, 6), side=Side.BUY, reduce_only=True), "wrong sides"),
        (parent(OneCancelsOther(6, 5), side=Side.SELL, reduce_only=True), "wrong sides"),
        (parent(Bracket()), "needs a stop"),
        (parent(Bracket(stop_ticks=5), reduce_only=True), "opens a position"),
        (parent(Bracket(OrderType.LIMIT, 0, stop_ticks=5)), "limit entry needs a price"),
        (parent(Bracket(stop_ticks=6, target_ticks=5)), "wrong sides"),
        (parent(Twap(0, 5)), "slices"),
        (parent(Twap(5, 4)), "slices"),
        (parent(Vwap((0, 0), 5)), "not all 0"),
        (parent(Vwap((-1, 2), 5)), "not negative"),
        (parent(Iceberg(5, 11)), "shows between"),
        (parent(Iceberg(0, 5)), "needs a limit price"),
        (parent(ScheduledClose(), reduce_only=True), "an instant or a time"),
        (parent(ScheduledClose(5, 5), reduce_only=True), "an instant or a time"),
    ],
)
def test_what_cannot_be_run_is_denied_by_its_form(intent: ParentIntent, text: str) -> None:
    assert text in parent_fault(intent)
    assert judged(RiskBench(settings()), intent) == "parent_form"


@pytest.mark.parametrize("side", list(Side))
def test_what_can_be_run_has_no_fault(side: Side) -> None:
    away = 10 * side
    for plan in (
        Bracket(stop_ticks=100 - away, target_ticks=100 + away),
        Bracket(OrderType.LIMIT, 100, TimeInForce.GTC, trail_e8=5),
        Twap(3, 30),
        Vwap((1, 0, 2), 30),
        Iceberg(100, 3),
        Stop(100),
        TrailingStop(trail_ticks=5, activation_ticks=100),
    ):
        assert parent_fault(parent(plan, side=side)) == ""
    for plan in (OneCancelsOther(100 + away, 100 - away), ScheduledClose(at_ns=5), TakeProfit(5, rests=True)):
        assert parent_fault(parent(plan, 0, side=side, reduce_only=True)) == ""

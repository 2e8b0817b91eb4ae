"""What follows when a limit is met: shrink, latch, cancel, flatten, halt, warn; closes by risk."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.messages.account import AccountState, PositionState
from actors.messages.control import FlattenPositions, HaltLevel, Resume
from actors.messages.market import MarkPrice
from actors.messages.trading import CancelOrders, OrderDenied, SubmitOrder
from actors.risk.guard_events import BreachNoted, ExitOrdered, IntentShrunk
from actors.risk.rules import RULES
from actors.risk.settings import Action, RiskSettings
from tests.unit.risk.conftest import Benches
from tests.unit.risk.risk_bench import BTC, ETH, MARKS, SECOND, TREND, USDT, RiskBench

MARK, PRICE = MARKS[BTC], 80 * USDT


def with_action(rule: str, action: Action, **limits: Any) -> dict[str, Any]:
    return {**limits, "actions": {rule: action}}


def halts(bench: RiskBench) -> dict[str, HaltLevel]:
    return {scope: halt.level for scope, halt in bench.actor.state.halts.items()}


@pytest.mark.parametrize(
    ("action", "scope", "level"),
    [
        (Action.REDUCE_ONLY, f"symbol/{BTC}", HaltLevel.NO_NEW_RISK),
        (Action.CANCEL, f"symbol/{BTC}", HaltLevel.CANCEL_ALL),
        (Action.FLATTEN, f"symbol/{BTC}", HaltLevel.FLATTEN),
        (Action.HALT, "account/main", HaltLevel.NO_NEW_RISK),
    ],
)
def test_an_action_latches_what_the_rule_is_about(
    risk: Benches, action: Action, scope: str, level: HaltLevel
) -> None:
    bench = risk(**with_action("order_notional", action, max_order_notional_usdt=10 * PRICE))
    assert bench.denied(11)[0] == "order_notional"
    assert halts(bench) == {scope: level}
    assert bool(bench.take(CancelOrders)) is (level >= HaltLevel.CANCEL_ALL)
    assert bool(bench.take(FlattenPositions)) is (level >= HaltLevel.FLATTEN)
    assert bench.denied(1)[0] == "halted"


def test_a_denied_order_that_only_denies_latches_nothing(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE)
    bench.denied(11)
    assert halts(bench) == {}


def test_a_halt_by_a_rule_is_latched_again_after_a_resume(risk: Benches) -> None:
    bench = risk(**with_action("order_notional", Action.HALT, max_order_notional_usdt=10 * PRICE))
    bench.denied(11)
    bench.tell(Resume("account/main", "ann", "fine"))
    bench.replies.clear()
    bench.allowed(10)
    bench.denied(11)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}


def test_a_strategy_rule_stops_the_strategy_alone(risk: Benches) -> None:
    bench = risk(**with_action("decision_drift", Action.CANCEL, max_decision_drift=USDT // 100))
    assert bench.denied(decision_ticks=MARK // 2)[0] == "decision_drift"
    assert halts(bench) == {f"strategy/{TREND}": HaltLevel.CANCEL_ALL}
    bench.allowed(strategy="pulse/x")


def test_shrinking_takes_as_much_as_every_rule_allows(risk: Benches) -> None:
    bench = risk(
        **with_action("position_notional", Action.SHRINK, max_position_notional_usdt=10 * PRICE),
        max_order_contracts=50,
    )
    bench.filled(4)
    bench.send_intent(bench.intent(20))
    (submitted,) = bench.take(SubmitOrder)
    assert submitted.intent.contracts == 6
    event = next(event for event in bench.events if isinstance(event, IntentShrunk))
    assert (event.rule, event.contracts_wished, event.contracts) == ("position_notional", 20, 6)
    assert (event.measured, event.limit) == (24 * PRICE, 10 * PRICE)
    assert bench.actor.peek(BTC).buy_contracts == 6
    assert bench.denied(20) == ("position_notional", 30 * PRICE, 10 * PRICE)  # nothing is left to take


def test_shrinking_meets_the_other_rules_too(risk: Benches) -> None:
    bench = risk(
        **with_action("order_notional", Action.SHRINK, max_order_notional_usdt=10 * PRICE),
        max_order_contracts=3,
    )
    assert bench.denied(20)[0] == "order_contracts"  # which is asked first, and only denies
    bench = risk(
        **with_action("order_contracts", Action.SHRINK, max_order_contracts=15),
        max_order_notional_usdt=10 * PRICE,
    )
    bench.send_intent(bench.intent(20))
    (submitted,) = bench.take(SubmitOrder)
    assert submitted.intent.contracts == 10


@pytest.mark.parametrize(
    ("actions", "text"),
    [({"halted": Action.SHRINK}, "halted cannot shrink"), ({"cheese": Action.DENY}, "no rule 'cheese'")],
)
def test_an_action_that_makes_no_sense_is_a_fault_of_the_file(actions: dict[str, Action], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        RiskSettings(actions=actions)


def test_every_action_of_every_rule_can_be_configured() -> None:
    for rule in RULES:
        for action in rule.actions:
            RiskSettings(actions={rule.name: action})


def test_a_warning_comes_before_the_limit_and_goes_when_it_is_far_again(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE, warn_at=USDT * 8 // 10)
    bench.allowed(8)
    assert bench.alerts == []
    bench.allowed(9)
    assert [alert.name for alert in bench.alerts] == ["LimitNear"]
    bench.allowed(9)
    assert len(bench.alerts) == 1  # once
    assert bench.alerts[0].ends_after_ns == 3_600 * SECOND, "nobody orders: nothing comes near"
    bench.advance(600 * SECOND)
    bench.hear()
    bench.allowed(9)
    assert len(bench.alerts) == 2, "it still does"
    bench.allowed(1)
    assert bench.resolved[-1].name == "LimitNear"
    assert bench.denied(11)[0] == "order_notional"


def ended(bench: RiskBench) -> list[str]:
    return [one.key for one in bench.resolved if one.name == "LimitNear"]


def test_an_order_of_another_symbol_does_not_end_the_warning_of_one(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE, warn_at=USDT * 8 // 10)
    bench.allowed(9)
    bench.allowed(1, symbol=ETH)
    assert ended(bench) == []
    assert bench.actor.state.near["order_notional"].scope == f"symbol/{BTC}"
    bench.allowed(1)
    assert ended(bench) == ["main:order_notional"]


def test_a_warning_outlives_a_restart_once_and_ends_as_before(risk: Benches) -> None:
    bench = risk(max_order_notional_usdt=10 * PRICE, warn_at=USDT * 8 // 10)
    bench.allowed(9)
    bench.restart()
    bench.reconciled()
    bench.hear()
    bench.allowed(9)
    assert len(bench.alerts) == 1, "it has been told"
    bench.allowed(1)
    assert bench.resolved[-1].name == "LimitNear"
    assert bench.actor.state.near == {}


@pytest.mark.parametrize("changed", [{"warn_at": 0}, {"max_order_notional_usdt": 0}])
def test_a_warning_ends_when_nobody_is_to_be_warned_any_more(risk: Benches, changed: dict[str, int]) -> None:
    """By a change of the deployment's file: the actor begins again with other settings."""
    bench = risk(max_order_notional_usdt=10 * PRICE, max_open_orders=20, warn_at=USDT * 8 // 10)
    bench.allowed(9)
    assert ended(bench) == []
    bench.limits = msgspec.structs.replace(bench.limits, **changed)
    bench.restart()
    assert ended(bench) == ["main:order_notional"]
    bench.restart()
    assert len(ended(bench)) == 1, "once"


# -- the account --------------------------------------------------------------------------------------


def account(
    bench: RiskBench, equity: int, *, week: int = 10_000, week_ns: int = 1, peak: int = 10_000
) -> None:
    bench.tell(
        AccountState(
            *("main", equity * USDT, equity * USDT, 0, 0, 0, 0, 0, equity * USDT, peak * USDT, bench.now_ns),
            *(1, week * USDT, week_ns),
        )
    )


def test_a_weeks_loss_latches_without_any_order_and_once_a_week(risk: Benches) -> None:
    bench = risk(weekly_loss_usdt=500 * USDT)
    account(bench, 9_501)
    assert halts(bench) == {}
    account(bench, 9_500)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}
    event = next(event for event in bench.events if isinstance(event, BreachNoted))
    assert (event.rule, event.measured, event.limit) == ("weekly_loss", 500 * USDT, 500 * USDT)
    bench.tell(Resume("account/main", "ann", "seen"))
    bench.replies.clear()
    account(bench, 9_400)
    assert halts(bench) == {}
    assert bench.denied()[0] == "weekly_loss"
    account(bench, 9_400, week=9_900, week_ns=2)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}


def test_a_drawdown_is_measured_anew_after_a_resume(risk: Benches) -> None:
    bench = risk(max_drawdown=USDT // 10, actions={"drawdown": Action.FLATTEN})
    account(bench, 9_000)
    assert halts(bench) == {"account/main": HaltLevel.FLATTEN}
    assert bench.take(FlattenPositions) != []
    bench.tell(Resume("account/main", "ann", "seen"))
    bench.replies.clear()
    account(bench, 8_101)
    bench.allowed()
    account(bench, 9_100)  # the highest since
    bench.restart()
    bench.reconciled()
    account(bench, 8_191)
    assert halts(bench) == {}
    account(bench, 8_190)
    assert halts(bench) == {"account/main": HaltLevel.FLATTEN}


def test_refused_orders_in_a_row_latch_and_count_from_zero_after_a_resume(risk: Benches) -> None:
    bench = risk(max_rejects_in_row=3)
    for _ in range(3):
        assert halts(bench) == {}
        bench.update(bench.allowed(), OrderState.REJECTED)
    assert halts(bench) == {"account/main": HaltLevel.NO_NEW_RISK}
    bench.tell(Resume("account/main", "ann", "seen"))
    bench.replies.clear()
    bench.update(bench.allowed(), OrderState.REJECTED)
    bench.update(bench.allowed(), OrderState.OPEN)
    for _ in range(2):
        bench.update(bench.allowed(), OrderState.REJECTED)
    assert halts(bench) == {}


# -- positions ----------------------------------------------------------------------------------------


def hold(bench: RiskBench, contracts: int, symbol: str = BTC) -> None:
    bench.filled(contracts, symbol)
    cost = contracts * MARKS[symbol]
    bench.tell(PositionState("main", symbol, contracts, cost, MARKS[symbol], 0, 0, bench.now_ns))


def mark(bench: RiskBench, ticks: int) -> None:
    bench.tell(MarkPrice(BTC, bench.now_ns, ticks, ticks))


def test_a_stop_closes_the_symbol_once_and_nothing_opens_until_the_pause_is_over(risk: Benches) -> None:
    bench = risk(stop_loss=USDT // 10, exit_pause=60 * SECOND, quote_age_max=0)
    hold(bench, 2)
    mark(bench, MARK * 9 // 10)
    (close,) = bench.take(FlattenPositions)
    assert (close.account, close.symbol) == ("main", BTC)
    mark(bench, MARK * 8 // 10)
    bench.restart()
    bench.reconciled()
    bench.hear()
    bench.tell(PositionState("main", BTC, 2, 2 * MARK, MARK, 0, 0, bench.now_ns))
    mark(bench, MARK * 8 // 10)
    assert bench.take(FlattenPositions) == []
    assert bench.denied()[0] == "exit_pause"
    bench.allowed(symbol=ETH)
    closing = bench.intent(-2, intent_id="oms/main#1.1", strategy="oms/main")
    bench.update(closing, OrderState.FILLED, 2)
    bench.ledger(0)
    assert bench.denied()[0] == "exit_pause"
    bench.advance(60 * SECOND)
    bench.allowed()


def test_a_position_opened_after_a_close_has_its_own_stop(risk: Benches) -> None:
    bench = risk(stop_loss=USDT // 10, exit_pause=0, quote_age_max=0)
    hold(bench, 2)
    mark(bench, MARK * 9 // 10)
    assert len(bench.take(FlattenPositions)) == 1
    closing = bench.intent(-2, intent_id="oms/main#1.1", strategy="oms/main")
    bench.update(closing, OrderState.FILLED, 2)
    bench.ledger(0)
    bench.advance(SECOND)
    mark(bench, MARK)
    hold(bench, 2)
    mark(bench, MARK * 9 // 10)
    assert len(bench.take(FlattenPositions)) == 1


def test_a_stop_that_halts_keeps_the_symbol_halted(risk: Benches) -> None:
    bench = risk(stop_loss=USDT // 10, actions={"stop_loss": Action.HALT})
    hold(bench, -2)
    mark(bench, MARK * 11 // 10)
    assert halts(bench) == {f"symbol/{BTC}": HaltLevel.FLATTEN}
    assert len(bench.take(FlattenPositions)) == 1


def test_a_position_that_turned_round_has_a_new_age(risk: Benches) -> None:
    bench = risk(max_holding=60 * SECOND, quote_age_max=0)
    hold(bench, 2)
    bench.advance(50 * SECOND)
    bench.filled(-4)
    bench.ledger(-2)
    bench.advance(20 * SECOND)
    mark(bench, MARK)
    assert bench.take(FlattenPositions) == []
    bench.advance(40 * SECOND)
    mark(bench, MARK)
    assert len(bench.take(FlattenPositions)) == 1
    event = next(event for event in bench.events if isinstance(event, ExitOrdered))
    assert (event.rule, event.net_contracts, event.limit) == ("max_holding", -2, 60 * SECOND)


def test_a_denial_names_the_rule_although_the_strategy_was_cut_before(risk: Benches) -> None:
    bench = risk(max_denials_in_row=2)
    for _ in range(2):
        bench.denied(contracts=0)
    answer = bench.ask()
    assert isinstance(answer, OrderDenied)
    assert answer.rule == "denials"
    assert halts(bench) == {f"strategy/{TREND}": HaltLevel.NO_NEW_RISK}
    bench.tell(Resume(f"strategy/{TREND}", "ann", "mended"))
    bench.replies.clear()
    bench.allowed()

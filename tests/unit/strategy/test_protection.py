"""Entries that settings protect: the bracket they become, and what its end means for targets."""

from __future__ import annotations

import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.parent_states import ParentState
from actors.messages.parents import ParentIntent, ParentUpdate
from actors.messages.plans import Bracket
from actors.messages.trading import OrderUpdate
from actors.strategy.library.trend_follow import TrendFollowSettings
from actors.strategy.protection import protected
from actors.strategy.protocol import Order, Target
from actors.strategy.settings import Protection
from tests.unit.strategy.conftest import Scripter
from tests.unit.strategy.strategy_bench import BTC, SECOND, StrategyBench
from tests.unit.strategy.test_trading_in_a_node import NAME, TREND, World

E8 = 100_000_000
PROTECT = Protection(stop=E8 // 50, target=E8 // 20)
GO = Target(5, "go")
NEAR = Protection(stop=E8 // 2_000, target=E8 // 1_000)


def test_a_protected_buy_stops_below_and_takes_profit_above() -> None:
    launch = protected(Order(Side.BUY, 5, "why"), 500_000, PROTECT)
    assert launch.plan == Bracket(stop_ticks=490_000, target_ticks=525_000)
    assert (launch.side, launch.contracts, launch.reduce_only) == (Side.BUY, 5, False)


def test_a_protected_limit_sale_stops_above_and_keeps_its_price() -> None:
    order = Order(Side.SELL, 5, "why", (), OrderType.LIMIT, 501_000, TimeInForce.GTC)
    protect = Protection(
        trail=E8 // 100, trail_from=E8 // 50, hold=60 * SECOND, target=E8 // 10, target_rests=True
    )
    plan = protected(order, 500_000, protect).plan
    assert plan == Bracket(
        *(OrderType.LIMIT, 501_000, TimeInForce.GTC),
        target_ticks=450_000,
        rests=True,
        trail_e8=E8 // 100,
        activation_ticks=490_000,
        hold_ns=60 * SECOND,
    )


def test_the_nearest_exit_is_one_tick_away() -> None:
    assert protected(Order(Side.BUY, 5, "why"), 10, PROTECT).plan == Bracket(stop_ticks=9, target_ticks=11)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"target": 1}, "protect needs a stop or a trail"),
        ({"hold": SECOND}, "protect needs a stop or a trail"),
        ({"stop": 1, "trail_from": 1}, "protect has trail_from and no trail"),
    ],
)
def test_a_protection_that_protects_nothing_is_refused(settings: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Protection(**settings)  # type: ignore[arg-type]


def test_a_protected_strategy_trades_in_brackets_and_everybody_sees_the_same_position() -> None:
    settings = TrendFollowSettings(
        bar=SECOND, fast=2, slow=5, atr=3, atr_filter=0, atr_stop=2 * E8, protect=NEAR
    )
    world = World(settings)
    for _ in range(6):
        world.run(30)
        world.boot()
    world.run(30)
    assert world.failures == 0
    assert len(world.positions()) == 1
    ended = world.behaviour("oms/main").state.parents_ended.values()
    assert len(ended) > 5
    assert {type(parent.plan).__name__ for parent in ended} == {"Bracket"}
    assert any(parent.exit_filled for parent in ended)  # an exit of the bracket closed it
    assert any(parent.shrunk for parent in ended)  # the strategy closed it, and the bracket was done
    assert set(world.behaviour(NAME).state.parents) == set(world.behaviour("oms/main").state.parents)


def test_without_protection_entries_stay_plain_orders() -> None:
    assert not TREND.protect.is_on
    world = World(TREND)
    world.run(30)
    state = world.behaviour("oms/main").state
    assert state.sequence
    assert not state.parents
    assert not state.parents_ended


def parent_update(parent_id: str, state: ParentState, **changes: object) -> ParentUpdate:
    fields: dict[str, object] = {
        "parent_id": parent_id,
        "strategy": NAME,
        "account": "main",
        "symbol": BTC,
        "state": state,
        "contracts": 5,
        "entry_filled": 5,
        "exit_filled": 0,
        "entry_is_over": True,
        "why": "",
        "at_ns": 1,
    }
    return ParentUpdate(**(fields | changes))  # type: ignore[arg-type]


def entered(bench: StrategyBench) -> ParentIntent:
    """Let the first target become a bracket that has filled."""
    bench.quote(99_000, 100_000)
    bench.bar(100_000)
    (parent,) = bench.take(ParentIntent)
    child = f"{parent.intent_id}#1.1"
    bench.tell(
        OrderUpdate(
            *("c1", child, NAME, "main", BTC, Side.BUY, 5, 5, 500_000, OrderState.FILLED, "", bench.now_ns)
        )
    )
    bench.tell(parent_update(parent.intent_id, ParentState.PROTECTING))
    return parent


def stopped(bench: StrategyBench, parent: ParentIntent) -> None:
    """Let its stop fire and fill."""
    bench.tell(parent_update(parent.intent_id, ParentState.FIRING))
    child = f"{parent.intent_id}#1.2"
    bench.tell(
        OrderUpdate(
            *("c2", child, NAME, "main", BTC, Side.SELL, 5, 5, 490_000, OrderState.FILLED, "", bench.now_ns)
        )
    )
    bench.tell(parent_update(parent.intent_id, ParentState.DONE, exit_filled=5))


def test_a_target_becomes_a_bracket_and_its_orders_move_the_position(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO}, protect=PROTECT)
    parent = entered(bench)
    assert (parent.contracts, parent.reduce_only) == (5, False)
    assert parent.plan == Bracket(stop_ticks=98_000, target_ticks=105_000)
    assert bench.actor.state.net_contracts == 5
    assert bench.actor.state.pending == {}
    bench.bar(100_000)
    assert bench.take(ParentIntent) == []  # the target is reached


def test_an_exit_bars_its_side_until_the_target_changes(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO, 3: Target(0, "out"), 4: GO}, protect=PROTECT)
    stopped(bench, entered(bench))
    assert bench.actor.state.net_contracts == 0
    bench.bar(100_000)
    assert bench.take(ParentIntent) == []
    assert bench.actor.state.last_why.startswith("a protective exit closed this side")
    bench.bar(100_000)  # flat: from now on it may again
    bench.bar(100_000)
    assert len(bench.take(ParentIntent)) == 1


def test_the_other_side_is_not_barred(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(-5, "turn")}, protect=PROTECT)
    stopped(bench, entered(bench))
    bench.bar(100_000)
    (parent,) = bench.take(ParentIntent)
    assert parent.side is Side.SELL


def test_closing_goes_out_as_a_plain_reduce_only_order(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(0, "out")}, protect=PROTECT)
    entered(bench)
    bench.bar(100_000)
    intent = bench.intent()
    assert (intent.side, intent.contracts, intent.reduce_only) == (Side.SELL, 5, True)


def test_a_bracket_that_is_on_its_way_keeps_the_strategy_still(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO}, protect=PROTECT)
    bench.bar(100_000)
    (parent,) = bench.take(ParentIntent)
    bench.tell(parent_update(parent.intent_id, ParentState.ENTERING, entry_filled=0, entry_is_over=False))
    bench.bar(100_000)
    assert bench.take(ParentIntent) == []
    assert parent.intent_id in bench.actor.state.pending


def test_a_restart_forgets_neither_bracket_nor_bar(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO}, protect=PROTECT)
    parent = entered(bench)
    bench.restart()
    bench.live()
    assert set(bench.actor.state.parents) == {parent.intent_id}
    stopped(bench, parent)
    bench.restart()
    assert bench.actor.state.barred_side == 1

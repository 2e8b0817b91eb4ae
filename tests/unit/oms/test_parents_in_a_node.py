"""Parent orders in a whole node: strategy, risk, OMS, exchange, a market that moves; killed and started."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
import pytest

from actors.domain.bars import BarLike
from actors.domain.instrument import Instrument
from actors.domain.orders import OrderType, Side
from actors.domain.parent_states import PriceSource
from actors.messages.plans import OneCancelsOther, Stop, TakeProfit
from actors.runtime.settings import setting
from actors.strategy.library import STRATEGIES
from actors.strategy.protocol import Decision, Hold, Launch, Order, View
from actors.strategy.settings import StrategySettings
from tests.unit.strategy.strategy_bench import SECOND
from tests.unit.strategy.test_trading_in_a_node import NAME, World

HOLD = Hold("waiting")


class GuardedSettings(StrategySettings, frozen=True, kw_only=True):
    """Buys, then guards what it holds."""

    distance: Annotated[int, setting("Ticks from the price to stop and target.", minimum=1)] = 2_000


class GuardedMemory(msgspec.Struct):
    guards: int = 0


class Guarded:
    """Whenever flat it buys; whatever it holds gets a stop and a target."""

    MEMORY: ClassVar[type[msgspec.Struct]] = GuardedMemory
    bars_warmup = 1

    def __init__(self, settings: GuardedSettings, _: Instrument) -> None:
        self.memory = GuardedMemory()
        self.distance = settings.distance
        self.orders_at_once = 3

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        if not view.net_contracts:
            memory.guards = 0
            return Order(Side.BUY, 5, "flat")
        memory.guards += 1
        if memory.guards == 1:
            return Launch(Side.SELL, 5, Stop(close - self.distance, PriceSource.MID), "guard")
        if memory.guards == 2:
            return Launch(Side.SELL, 5, TakeProfit(close + self.distance, source=PriceSource.LAST), "take")
        return HOLD


class Alternatives(Guarded):
    """Whatever it holds gets two exits for the same contracts: a target that rests, then a stop or an OCO."""

    second: ClassVar[type[Stop | OneCancelsOther]] = OneCancelsOther

    def on_bar(self, bar: BarLike, view: View) -> Decision:
        memory, close = self.memory, bar.close_ticks
        if not view.net_contracts:
            memory.guards = 0
            return Order(Side.BUY, 5, "flat")
        memory.guards += 1
        stop, target = close - self.distance, close + self.distance
        if memory.guards == 1 and self.second is OneCancelsOther:
            return Launch(Side.SELL, 5, OneCancelsOther(stop, target, True, PriceSource.MID), "either")
        if memory.guards == 1:
            return Launch(Side.SELL, 5, TakeProfit(target, rests=True), "take")
        if memory.guards == 2 and self.second is Stop:
            return Launch(Side.SELL, 5, Stop(stop, PriceSource.MID), "guard")
        return HOLD


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(STRATEGIES, GuardedSettings, Guarded)
    return World(GuardedSettings(bar=SECOND))


def test_stops_and_targets_close_positions_and_everybody_agrees(world: World) -> None:
    world.run(120)
    assert world.failures == 0
    ended = world.behaviour("oms/main").state.parents_ended
    done = [(type(parent.plan).__name__, parent.exit_filled) for parent in ended.values()]
    assert {("Stop", 5), ("TakeProfit", 5)} <= set(done)
    assert len(world.positions()) == 1
    assert world.behaviour("risk/main").state.denied_count == 0


def test_parents_go_on_after_kill_minus_nine(world: World) -> None:
    for _ in range(12):
        world.run(7)
        world.boot()
    world.run(60)
    assert world.failures == 0
    assert len(world.behaviour("oms/main").state.parents_ended) > 3
    assert len(world.positions()) == 1
    state = world.behaviour(NAME).state
    assert set(state.parents) == set(world.behaviour("oms/main").state.parents)


@pytest.mark.parametrize("second", [OneCancelsOther, Stop])
def test_two_exits_of_one_position_are_alternatives(
    monkeypatch: pytest.MonkeyPatch, second: type[OneCancelsOther | Stop]
) -> None:
    """The stop's order passes risk beside the resting target for the same contracts; one of them closes."""
    monkeypatch.setattr(Alternatives, "second", second)
    monkeypatch.setitem(STRATEGIES, GuardedSettings, Alternatives)
    world = World(GuardedSettings(bar=SECOND))
    world.run(180)
    state = world.behaviour("oms/main").state
    assert world.failures == 0
    assert world.behaviour("risk/main").state.denied_count == 0
    ended = [parent for parent in state.parents_ended.values() if type(parent.plan) is second]
    assert {parent.exit_filled for parent in ended} <= {0, 5}
    exits = [order for order in state.closed.values() if order.reduce_only and order.filled_contracts]
    assert {order.order_type for order in exits} == {OrderType.LIMIT, OrderType.MARKET}
    assert len(world.positions()) == 1
    assert world.positions() <= {0, 5}

"""A bracket under any order of fills, cancels, halts, denials, restarts and prices keeps its promises.

* While contracts that it entered are open it is protecting, with its stop on watch, or firing.
* While it is firing, an exit is on its way, or is about to be tried again.
* Its exits never close more than it entered, and its entry never opens more than was wanted.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.domain.parent_states import ParentEvent, ParentState
from actors.messages.plans import Bracket
from actors.messages.venue import CancelOrder, PlaceOrder
from actors.oms.parents.state import Role
from tests.unit.oms.oms_bench import BTC, SECOND, TREND
from tests.unit.oms.parent_bench import ParentBench

WANTED = 10
STOP, TARGET = 490_000, 510_000
PLANS = st.builds(
    Bracket,
    order_type=st.just(OrderType.LIMIT),
    limit_ticks=st.just(500_000),
    time_in_force=st.just(TimeInForce.GTC),
    stop_ticks=st.just(STOP),
    target_ticks=st.sampled_from([0, TARGET]),
    rests=st.booleans(),
    trail_ticks=st.sampled_from([0, 5_000]),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("fill", "fill", "mark", "mark", "cancel", "canceled", "halt", "deny", "allow", "reject"),
                *("restart", "wait", "accept", "others"),
            )
        ),
        st.integers(0, 9),
    ),
    max_size=40,
)


class World:
    """The venue's side: living orders by name, with what they may still fill."""

    def __init__(self, plan: Bracket) -> None:
        self.bench = ParentBench()
        self.live: dict[str, list[Any]] = {}  # name -> [order, left, filled]
        self.entered = self.closed = 0
        self.parent_id = self.bench.launch(plan, Side.BUY, WANTED, reduce_only=False)
        self.collect()

    @property
    def net(self) -> int:
        return self.bench.oms.state.net_contracts.get(BTC, 0)

    def collect(self) -> None:
        for order in self.bench.take(PlaceOrder):
            self.live[order.client_order_id] = [order, order.contracts, 0]

    def pick(self, number: int) -> str:
        return list(self.live)[number % len(self.live)] if self.live else ""

    def step(self, what: str, number: int) -> None:
        bench, name = self.bench, self.pick(number)
        if what == "fill" and name:
            self.fill(name, 1 + number)
        elif what == "mark":
            bench.mark((480_000, 489_000, 495_000, 500_000, 505_000, 511_000)[number % 6])
        elif what == "cancel":
            bench.cancel(intent_id=self.parent_id, strategy=TREND)
        elif what == "canceled" and name:
            self.end(name)
        elif what == "halt":
            bench.cancel()
        elif what in ("deny", "allow"):
            bench.allows = what == "allow"
        elif what == "reject" and name and not self.live[name][2]:
            del self.live[name]
            bench.reject(name)
        elif what == "restart":
            bench.restart()
            bench.agree()
        elif what == "wait":
            bench.advance(SECOND // 2)
        elif what == "accept" and name:
            bench.accept(name)
        elif what == "others" and self.net > 0:
            size = min(self.net, 1 + number)
            bench.tell(bench.filled("", size, side=Side.SELL))
        bench.vet()
        self.collect()
        self.check()

    def fill(self, name: str, contracts: int) -> None:
        order, left, _ = self.live[name]
        size = min(contracts, left, self.net if order.side is Side.SELL else left)
        if size <= 0:
            self.end(name)  # reduce-only, and nothing to reduce: the venue lets it go
            return
        if order.side is Side.BUY:
            self.entered += size
        else:
            self.closed += size
        self.live[name][1] -= size
        self.live[name][2] += size
        if not self.live[name][1]:
            del self.live[name]
        self.bench.fill(name, size, side=order.side)

    def end(self, name: str) -> None:
        filled = self.live.pop(name)[2]
        self.bench.accept(name)
        self.bench.canceled(name, filled)

    def check(self) -> None:
        parent = self.bench.parent(self.parent_id)
        assert self.entered <= WANTED
        assert self.closed <= self.entered
        entry_left = sum(left for order, left, _ in self.live.values() if order.side is Side.BUY)
        assert self.entered + entry_left <= WANTED
        for order, left, _ in self.live.values():
            assert order.reduce_only or order.side is Side.BUY
            assert left <= WANTED
        if not self.net:
            return
        assert parent.state in (ParentState.PROTECTING, ParentState.FIRING), parent
        if parent.state is ParentState.PROTECTING:
            levels = self.bench.oms._watches.levels.get(self.parent_id, ())
            assert any(level.event is ParentEvent.TRIGGERED and level.ticks == STOP for level in levels)
        else:
            waits = parent.retry_at_ns > self.bench.now_ns
            assert waits or parent.working(Role.EXIT) or parent.working(Role.TARGET), parent


@settings(max_examples=150, deadline=None)
@given(PLANS, STEPS)
def test_what_a_bracket_entered_is_protected_after_every_step(plan: Bracket, steps: Any) -> None:
    world = World(plan)
    world.check()
    for what, number in steps:
        world.step(what, number)


@settings(max_examples=60, deadline=None)
@given(PLANS, STEPS)
def test_a_price_beyond_the_stop_ends_in_a_flat_position_once_orders_pass(plan: Bracket, steps: Any) -> None:
    world = World(plan)
    for what, number in steps:
        world.step(what, number)
    world.step("allow", 0)
    world.step("cancel", 0)
    for _ in range(60):
        if not world.net and not world.live:
            break
        world.step("mark", 0)
        for name in list(world.live):
            if name in world.live:
                if world.live[name][0].side is Side.BUY:
                    world.end(name)
                else:
                    world.fill(name, WANTED)
                world.bench.vet()
                world.collect()
        world.step("wait", 0)
        world.step("wait", 0)
    assert world.net == 0
    world.bench.take(CancelOrder)

"""A strategy gives its live order another price or size."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest

from actors.domain.amending import AmendState
from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.amending import AmendIntent, AmendUpdate
from actors.messages.market import FeedState, Quote
from actors.messages.trading import CancelIntent, OrderDenied, OrderIntent
from actors.runtime.messages import MessageRefused
from actors.strategy import library
from actors.strategy.protocol import Amend, Cancel, Decision, Hold, Order, View
from actors.strategy.settings import StrategySettings
from tests.unit.strategy.strategy_bench import BTC, NAME, SECOND, StrategyBench

S, A = OrderState, AmendState


class ShifterSettings(StrategySettings, frozen=True, kw_only=True):
    """A strategy that does with each quote what a test says."""


class ShifterMemory(msgspec.Struct):
    """Nothing to remember."""


class Shifter:
    MEMORY: ClassVar[type[msgspec.Struct]] = ShifterMemory
    bars_warmup = 0
    says: ClassVar[list[Decision]] = []
    seen: ClassVar[list[Any]] = []

    def __init__(self, settings: ShifterSettings, instrument: object) -> None:
        self.memory = ShifterMemory()

    def on_quote(self, quote: Quote, view: View) -> Decision:
        self.seen.append(view.orders)
        return self.says.pop(0) if self.says else Hold("nothing")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> StrategyBench:
    monkeypatch.setitem(library.STRATEGIES, ShifterSettings, Shifter)
    Shifter.says, Shifter.seen = [], []
    found = StrategyBench(ShifterSettings())
    found.status(FeedState.LIVE)
    return found


def say(bench: StrategyBench, decision: Decision) -> None:
    Shifter.says.append(decision)
    bench.quote(100, 101)


def rest(bench: StrategyBench) -> OrderIntent:
    say(bench, Order(Side.BUY, 10, "rest", (), OrderType.LIMIT, 95, TimeInForce.GTC))
    intent = bench.intent()
    bench.update(intent, S.OPEN)
    return intent


def amended(bench: StrategyBench, wish: AmendIntent, state: AmendState, **changes: Any) -> None:
    fields = {"contracts": wish.order.contracts, "limit_ticks": wish.order.limit_ticks} | changes
    update = AmendUpdate(
        *(wish.order.intent_id, wish.amends, NAME, "main", BTC, state),
        *(fields["contracts"], fields["limit_ticks"], "because", bench.now_ns),
    )
    bench.tell(update)


def test_an_amendment_names_its_order_and_is_the_order_as_it_would_become(bench: StrategyBench) -> None:
    intent = rest(bench)
    say(bench, Amend("nearer", (("bid", 100),), limit_ticks=99))
    (wish,) = bench.take(AmendIntent)
    assert wish.amends == intent.intent_id
    order = wish.order
    assert order.intent_id not in (intent.intent_id, "")
    assert (order.side, order.contracts, order.limit_ticks) == (Side.BUY, 10, 99)
    assert (order.order_type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert order.decision_ticks == 101
    assert bench.decided[-1] == ("amend", "nearer")


def test_a_strategy_sees_its_orders_and_how_they_change(bench: StrategyBench) -> None:
    intent = rest(bench)
    say(bench, Amend("larger", (), contracts=14))
    (wish,) = bench.take(AmendIntent)
    bench.update(intent, S.CANCELING, 3)
    bench.quote(100, 101)
    amended(bench, wish, A.AMENDED)
    bench.quote(100, 101)
    bench.update(intent, S.FILLED, 14, contracts=14)
    bench.quote(100, 101)
    shown = [[tuple(order)[2:] for order in orders] for orders in Shifter.seen]
    assert shown == [[], [(10, 0, 95, False)], [(10, 3, 95, True)], [(14, 3, 95, False)], []]
    assert bench.actor.state.net_contracts == 14


def test_one_amendment_at_a_time(bench: StrategyBench) -> None:
    rest(bench)
    for _ in range(3):
        say(bench, Amend("nearer", (), limit_ticks=99))
    assert len(bench.take(AmendIntent)) == 1


@pytest.mark.parametrize(
    "decision",
    [
        Amend("same", (), limit_ticks=95),
        Amend("same", (), contracts=10),
        Amend("nothing named"),
        Amend("stranger", (), limit_ticks=99, intent_id="x#1.1"),
        Amend("less than filled", (), contracts=3),
    ],
    ids=lambda decision: decision.why,
)
def test_what_changes_nothing_is_not_sent(bench: StrategyBench, decision: Amend) -> None:
    intent = rest(bench)
    bench.update(intent, S.PARTIALLY_FILLED, 3)
    say(bench, decision)
    assert bench.take(AmendIntent) == []


def test_without_an_order_there_is_nothing_to_amend(bench: StrategyBench) -> None:
    say(bench, Amend("nearer", (), limit_ticks=99))
    assert bench.take(AmendIntent) == []


@pytest.mark.parametrize("how", ["denied", "busy", "kept"])
def test_an_amendment_that_does_not_happen_leaves_the_order(bench: StrategyBench, how: str) -> None:
    intent = rest(bench)
    say(bench, Amend("nearer", (), limit_ticks=99))
    (wish,) = bench.take(AmendIntent)
    if how == "denied":
        name = wish.order.intent_id
        bench.tell(OrderDenied(name, NAME, "main", BTC, "halted", "no", 1, 0, bench.now_ns))
    elif how == "busy":
        bench.tell(MessageRefused("risk/main", "AmendIntent", msgspec.msgpack.encode(wish)))
    else:
        amended(bench, wish, A.KEPT, contracts=10, limit_ticks=95)
    bench.advance(2 * SECOND)
    say(bench, Amend("nearer", (), limit_ticks=98))
    assert list(bench.actor.state.pending) == [intent.intent_id]
    assert [again.order.limit_ticks for again in bench.take(AmendIntent)] == [98]


def test_an_order_that_is_gone_is_pending_no_more(bench: StrategyBench) -> None:
    intent = rest(bench)
    say(bench, Amend("nearer", (), limit_ticks=99))
    (wish,) = bench.take(AmendIntent)
    amended(bench, wish, A.GONE)
    bench.update(intent, S.CANCELED, 4)
    assert bench.actor.state.pending == {}
    assert bench.actor.state.net_contracts == 4


def test_an_order_that_is_taken_back_is_not_amended(bench: StrategyBench) -> None:
    rest(bench)
    say(bench, Cancel("enough"))
    say(bench, Amend("nearer", (), limit_ticks=99))
    assert (len(bench.take(CancelIntent)), bench.take(AmendIntent)) == (1, [])


def test_nothing_is_amended_on_a_stale_feed(bench: StrategyBench) -> None:
    rest(bench)
    bench.status(FeedState.FROZEN)
    say(bench, Amend("nearer", (), limit_ticks=99))
    assert bench.take(AmendIntent) == []


def test_an_amendment_under_way_is_known_after_a_restart(bench: StrategyBench) -> None:
    rest(bench)
    say(bench, Amend("nearer", (), limit_ticks=99))
    (wish,) = bench.take(AmendIntent)
    bench.restart()
    bench.status(FeedState.LIVE)
    say(bench, Amend("nearer still", (), limit_ticks=100))
    assert bench.take(AmendIntent) == []
    amended(bench, wish, A.AMENDED)
    say(bench, Amend("nearer still", (), limit_ticks=100))
    assert len(bench.take(AmendIntent)) == 1

"""What a strategy may do, when it may, and what it makes of the answers."""

import dataclasses

import msgspec
import pytest

from actors.domain.lifecycle import OrderState
from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.account import AccountState, PositionOverruled
from actors.messages.market import FeedState
from actors.messages.trading import CancelIntent, OrderIntent, Reason
from actors.runtime.errors import InvariantError
from actors.runtime.messages import MessageRefused, Severity
from actors.strategy.events import PositionAdopted, SignalDecided
from actors.strategy.protocol import Cancel, Hold, Order, Target
from tests.unit.strategy.conftest import Scripter
from tests.unit.strategy.strategy_bench import BTC, CATALOG, MINUTE, NAME, SECOND, Scripted, StrategyBench

S = OrderState
GO = Target(5, "go", (("score", 1.5), ("bars", 3)))


def net(bench: StrategyBench) -> int:
    return bench.actor.state.net_contracts


# -- decisions -------------------------------------------------------------------------------------


def test_a_target_becomes_an_order_for_the_difference(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(7, "more")})
    bench.quote(99, 101)
    bench.bar(100)
    first = bench.intent()
    assert first == OrderIntent(
        *(f"{NAME}#1.1", NAME, "main", BTC, Side.BUY, 5, OrderType.MARKET, 0, TimeInForce.IOC, False),
        *(101, bench.now_ns, (Reason("why", "go"), Reason("score", "1.5"), Reason("bars", "3")), 200),
    )
    bench.fill(first)
    bench.bar(100)
    assert (bench.intent().contracts, net(bench)) == (2, 5)


def test_a_decision_that_acts_is_journaled_with_its_reasons_and_its_order(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    (event,) = bench.events
    assert isinstance(event, SignalDecided)
    assert (event.action, event.net_contracts, event.target_contracts) == ("target", 0, 5)
    assert event.intent_id == bench.intent().intent_id
    assert event.reasons[1:] == (Reason("score", "1.5"), Reason("bars", "3"))
    assert event.decision_ticks == 100


def test_a_hold_is_journaled_when_its_reason_is_new(scripted: Scripter) -> None:
    a, b = Hold("quiet"), Hold("wild")
    bench = scripted({1: a, 2: a, 3: b, 4: b, 5: a})
    for _ in range(5):
        bench.bar(100)
    assert bench.decided == [("hold", "quiet"), ("hold", "wild"), ("hold", "quiet")]


def test_a_target_that_is_reached_is_no_order(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO, 3: GO})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    assert bench.decided == [("target", "go")]


def test_turning_around_closes_with_reduce_only_before_it_opens(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(-3, "turn")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    closing = bench.intent()
    assert (closing.side, closing.contracts, closing.reduce_only) == (Side.SELL, 5, True)
    bench.fill(closing)
    opening = bench.intent()
    assert (opening.side, opening.contracts, opening.reduce_only) == (Side.SELL, 3, False)
    bench.fill(opening)
    assert net(bench) == -3
    assert bench.take(OrderIntent) == []


def test_a_close_that_did_not_fill_wholly_does_not_open_the_other_side(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(-3, "turn")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.update(bench.intent(), S.CANCELED, 4)
    assert net(bench) == 1
    assert bench.take(OrderIntent) == []


def test_a_goal_that_was_given_up_is_not_pursued_later(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.update(intent, S.CANCELED)
    stranger = msgspec.structs.replace(intent, intent_id=f"{NAME}#1.9", contracts=1)
    bench.update(stranger, S.OPEN)
    bench.fill(stranger)
    assert bench.take(OrderIntent) == []


def test_a_goal_is_not_pursued_on_a_stale_feed(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(-3, "turn")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.status(FeedState.SILENT)
    bench.fill(bench.intent())
    assert bench.take(OrderIntent) == []


def test_a_target_beyond_one_order_is_reached_in_several(
    scripted: Scripter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = scripted({1: Target(-25_000, "all in")})
    narrow = dataclasses.replace(CATALOG[BTC], contracts_max_market=10_000)
    monkeypatch.setattr(bench.actor._desk, "_instrument", narrow)
    bench.bar(100)
    sizes = []
    for _ in range(3):
        intent = bench.intent()
        sizes.append(intent.contracts)
        bench.fill(intent)
    assert sizes == [10_000, 10_000, 5_000]
    assert bench.take(OrderIntent) == []


def test_a_target_beyond_the_largest_position_is_cut(scripted: Scripter) -> None:
    bench = scripted({1: Target(90, "greed")}, contracts_max=40)
    bench.bar(100)
    assert bench.intent().contracts == 40


def test_an_order_is_placed_as_it_is(scripted: Scripter) -> None:
    order = Order(Side.SELL, 4, "bid up", (), OrderType.POST_ONLY, 123, TimeInForce.GTC)
    bench = scripted({1: order})
    bench.bar(100)
    intent = bench.intent()
    assert (intent.order_type, intent.limit_ticks, intent.time_in_force) == (
        OrderType.POST_ONLY,
        123,
        TimeInForce.GTC,
    )
    assert (intent.side, intent.contracts) == (Side.SELL, 4)


@pytest.mark.parametrize(
    "order",
    [
        Order(Side.BUY, 0, "nothing"),
        Order(Side.BUY, 10**30, "everything"),
        Order(Side.BUY, 1, "no price", (), OrderType.LIMIT, 10**30),
    ],
)
def test_an_order_that_no_market_could_take_is_a_bug(scripted: Scripter, order: Order) -> None:
    bench = scripted({1: order})
    with pytest.raises(InvariantError):
        bench.bar(100)


def test_cancel_takes_back_every_order_that_lives(scripted: Scripter) -> None:
    bench = scripted(
        {1: Order(Side.BUY, 1, "bid", (), OrderType.LIMIT, 90, TimeInForce.GTC), 2: Cancel("no")}
    )
    bench.bar(100)
    intent = bench.intent()
    bench.bar(100)
    assert bench.take(CancelIntent) == [CancelIntent(intent.intent_id, NAME, "main")]
    assert bench.decided == [("order", "bid"), ("cancel", "no")]


# -- standing still --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [FeedState.SILENT, FeedState.LATE, FeedState.FROZEN])
def test_while_the_feed_is_not_live_nothing_leaves(scripted: Scripter, state: FeedState) -> None:
    bench = scripted({1: GO, 2: GO})
    bench.status(state)
    bench.bar(100)
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    assert bench.decided == [("hold", f"the feed is {state.value}")]


def test_a_decision_that_was_set_aside_is_taken_up_while_its_bar_is_the_newest(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.status(FeedState.LATE)
    bench.bar(100)
    bench.advance(30 * SECOND)
    bench.live()
    assert bench.intent().contracts == 5


def test_a_decision_is_acted_on_once(scripted: Scripter) -> None:
    bench = scripted({1: Order(Side.BUY, 1, "once")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.status(FeedState.LATE)
    bench.live()
    assert bench.take(OrderIntent) == []


def test_before_the_warm_up_is_over_nothing_leaves(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO, 3: GO}, warmup=3)
    bench.bar(100)
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    assert bench.decided == [("hold", "warming up")]
    bench.bar(100)
    assert bench.intent().contracts == 5


@pytest.mark.parametrize("state", [S.SUBMITTING, S.OPEN, S.PARTIALLY_FILLED, S.CANCELING, S.UNKNOWN])
def test_while_an_own_order_is_unresolved_nothing_leaves(scripted: Scripter, state: OrderState) -> None:
    bench = scripted({1: GO, 2: Target(9, "more"), 3: Target(9, "more")})
    bench.bar(100)
    intent = bench.intent()
    bench.update(intent, state)
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    bench.fill(intent)
    bench.bar(100)
    assert bench.intent().contracts == 4


def test_a_strategy_of_orders_may_have_several_unresolved(
    scripted: Scripter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "orders_at_once", 2, raising=False)
    bid = Order(Side.BUY, 1, "bid", (), OrderType.LIMIT, 90, TimeInForce.GTC)
    bench = scripted({1: bid, 2: bid, 3: bid})
    for _ in range(3):
        bench.bar(100)
    assert len(bench.take(OrderIntent)) == len(bench.actor.state.pending) == 2


def test_the_view_tells_whether_a_decision_counts(scripted: Scripter) -> None:
    bench = scripted({2: GO})
    views = type(bench.actor.strategy).views  # type: ignore[attr-defined]
    bench.bar(100)
    assert views[-1].can_act
    bench.bar(100)
    bench.bar(100)
    assert not views[-1].can_act  # its order is unresolved


def test_an_account_that_sizes_by_its_equity_waits_to_hear_of_it(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO}, equity_usdt=0)
    bench.bar(100)
    assert bench.decided == [("hold", "equity is not known")]
    bench.tell(AccountState("other", *(7,) * 10))
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    bench.tell(AccountState("main", *(7,) * 10))
    bench.actor.state.memory.closes.clear()
    bench.bar(100)
    assert bench.intent().contracts == 5
    assert bench.actor._view.equity_usdt == 7


# -- answers ---------------------------------------------------------------------------------------


def test_fills_move_the_position_once_each(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.update(intent, S.PARTIALLY_FILLED, 2)
    bench.update(intent, S.PARTIALLY_FILLED, 2)
    assert net(bench) == 2
    bench.fill(intent)
    bench.fill(intent)
    assert net(bench) == 5


def test_a_fill_after_the_cancel_still_moves_the_position(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.update(intent, S.CANCELED, 1)
    bench.update(intent, S.CANCELED, 3)
    bench.update(intent, S.CANCELED, 3)
    assert net(bench) == 3
    assert bench.actor.state.pending == {}


def test_an_order_it_does_not_remember_is_its_own_all_the_same(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO})
    bench.bar(100)
    lost = msgspec.structs.replace(bench.intent(), intent_id=f"{NAME}#1.7", contracts=4)
    bench.update(lost, S.PARTIALLY_FILLED, 1)
    assert net(bench) == 1
    assert set(bench.actor.state.pending) == {f"{NAME}#1.1", f"{NAME}#1.7"}
    bench.fill(lost)
    assert net(bench) == 4
    bench.update(msgspec.structs.replace(lost, intent_id=f"{NAME}#1.1"), S.REJECTED)
    bench.advance(2 * SECOND)
    bench.bar(100)
    assert bench.intent().intent_id == f"{NAME}#1.8"


def test_updates_of_another_account_are_not_ours(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    bench.update(bench.intent(), S.FILLED, 5, account="other")
    assert net(bench) == 0


@pytest.mark.parametrize("state", [S.REJECTED, S.CANCELED, S.ABSENT])
def test_an_order_that_ended_without_a_fill_is_tried_again_with_the_next_bar(
    scripted: Scripter, state: OrderState
) -> None:
    bench = scripted({1: GO, 2: GO})
    bench.bar(100)
    bench.update(bench.intent(), state)
    bench.bar(100)
    assert bench.intent().contracts == 5


def test_after_a_denial_it_pauses_and_tries_again(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO, 3: GO}, retry_after=90 * SECOND)
    bench.bar(100)
    bench.deny(bench.intent())
    bench.bar(100)
    assert bench.take(OrderIntent) == []
    assert bench.decided[-1] == ("hold", "pausing after a refusal")
    bench.bar(100)
    assert bench.intent().intent_id == f"{NAME}#1.2"


def test_an_order_that_it_took_back_is_no_refusal(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Cancel("no"), 3: GO}, retry_after=90 * SECOND)
    bench.bar(100)
    intent = bench.intent()
    bench.bar(100)
    bench.update(intent, OrderState.CANCELED)
    bench.bar(100)
    assert bench.intent().intent_id == f"{NAME}#1.2"


def test_refusals_in_a_row_are_followed_by_longer_and_longer_pauses(scripted: Scripter) -> None:
    bench = scripted(dict.fromkeys(range(1, 20), GO), retry_after=50 * SECOND)
    asked = []
    for number in range(1, 16):
        bench.bar(100)
        for intent in bench.take(OrderIntent):
            asked.append(number)
            bench.deny(intent)
    assert asked == [1, 2, 4, 8, 15]


def test_a_denial_of_a_repetition_leaves_the_first_order_alone(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.deny(intent, "duplicate_intent", 2, 1)
    assert list(bench.actor.state.pending) == [intent.intent_id]


def test_a_close_denied_for_want_of_a_position_adopts_what_there_is(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(0, "out"), 3: Target(0, "out"), 4: Target(0, "out")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.deny(bench.intent(), "reduce_only", 5, 2)
    assert net(bench) == 2
    assert bench.events[-1] == PositionAdopted(BTC, 5, 2, "because", bench.now_ns)
    bench.bar(100)
    closing = bench.intent()
    assert closing.contracts == 2
    bench.deny(closing, "reduce_only", 2, 0)
    bench.bar(100)
    assert net(bench) == 0
    assert bench.take(OrderIntent) == []


def test_a_close_denied_because_another_is_on_its_way_adopts_nothing(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(0, "out")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.deny(bench.intent(), "reduce_only", 10, 7)
    assert net(bench) == 5
    assert not [event for event in bench.events if isinstance(event, PositionAdopted)]


@pytest.mark.parametrize(("held", "left"), [(0, 0), (2, 2), (-3, 0), (5, 5), (9, 5)])
def test_what_somebody_else_took_from_the_position_is_adopted(
    scripted: Scripter, held: int, left: int
) -> None:
    for sign in (1, -1):
        bench = scripted({1: Target(5 * sign, "go")})
        bench.bar(100)
        bench.fill(bench.intent())
        bench.tell(PositionOverruled("main", "ETH_USDT_PERP", 0, 0))
        bench.tell(PositionOverruled("other", BTC, 0, 0))
        bench.tell(PositionOverruled("main", BTC, held * sign, 0))
        assert net(bench) == bench.actor._view.net_contracts == left * sign
        bench.restart()
        assert net(bench) == left * sign


def test_while_an_own_order_is_on_its_way_nothing_is_adopted(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(8, "more")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    bench.tell(PositionOverruled("main", BTC, 0, 0))
    assert net(bench) == 5


def test_an_intent_that_risk_was_too_busy_for_never_was(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.tell(MessageRefused("risk/main", "busy", msgspec.msgpack.encode(intent)))
    bench.bar(100)
    assert bench.intent().intent_id != intent.intent_id


def test_a_refusal_of_something_else_is_only_logged(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    bench.tell(MessageRefused("risk/main", "busy", msgspec.msgpack.encode(CancelIntent("a", "b", "c"))))
    assert len(bench.actor.state.pending) == 1
    assert len(bench.logs) == 1


def test_an_order_without_an_end_is_told_and_resolved(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.advance(2 * MINUTE)
    assert {(a.name, a.key, a.severity) for a in bench.alerts} == {
        ("OrderUnresolved", intent.intent_id, Severity.TICKET)
    }
    assert not [r for r in bench.resolved if r.name == "OrderUnresolved"]
    bench.fill(intent)
    assert bench.resolved[-1].key == intent.intent_id


def test_an_order_without_an_end_is_resolved_after_a_restart_too(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    intent = bench.intent()
    bench.advance(2 * MINUTE)
    bench.restart()
    bench.fill(intent)
    assert bench.resolved[-1].key == intent.intent_id


def test_position_and_orders_outlive_a_restart(scripted: Scripter) -> None:
    bench = scripted({1: GO, 2: Target(9, "more")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.bar(100)
    intent = bench.intent()
    bench.restart()
    assert bench.actor._view.net_contracts == 5
    assert bench.actor.describe()["pending"] == [intent.intent_id]
    bench.fill(intent)
    assert net(bench) == 9


def test_after_a_new_start_of_the_node_the_feed_must_speak_first(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.epoch = 2
    bench.restart()
    bench.answer()
    bench.bar(100)
    assert bench.decided == [("hold", "the feed is silent")]
    bench.live()
    assert bench.intent().intent_id == f"{NAME}#2.1"


def test_what_an_operator_sees_is_plain(scripted: Scripter) -> None:
    bench = scripted({1: GO})
    bench.bar(100)
    shown = bench.actor.describe()
    msgspec.json.encode(shown)
    assert shown["blocked"] == "an own order is unresolved"
    assert bench.actor.gauges()["orders_unresolved_count"] == 1

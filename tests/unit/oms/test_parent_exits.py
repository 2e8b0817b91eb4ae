"""Trailing stops, OCO, brackets, stop-limits, scheduled closes: never too much is closed."""

import pytest

from actors.domain.orders import OrderType, Side, TimeInForce
from actors.messages.market import CandleAhead
from actors.messages.plans import (
    Bracket,
    CloseAll,
    OneCancelsOther,
    ScheduledClose,
    StopLimit,
    TrailingStop,
)
from actors.messages.venue import CancelOrder, PlaceOrder
from tests.unit.oms.oms_bench import BTC, SECOND, TREND
from tests.unit.oms.parent_bench import ParentBench

OCO = OneCancelsOther(490_000, 510_000, rests=True)
LIMIT_ENTRY = Bracket(OrderType.LIMIT, 500_000, TimeInForce.GTC, 490_000, 510_000, rests=True)


@pytest.fixture
def bench() -> ParentBench:
    return ParentBench()


def enter(bench: ParentBench, plan: Bracket = LIMIT_ENTRY, contracts: int = 10) -> tuple[str, PlaceOrder]:
    parent_id = bench.launch(plan, Side.BUY, contracts, reduce_only=False)
    placed = bench.only()
    bench.accept(placed.client_order_id)
    return parent_id, placed


# -- trailing stop


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(TrailingStop(trail_ticks=1_000))
    for price in (500_000, 505_000, 504_001, 510_000, 509_001):
        bench.mark(price)
    assert bench.take(PlaceOrder) == []
    bench.mark(509_000)
    assert bench.only().contracts == 10
    assert "1000 ticks behind the best" in bench.parent(stop).why


def test_a_trailing_distance_may_be_a_part_of_the_best_price(bench: ParentBench) -> None:
    bench.long()
    bench.launch(TrailingStop(trail_e8=2_000_000))  # 2 %
    bench.mark(500_000)
    bench.mark(600_000)
    bench.mark(588_001)
    assert bench.take(PlaceOrder) == []
    bench.mark(588_000)
    assert bench.only().contracts == 10


def test_a_trailing_stop_above_a_short_follows_downwards(bench: ParentBench) -> None:
    bench.fill(bench.opened(side=Side.SELL), 10, side=Side.SELL)
    bench.published.clear()
    bench.launch(TrailingStop(trail_ticks=1_000), Side.BUY)
    for price in (500_000, 490_000, 490_999):
        bench.mark(price)
    assert bench.take(PlaceOrder) == []
    bench.mark(491_000)
    assert bench.only().side is Side.BUY


def test_trailing_begins_at_its_activation_price(bench: ParentBench) -> None:
    bench.long()
    bench.launch(TrailingStop(trail_ticks=1_000, activation_ticks=510_000))
    bench.mark(500_000)
    bench.mark(490_000)
    assert bench.take(PlaceOrder) == []
    bench.mark(510_000)
    bench.mark(512_000)
    bench.mark(511_000)
    assert len(bench.take(PlaceOrder)) == 1


def test_the_best_price_outlives_a_restart(bench: ParentBench) -> None:
    bench.long()
    bench.launch(TrailingStop(trail_ticks=1_000))
    bench.mark(500_000)
    bench.mark(520_000)
    bench.restart()
    bench.mark(519_000)
    assert bench.only().contracts == 10


def test_stops_that_began_at_different_prices_trail_their_own_best(bench: ParentBench) -> None:
    bench.long(30)
    bench.launch(TrailingStop(trail_ticks=1_000))
    bench.mark(520_000)
    bench.mark(519_500)
    bench.launch(TrailingStop(trail_ticks=1_000), contracts=7)
    bench.mark(519_400)
    bench.restart()
    bench.mark(519_000)
    assert [m.contracts for m in bench.take(PlaceOrder)] == [10]
    bench.mark(518_400)
    assert [m.contracts for m in bench.take(PlaceOrder)] == [7]


# -- OCO


def test_a_filled_target_ends_the_stop(bench: ParentBench) -> None:
    bench.long()
    oco = bench.launch(OCO)
    bench.sold(bench.only())
    assert bench.parent(oco).state.value == "done"
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []


def test_a_target_that_filled_in_part_leaves_the_rest_to_the_stop(bench: ParentBench) -> None:
    bench.long()
    bench.launch(OCO)
    resting = bench.only()
    bench.accept(resting.client_order_id)
    bench.sold(resting, 4)
    bench.mark(490_000)
    assert bench.only().contracts == 6
    assert [m.client_order_id for m in bench.take(CancelOrder)] == [resting.client_order_id]


def test_when_both_fill_in_a_race_the_venue_trims_and_the_books_still_agree(bench: ParentBench) -> None:
    bench.long()
    oco = bench.launch(OCO)
    resting = bench.only()
    bench.accept(resting.client_order_id)
    bench.mark(490_000)
    stop = bench.only()
    bench.sold(resting, 10)  # before the cancel arrived
    bench.reject(stop.client_order_id)  # reduce-only: nothing is left
    assert bench.parent(oco).state.value == "done"
    assert bench.oms.state.net_contracts[BTC] == 0
    assert bench.take(PlaceOrder) == []
    bench.advance(10 * SECOND)
    assert bench.take(PlaceOrder) == []


def test_a_position_that_shrinks_shrinks_the_resting_target(bench: ParentBench) -> None:
    bench.long()
    bench.launch(OCO)
    resting = bench.only()
    bench.accept(resting.client_order_id)
    bench.fill(bench.opened(side=Side.SELL, contracts=4), 4, side=Side.SELL)
    bench.take(PlaceOrder)
    assert [m.client_order_id for m in bench.take(CancelOrder)] == [resting.client_order_id]
    bench.canceled(resting.client_order_id)
    bench.vet()
    assert bench.only().contracts == 6


# -- bracket


def test_the_exits_of_a_bracket_follow_the_fills_of_its_entry(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []  # nothing entered, nothing to stop
    bench.mark(500_000)
    bench.fill(entry.client_order_id, 3)
    bench.vet()
    assert bench.parent(bracket).state.value == "protecting"
    assert bench.only().contracts == 3  # the target
    bench.fill(entry.client_order_id, 7)
    bench.vet()
    assert bench.only().contracts == 7


def test_the_stop_of_a_bracket_closes_what_has_filled_and_takes_the_entry_back(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.fill(entry.client_order_id, 3)
    bench.vet()
    target = bench.only()
    bench.accept(target.client_order_id)
    bench.mark(490_000)
    stop = bench.only()
    assert (stop.contracts, stop.reduce_only, stop.order_type) == (3, True, OrderType.MARKET)
    taken_back = {m.client_order_id for m in bench.take(CancelOrder)}
    assert taken_back == {entry.client_order_id, target.client_order_id}
    bench.sold(stop)
    assert bench.parent(bracket).state.value == "firing"  # the entry may still fill
    bench.fill(entry.client_order_id, 2)
    bench.vet()
    assert bench.only().contracts == 2
    bench.canceled(entry.client_order_id, 5)


def test_an_entry_that_fills_after_the_end_is_protected_again(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.cancel(intent_id=bracket, strategy=TREND)
    bench.canceled(entry.client_order_id)
    assert bench.parent(bracket).state.value == "canceled"
    bench.fill(entry.client_order_id, 4)
    bench.vet()
    assert bench.parent(bracket).state.value == "protecting"
    assert bench.only().contracts == 4  # the target
    bench.mark(480_000)
    assert bench.only().contracts == 4


def test_a_canceled_bracket_keeps_protecting_what_it_entered(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.fill(entry.client_order_id, 3)
    bench.vet()
    bench.only()
    bench.cancel(intent_id=bracket, strategy=TREND)
    assert [m.client_order_id for m in bench.take(CancelOrder)] == [entry.client_order_id]
    bench.canceled(entry.client_order_id, 3)
    assert bench.parent(bracket).state.value == "protecting"
    bench.take(PlaceOrder)  # the target rests again
    bench.mark(480_000)
    assert bench.only().contracts == 3


def test_a_halt_takes_entry_and_resting_target_and_leaves_the_stop(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.fill(entry.client_order_id, 3)
    bench.vet()
    target = bench.only()
    bench.accept(target.client_order_id)
    bench.cancel()
    assert len(bench.take(CancelOrder)) == 2
    bench.canceled(entry.client_order_id, 3)
    bench.canceled(target.client_order_id)
    bench.vet()
    assert bench.take(PlaceOrder) == []
    assert bench.parent(bracket).state.value == "protecting"
    bench.take(PlaceOrder)  # the target rests again
    bench.mark(480_000)
    assert bench.only().contracts == 3


def test_a_denied_entry_fails_the_bracket_and_tells(bench: ParentBench) -> None:
    bench.allows = False
    bracket = bench.launch(LIMIT_ENTRY, Side.BUY, reduce_only=False)
    assert bench.parent(bracket).state.value == "failed"
    assert [alert.name for alert in bench.alerts] == ["ParentFailed"]


def test_a_market_entry_that_fills_in_part_is_protected_for_that_part(bench: ParentBench) -> None:
    bracket = bench.launch(Bracket(stop_ticks=490_000), Side.BUY, reduce_only=False)
    entry = bench.only()
    bench.accept(entry.client_order_id)
    bench.fill(entry.client_order_id, 6)
    bench.canceled(entry.client_order_id, 6)
    bench.vet()
    bench.advance(10 * SECOND)
    assert bench.take(PlaceOrder) == []  # the rest is not bought later
    bench.mark(490_000)
    bench.sold(bench.only(), 6)
    assert bench.parent(bracket).state.value == "done"


def test_a_bracket_trails_and_takes_profit(bench: ParentBench) -> None:
    plan = Bracket(stop_ticks=490_000, target_ticks=520_000, trail_ticks=2_000, activation_ticks=505_000)
    bench.launch(plan, Side.BUY, reduce_only=False)
    entry = bench.only()
    bench.fill(entry.client_order_id, 10)
    bench.mark(504_000)
    bench.mark(501_000)
    assert bench.take(PlaceOrder) == []
    bench.mark(506_000)
    bench.mark(506_500)
    bench.mark(504_500)
    assert bench.only().contracts == 10


def test_a_bracket_closes_when_it_was_held_long_enough(bench: ParentBench) -> None:
    bracket = bench.launch(Bracket(stop_ticks=490_000, hold_ns=60 * SECOND), Side.BUY, reduce_only=False)
    bench.fill(bench.only().client_order_id, 10)
    bench.advance(59 * SECOND)
    assert bench.take(PlaceOrder) == []
    bench.advance(2 * SECOND)
    bench.sold(bench.only())
    assert bench.parent(bracket).state.value == "done"


def test_a_bracket_whose_target_rests_closes_when_it_was_held_long_enough(bench: ParentBench) -> None:
    plan = Bracket(stop_ticks=490_000, target_ticks=510_000, rests=True, hold_ns=60 * SECOND)
    bracket, entry = enter(bench, plan)
    bench.fill(entry.client_order_id, 10)
    bench.vet()
    target = bench.only()
    bench.accept(target.client_order_id)
    bench.advance(61 * SECOND)
    assert [c.client_order_id for c in bench.take(CancelOrder)] == [target.client_order_id]
    bench.sold(bench.only())
    bench.canceled(target.client_order_id)
    assert bench.parent(bracket).state.value == "done"


def test_a_bracket_goes_on_after_a_restart_at_any_step(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.restart()
    bench.fill(entry.client_order_id, 10)
    bench.vet()
    target = bench.only()
    bench.restart()
    bench.accept(target.client_order_id)
    bench.mark(490_000)
    stop = bench.only()
    bench.restart()
    bench.sold(stop)
    bench.canceled(target.client_order_id)
    assert bench.parent(bracket).state.value == "done"


# -- the others


def test_a_stop_limit_rests_once_triggered(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(StopLimit(490_000, 489_000))
    bench.mark(490_000)
    placed = bench.only()
    assert (placed.order_type, placed.limit_ticks, placed.reduce_only) == (OrderType.LIMIT, 489_000, True)
    bench.sold(placed)
    assert bench.parent(stop).state.value == "done"


def test_a_stop_limit_that_is_refused_closes_at_the_market(bench: ParentBench) -> None:
    bench.long()
    bench.launch(StopLimit(490_000, 489_000))
    bench.mark(490_000)
    bench.reject(bench.only().client_order_id)
    bench.vet()
    assert bench.only().order_type is OrderType.MARKET


def test_a_scheduled_close_closes_after_its_time(bench: ParentBench) -> None:
    bench.long()
    close = bench.launch(ScheduledClose(after_ns=60 * SECOND), contracts=0)
    bench.restart()
    bench.advance(59 * SECOND)
    assert bench.take(PlaceOrder) == []
    bench.advance(SECOND)
    bench.sold(bench.only())
    assert bench.parent(close).state.value == "done"


def test_close_all_flattens_and_is_done_when_nothing_is_open(bench: ParentBench) -> None:
    bench.long()
    close = bench.launch(CloseAll(), contracts=0, symbol="")
    placed = bench.only()
    assert (placed.contracts, placed.reduce_only) == (10, True)
    assert bench.parent(close).state.value == "firing"
    bench.sold(placed)
    assert bench.parent(close).state.value == "done"


# -- inside a candle of history


@pytest.mark.parametrize("target_first", [True, False])
def test_a_candle_that_meets_stop_and_target_counts_as_stopped(
    bench: ParentBench, target_first: bool
) -> None:
    bench.launch(Bracket(stop_ticks=490_000, target_ticks=510_000), Side.BUY, reduce_only=False)
    bench.fill(bench.only().client_order_id, 10)
    bench.tell(CandleAhead(BTC, bench.now_ns, 489_000, 511_000, bench.now_ns + 60 * SECOND))
    for price in (511_000, 489_000) if target_first else (489_000, 511_000):
        bench.mark(price)
        if price == 511_000 and target_first:
            assert bench.take(PlaceOrder) == []
    (parent,) = bench.oms.state.parents.values()
    assert "triggered" in parent.why
    assert len(bench.take(PlaceOrder)) == 1


def test_a_candle_that_meets_the_target_alone_takes_the_profit(bench: ParentBench) -> None:
    bench.launch(Bracket(stop_ticks=490_000, target_ticks=510_000), Side.BUY, reduce_only=False)
    bench.fill(bench.only().client_order_id, 10)
    bench.tell(CandleAhead(BTC, bench.now_ns, 490_001, 511_000, bench.now_ns + 60 * SECOND))
    bench.mark(511_000)
    assert len(bench.take(PlaceOrder)) == 1


def test_a_target_held_back_by_a_candle_counts_after_it(bench: ParentBench) -> None:
    bench.launch(Bracket(stop_ticks=490_000, target_ticks=510_000), Side.BUY, reduce_only=False)
    bench.fill(bench.only().client_order_id, 10)
    bench.tell(CandleAhead(BTC, bench.now_ns, 490_000, 511_000, bench.now_ns + 60 * SECOND))
    bench.mark(511_000)
    assert bench.take(PlaceOrder) == []
    bench.advance(60 * SECOND)
    bench.mark(511_000)
    assert len(bench.take(PlaceOrder)) == 1


def test_a_bracket_whose_position_was_netted_away_is_done(bench: ParentBench) -> None:
    bench.long(20)
    bracket = bench.launch(Bracket(stop_ticks=510_000), Side.SELL, reduce_only=False)
    bench.sold(bench.only())  # the account is still long: there is no short to protect
    bench.mark(511_000)
    assert bench.parent(bracket).state.value == "done"
    assert bench.take(PlaceOrder) == []
    bench.mark(512_000)
    assert bench.parent(bracket).state.value == "done"


def test_an_entry_that_fills_beyond_its_stop_is_closed_at_once(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.mark(480_000)
    bench.fill(entry.client_order_id, 3)
    bench.vet()
    assert bench.parent(bracket).state.value == "firing"
    assert bench.only().contracts == 3


def test_a_stop_that_was_met_once_is_watched_again_when_it_protects_again(bench: ParentBench) -> None:
    bracket, entry = enter(bench)
    bench.fill(entry.client_order_id, 4)
    bench.vet()
    target = bench.only()
    bench.mark(480_000)
    bench.sold(bench.only())
    bench.canceled(entry.client_order_id, 4)
    bench.canceled(target.client_order_id)
    assert bench.parent(bracket).state.value == "done"
    bench.mark(500_000)
    bench.fill(entry.client_order_id, 3)  # late, and protected like the rest
    bench.vet()
    assert bench.parent(bracket).state.value == "protecting"
    bench.take(PlaceOrder)  # the target rests again
    bench.mark(480_000)
    assert bench.only().contracts == 3

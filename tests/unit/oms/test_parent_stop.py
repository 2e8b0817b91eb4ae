"""A stop and a take-profit: what fires them, what they send, and what becomes of them."""

import pytest

from actors.domain.orders import OrderType, Side
from actors.domain.parent_states import PriceSource
from actors.messages.market import FeedState, MarkPrice
from actors.messages.orders import CancelScope
from actors.messages.parents import ChildIntent
from actors.messages.plans import Stop, TakeProfit
from actors.messages.venue import CancelOrder, PlaceOrder
from actors.oms.events import ScopeCanceled
from tests.unit.oms.oms_bench import BTC, MS, SECOND, TREND
from tests.unit.oms.parent_bench import ParentBench
from tests.unit.strategy.strategy_bench import CATALOG

STOP = Stop(490_000)


@pytest.fixture
def bench() -> ParentBench:
    return ParentBench()


def test_a_stop_sends_a_reduce_only_market_order_when_the_mark_meets_it(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.mark(490_001)
    assert bench.take(PlaceOrder) == []
    bench.mark(490_000)
    placed = bench.only()
    assert (placed.side, placed.contracts, placed.order_type) == (Side.SELL, 10, OrderType.MARKET)
    assert placed.reduce_only
    bench.sold(placed)
    assert bench.parent(stop).state.value == "done"
    assert bench.told() == ["waiting", "firing", "done"]


def test_a_stop_above_a_short_position_buys(bench: ParentBench) -> None:
    bench.fill(bench.opened(side=Side.SELL), 10, side=Side.SELL)
    bench.published.clear()
    bench.launch(Stop(510_000), Side.BUY)
    bench.mark(509_999)
    assert bench.take(PlaceOrder) == []
    bench.mark(510_000)
    assert bench.only().side is Side.BUY


@pytest.mark.parametrize("source", list(PriceSource))
def test_a_stop_looks_at_its_own_price_only(bench: ParentBench, source: PriceSource) -> None:
    bench.long()
    bench.launch(Stop(490_000, source))
    if source is not PriceSource.MARK:
        bench.mark(480_000)
    if source is not PriceSource.LAST:
        bench.last(480_000)
    if source is not PriceSource.MID:
        bench.quote(479_999, 480_001)
    assert bench.take(PlaceOrder) == []
    bench.mark(490_000)
    bench.last(490_000)
    bench.quote(489_000, 491_000)
    assert len(bench.take(PlaceOrder)) == 1


@pytest.mark.parametrize("source", list(PriceSource))
def test_a_stop_that_begins_beyond_the_last_price_fires_at_once(
    bench: ParentBench, source: PriceSource
) -> None:
    bench.long()
    say = {PriceSource.MARK: bench.mark, PriceSource.LAST: bench.last}
    say.get(source, lambda ticks: bench.quote(ticks - 1, ticks + 1))(490_001)
    bench.launch(Stop(490_000, source))
    assert bench.take(PlaceOrder) == []  # a tick above
    stop = bench.launch(Stop(490_001, source))
    assert bench.only().reduce_only
    assert bench.parent(stop).why == f"{source.value} 490001 met triggered at 490001"
    bench.mark(490_001)
    assert bench.take(PlaceOrder) == []


@pytest.mark.parametrize("spoiled", ["old", "stale", "half a quote"])
def test_a_stop_does_not_begin_by_a_price_that_is_no_longer_good(bench: ParentBench, spoiled: str) -> None:
    bench.long()
    source = PriceSource.MID if spoiled == "half a quote" else PriceSource.MARK
    bench.mark(480_000)
    bench.quote(479_999, 480_001)
    if spoiled == "old":
        bench.advance(6 * SECOND)
    elif spoiled == "stale":
        bench.feed(FeedState.FROZEN)
    else:
        bench.quote(0, 480_001)
    bench.launch(Stop(490_000, source))
    assert bench.take(PlaceOrder) == []


def test_a_target_that_begins_beyond_the_last_price_waits_for_the_next(bench: ParentBench) -> None:
    bench.long()
    bench.mark(510_000)
    bench.launch(TakeProfit(510_000))
    assert bench.take(PlaceOrder) == []
    bench.mark(510_000)
    assert bench.only().side is Side.SELL


def test_a_half_tick_above_a_stop_at_the_middle_is_not_at_it(bench: ParentBench) -> None:
    bench.long()
    bench.launch(Stop(490_000, PriceSource.MID))
    bench.quote(490_000, 490_001)
    assert bench.take(PlaceOrder) == []


def test_a_take_profit_fires_on_the_other_side(bench: ParentBench) -> None:
    bench.long()
    bench.launch(TakeProfit(510_000))
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []
    bench.mark(510_000)
    assert bench.only().side is Side.SELL


def test_a_resting_target_is_at_the_venue_from_the_start(bench: ParentBench) -> None:
    bench.long()
    target = bench.launch(TakeProfit(510_000, rests=True))
    placed = bench.only()
    assert (placed.order_type, placed.limit_ticks, placed.reduce_only) == (OrderType.LIMIT, 510_000, True)
    bench.mark(511_000)
    assert bench.take(PlaceOrder) == []
    bench.sold(placed)
    assert bench.parent(target).state.value == "done"


def test_a_resting_target_that_is_refused_is_watched_instead(bench: ParentBench) -> None:
    bench.long()
    bench.allows = False
    bench.launch(TakeProfit(510_000, rests=True))
    assert [alert.name for alert in bench.alerts] == ["ParentFailed"]
    bench.allows = True
    bench.mark(510_000)
    assert bench.only().order_type is OrderType.MARKET


def test_a_stop_closes_no_more_than_is_open(bench: ParentBench) -> None:
    bench.long(10)
    bench.launch(STOP, contracts=10)
    bench.fill(bench.opened(side=Side.SELL, contracts=4), 4, side=Side.SELL)
    bench.take(PlaceOrder)
    bench.mark(480_000)
    assert bench.only().contracts == 6


def test_a_stop_of_nothing_left_ends(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.fill(bench.opened(side=Side.SELL), 10, side=Side.SELL)
    assert bench.parent(stop).state.value == "done"
    bench.take(PlaceOrder)
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []


def test_a_stop_for_whatever_is_open_follows_the_position(bench: ParentBench) -> None:
    bench.long(10)
    stop = bench.launch(STOP, contracts=0)
    bench.long(7)
    bench.mark(480_000)
    placed = bench.only()
    assert placed.contracts == 17
    bench.sold(placed)
    assert bench.parent(stop).state.value == "done"


def test_a_canceled_stop_never_fires(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.cancel(intent_id=stop, strategy=TREND)
    assert bench.told() == ["waiting", "canceled"]
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []


def test_a_stop_outlives_a_restart_and_fires_at_a_price_that_was_crossed_meanwhile(
    bench: ParentBench,
) -> None:
    bench.long()
    bench.launch(STOP)
    bench.restart()
    bench.mark(400_000)
    assert bench.only().contracts == 10


def test_a_restart_between_trigger_and_order_sends_it_once(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.mark(480_000)
    placed = bench.only()
    bench.restart()
    bench.mark(479_000)
    bench.advance(30 * SECOND)
    assert bench.take(PlaceOrder) == []
    bench.sold(placed)
    assert bench.parent(stop).state.value == "done"


def test_a_denied_stop_pages_and_is_tried_until_it_passes(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.allows = False
    bench.mark(480_000)
    assert [(alert.name, alert.severity.value) for alert in bench.alerts] == [("StopFailed", "page")]
    assert bench.parent(stop).state.value == "firing"
    bench.allows = True
    bench.advance(SECOND)
    bench.sold(bench.only())
    assert bench.parent(stop).state.value == "done"
    assert [resolved.name for resolved in bench.resolved] == ["StopFailed"]


def test_an_exit_that_fills_in_part_sends_the_rest(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.mark(480_000)
    placed = bench.only()
    bench.accept(placed.client_order_id)
    bench.sold(placed, 4)
    bench.canceled(placed.client_order_id, 4)
    assert bench.take(PlaceOrder) == []
    bench.advance(SECOND)
    assert bench.only().contracts == 6


def test_an_exit_in_doubt_is_not_sent_again(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.mark(480_000)
    bench.only()
    bench.advance(60 * SECOND)
    bench.mark(470_000)
    assert bench.take(PlaceOrder) == []


def test_a_child_that_risk_never_answers_is_given_up_and_sent_again(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.tell(MarkPrice(BTC, bench.now_ns, 480_000, 480_000))
    assert len(bench.take(ChildIntent)) == 1  # lost
    bench.advance(9 * SECOND)
    assert bench.take(PlaceOrder) == []
    bench.advance(3 * SECOND)
    assert bench.only().contracts == 10


@pytest.mark.parametrize("state", [FeedState.LATE, FeedState.FROZEN, FeedState.SILENT])
def test_stale_prices_fire_nothing_and_page(bench: ParentBench, state: FeedState) -> None:
    bench.long()
    bench.launch(STOP)
    bench.feed(state)
    assert [(alert.name, alert.severity.value) for alert in bench.alerts] == [("StopBlind", "page")]
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []
    bench.feed(FeedState.LIVE)
    assert [resolved.name for resolved in bench.resolved] == ["StopBlind"]
    bench.mark(480_000)
    assert len(bench.take(PlaceOrder)) == 1


def test_an_old_price_fires_nothing(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.mark(480_000, bench.now_ns - 5 * SECOND - MS)
    assert bench.take(PlaceOrder) == []


def test_a_stop_that_never_sees_a_price_pages(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.advance(9 * SECOND)
    assert bench.alerts == []
    bench.advance(2 * SECOND)
    assert [alert.name for alert in bench.alerts] == ["StopBlind"]
    bench.mark(500_000)
    assert [resolved.name for resolved in bench.resolved] == ["StopBlind"]


def test_a_stop_that_begins_while_its_feed_is_stale_pages(bench: ParentBench) -> None:
    bench.long()
    bench.launch(TakeProfit(600_000))
    bench.mark(500_000)
    bench.advance(20 * SECOND)
    bench.feed(FeedState.SILENT)
    bench.launch(STOP)
    bench.advance(9 * SECOND)
    assert bench.alerts == []
    bench.advance(2 * SECOND)
    assert [alert.name for alert in bench.alerts] == ["StopBlind"]


def test_nobody_is_blind_any_more_when_the_position_is_closed(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.feed(FeedState.SILENT)
    bench.flatten()
    assert bench.resolved == []
    placed = bench.only()
    bench.accept(placed.client_order_id)
    bench.sold(placed, placed.contracts)
    assert "StopBlind" in [resolved.name for resolved in bench.resolved]


def test_a_cancel_of_everything_leaves_the_stop_and_withdraws_the_resting_target(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    target = bench.launch(TakeProfit(510_000, rests=True))
    resting = bench.only()
    bench.accept(resting.client_order_id)
    bench.cancel()
    assert [m.client_order_id for m in bench.take(CancelOrder)] == [resting.client_order_id]
    bench.canceled(resting.client_order_id)
    assert bench.take(PlaceOrder) == []  # it does not come back, it is watched
    assert {bench.parent(stop).state.value, bench.parent(target).state.value} == {"waiting"}
    bench.mark(480_000)
    assert bench.only().contracts == 10


def test_a_cancel_of_everything_ends_a_stop_that_would_open(bench: ParentBench) -> None:
    stop = bench.launch(Stop(510_000), Side.BUY, reduce_only=False)
    bench.cancel()
    assert bench.parent(stop).state.value == "canceled"


def test_a_flatten_closes_what_the_stop_watched_and_ends_it(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP)
    bench.flatten(BTC)
    closing = bench.only()
    bench.mark(480_000)
    assert bench.take(PlaceOrder) == []  # the closing is under way
    bench.sold(closing)
    assert bench.parent(stop).state.value == "done"


def test_a_stop_that_opens_waits_until_the_books_agree(bench: ParentBench) -> None:
    bench.launch(Stop(510_000), Side.BUY, reduce_only=False)
    bench.restart()
    bench.mark(510_000)
    assert bench.take(PlaceOrder) == []
    bench.agree()
    placed = bench.only()
    assert not placed.reduce_only


def test_a_denied_stop_that_opens_fails_and_tells(bench: ParentBench) -> None:
    stop = bench.launch(Stop(510_000), Side.BUY, reduce_only=False)
    bench.allows = False
    bench.mark(510_000)
    assert bench.parent(stop).state.value == "failed"
    assert [alert.name for alert in bench.alerts] == ["ParentFailed"]


def over(bench: ParentBench, parent_id: str) -> int:
    """Return how often the loss of an order was said to be over."""
    return sum(1 for one in bench.resolved if (one.name, one.key) == ("ParentFailed", parent_id))


def test_the_loss_of_a_target_is_over_when_its_parent_ends(bench: ParentBench) -> None:
    bench.long()
    bench.allows = False
    target = bench.launch(TakeProfit(510_000, rests=True))
    bench.allows = True
    bench.restart()
    bench.agree()
    bench.mark(510_000)
    assert over(bench, target) == 0
    bench.sold(bench.only())
    assert over(bench, target) == 1


def test_a_parent_that_failed_is_told_of_until_a_person_has_seen_to_it(bench: ParentBench) -> None:
    bench.allows = False
    failed = bench.launch(Stop(490_000), reduce_only=False)
    bench.mark(490_000)
    assert bench.parent(failed).state.value == "failed"
    bench.restart()
    assert over(bench, failed) == 0
    bench.tell(CancelScope("", "", "", failed, "ada", "seen"))
    assert over(bench, failed) == 1
    assert [event.actor for event in bench.events if isinstance(event, ScopeCanceled)] == ["ada"]
    assert [parent.parent_id for parent in bench.replies[-1].parents] == [failed]


def test_the_same_parent_twice_is_run_once(bench: ParentBench) -> None:
    bench.long()
    stop = bench.launch(STOP, intent_id=f"{TREND}#1.2000")
    bench.launch(STOP, intent_id=stop)
    bench.mark(480_000)
    assert len(bench.take(PlaceOrder)) == 1


def test_a_position_larger_than_one_order_is_closed_in_several() -> None:
    bench = ParentBench(instruments=CATALOG)
    most = CATALOG[BTC].contracts_max_market
    bench.long(2 * most + 5)
    bench.launch(STOP, contracts=2 * most + 5)
    bench.mark(480_000)
    assert [m.contracts for m in bench.take(PlaceOrder)] == [most, most, 5]


def test_blindness_that_a_restart_forgot_is_over_or_told_again(bench: ParentBench) -> None:
    bench.long()
    bench.launch(STOP)
    bench.feed(FeedState.SILENT)
    bench.alerts.clear()
    bench.restart()
    assert [resolved.name for resolved in bench.resolved] == ["StopBlind"]
    bench.advance(12 * SECOND)
    assert [alert.name for alert in bench.alerts] == ["StopBlind"], "the feed is silent still"

"""The synthetic feed: what it publishes, how it goes on after a restart, and how drills disturb it."""

from itertools import pairwise

import pytest

from actors.domain.bars import BarBuilder
from actors.feed.price_path import SESSION_NS
from actors.feed.settings import SyntheticSettings
from actors.feed.synthetic import SETTLEMENTS_MISSED_MAX
from actors.feed.synthetic_market import SyntheticMarket
from actors.messages.control import Acknowledged, DelayFeed, FreezeFeed, MuteFeed
from actors.messages.market import (
    BookDepth,
    FeedState,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    Trade,
)
from actors.runtime.testing import Bench
from tests.unit.feed.feeds_on_bench import (
    BTC,
    DAY,
    ETH,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    encoded,
    instrument,
    synthetic,
)


def test_the_market_starts_at_the_reference_price_and_speaks_at_once() -> None:
    bench = synthetic()
    (quote,) = bench.take(Quote)
    assert abs((quote.bid_ticks + quote.ask_ticks) / 2 - 600_000) <= 1
    assert quote.at_ns == NOON
    assert bench.take(BookDepth)
    assert bench.take(MarkPrice)
    assert bench.take(FundingRate)
    assert [status.state for status in bench.take(FeedStatus)] == [FeedState.LIVE]


def test_a_start_price_beats_the_reference_price() -> None:
    (quote,) = synthetic(start_price=1_234_500_000_000).take(Quote)
    assert abs((quote.bid_ticks + quote.ask_ticks) / 2 - 123_450) <= 1


def test_a_symbol_without_any_price_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="set start_price"):
        SyntheticMarket(SyntheticSettings(), BTC, instrument(reference_ticks=0))


@pytest.mark.parametrize("tick", [SECOND // 3, 3 * SECOND // 2, 7 * SECOND])
def test_a_tick_that_does_not_fit_into_a_minute_is_refused(tick: int) -> None:
    with pytest.raises(ValueError, match="must divide 1s"):
        SyntheticSettings(tick=tick)


def test_each_message_keeps_its_cadence() -> None:
    bench = synthetic()
    bench.advance(10 * MINUTE)
    quotes = bench.take(Quote)
    assert len(quotes) == 6_001
    assert {after.at_ns - before.at_ns for before, after in pairwise(quotes)} == {SECOND // 10}
    assert len(bench.take(BookDepth)) == 1_201
    assert len(bench.take(MarkPrice)) == 601
    assert len(bench.take(FundingRate)) == 11
    assert 600 < len(bench.take(Trade)) < 6_000


def test_everything_that_leaves_is_whole_and_in_order() -> None:
    bench = synthetic(seed=3)
    bench.advance(20 * MINUTE)
    quotes = {quote.at_ns: quote for quote in bench.take(Quote)}
    for quote in quotes.values():
        assert 0 < quote.bid_ticks < quote.ask_ticks
        assert quote.bid_contracts > 0
        assert quote.ask_contracts > 0
    for book in bench.take(BookDepth):
        quote = quotes[book.at_ns]
        assert book.bids[0] == (quote.bid_ticks, quote.bid_contracts)
        assert book.asks[0] == (quote.ask_ticks, quote.ask_contracts)
        assert len(book.bids) == len(book.asks) == 10
        assert [price for price, _ in book.bids] == sorted({price for price, _ in book.bids}, reverse=True)
        assert [price for price, _ in book.asks] == sorted({price for price, _ in book.asks})
    trades = bench.take(Trade)
    assert len({trade.trade_id for trade in trades}) == len(trades)
    for trade in trades:
        quote = quotes[trade.at_ns]
        assert trade.price_ticks == (quote.ask_ticks if trade.side > 0 else quote.bid_ticks)
        assert trade.contracts > 0


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    runs = [synthetic(seed=seed) for seed in (5, 5, 6)]
    for bench in runs:
        bench.advance(5 * MINUTE)
    first, second, third = (encoded(bench.published) for bench in runs)
    assert first == second
    assert first != third


def test_a_second_start_goes_on_with_the_same_market() -> None:
    whole, broken = synthetic(tick=SECOND), synthetic(tick=SECOND)
    whole.advance(5 * HOUR)  # the anchor moves to the next session on the way
    broken.advance(5 * HOUR - MINUTE)
    broken.restart()
    broken.advance(MINUTE)
    assert whole.take(Quote)[-60:] == broken.take(Quote)[-60:]
    assert whole.take(Trade)[-30:] == broken.take(Trade)[-30:]


def test_the_anchor_moves_with_the_market_so_that_a_restart_has_little_to_catch_up() -> None:
    bench = synthetic(tick=MINUTE)
    bench.advance(DAY)
    bench.restart(start=False)
    assert bench.behaviour.state.session == bench.now_ns // SESSION_NS


def test_the_market_moved_on_while_the_node_was_down() -> None:
    whole, broken = synthetic(tick=SECOND), synthetic(tick=SECOND)
    whole.advance(6 * HOUR)
    broken.advance(HOUR)
    broken.now_ns += 5 * HOUR
    broken.restart()
    assert broken.take(Quote)[-1] == whole.take(Quote)[-1]


def test_after_a_month_asleep_the_price_starts_where_it_stopped() -> None:
    bench = synthetic(tick=SECOND)
    bench.advance(HOUR)
    before = bench.take(Quote)[-1].bid_ticks
    bench.now_ns += 40 * DAY
    bench.restart()
    assert abs(bench.take(Quote)[-1].bid_ticks / before - 1) < 0.05


def test_funding_is_settled_three_times_a_day_at_the_rate_announced_before() -> None:
    bench = synthetic(tick=SECOND)
    bench.advance(DAY)
    settled = bench.take(FundingSettled)
    assert [(item.at_ns - NOON) // HOUR for item in settled] == [4, 12, 20]
    assert all(item.at_ns % (8 * HOUR) == 0 and item.mark_ticks > 0 for item in settled)
    rates = bench.take(FundingRate)
    assert {rate.next_at_ns for rate in rates if rate.at_ns < NOON + 4 * HOUR} == {NOON + 4 * HOUR}
    assert all(abs(rate.rate_e8) <= 300_000 for rate in rates)
    for item in settled:
        announced = max((r for r in rates if r.at_ns < item.at_ns), key=lambda rate: rate.at_ns)
        assert abs(announced.rate_e8 - item.rate_e8) < 5_000


def test_settlements_missed_while_down_are_told_once_each() -> None:
    bench = synthetic(tick=SECOND)
    bench.advance(5 * HOUR)
    bench.take(FundingSettled)
    bench.now_ns += 2 * DAY
    bench.restart()
    assert len(bench.take(FundingSettled)) == 6
    bench.restart()
    assert bench.take(FundingSettled) == []
    bench.now_ns += 100 * DAY
    bench.restart()
    assert len(bench.take(FundingSettled)) == SETTLEMENTS_MISSED_MAX


def test_a_slow_loop_leaves_steps_out_and_never_shows_old_ones() -> None:
    steady, slow = synthetic(), synthetic()
    steady.advance(10 * SECOND)
    slow.now_ns += 10 * SECOND - SECOND // 10
    slow.advance(SECOND // 10)
    assert slow.take(Quote)[-1] == steady.take(Quote)[-1]


def ask(bench: Bench, interval_ns: int, bars_count: int) -> History:
    bench.tell(HistoryRequest(BTC, interval_ns, bars_count), sender="trend/BTC_USDT_PERP")
    (history,) = bench.take(History)
    return history


def test_history_ends_at_the_last_full_bar_and_joins_the_present_price() -> None:
    bench = synthetic()
    bench.advance(90 * SECOND)
    quote = bench.take(Quote)[-1]
    history = ask(bench, MINUTE, 200)
    assert len(history.bars) == 200
    assert history.bars[-1].at_ns == NOON + MINUTE
    assert [bar.at_ns - MINUTE for bar in history.bars[1:]] == [bar.at_ns for bar in history.bars[:-1]]
    assert [bar.open_ticks for bar in history.bars[1:]] == [bar.close_ticks for bar in history.bars[:-1]]
    assert abs(quote.bid_ticks / history.bars[-1].close_ticks - 1) < 0.01
    assert all(bar.low_ticks <= min(bar.open_ticks, bar.close_ticks) for bar in history.bars)
    assert all(bar.contracts > 0 and bar.trades_count > 0 for bar in history.bars)


def test_history_tells_what_was_seen_live() -> None:
    bench = synthetic()
    bench.advance(30 * MINUTE)
    builder, live = BarBuilder(MINUTE), {}
    for trade in bench.take(Trade):
        live |= {bar.at_ns: bar for bar in builder.add_trade(trade.at_ns, trade.price_ticks, trade.contracts)}
    past = {bar.at_ns: bar for bar in ask(bench, MINUTE, 25).bars}
    assert len(past) == 25
    for at_ns in sorted(set(past) & set(live)):
        assert abs(past[at_ns].close_ticks / live[at_ns].close_ticks - 1) < 0.001
        assert abs(past[at_ns].high_ticks / live[at_ns].high_ticks - 1) < 0.001


@pytest.mark.parametrize(
    ("interval", "count"), [(5 * SECOND, 100), (5 * MINUTE, 300), (HOUR, 50), (DAY, 200)]
)
def test_coarse_and_fine_history_agree_where_they_meet(interval: int, count: int) -> None:
    bench = synthetic(tick=SECOND)
    bench.advance(30 * MINUTE)
    bars = ask(bench, interval, count).bars
    closes = {bar.at_ns: bar.close_ticks for bar in ask(bench, MINUTE, 900).bars}
    meeting = [bar for bar in bars if bar.at_ns in closes]
    assert meeting
    assert all(bar.close_ticks == closes[bar.at_ns] for bar in meeting)
    assert len(bars) <= count


def test_a_request_that_cannot_be_met_gets_no_bars_and_a_word_in_the_log() -> None:
    bench = synthetic()
    assert ask(bench, 7 * SECOND, 10).bars == ()
    assert [event for event, _ in bench.logs] == ["history_refused"]
    assert ask(bench, MINUTE, 0).bars == ()
    bench.tell(HistoryRequest(ETH, MINUTE, 10), sender="trend/ETH_USDT_PERP")
    assert bench.take(History) == []


def test_whoever_warms_up_also_learns_the_state_of_the_feed() -> None:
    bench = synthetic()
    bench.published.clear()
    ask(bench, MINUTE, 5)
    assert [(status.state, status.since_ns) for status in bench.take(FeedStatus)] == [(FeedState.LIVE, NOON)]


def states(bench: Bench) -> list[tuple[FeedState, int]]:
    """Return the changes of state with the seconds since noon."""
    return [(status.state, (status.at_ns - NOON) // SECOND) for status in bench.take(FeedStatus)]


def test_a_muted_feed_becomes_silent_and_comes_back_by_itself() -> None:
    bench = synthetic()
    bench.tell(MuteFeed(BTC, 30 * SECOND))
    assert [type(reply) for reply in bench.replies] == [Acknowledged]
    bench.published.clear()
    bench.advance(29 * SECOND)
    assert bench.take(Quote) == []
    bench.advance(31 * SECOND)
    assert states(bench) == [(FeedState.SILENT, 10), (FeedState.LIVE, 30)]
    assert [alert.name for alert in bench.alerts] == ["FeedStale"]


def test_a_frozen_feed_repeats_one_price_without_trading() -> None:
    bench = synthetic()
    bench.advance(SECOND)
    bench.tell(FreezeFeed(BTC, 100 * SECOND))
    bench.published.clear()
    bench.advance(99 * SECOND)
    assert len({(quote.bid_ticks, quote.ask_ticks) for quote in bench.take(Quote)}) == 1
    assert len({mark.mark_ticks for mark in bench.take(MarkPrice)}) == 1
    assert bench.take(Trade) == []
    bench.advance(10 * SECOND)
    assert states(bench) == [(FeedState.FROZEN, 61), (FeedState.LIVE, 101)]


def test_a_delayed_feed_falls_behind_becomes_late_and_never_shows_a_step_twice() -> None:
    bench = synthetic()
    bench.tell(DelayFeed(BTC, 20 * SECOND, 60 * SECOND))
    bench.published.clear()
    bench.advance(59 * SECOND)
    quotes = bench.take(Quote)
    times = [quote.at_ns for quote in quotes]
    assert times == sorted(set(times))
    assert NOON + 59 * SECOND - times[-1] == 20 * SECOND
    trades = bench.take(Trade)
    assert len({trade.trade_id for trade in trades}) == len(trades)
    bench.advance(10 * SECOND)
    assert states(bench) == [(FeedState.LATE, 10), (FeedState.LIVE, 60)]


def test_a_fault_of_no_duration_ends_the_one_that_is_on() -> None:
    bench = synthetic()
    bench.tell(MuteFeed(BTC, HOUR))
    bench.advance(20 * SECOND)
    bench.tell(MuteFeed(BTC, 0))
    bench.advance(SECOND)
    assert states(bench)[-1] == (FeedState.LIVE, 20)


def test_a_fault_for_another_symbol_is_none_of_its_business() -> None:
    bench = synthetic()
    bench.tell(MuteFeed(ETH, HOUR))
    bench.advance(SECOND)
    assert len(bench.take(Quote)) == 11
    assert bench.replies == []


def test_a_restart_heals_a_drill() -> None:
    bench = synthetic()
    bench.tell(MuteFeed(BTC, HOUR))
    bench.advance(20 * SECOND)
    bench.restart()
    assert states(bench)[-1] == (FeedState.LIVE, 20)


def test_operators_see_price_regime_and_fault() -> None:
    bench = synthetic()
    bench.tell(MuteFeed(BTC, HOUR))
    shown = bench.behaviour.describe()
    assert shown["fault"] == "mute"
    assert shown["regime_common"] in ("trend_up", "trend_down", "range", "storm")
    assert shown["bid_ticks"] < shown["ask_ticks"]

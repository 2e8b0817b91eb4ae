"""A live feed: what it tells, when it says that it is worth nothing, and what it knows of the past."""

from __future__ import annotations

import pytest

from actors.domain.orders import Side
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
from tests.unit.feed.poloniex.feed_bench import BTC, MINUTE, MS, SECOND, FeedBench


def states(bench: FeedBench) -> list[FeedState]:
    return [status.state for status in bench.take(FeedStatus)]


def test_it_subscribes_to_everything_about_its_symbol() -> None:
    bench = FeedBench()
    assert [frame["channel"][0] for frame in bench.sent_frames] == [
        "book_lv2",
        "mark_price",
        "index_price",
        "trades",
        "funding_rate",
    ]
    assert all(frame["symbols"] == [BTC] for frame in bench.sent_frames)


def test_a_quote_is_told_when_the_best_prices_change_and_only_then() -> None:
    bench = FeedBench()
    (quote,) = bench.take(Quote)
    assert (quote.bid_ticks, quote.bid_contracts, quote.ask_ticks, quote.ask_contracts) == (
        10_000,
        5,
        10_001,
        5,
    )
    bench.update(bids=[["99.99", "7"]])
    assert bench.take(Quote) == []
    bench.update(bids=[["100.00", "0"]])
    (quote,) = bench.take(Quote)
    assert (quote.bid_ticks, quote.bid_contracts) == (9_999, 7)


def test_books_are_told_no_more_often_than_wanted() -> None:
    bench = FeedBench(book_every=SECOND)
    bench.take(BookDepth)
    bench.update(bids=[["99.99", "7"]])
    assert bench.take(BookDepth) == []
    bench.run(SECOND)
    bench.update(bids=[["99.98", "8"]])
    (book,) = bench.take(BookDepth)
    assert book.bids == ((10_000, 5), (9_999, 7), (9_998, 8))


def test_trades_are_told_oldest_first_and_each_once() -> None:
    bench = FeedBench()
    rows = [
        {"s": BTC, "id": number, "px": "100.0", "qty": "2", "side": "sell", "cT": 5, "ts": 6}
        for number in (12, 11)
    ]
    bench.frame({"channel": "trades", "data": rows})
    bench.frame({"channel": "trades", "data": rows})
    trades = bench.take(Trade)
    assert [trade.trade_id for trade in trades] == ["11", "12"]
    assert (trades[0].price_ticks, trades[0].contracts, trades[0].side) == (10_000, 2, Side.SELL)


def test_the_mark_price_travels_with_the_index() -> None:
    bench = FeedBench()
    bench.mark_price("100.005")
    bench.frame({"channel": "index_price", "data": [{"s": BTC, "iPx": "99.99", "ts": 1}]})
    bench.mark_price("100.02")
    first, second = bench.take(MarkPrice)
    assert (first.mark_ticks, first.index_ticks) == (10_000, 10_000)
    assert (second.mark_ticks, second.index_ticks) == (10_002, 9_999)


def funding(bench: FeedBench, settled_ms: int) -> None:
    row = {
        "s": BTC,
        "ts": settled_ms,
        "fR": "0.0001",
        "fT": settled_ms,
        "nFR": "-0.0002",
        "nFT": settled_ms + 8,
    }
    bench.frame({"channel": "funding_rate", "data": [row]})


def test_a_funding_settlement_is_told_once_also_after_a_restart() -> None:
    bench = FeedBench()
    bench.mark_price()
    funding(bench, 1_000)
    (rate,) = bench.take(FundingRate)
    assert (rate.rate_e8, rate.next_at_ns) == (-20_000, 1_008 * MS)
    assert bench.take(FundingSettled) == []
    funding(bench, 2_000)
    (settled,) = bench.take(FundingSettled)
    assert (settled.rate_e8, settled.at_ns, settled.mark_ticks) == (10_000, 2_000 * MS, 10_000)
    bench.restart()
    bench.run()
    bench.mark_price()
    funding(bench, 2_000)
    assert bench.take(FundingSettled) == []
    funding(bench, 3_000)
    assert len(bench.take(FundingSettled)) == 1


def test_a_gap_brings_a_new_snapshot_and_nothing_is_told_until_it_is_there() -> None:
    bench = FeedBench()
    bench.take(Quote)
    bench.sent_frames.clear()
    bench.book_id += 5
    bench.update(bids=[["100.00", "9"]])
    assert [frame["event"] for frame in bench.sent_frames] == ["unsubscribe", "subscribe"]
    bench.update(bids=[["100.00", "8"]])
    assert bench.take(Quote) == []
    bench.snapshot("100.00", "100.02")
    assert bench.take(Quote)[0].ask_ticks == 10_002


def test_a_crossed_book_is_thrown_away() -> None:
    bench = FeedBench()
    bench.take(Quote)
    bench.update(bids=[["100.05", "9"]])
    assert bench.take(Quote) == []
    assert bench.feed.gaps_count == 1


def test_a_snapshot_that_does_not_come_costs_the_connection() -> None:
    bench = FeedBench()
    first = bench.sockets[-1]
    bench.book_id += 5
    bench.update()
    bench.run(8 * SECOND)
    assert bench.sockets
    assert bench.sockets[-1] != first


def test_a_price_off_the_grid_is_not_rounded_into_the_book() -> None:
    bench = FeedBench()
    bench.take(Quote)
    bench.update(bids=[["100.005", "9"]])
    assert bench.take(Quote) == []
    assert bench.alert_names()[0] == "FeedUnreadable"


def test_silence_and_recovery_are_told() -> None:
    bench = FeedBench()
    bench.run(SECOND, books=True)
    assert states(bench) == [FeedState.LIVE]
    bench.run(12 * SECOND)
    assert states(bench) == [FeedState.SILENT]
    assert "FeedStale" in bench.alert_names()
    bench.run(3 * SECOND)
    bench.snapshot()
    bench.run(SECOND, books=True)
    assert states(bench) == [FeedState.LIVE]


def test_a_venue_that_cannot_be_reached_is_told_in_plain_words_and_tried_again() -> None:
    bench = FeedBench(up=False)
    bench.line_is_up = False
    bench.run(20 * SECOND)
    (alert,) = [alert for alert in bench.alerts if alert.name == "FeedUnreachable"]
    assert "wss://ws.poloniex.com/ws/v3/public cannot be reached" in alert.summary
    assert "no such name" in alert.summary
    assert 4 <= bench.feed.session.stats.connects <= 40, "pauses grow"
    bench.line_is_up = True
    bench.run(40 * SECOND)
    assert "FeedUnreachable" in [alert.name for alert in bench.resolved]


def test_a_429_slows_a_feed_down_and_survives_a_restart() -> None:
    bench = FeedBench(cross_check_every=5 * SECOND)
    bench.rest_code = 429
    bench.run(6 * SECOND, books=True)
    assert "VenueRateLimited" in bench.alert_names()
    assert {a.ends_after_ns for a in bench.alerts if a.name == "VenueRateLimited"} == {300 * SECOND}
    slowed = {name: pace.slowed for name, pace in bench.feed.state.paces.items()}
    assert max(slowed.values()) > 1
    bench.restart()
    assert {name: pace.slowed for name, pace in bench.feed.line.budget.paces.items()} == slowed


def test_one_silent_channel_among_living_ones_is_subscribed_to_again() -> None:
    bench = FeedBench()
    bench.sent_frames.clear()
    for _ in range(12):
        bench.run(SECOND)
        bench.mark_price()
    again = [frame["channel"] for frame in bench.sent_frames if frame["event"] == "subscribe"]
    assert again[0] == ["book_lv2"]


def test_a_stream_that_contradicts_rest_for_long_is_lying() -> None:
    bench = FeedBench(cross_check_every=5 * SECOND, cross_check_strikes=3)
    bench.run(12 * SECOND, books=True)
    assert states(bench) == [FeedState.LIVE]
    bench.bid, bench.ask = "101.00", "101.01"
    bench.run(9 * SECOND, books=True)
    assert "FeedLying" not in bench.alert_names()
    bench.run(9 * SECOND, books=True)
    assert "FeedLying" in bench.alert_names()
    assert states(bench) == [FeedState.FROZEN]
    bench.run(9 * SECOND, books=True)
    assert states(bench) == []
    bench.bid, bench.ask = "100.00", "100.01"
    bench.run(6 * SECOND, books=True)
    assert states(bench) == [FeedState.LIVE]
    assert [alert.name for alert in bench.resolved].count("FeedLying") == 2, "once at the start, once now"


def test_a_lie_that_a_restart_forgot_is_over_when_both_agree_and_not_before() -> None:
    bench = FeedBench(cross_check_every=5 * SECOND, cross_check_strikes=3)
    bench.bid, bench.ask = "101.00", "101.01"
    bench.run(12 * SECOND, books=True)
    lied = [alert.name for alert in bench.resolved]
    assert "FeedLying" not in lied, "nothing has agreed yet"
    bench.bid, bench.ask = "100.00", "100.01"
    bench.run(12 * SECOND, books=True)
    assert "FeedLying" in [alert.name for alert in bench.resolved]


def test_what_cannot_be_read_is_told_now_and_then_and_over_after_an_hour_without() -> None:
    bench = FeedBench()
    for _ in range(3):
        bench.frame(b"{")
    told = [alert for alert in bench.alerts if alert.name == "FeedUnreadable"]
    assert [alert.ends_after_ns for alert in told] == [3_600 * SECOND]
    bench.now_ns += 600 * SECOND
    bench.frame(b"{")
    assert bench.alert_names().count("FeedUnreadable") == 2


def test_a_lying_feed_is_not_live_again_because_it_was_silent_in_between() -> None:
    bench = FeedBench(cross_check_every=5 * SECOND)
    bench.bid, bench.ask = "101.00", "101.01"
    bench.run(25 * SECOND, books=True)
    bench.take(FeedStatus)
    bench.run(11 * SECOND)
    bench.run(2 * SECOND)
    bench.snapshot()
    bench.run(2 * SECOND, books=True)
    assert FeedState.LIVE not in states(bench)


def test_a_mark_price_that_contradicts_rest_is_lying_too() -> None:
    bench = FeedBench(cross_check_every=5 * SECOND)
    bench.mark = "105"
    bench.run(25 * SECOND, books=True)
    assert "FeedLying" in bench.alert_names()


@pytest.mark.parametrize("answers", [True, False])
def test_a_market_that_moves_and_a_rest_side_that_is_down_are_no_lies(answers: bool) -> None:
    bench = FeedBench(cross_check_every=2 * SECOND)
    bench.rest_answers = answers
    price = 10_000
    for _ in range(60):
        price += 10
        bid, ask = f"{price / 100:.2f}", f"{(price + 1) / 100:.2f}"
        bench.bid, bench.ask = f"{(price - 10) / 100:.2f}", f"{(price - 9) / 100:.2f}"
        bench.snapshot(bid, ask)
        bench.mark_price(bench.mark)
        bench.run(500 * MS)
    assert "FeedLying" not in bench.alert_names()


def test_rubbish_is_counted_told_once_and_changes_nothing() -> None:
    bench = FeedBench()
    for raw in (b"", b"{", b"[]", b'{"channel":"trades","data":[{"s":1}]}', b"\xff"):
        bench.frame(raw)
    assert bench.feed.surprises_count == 5
    assert bench.alert_names()[0] == "FeedUnreadable"
    bench.update(bids=[["100.00", "6"]])
    assert bench.take(Quote)[-1].bid_contracts == 6


def test_frames_of_an_old_socket_are_ignored_and_it_is_closed() -> None:
    bench = FeedBench()
    old = bench.sockets[-1]
    bench.restart()
    bench.run()
    assert old in bench.sockets
    bench.sockets.append(old)
    bench.update()
    assert bench.sockets.count(old) == 1


# -- the past


def candle(start_ns: int, interval_ns: int, price: int) -> list[str]:
    text = f"{price}.00"
    start_ms = start_ns // MS
    end_ms = start_ms + interval_ns // MS - 1
    return [text, f"{price + 1}.00", text, text, "1", "3", "2", str(start_ms), str(end_ms)]


def history(bench: FeedBench, interval_ns: int, count: int) -> History:
    bench.tell(HistoryRequest(BTC, interval_ns, count), sender="trend/BTC_USDT_PERP")
    bench.run(40 * SECOND)
    (found,) = bench.take(History)
    return found


def fill_candles(bench: FeedBench, interval_ns: int, count: int) -> None:
    now_ns = bench.now_ns - bench.now_ns % interval_ns
    bench.candles = [
        candle(now_ns - back * interval_ns, interval_ns, 100 + back) for back in range(count, -1, -1)
    ]


def test_closed_bars_are_answered_oldest_first() -> None:
    bench = FeedBench()
    fill_candles(bench, MINUTE, 30)
    began_ns = bench.now_ns
    found = history(bench, MINUTE, 10)
    assert len(found.bars) == 10
    assert found.bars[-1].at_ns == began_ns - began_ns % MINUTE
    assert [bar.at_ns - found.bars[0].at_ns for bar in found.bars] == [i * MINUTE for i in range(10)]
    newest = found.bars[-1]
    assert (newest.open_ticks, newest.high_ticks, newest.contracts, newest.trades_count) == (
        10_100,
        10_200,
        3,
        2,
    )


def test_long_histories_are_read_page_by_page() -> None:
    bench = FeedBench()
    fill_candles(bench, MINUTE, 2_000)
    assert len(history(bench, MINUTE, 1_200).bars) == 1_200
    assert len([path for path, _ in bench.asked if path.endswith("candles")]) == 3


def test_an_interval_the_venue_does_not_know_is_built_from_a_shorter_one() -> None:
    bench = FeedBench()
    fill_candles(bench, 5 * MINUTE, 40)
    bars = history(bench, 10 * MINUTE, 5).bars
    assert {query["interval"] for path, query in bench.asked if path.endswith("candles")} == {"MINUTE_5"}
    assert len(bars) == 5
    assert all(bar.contracts == 6 and bar.at_ns % (10 * MINUTE) == 0 for bar in bars)


@pytest.mark.parametrize("interval_ns", [15 * SECOND, 7 * SECOND, 0])
def test_intervals_that_cannot_be_built_get_an_empty_answer(interval_ns: int) -> None:
    found = history(FeedBench(), interval_ns, 10)
    assert (found.bars, found.is_known) == ((), True)


def test_of_a_rest_side_that_is_down_it_says_in_the_end_that_nobody_knows() -> None:
    bench = FeedBench()
    bench.rest_answers = False
    found = history(bench, MINUTE, 10)
    assert (found.bars, found.is_known) == ((), False)
    assert len([path for path, _ in bench.asked if path.endswith("candles")]) == 6


def test_candles_that_cannot_be_true_are_not_passed_on() -> None:
    bench = FeedBench()
    fill_candles(bench, MINUTE, 30)
    bench.candles[20][1] = "1.00"  # high below low
    found = history(bench, MINUTE, 15)
    assert (found.bars, found.is_known) == ((), False)
    assert bench.alert_names()[0] == "FeedUnreadable"


def test_a_venue_whose_prices_of_reference_stand_still_makes_the_feed_frozen_until_they_move() -> None:
    bench = FeedBench(references_frozen_after=20 * SECOND)
    for second in range(30):
        bench.mark_price("100.00")
        bench.update(bids=[[f"99.{90 - second:02}", "1"]])
        bench.run()
        frozen = [alert for alert in bench.alerts if alert.name == "FeedStale"]
        assert bool(frozen) is (second >= 20), second
    assert "mark and index price have not moved" in frozen[0].summary
    bench.mark_price("100.01")
    bench.run()
    assert bench.resolved[-1].name == "FeedStale"

"""The replay feed: checked first, played at its pace on its clock, resumed where it belongs, ended aloud."""

import weakref
from itertools import pairwise
from pathlib import Path

import pytest

from actors.domain.bars import SECOND_NS
from actors.domain.orders import Side
from actors.feed.files import CHUNK_ROWS, DataError
from actors.feed.playback import BATCH_STEPS
from actors.feed.replay_clock import ReplayClock
from actors.feed.settings import ReplaySettings
from actors.messages.market import (
    Bar,
    FeedState,
    FeedStatus,
    FundingRate,
    FundingSettled,
    History,
    HistoryRequest,
    MarkPrice,
    Quote,
    ReplayFinished,
    Trade,
)
from actors.runtime.messages import Message
from actors.runtime.testing import Bench
from tests.unit.feed.feeds_on_bench import BTC, DAY, HOUR, MINUTE, NOON, SECOND, encoded, fire, replay

MS = NOON // 1_000_000
MINUTES = 10


def write_candles(directory: Path, count: int = MINUTES) -> str:
    rows = (
        f"{MS + i * 60_000},{100 + i},{110 + i},{90 + i},{105 + i},{0.008 * (i + 1)}" for i in range(count)
    )
    (directory / "candles.csv").write_text("\n".join(["ts_ms,open,high,low,close,volume", *rows]))
    return "candles.csv"


def write_trades(directory: Path, times: list[int], name: str = "trades.csv") -> str:
    rows = (f"{MS + at},{100 + i % 7},0.01,{'buy' if i % 2 else 'sell'}" for i, at in enumerate(times))
    (directory / name).write_text("\n".join(["ts_ms,price,qty,side", *rows]))
    return name


def write_funding(directory: Path, *hours: int) -> str:
    rows = (f"{MS + hour * 3_600_000 + 31},{0.0001 * hour}" for hour in hours)
    (directory / "funding.csv").write_text("\n".join(["ts_ms,rate", *rows]))
    return "funding.csv"


def play(bench: Bench, duration_ns: int = DAY) -> Bench:
    bench.advance(duration_ns)
    return bench


def market(bench: Bench) -> list[Message]:
    return [m for m in bench.published if not isinstance(m, FeedStatus | ReplayFinished)]


def test_nothing_leaves_before_the_whole_file_is_found_good(tmp_path: Path) -> None:
    times = list(range(2 * CHUNK_ROWS))
    path = write_trades(tmp_path, times)
    with (tmp_path / path).open("a") as file:
        file.write("\n1,1,1,buy")
    bench = replay(tmp_path, path)
    with pytest.raises(DataError, match=f"row {2 * CHUNK_ROWS + 1}"):
        bench.advance(DAY)
    assert bench.published == []
    assert not bench.is_ready


def test_later_phases_start_when_the_file_is_checked(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path))
    assert not bench.is_ready
    bench.advance(0)
    assert bench.is_ready
    assert [event for event, _ in bench.logs] == ["replay_checked"]


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        replay(tmp_path, "absent.csv")


def test_a_backtest_plays_each_row_at_its_own_time(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path), now_ns=NOON - HOUR)
    bench.advance(HOUR - 1)
    assert bench.published == []
    for minute in range(MINUTES):
        bench.advance(1 if not minute else MINUTE)
        assert bench.take(Trade)[-1].at_ns == bench.now_ns == NOON + minute * MINUTE
        assert len(bench.take(Bar)) == min(minute, 1)
    bench.advance(MINUTE)
    assert [bar.at_ns for bar in bench.take(Bar)] == [NOON + MINUTES * MINUTE]


def test_a_candle_becomes_prints_touches_marks_and_a_bar(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_candles(tmp_path, 2)), MINUTE)
    trades = [t for t in bench.take(Trade) if t.at_ns < NOON + MINUTE]
    assert [(t.price_ticks, t.contracts, t.side) for t in trades] == [
        (1000, 2, Side.BUY),
        (900, 2, Side.SELL),
        (1100, 2, Side.BUY),
        (1050, 2, Side.SELL),
    ]
    assert len({trade.trade_id for trade in trades}) == 4
    quotes = bench.take(Quote)
    assert [(q.bid_ticks, q.ask_ticks) for q in quotes[:4]] == [
        (1000, 1001),
        (900, 1001),
        (1000, 1100),
        (1050, 1051),
    ]
    assert quotes[0].bid_contracts == 250_000  # 25,000 USDT at 0.1 USDT a contract
    assert [mark.mark_ticks for mark in bench.take(MarkPrice)[:4]] == [1000, 900, 1100, 1050]
    assert bench.take(Bar) == [Bar(BTC, NOON + MINUTE, MINUTE, 1000, 1100, 900, 1050, 8, 4)]


def test_the_bar_comes_before_the_open_of_the_next_candle(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_candles(tmp_path, 2)))
    names = [type(m).__name__ for m in market(bench) if m.at_ns == NOON + MINUTE]  # type: ignore[attr-defined]
    assert names == ["Bar", "CandleAhead", "Quote", "Trade", "MarkPrice"]


def test_trades_of_one_instant_come_in_order_and_in_bounded_batches(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_trades(tmp_path, [0] * (2 * BATCH_STEPS + 10)))
    trades = []
    while not bench.take(ReplayFinished):
        fire(bench)
        trades.append(bench.take(Trade))
    trades = [batch for batch in trades if batch]
    assert [len(batch) for batch in trades] == [BATCH_STEPS, BATCH_STEPS, 10]
    assert [t.price_ticks for t in trades[0][:8]] == [1000, 1010, 1020, 1030, 1040, 1050, 1060, 1000]


def test_marks_of_trades_keep_their_cadence(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_trades(tmp_path, list(range(0, 10_000, 50)))))
    assert len(bench.take(Trade)) == 200
    assert len(bench.take(MarkPrice)) == 10


def test_the_end_is_told_once_and_a_restart_tells_it_again(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_candles(tmp_path)))
    last_ns = NOON + (MINUTES - 1) * MINUTE
    assert bench.take(ReplayFinished) == [ReplayFinished(BTC, last_ns, MINUTES)]
    assert [status.state for status in bench.take(FeedStatus)] == [FeedState.LIVE, FeedState.SILENT]
    assert bench.alerts == []
    bench.published.clear()
    bench.restart()
    bench.advance(DAY)
    assert bench.take(ReplayFinished) == [ReplayFinished(BTC, last_ns, MINUTES)]
    assert market(bench) == []


def test_progress_is_logged_in_tenths_and_shown(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path, 20))
    bench.advance(4 * MINUTE)
    gauges = bench.behaviour.gauges()
    assert (gauges["replay_rows"], gauges["replay_progress_ratio"], gauges["live"]) == (4, 0.2, 1)
    assert bench.behaviour.describe()["progress_percent"] == 20
    bench.advance(DAY)
    assert [fields["percent"] for event, fields in bench.logs if event == "replay_progress"] == list(
        range(10, 101, 10)
    )


def test_a_virtual_clock_that_starts_later_leaves_out_what_was_before(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_candles(tmp_path), now_ns=NOON + 4 * MINUTE))
    assert bench.take(Trade)[0].at_ns == NOON + 4 * MINUTE
    assert bench.take(Bar)[0].at_ns == NOON + 4 * MINUTE


@pytest.mark.parametrize(
    "settings", [{"mode": "backtest"}, {"mode": "paper"}, {"mode": "paper", "speed": "60"}]
)
def test_a_restart_in_between_neither_repeats_nor_loses_anything(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    path = write_trades(tmp_path, list(range(0, 600_000, 700)))
    whole, broken = (replay(tmp_path, path, **settings) for _ in range(2))  # type: ignore[arg-type]
    whole.advance(11 * MINUTE)
    broken.advance(4 * SECOND + 1)
    broken.restart()
    broken.advance(11 * MINUTE - 4 * SECOND - 1)
    assert broken.take(Trade) == whole.take(Trade)
    assert broken.take(ReplayFinished) == whole.take(ReplayFinished)


def test_a_market_in_the_loops_clock_moves_on_while_the_node_is_down(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_trades(tmp_path, list(range(0, 600_000, 1_000))), mode="paper")
    bench.advance(MINUTE)
    bench.published.clear()
    bench.now_ns += 5 * MINUTE
    bench.restart()
    bench.advance(10 * SECOND)
    assert [(trade.at_ns - NOON) // SECOND for trade in bench.take(Trade)] == list(range(361, 371))


def test_an_unpaced_replay_goes_on_after_the_rows_that_are_done(tmp_path: Path) -> None:
    path = write_candles(tmp_path, 400)
    funding = write_funding(tmp_path, 1, 3, 5)
    whole, broken = (
        replay(tmp_path, path, "paper", NOON + DAY, speed="max", funding_path=funding) for _ in range(2)
    )
    whole.advance(0)
    while not market(broken):
        fire(broken)
    done = broken.behaviour.state.rows_done
    assert 0 < done < 400
    broken.published.clear()
    broken.restart()
    broken.advance(0)
    first = broken.take(Trade)[0]
    assert first.at_ns == NOON + done * MINUTE
    assert len(broken.take(FundingSettled)) == len(
        [m for m in whole.take(FundingSettled) if m.at_ns > first.at_ns]
    )
    assert broken.take(ReplayFinished)[0].rows_count == 400


def test_sixty_times_as_fast_makes_a_minute_a_second_in_the_loops_clock(tmp_path: Path) -> None:
    start = NOON + 10 * HOUR + SECOND // 3
    bench = replay(tmp_path, write_candles(tmp_path), "paper", start, speed="60")
    bench.advance(11 * SECOND)
    bars = bench.take(Bar)
    assert [bar.interval_ns for bar in bars] == [SECOND] * MINUTES
    first_ns = NOON + 10 * HOUR + SECOND  # the next whole second
    assert [bar.at_ns for bar in bars] == [first_ns + (i + 1) * SECOND for i in range(MINUTES)]
    trades = bench.take(Trade)
    assert trades[0].at_ns == first_ns
    assert [t.at_ns for t in trades] == sorted(t.at_ns for t in trades)
    assert bench.take(Quote)[-1].at_ns <= bench.now_ns


def test_the_files_own_time_may_be_kept_on_a_real_clock(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path), "paper", NOON + DAY, speed="60", clock="data")
    bench.advance(5 * SECOND)
    assert [bar.at_ns for bar in bench.take(Bar)] == [NOON + (i + 1) * MINUTE for i in range(5)]


def test_speed_max_takes_no_time_and_keeps_the_files_clock(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path, 1_000), "paper", NOON + DAY, speed="max")
    bench.advance(0)
    assert [bar.at_ns for bar in bench.take(Bar)] == [NOON + (i + 1) * MINUTE for i in range(1_000)]
    assert len(bench.take(ReplayFinished)) == 1


def test_a_speed_that_makes_bars_of_odd_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="take another speed"):
        replay(tmp_path, write_candles(tmp_path), mode="paper", speed="7")
    with pytest.raises(ValueError, match="speed max"):
        ReplaySettings(path="x.csv", speed="max", clock="loop")
    with pytest.raises(ValueError, match="interval: a bar of 7"):
        ReplaySettings(path="x.csv", interval=7 * SECOND)
    assert ReplayClock.of(ReplaySettings(path="x.csv", speed="7"), "backtest").interval_ns(MINUTE) == MINUTE


def test_a_pause_in_the_data_makes_the_feed_silent_and_its_end_live(tmp_path: Path) -> None:
    bench = play(replay(tmp_path, write_trades(tmp_path, [0, 1_000, 601_000, 602_000])))
    told = [(status.state, (status.at_ns - NOON) // SECOND) for status in bench.take(FeedStatus)]
    assert told == [
        (FeedState.LIVE, 0),
        (FeedState.SILENT, 121),
        (FeedState.LIVE, 601),
        (FeedState.SILENT, 602),  # the end
    ]
    assert [alert.name for alert in bench.alerts] == ["FeedStale"]


def test_candles_of_an_hour_are_no_silence(tmp_path: Path) -> None:
    rows = [f"{MS + i * 3_600_000},100,110,90,105,1" for i in range(30)]
    (tmp_path / "hours.csv").write_text("\n".join(["ts_ms,open,high,low,close,volume", *rows]))
    bench = play(replay(tmp_path, "hours.csv"), 2 * DAY)
    assert [status.state for status in bench.take(FeedStatus)] == [FeedState.LIVE, FeedState.SILENT]
    assert bench.alerts == []


def test_funding_is_settled_at_the_mark_before_and_announced_without_foresight(tmp_path: Path) -> None:
    path = write_candles(tmp_path, 200)
    bench = play(replay(tmp_path, path, funding_path=write_funding(tmp_path, -8, 1, 3, 9)))
    assert bench.take(FundingSettled) == [
        FundingSettled(BTC, NOON + HOUR, 10_000, 1050 + 590),
        FundingSettled(BTC, NOON + 3 * HOUR, 30_000, 1050 + 1790),
    ]
    assert bench.take(FundingRate) == [
        FundingRate(BTC, NOON + HOUR, 10_000, NOON + 3 * HOUR),
        FundingRate(BTC, NOON + 3 * HOUR, 30_000, NOON + 9 * HOUR),
    ]


def ask(bench: Bench, interval_ns: int, count: int) -> tuple[Bar, ...]:
    bench.tell(HistoryRequest(BTC, interval_ns, count), sender=f"trend/{BTC}")
    (history,) = bench.take(History)
    return history.bars


def test_history_is_what_was_played_so_far(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path, 100))
    assert ask(bench, MINUTE, 10) == ()
    bench.advance(42 * MINUTE)
    played = bench.take(Bar)
    assert ask(bench, MINUTE, 10) == tuple(played[-10:])
    fives = ask(bench, 5 * MINUTE, 3)
    assert [bar.at_ns for bar in fives] == [NOON + i * MINUTE for i in (30, 35, 40)]
    assert fives[-1].contracts == sum(bar.contracts for bar in played[35:40])
    assert ask(bench, SECOND, 10) == ()
    assert bench.logs[-1][0] == "history_refused"
    bench.restart()
    bench.advance(0)
    assert ask(bench, 5 * MINUTE, 3) == fives


@pytest.mark.parametrize(
    "settings", [{}, {"mode": "paper"}, {"mode": "paper", "speed": "60"}, {"mode": "paper", "speed": "max"}]
)
def test_a_warm_up_is_history_and_is_not_played(tmp_path: Path, settings: dict[str, str]) -> None:
    path = write_candles(tmp_path, 600)
    plain = replay(tmp_path, path, now_ns=NOON)
    plain.advance(DAY)
    bench = replay(tmp_path, path, warmup=5 * HOUR, **settings)  # type: ignore[arg-type]
    while not bench.is_ready:
        assert bench.published == []
        fire(bench)
    interval = SECOND if settings.get("speed") == "60" else MINUTE
    past = ask(bench, interval, 1_000)
    assert len(past) >= 299  # the bar that closes at the first played instant may be the first one told
    assert {after.at_ns - before.at_ns for before, after in pairwise(past)} == {interval}
    bench.advance(6 * HOUR)
    bars = past[:299] + tuple(bar for bar in bench.take(Bar) if bar.at_ns > past[298].at_ns)
    expected = plain.take(Bar)[: len(bars)]
    assert [bar.close_ticks for bar in bars] == [bar.close_ticks for bar in expected]
    assert {after.at_ns - before.at_ns for before, after in pairwise(bars)} == {interval}


def test_the_file_is_let_go_when_the_node_stops(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_candles(tmp_path))
    bench.advance(MINUTE)
    playback = weakref.ref(bench.behaviour._playback)  # type: ignore[attr-defined]
    bench.behaviour.stopping(bench)
    assert playback() is None
    bench.published.clear()
    bench.advance(DAY)
    assert bench.published == []


def test_history_leaves_out_a_first_bar_that_lacks_its_beginning(tmp_path: Path) -> None:
    rows = [f"{MS + i * 60_000},100,110,90,105,1" for i in range(2, 20)]
    (tmp_path / "late.csv").write_text("\n".join(["ts_ms,open,high,low,close,volume", *rows]))
    bench = play(replay(tmp_path, "late.csv"))
    assert [bar.at_ns for bar in ask(bench, 5 * MINUTE, 9)] == [NOON + i * MINUTE for i in (10, 15, 20)]


def test_history_of_trades_comes_in_minutes(tmp_path: Path) -> None:
    bench = replay(tmp_path, write_trades(tmp_path, list(range(0, 600_000, 700))))
    bench.advance(5 * MINUTE + SECOND)
    bars = ask(bench, MINUTE, 99)
    assert [bar.at_ns for bar in bars] == [NOON + (i + 1) * MINUTE for i in range(5)]
    assert all(bar.contracts and bar.interval_ns == 60 * SECOND_NS for bar in bars)


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write_candles(tmp_path, 50)
    runs = [play(replay(tmp_path, path)) for _ in range(2)]
    assert encoded(runs[0].published) == encoded(runs[1].published)


def test_a_file_ends_where_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    cut = play(replay(tmp_path / "cut", write_candles(tmp_path / "cut", 6)))
    ended = play(replay(tmp_path, write_candles(tmp_path), ends_at_ms=MS + 6 * 60_000))
    assert encoded(ended.published) == encoded(cut.published)
    assert isinstance(ended.published[-1], ReplayFinished)


def test_a_quote_that_still_stands_is_said_again(tmp_path: Path) -> None:
    """Or risk would take a market that rests for a minute for one that nobody hears of."""
    rows = (f"{MS + i * 60_000},100,100,100,100,0" for i in range(MINUTES))
    (tmp_path / "flat.csv").write_text("\n".join(["ts_ms,open,high,low,close,volume", *rows]))
    quotes = [m.at_ns for m in play(replay(tmp_path, "flat.csv")).published if isinstance(m, Quote)]
    assert max(after - before for before, after in pairwise(quotes)) <= 20 * SECOND

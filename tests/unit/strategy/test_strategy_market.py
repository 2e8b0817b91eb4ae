"""What a strategy is shown: each closed bar once and in order, from trades, from the feed, from history."""

from actors.messages.market import Bar, FeedState, History, HistoryRequest, Trade
from actors.messages.trading import CancelIntent
from actors.runtime.messages import Severity
from actors.strategy.actor import HISTORY_TRIES_MAX, HISTORY_WAIT_NS
from actors.strategy.protocol import Target
from tests.unit.strategy.conftest import Scripter
from tests.unit.strategy.strategy_bench import BTC, MINUTE, SECOND, START, StrategyBench, past_bars


def closes(bench: StrategyBench) -> list[int]:
    return bench.actor.state.memory.closes


def test_a_bar_of_trades_closes_with_the_first_trade_of_the_next(scripted: Scripter) -> None:
    bench = scripted(bar_grace=10 * SECOND)
    bench.minute(100, 110)
    assert closes(bench) == []
    bench.trade(120)
    assert closes(bench) == [110]


def test_a_bar_closes_by_time_although_nobody_trades(scripted: Scripter) -> None:
    bench = scripted()
    bench.minute(100, 110)
    assert closes(bench) == []
    bench.advance(250_000_000)  # the grace
    assert closes(bench) == [110]
    bench.advance(2 * MINUTE)
    assert closes(bench) == [110, 110, 110]


def test_time_runs_by_the_clock_of_the_source(scripted: Scripter) -> None:
    bench = scripted()
    bench.advance(30 * SECOND)
    bench.tell(Trade(BTC, START + 10 * SECOND, 100, 1, 1, "t"))  # twenty seconds behind our clock
    bench.advance(49 * SECOND)
    assert closes(bench) == []
    bench.advance(2 * SECOND)
    assert closes(bench) == [100]


def test_while_the_feed_is_stale_no_bar_closes_by_time(scripted: Scripter) -> None:
    bench = scripted()
    bench.trade(100)
    bench.status(FeedState.SILENT)
    bench.advance(10 * MINUTE)
    assert closes(bench) == []


def test_a_feed_that_is_live_again_is_asked_for_what_was_missed(scripted: Scripter) -> None:
    bench = scripted()
    bench.minute(100)
    bench.advance(SECOND)
    bench.status(FeedState.SILENT)
    bench.advance(3 * MINUTE - SECOND)
    bench.past = [
        Bar(BTC, START + n * MINUTE, MINUTE, 200 + n, 200 + n, 200 + n, 200 + n, 1, 1) for n in (1, 2, 3, 4)
    ]
    bench.status(FeedState.LIVE)
    bench.answer()
    assert closes(bench) == [100, 202, 203, 204]


def test_bars_of_the_feed_take_the_place_of_trades(scripted: Scripter) -> None:
    bench = scripted()
    bench.trade(100)
    bench.bar(105)
    bench.trade(300)
    bench.advance(MINUTE)
    bench.trade(301)
    bench.tell(Bar(BTC, bench.now_ns, MINUTE, 110, 110, 110, 110, 1, 1))
    bench.advance(2 * MINUTE)
    assert closes(bench) == [105, 110]


def test_smaller_bars_of_the_feed_add_up(scripted: Scripter) -> None:
    bench = scripted(bar=5 * MINUTE)
    for close in (1, 2, 3, 4, 5, 6):
        bench.bar(close)
    in_bar = 5 - START // MINUTE % 5  # minutes until the first bar of five ends
    assert closes(bench) == [in_bar]


def test_bars_that_do_not_divide_ours_are_left_alone(scripted: Scripter) -> None:
    bench = scripted(bar=5 * MINUTE)
    bench.bar(7, interval_ns=15 * MINUTE)
    bench.trade(9)
    bench.advance(6 * MINUTE)
    assert closes(bench) == [9]


def test_the_same_bar_is_shown_once(scripted: Scripter) -> None:
    bench = scripted()
    bench.bar(105)
    bench.tell(Bar(BTC, bench.now_ns, MINUTE, 1, 1, 1, 1, 1, 1))
    assert closes(bench) == [105]


def test_messages_of_another_symbol_are_not_for_us(scripted: Scripter) -> None:
    bench = scripted()
    bench.tell(Trade("ETH_USDT_PERP", bench.now_ns, 5, 1, 1, "t"))
    bench.tell(Bar("ETH_USDT_PERP", START + MINUTE, MINUTE, 5, 5, 5, 5, 1, 1))
    bench.tell(History("ETH_USDT_PERP", MINUTE, ()))
    bench.advance(2 * MINUTE)
    assert closes(bench) == []


def test_history_warms_up_and_its_newest_bar_is_decided_on(scripted: Scripter) -> None:
    bench = scripted({5: Target(3, "go")}, live=False, warmup=5)
    (request,) = bench.take(HistoryRequest)
    assert request == HistoryRequest(BTC, MINUTE, 15)
    bench.past = past_bars(5)
    bench.tell(History(BTC, MINUTE, tuple(bench.past)))  # type: ignore[arg-type]
    assert bench.decided == [("hold", "the feed is silent")]
    bench.status(FeedState.LIVE)
    bench.answer()
    assert bench.intent().contracts == 3


def test_after_the_warm_up_bars_close_by_time_before_anybody_has_traded(scripted: Scripter) -> None:
    bench = scripted(live=False)
    bench.past = past_bars(1, lambda _: 55)
    bench.live()
    bench.advance(2 * MINUTE + SECOND)
    assert closes(bench) == [55, 55, 55]


def test_an_open_bar_with_a_hole_in_it_gives_way_to_history(scripted: Scripter) -> None:
    bench = scripted()
    bench.minute(100)
    bench.trade(999)
    bench.now_ns = START + 4 * MINUTE
    bench.restart()
    bench.past = [Bar(BTC, START + n * MINUTE, MINUTE, n, n, n, n, 1, 1) for n in (1, 2, 3, 4)]
    bench.answer()
    bench.advance(SECOND)
    bench.trade(777)
    bench.advance(MINUTE)
    assert closes(bench) == [100, 2, 3, 4, 777]


def test_a_decision_on_an_old_bar_of_history_is_not_acted_on(scripted: Scripter) -> None:
    bench = scripted({5: Target(3, "go")}, live=False, warmup=5)
    bench.past = past_bars(5)
    bench.now_ns += MINUTE
    bench.live()
    assert bench.decided == []


def test_history_that_comes_late_goes_before_what_happened_meanwhile(scripted: Scripter) -> None:
    bench = scripted(live=False)
    bench.status(FeedState.LIVE)
    requests = bench.take(HistoryRequest)
    assert len(requests) == 2
    bench.trade(100)
    bench.now_ns += MINUTE
    bench.trade(200)
    assert closes(bench) == []
    bench.tell(History(BTC, MINUTE, tuple(past_bars(2, lambda n: 50 + n))))  # type: ignore[arg-type]
    assert closes(bench) == [50, 51, 100]


def test_a_hole_between_history_and_memory_starts_over(scripted: Scripter) -> None:
    bench = scripted()
    bench.minute(100)
    bench.advance(SECOND)
    assert closes(bench) == [100]
    bench.now_ns = START + 60 * MINUTE
    bench.restart()
    bench.past = [Bar(BTC, START + n * MINUTE, MINUTE, n, n, n, n, 1, 1) for n in (57, 58, 59, 60)]
    bench.answer()
    assert closes(bench) == [57, 58, 59, 60]
    assert bench.actor.state.bars_count == 4


def test_without_history_it_tells_and_warms_up_by_itself(scripted: Scripter) -> None:
    bench = scripted({2: Target(1, "go")}, live=False, warmup=2)
    bench.status(FeedState.LIVE)
    bench.advance(HISTORY_TRIES_MAX * HISTORY_WAIT_NS)
    assert [(a.name, a.severity) for a in bench.alerts] == [("WarmupMissing", Severity.TICKET)]
    bench.minute(100)
    bench.minute(100)
    bench.advance(SECOND)
    assert bench.intent().contracts == 1
    assert [r.name for r in bench.resolved] == ["WarmupMissing"], "it has seen enough of the market"


def test_an_answer_that_nobody_knows_is_none_and_it_tells(scripted: Scripter) -> None:
    bench = scripted(live=False, warmup=2)
    bench.status(FeedState.LIVE)
    bench.advance(HISTORY_WAIT_NS)
    bench.tell(History(BTC, MINUTE, (), is_known=False))
    bench.advance((HISTORY_TRIES_MAX - 1) * HISTORY_WAIT_NS)
    assert [alert.name for alert in bench.alerts] == ["WarmupMissing"]
    assert bench.resolved == []


def test_history_that_comes_at_last_resolves_the_alert(scripted: Scripter) -> None:
    bench = scripted(live=False)
    bench.advance(HISTORY_TRIES_MAX * HISTORY_WAIT_NS)
    bench.status(FeedState.LIVE)
    bench.answer()
    assert [r.name for r in bench.resolved] == ["WarmupMissing"]


def test_changed_settings_forget_the_market_but_not_the_position(scripted: Scripter) -> None:
    bench = scripted({1: Target(2, "go")})
    bench.bar(100)
    bench.fill(bench.intent())
    bench.settings = type(bench.settings)(contracts_max=7)
    bench.restart()
    assert closes(bench) == []
    assert bench.actor.state.net_contracts == 2


def test_changed_settings_take_back_what_rests_as_nobody_remembers_what_for(scripted: Scripter) -> None:
    bench = scripted({1: Target(2, "go")})
    bench.bar(100)
    resting = bench.intent()
    bench.restart()
    assert bench.take(CancelIntent) == [], "the same settings remember it"
    bench.settings = type(bench.settings)(contracts_max=7)
    bench.restart()
    assert [one.intent_id for one in bench.take(CancelIntent)] == [resting.intent_id]

"""Silence, lateness and frozen prices are told apart, and told once."""

from actors.feed.liveness import Liveness
from actors.feed.settings import FeedSettings
from actors.feed.subscription import Subscription
from actors.messages.market import FeedState, FeedStatus
from actors.runtime.behaviour import Behaviour
from actors.runtime.messages import Severity
from actors.runtime.testing import Bench
from tests.unit.feed.feeds_on_bench import BTC, NOON, SECOND


def watch(**changes: int) -> Liveness:
    fields = {"silent_after_ns": 10 * SECOND, "late_after_ns": 4 * SECOND, "frozen_after_ns": 30 * SECOND}
    return Liveness(NOON, **{**fields, **changes})


def hear(liveness: Liveness, after: int, lag: int = 0, price: int = 0) -> FeedState | None:
    """Hear a message `after` seconds from noon, dated `lag` seconds back, and judge at once."""
    at_ns = NOON + after * SECOND
    liveness.heard(at_ns, at_ns - lag * SECOND, price or 1_000 + after)
    liveness.check(at_ns)
    return liveness.state


def test_nothing_is_claimed_before_the_first_message_or_the_patience_ends() -> None:
    liveness = watch()
    assert not liveness.check(NOON + 10 * SECOND - 1)
    assert liveness.state is None
    assert liveness.check(NOON + 10 * SECOND)
    assert liveness.state is FeedState.SILENT


def test_messages_in_time_with_moving_prices_are_live() -> None:
    liveness = watch()
    assert all(hear(liveness, after) is FeedState.LIVE for after in range(100))
    assert liveness.since_ns == NOON


def test_a_feed_that_stops_becomes_silent_and_says_for_how_long() -> None:
    liveness = watch()
    hear(liveness, 5)
    assert not liveness.check(NOON + 15 * SECOND - 1)
    assert liveness.check(NOON + 15 * SECOND)
    assert (liveness.state, liveness.reason(NOON + 17 * SECOND)) == (
        FeedState.SILENT,
        "nothing heard for 12.0 s",
    )
    assert hear(liveness, 20) is FeedState.LIVE


def test_old_messages_make_a_feed_late_although_they_keep_coming() -> None:
    liveness = watch()
    assert hear(liveness, 1, lag=3) is FeedState.LIVE
    assert hear(liveness, 2, lag=4) is FeedState.LATE
    assert liveness.reason(NOON + 2 * SECOND) == "messages are 4.0 s behind"


def test_a_late_feed_recovers_only_when_half_of_the_gap_is_gone() -> None:
    liveness = watch()
    hear(liveness, 1, lag=5)
    assert hear(liveness, 2, lag=3) is FeedState.LATE
    assert hear(liveness, 3, lag=1) is FeedState.LIVE
    assert hear(liveness, 4, lag=3) is FeedState.LIVE


def test_prices_that_rest_make_a_feed_frozen_and_one_move_heals_it() -> None:
    liveness = watch()
    states = [hear(liveness, after, price=7) for after in range(32)]
    assert states[:30] == [FeedState.LIVE] * 30
    assert states[30:] == [FeedState.FROZEN] * 2
    assert liveness.reason(NOON + 31 * SECOND) == "prices have not moved for 31.0 s"
    assert hear(liveness, 32, price=8) is FeedState.LIVE


def test_silence_hides_lateness_and_lateness_hides_frozen_prices() -> None:
    liveness = watch()
    for after in range(40):
        hear(liveness, after, lag=5, price=7)
    assert liveness.state is FeedState.LATE
    liveness.check(NOON + 60 * SECOND)
    assert liveness.state is FeedState.SILENT


def test_a_test_that_is_turned_off_never_speaks() -> None:
    liveness = watch(late_after_ns=0, frozen_after_ns=0)
    assert {hear(liveness, after, lag=500, price=7) for after in range(100)} == {FeedState.LIVE}


class Watcher(Behaviour):
    """Nothing but a place to publish from."""

    EMITS = (FeedStatus,)


def test_a_change_is_published_once_and_raises_and_resolves_the_alert() -> None:
    bench = Bench(Watcher, now_ns=NOON)
    subscription = Subscription(BTC, FeedSettings(), NOON, gap_ns=SECOND)
    for _ in range(3):
        subscription.heard(bench.now_ns, bench.now_ns, 100)
        subscription.check(bench)
    bench.now_ns += 10 * SECOND
    subscription.check(bench)
    subscription.check(bench)
    subscription.heard(bench.now_ns, bench.now_ns, 101)
    subscription.check(bench)
    told = bench.take(FeedStatus)
    assert [status.state for status in told] == [FeedState.LIVE, FeedState.SILENT, FeedState.LIVE]
    (alert,) = bench.alerts
    assert (alert.name, alert.key, alert.severity) == ("FeedStale", BTC, Severity.PAGE)
    assert alert.summary == f"{BTC} is silent: nothing heard for 10.0 s"
    # The first one stands for an alert that a feed before a restart may have left behind.
    assert [resolved.key for resolved in bench.resolved] == [BTC, BTC]


def test_the_usual_gap_between_messages_is_never_silence() -> None:
    bench = Bench(Watcher, now_ns=NOON)
    subscription = Subscription(BTC, FeedSettings(), NOON, gap_ns=60 * SECOND)
    subscription.heard(NOON, NOON, 100)
    bench.now_ns += 179 * SECOND
    subscription.check(bench)
    assert [status.state for status in bench.take(FeedStatus)] == [FeedState.LIVE]


def test_a_feed_at_its_end_is_silent_without_an_alert() -> None:
    bench = Bench(Watcher, now_ns=NOON)
    subscription = Subscription(BTC, FeedSettings(), NOON, gap_ns=SECOND)
    subscription.heard(NOON, NOON, 100)
    subscription.check(bench)
    subscription.end(bench, "no more")
    subscription.check(bench)
    bench.now_ns += 100 * SECOND
    subscription.check(bench)
    assert [(s.state, s.reason) for s in bench.take(FeedStatus)][1:] == [(FeedState.SILENT, "no more")]
    assert bench.alerts == []


def references(liveness: Liveness, after: int, mark: int, index: int) -> FeedState | None:
    """Hear mark and index beside a book that moves."""
    liveness.heard_references(NOON + after * SECOND, mark, index)
    return hear(liveness, after)


def test_mark_and_index_that_are_told_and_stand_still_freeze_a_feed_whose_book_moves() -> None:
    liveness = watch(stuck_after_ns=30 * SECOND)
    states = [references(liveness, after, 100, 101) for after in range(40)]
    assert states == [FeedState.LIVE] * 30 + [FeedState.FROZEN] * 10
    assert liveness.reason(NOON) == "mark and index price have not moved for 39.0 s, although they are told"
    assert references(liveness, 41, 100, 102) is FeedState.LIVE, "one of them is enough"


def test_references_that_nobody_tells_or_watches_freeze_nothing() -> None:
    liveness = watch(stuck_after_ns=30 * SECOND)
    references(liveness, 0, 100, 101)
    assert all(hear(liveness, after) is FeedState.LIVE for after in range(1, 100)), "that would be silence"
    assert all(references(watch(), after, 100, 101) is FeedState.LIVE for after in range(100))

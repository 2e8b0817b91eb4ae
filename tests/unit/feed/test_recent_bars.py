"""Bars of the past: as many as anybody may ask for, and the same as those built of every minute."""

from random import Random

import pytest

from actors.domain.bars import BarBuilder, ClosedBar
from actors.feed.recent_bars import BARS_KEPT, RecentBars
from tests.unit.feed.feeds_on_bench import BTC, DAY, MINUTE

START = 20_372 * DAY


def minutes(count: int, *, begins: int = 0, holes: bool = False) -> list[ClosedBar]:
    draw = Random(5)
    price, bars = 1_000, []
    for minute in range(begins, begins + count):
        opened, price = price, price + draw.randrange(-9, 10)
        high, low = max(opened, price) + draw.randrange(4), min(opened, price) - draw.randrange(4)
        at_ns = START + (minute + 1) * MINUTE
        if not (holes and (draw.random() < 0.02 or 5_000 < minute < 5_400)):
            bars.append(ClosedBar(at_ns, MINUTE, opened, high, low, price, draw.randrange(50), 3))
    return bars


def whole(bars: list[ClosedBar], interval_ns: int) -> list[tuple[int, ...]]:
    builder = BarBuilder(interval_ns)
    built = [bar for part in bars for bar in builder.add_bar(part)]
    return [tuple(bar) for bar in built]


def kept(bars: list[ClosedBar]) -> RecentBars:
    recent = RecentBars(BTC, MINUTE)
    for bar in bars:
        recent.add_bar(bar)
    return recent


def shown(recent: RecentBars, interval_ns: int, count: int) -> list[tuple[int, ...]]:
    found = recent.history(interval_ns, count)
    return [
        (
            bar.at_ns,
            bar.interval_ns,
            bar.open_ticks,
            bar.high_ticks,
            bar.low_ticks,
            bar.close_ticks,
            bar.contracts,
            bar.trades_count,
        )
        for bar in found
    ]


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("length", [1, 5, 15, 60, 240, 1_440])
def test_longer_bars_are_those_of_all_minutes(length: int, holes: bool) -> None:
    bars = minutes(60_011, holes=holes)
    expected = whole(bars, length * MINUTE)
    found = shown(kept(bars), length * MINUTE, 100)
    assert len(found) == min(100, len(expected))
    assert found == expected[-100:]


def test_weeks_of_hours_can_be_had_of_minutes() -> None:
    recent = kept(minutes(60_011))
    assert len(recent.history(60 * MINUTE, 5_000)) > 500
    assert len(recent.history(240 * MINUTE, 5_000)) == 250
    assert BARS_KEPT <= len(recent.history(MINUTE, 5_000)) < BARS_KEPT + 20


def test_a_bar_that_was_not_seen_from_its_start_is_left_out() -> None:
    bars = minutes(30_000, begins=7)
    found = shown(kept(bars), 240 * MINUTE, 1_000)
    assert found == whole(bars, 240 * MINUTE)[1:]


def test_bars_that_nothing_longer_is_made_of_are_kept_up_to_a_number() -> None:
    recent = RecentBars(BTC, DAY)
    for day in range(BARS_KEPT + 50):
        recent.add_bar(ClosedBar(START + (day + 1) * DAY, DAY, 5, 6, 4, 5, 1, 1))
    assert len(recent.history(DAY, 10_000)) == BARS_KEPT

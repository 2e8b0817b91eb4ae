"""Bars close by trade, by smaller bar or by time; late input is set aside; the state is plain."""

from dataclasses import astuple

import msgspec
import pytest

from actors.domain.bars import DAY_NS, FLAT_BARS_MAX, SECOND_NS, BarBuilder, ClosedBar

MINUTE = 60 * SECOND_NS
START = 20_000 * DAY_NS


def flat(at_ns: int, price: int, interval: int = MINUTE) -> ClosedBar:
    return ClosedBar(at_ns, interval, price, price, price, price, 0, 0)


def test_a_trade_of_the_next_bar_closes_the_open_one() -> None:
    bars = BarBuilder(MINUTE)
    assert bars.add_trade(START + 5, 100, 2) == ()
    assert bars.add_trade(START + 6, 107, 1) == ()
    assert bars.add_trade(START + 7, 95, 4) == ()
    assert bars.add_trade(START + MINUTE, 99, 1) == (
        ClosedBar(START + MINUTE, MINUTE, 100, 107, 95, 95, 7, 3),
    )
    assert bars.closes_at_ns == START + 2 * MINUTE


def test_bars_are_aligned_to_utc_whatever_the_first_trade() -> None:
    for interval in (SECOND_NS, 15 * SECOND_NS, MINUTE, 60 * MINUTE, DAY_NS):
        bars = BarBuilder(interval)
        bars.add_trade(START + 12_345_678_901, 100, 1)
        assert bars.closes_at_ns % interval == 0
        assert 0 < bars.closes_at_ns - (START + 12_345_678_901) <= interval


def test_time_closes_a_bar_although_nobody_trades() -> None:
    bars = BarBuilder(MINUTE)
    bars.add_trade(START, 100, 2)
    assert bars.close_until(START + MINUTE - 1) == ()
    assert bars.close_until(START + MINUTE) == (ClosedBar(START + MINUTE, MINUTE, 100, 100, 100, 100, 2, 1),)
    assert bars.close_until(START + 3 * MINUTE) == (
        flat(START + 2 * MINUTE, 100),
        flat(START + 3 * MINUTE, 100),
    )
    assert bars.close_until(START + 3 * MINUTE) == ()


def test_nothing_closes_before_the_first_price() -> None:
    assert BarBuilder(MINUTE).close_until(START + DAY_NS) == ()


def test_the_first_trade_after_a_flat_start_opens_the_bar() -> None:
    bars = BarBuilder(MINUTE)
    bars.add_trade(START, 100, 1)
    bars.close_until(START + MINUTE)
    bars.add_trade(START + MINUTE + 1, 130, 1)
    (closed,) = bars.close_until(START + 2 * MINUTE)
    assert (closed.open_ticks, closed.low_ticks) == (130, 130)


def test_a_late_trade_is_counted_and_set_aside() -> None:
    bars = BarBuilder(MINUTE)
    bars.add_trade(START + MINUTE, 100, 1)
    before = astuple(bars)[:-2]
    assert bars.add_trade(START + MINUTE - 1, 5, 1) == ()
    assert astuple(bars)[:-2] == before
    assert bars.late_count == 1


def test_a_trade_that_comes_out_of_order_inside_the_open_bar_counts() -> None:
    bars = BarBuilder(MINUTE)
    bars.add_trade(START + 50, 100, 1)
    bars.add_trade(START + 40, 90, 1)
    assert (bars.low_ticks, bars.close_ticks, bars.trades_count, bars.late_count) == (90, 90, 2, 0)


def test_the_last_smaller_bar_closes_the_bigger_one_at_once() -> None:
    bars = BarBuilder(5 * MINUTE)
    for i in range(4):
        assert bars.add_bar(ClosedBar(START + (i + 1) * MINUTE, MINUTE, 10, 12 + i, 9 - i, 11, 2, 1)) == ()
    last = ClosedBar(START + 5 * MINUTE, MINUTE, 10, 11, 10, 10, 2, 1)
    assert bars.add_bar(last) == (ClosedBar(START + 5 * MINUTE, 5 * MINUTE, 10, 15, 6, 10, 10, 5),)


def test_a_late_smaller_bar_is_counted_and_set_aside() -> None:
    bars = BarBuilder(5 * MINUTE)
    bars.add_bar(ClosedBar(START + 6 * MINUTE, MINUTE, 10, 12, 9, 11, 2, 1))
    assert bars.add_bar(ClosedBar(START + 5 * MINUTE, MINUTE, 10, 99, 1, 11, 2, 1)) == ()
    assert (bars.late_count, bars.high_ticks) == (1, 12)


def test_a_smaller_bar_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        BarBuilder(MINUTE).add_bar(flat(START + 7 * SECOND_NS, 10, 7 * SECOND_NS))
    with pytest.raises(ValueError, match="does not fit"):
        BarBuilder(5 * MINUTE).add_bar(flat(START + MINUTE + 1, 10))


def test_a_mark_price_bar_without_contracts_still_moves_the_bigger_bar() -> None:
    bars = BarBuilder(5 * MINUTE)
    bars.add_bar(ClosedBar(START + MINUTE, MINUTE, 10, 12, 9, 11, 0, 0))
    assert (bars.open_ticks, bars.high_ticks, bars.low_ticks, bars.close_ticks) == (10, 12, 9, 11)


def test_a_long_pause_gives_a_bounded_number_of_flat_bars_that_end_now() -> None:
    bars = BarBuilder(SECOND_NS)
    bars.add_trade(START, 100, 1)
    closed = bars.close_until(START + DAY_NS)
    assert len(closed) == 1 + FLAT_BARS_MAX
    assert closed[-1].at_ns == START + DAY_NS
    assert closed[1].at_ns == START + DAY_NS - (FLAT_BARS_MAX - 1) * SECOND_NS
    assert bars.skipped_count == 86_400 - 1 - FLAT_BARS_MAX


@pytest.mark.parametrize("interval", [0, -MINUTE, SECOND_NS // 2, 7 * SECOND_NS, SECOND_NS + 1, 2 * DAY_NS])
def test_an_interval_that_does_not_divide_a_day_is_refused(interval: int) -> None:
    with pytest.raises(ValueError, match="divide a day"):
        BarBuilder(interval)


def test_an_open_bar_survives_being_saved() -> None:
    bars = BarBuilder(MINUTE)
    bars.add_trade(START + 5, 100, 2)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(bars), type=BarBuilder)
    assert again == bars
    assert again.add_trade(START + MINUTE, 99, 1) == bars.add_trade(START + MINUTE, 99, 1)

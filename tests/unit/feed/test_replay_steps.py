"""The path that is made up for a candle: whole, honest about the bar, and of no use to a clairvoyant."""

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.bars import BarBuilder
from actors.domain.orders import Side
from actors.feed.replay_steps import BarStep, FundingStep, PrintStep, candle_steps, funding_steps, trade_steps
from actors.feed.rows import Candle, FundingRow, TradeRow
from tests.unit.feed.feeds_on_bench import MINUTE, NOON

SPREAD = 20_000  # 2 bps

prices = st.integers(1, 1_000_000)
candles = st.builds(
    lambda four, contracts: Candle(NOON, four[0], max(four), min(four), four[1], contracts),
    st.lists(prices, min_size=4, max_size=4),
    st.integers(0, 1_000),
)


def prints_of(candle: Candle) -> list[PrintStep]:
    return [step for step in candle_steps([candle], MINUTE, SPREAD) if isinstance(step, PrintStep)]


def test_the_path_goes_to_the_farther_extreme_first() -> None:
    down_first = prints_of(Candle(NOON, 1000, 1010, 900, 1005, 8))
    assert [step.price_ticks for step in down_first] == [1000, 900, 1010, 1005]
    up_first = prints_of(Candle(NOON, 1000, 1200, 900, 1005, 8))
    assert [step.price_ticks for step in up_first] == [1000, 1200, 900, 1005]
    evenly = prints_of(Candle(NOON, 1000, 1100, 900, 1005, 8))
    assert [step.price_ticks for step in evenly] == [1000, 900, 1100, 1005]
    assert [step.side for step in down_first] == [Side.BUY, Side.SELL, Side.BUY, Side.SELL]
    assert [step.at_ns - NOON for step in evenly] == [0, MINUTE // 3, MINUTE * 2 // 3, MINUTE - 1_000_000]


@given(candles)
def test_bars_built_from_the_prints_are_the_candle(candle: Candle) -> None:
    steps = list(candle_steps([candle], MINUTE, SPREAD))
    bar = steps[-1]
    assert isinstance(bar, BarStep)
    assert bar.at_ns == NOON + MINUTE
    if not candle.contracts:
        assert all(step.contracts == 0 for step in steps)
        return
    builder = BarBuilder(MINUTE)
    for step in steps[:-1]:
        if isinstance(step, PrintStep) and step.contracts:
            builder.add_trade(step.at_ns, step.price_ticks, step.contracts)
    (built,) = builder.close_until(NOON + MINUTE)
    assert built[2:] == (*candle[1:5], bar.contracts, bar.trades_count)
    assert candle.contracts <= bar.contracts <= max(candle.contracts, 4)


@given(candles)
def test_every_touch_is_whole_and_the_print_lies_within(candle: Candle) -> None:
    for step in prints_of(candle):
        assert 0 < step.bid_ticks < step.ask_ticks
        assert step.bid_ticks <= max(step.price_ticks, 1)
        assert step.price_ticks <= step.ask_ticks


@given(candles)
def test_who_reacts_to_an_extreme_trades_no_better_than_at_the_open(candle: Candle) -> None:
    opened, *extremes, _ = prints_of(candle)
    for step in extremes:
        assert step.ask_ticks >= opened.ask_ticks
        assert step.bid_ticks <= opened.bid_ticks
        if step.price_ticks < opened.bid_ticks:
            assert step.bid_ticks == step.price_ticks  # a stop at the low sells there
        if step.price_ticks > opened.ask_ticks:
            assert step.ask_ticks == step.price_ticks


@given(candles, st.integers(1, 1_000_000))
def test_nothing_before_the_close_depends_on_the_close(candle: Candle, close: int) -> None:
    other = candle._replace(close_ticks=min(candle.high_ticks, max(candle.low_ticks, close)))

    def seen(one: Candle) -> list[tuple[int, ...]]:
        return [(s.at_ns, s.price_ticks, s.bid_ticks, s.ask_ticks) for s in prints_of(one)[:3]]

    assert seen(candle) == seen(other)


def test_a_trade_stands_at_the_side_that_its_taker_met() -> None:
    rows = [
        TradeRow(NOON, 10_000, 3, Side.BUY),
        TradeRow(NOON, 10_000, 3, Side.SELL),
        TradeRow(NOON, 1, 1, Side.BUY),
    ]
    touches = [
        (step.bid_ticks, step.ask_ticks) for step in trade_steps(rows, SPREAD) if isinstance(step, PrintStep)
    ]
    assert touches == [(9_998, 10_000), (10_000, 10_002), (1, 2)]


def test_funding_outside_of_the_market_is_left_out() -> None:
    rows = [FundingRow(NOON + i * MINUTE, i) for i in range(5)]
    assert list(funding_steps(rows, NOON + MINUTE, NOON + 3 * MINUTE)) == [
        FundingStep(NOON + 2 * MINUTE, 3, 2, NOON + 3 * MINUTE),
        FundingStep(NOON + 3 * MINUTE, 4, 3, NOON + 4 * MINUTE),
    ]
    assert list(funding_steps(rows, NOON, NOON + 9 * MINUTE))[-1].next_ns == 0  # type: ignore[union-attr]

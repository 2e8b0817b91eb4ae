"""The incremental builder gives what a batch computation over all trades gives."""

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.bars import SECOND_NS, BarBuilder, ClosedBar

START = 1_760_000_000 * SECOND_NS
INTERVALS = [SECOND_NS, 5 * SECOND_NS, 60 * SECOND_NS, 300 * SECOND_NS]

trades = st.lists(
    st.tuples(st.integers(0, 900 * SECOND_NS), st.integers(1, 10_000), st.integers(1, 1_000)),
    min_size=1,
    max_size=80,
).map(lambda rows: sorted(((START + at, price, size) for at, price, size in rows), key=lambda row: row[0]))


def batch(rows: list[tuple[int, int, int]], interval: int, until: int) -> list[ClosedBar]:
    """Group by interval and fill the holes with flat bars: the definition, written the slow way."""
    found = []
    price = 0
    for start in range(rows[0][0] // interval * interval, until - interval + 1, interval):
        inside = [row for row in rows if start <= row[0] < start + interval]
        prices = [row[1] for row in inside] or [price]
        found.append(
            ClosedBar(
                start + interval,
                interval,
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                sum(row[2] for row in inside),
                len(inside),
            )
        )
        price = prices[-1]
    return found


def build(rows: list[tuple[int, int, int]], interval: int, until: int) -> list[ClosedBar]:
    bars = BarBuilder(interval)
    closed = [bar for row in rows for bar in bars.add_trade(*row)]
    return closed + list(bars.close_until(until))


@given(trades, st.sampled_from(INTERVALS))
def test_bars_from_trades_equal_the_batch(rows: list[tuple[int, int, int]], interval: int) -> None:
    until = rows[-1][0] // interval * interval + interval
    assert build(rows, interval, until) == batch(rows, interval, until)


@given(trades, st.sampled_from([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]))
def test_bars_from_smaller_bars_equal_bars_from_trades(
    rows: list[tuple[int, int, int]], levels: tuple[int, int]
) -> None:
    small, big = INTERVALS[levels[0]], INTERVALS[levels[1]]
    until = rows[-1][0] // big * big + big
    bigger = BarBuilder(big)
    closed = [bar for part in build(rows, small, until) for bar in bigger.add_bar(part)]
    assert closed == build(rows, big, until)
    assert bigger.close_until(until) == ()


@given(trades, st.sampled_from(INTERVALS), st.lists(st.integers(0, 900 * SECOND_NS), max_size=20))
def test_closing_by_time_never_changes_what_trades_in_order_give(
    rows: list[tuple[int, int, int]], interval: int, looks: list[int]
) -> None:
    until = rows[-1][0] // interval * interval + interval
    bars, closed = BarBuilder(interval), []
    for at, row in sorted(
        [*((row[0], row) for row in rows), *((START + at, None) for at in looks)], key=lambda x: x[0]
    ):
        closed += bars.add_trade(*row) if row else bars.close_until(at)
    closed += bars.close_until(max(until, bars.closes_at_ns - interval))
    assert closed[: len(batch(rows, interval, until))] == batch(rows, interval, until)
    assert bars.late_count == 0


@given(st.permutations(range(12)), st.sampled_from(INTERVALS))
def test_contracts_are_conserved_whatever_the_order_of_arrival(order: list[int], interval: int) -> None:
    bars = BarBuilder(interval)
    closed = [bar for i in order for bar in bars.add_trade(START + i * 37 * SECOND_NS, 100 + i, 1)]
    closed += bars.close_until(bars.closes_at_ns)
    assert sum(bar.contracts for bar in closed) + bars.late_count == 12
    assert [bar.at_ns for bar in closed] == sorted({bar.at_ns for bar in closed})
